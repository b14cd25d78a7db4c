/**
 * What a child was given by its parent, for whoever asks later.
 *
 * A child is told at once and loads little; the layers that use this (shared memory, the process table) are loaded only when
 * something needs them. So the entry writes it down here, where nothing has to be loaded for it.
 */

export interface Inheritance {
  /** Descriptor of the program's arena; undefined in the first process until something needs it. */
  arenaFd?: number;
  /** Descriptor of the compiled code of what every child loads; undefined in the first process until it starts one. */
  codeFd?: number;
  /** The parent's slot in the process table, if it has one. */
  parentSlot?: number | undefined;
  /** The start method of the parent. */
  startMethod?: string;
  /** Numbers of this process and its ancestors: `Process-1:2` is [1, 2]; empty in the first process. */
  identity: readonly number[];
  name: string;
  /** How many of the last flags of node are this process's own, and not for its children. */
  ownFlags: number;
  daemon: boolean;
  /** The folder in which this process was started: what flags such as `--import tsx` name is found from there. */
  readonly folder: string | undefined;
  parent: { readonly pid: number; readonly name: string } | null;
  /** True if the parent can tell where in the source the text of a function stands. */
  asksForPlaces?: boolean | undefined;
  /** True while modules that the target needs are being imported. */
  importing: boolean;
  /** The object whose `run()` is being called, and what `run()` of its base class calls. */
  running?: { readonly object: object; readonly base: unknown } | undefined;
}

/**
 * Once in a thread, however many copies of this file there are: a loader such as tsx makes one for `import` and one for `require`.
 * On `process`, which threads do not share, and most test runners' contexts of node:vm do.
 */
const KEY: unique symbol = Symbol.for("multiproc.inheritance");
const shared = process as unknown as { [KEY]?: Inheritance };

/** undefined when the folder was deleted meanwhile. */
export function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

if (shared[KEY] === undefined) {
  const first: Inheritance = {
    identity: [],
    name: "MainProcess",
    ownFlags: 0,
    daemon: false,
    folder: currentFolder(),
    parent: null,
    importing: false,
  };
  // Not enumerable: users print `process`.
  Object.defineProperty(process, KEY, { value: first });
}

export const inheritance: Inheritance = shared[KEY] as Inheritance;
