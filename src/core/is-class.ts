/** True for what was written as `class`, and so is called with `new`. */
export function isClass(fn: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(fn));
}
