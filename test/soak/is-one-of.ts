/** True if the error is of one of the classes. */
export function isOneOf(error: unknown, ...classes: (abstract new (...args: never[]) => Error)[]): boolean {
  return classes.some((each) => error instanceof each);
}
