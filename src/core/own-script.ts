/**
 * The file of the package that a child may have run as a script and not as a module (entry/child.cts). What it exports is looked for
 * here; V8 knows exports of modules only.
 */

type Exports = Readonly<Record<string, unknown>>;

/** Under which name the script with this address exports a value; undefined if there is none. */
export function exportOfScript(url: string, value: unknown): string | undefined {
  const scripts = Reflect.get(process, Symbol.for("multiproc.script")) as
    | Readonly<Record<string, () => Exports>>
    | undefined;
  const exports = scripts?.[url]?.();
  return exports === undefined ? undefined : Object.keys(exports).find((name) => exports[name] === value);
}
