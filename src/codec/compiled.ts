/** Functions that are compiled for the keys of objects: as fast as the same lines in the source. */

const MAX_KEYS = 100;
let mayCompile = true;

/**
 * Compiles a function.
 * @param body Makes its text of the keys, as quoted strings.
 * @returns undefined where code must not be compiled (`--disallow-code-generation-from-strings`), or for keys that are none of a record's.
 */
export function compiledFor<T extends Function>(
  keys: readonly string[],
  parameters: readonly string[],
  body: (quoted: readonly string[]) => string,
): T | undefined {
  if (!mayCompile || keys.length > MAX_KEYS || keys.includes("__proto__")) return undefined;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- keys may come from anywhere, and stand in it as quoted strings only
    return new Function(...parameters, body(keys.map((key) => JSON.stringify(key)))) as unknown as T;
  } catch (error) {
    // By name: it can be one of another context. Anything else, such as a stack that is full just now, may pass.
    if ((error as Error).name === "EvalError") mayCompile = false;
    return undefined;
  }
}
