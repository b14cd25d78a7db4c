/** Which objects and arrays are nothing but their values, so that the short way of encoding does for them. */

/** Arrays up to this length are checked by listing their keys, which makes a text of each index. */
const SMALL_ARRAY = 8;

/** True when a plain object can be extended and has these keys only: neither symbols nor hidden properties. */
export function hasOnlyKeys(value: object, keys: readonly string[]): boolean {
  if (!Object.isExtensible(value)) return false;
  // The quick question first, and two of them: listing both kinds at once (`Reflect.ownKeys`) takes three times as long.
  if (Object.getOwnPropertyNames(value).length !== keys.length) return false;
  return Object.getOwnPropertySymbols(value).length === 0;
}

/** True when what stands under the keys is writable, configurable data. It takes longer than all of `hasOnlyKeys`. */
export function isData(value: object, keys: readonly string[]): boolean {
  for (let i = 0; i < keys.length; i++) {
    // An accessor's descriptor has no `writable`.
    const descriptor = Object.getOwnPropertyDescriptor(value, keys[i] as string) as PropertyDescriptor;
    if (descriptor.writable !== true || descriptor.configurable !== true) return false;
  }
  return true;
}

/** True when there is nothing about an array but its elements, without holes. */
export function isDense(value: unknown[]): boolean {
  if (!Object.isExtensible(value)) return false;
  const { length } = value;
  for (let i = 0; i < length; i++) if (value[i] === undefined && !(i in value)) return false;
  return countOf(value) === length && Object.getOwnPropertySymbols(value).length === 0;
}

/** How many enumerable properties an array has, its elements included. */
function countOf(value: unknown[]): number {
  if (value.length <= SMALL_ARRAY) return Object.keys(value).length;
  try {
    return Object.values(value).length;
  } catch {
    // A getter among further properties.
    return -1;
  }
}
