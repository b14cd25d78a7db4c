/** Objects that cannot travel, and why. */

/**
 * Why an object (not a function) cannot be sent: "a WeakMap", "an instance of net.Server"; undefined when nothing speaks against it.
 * To be asked before any property of the object is touched.
 */
export function refuseReason(value: object): string | undefined {
  return value instanceof WeakMap ? "a WeakMap" : undefined;
}
