/**
 * What a child was given by its parent, for whoever asks later.
 *
 * A child is told at once and loads little; the layers that use this (shared memory, the process table) are loaded only when
 * something needs them. So the entry writes it down here, where nothing has to be loaded for it.
 */

export interface Inheritance {
  /** Descriptor of the parent's arena; undefined in the first process. */
  arenaFd?: number;
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
  parent: { readonly pid: number; readonly name: string } | null;
}

export const inheritance: Inheritance = { identity: [], name: "MainProcess", ownFlags: 0, daemon: false, parent: null };
