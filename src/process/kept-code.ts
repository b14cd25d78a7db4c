/**
 * The compiled code of what every child loads: V8 takes half of a child's own time to compile it. One child of the program writes its
 * own down, once it has run all of it, in a file in memory that has no name and that all children inherit; those that are
 * started afterwards take it over (src/entry/child.cts). It has the text that it was made of, so the two belong together
 * whatever happens to the file.
 */

import { fstatSync, ftruncateSync, readSync } from "node:fs";
import { inheritance } from "../core/inheritance.ts";
import { createMemoryFile } from "../platform/index.ts";
import type { ChildLink } from "./child-link.ts";

/** What stands before the code: see src/entry/child.cts. */
const HEAD_BYTES = 24;

/** What a child inherits of it. */
export interface CodeFile {
  readonly fd: number;
  /** True if that child can write its code down. */
  readonly isWritable: boolean;
}

/** True in the process that has made the file: it chooses who writes. */
let isOwner = false;
let keeper: ChildLink | undefined;
let isKept = false;

/**
 * The file, for one child. For the first it is empty: that one loads the module, which a pool's worker loads anyway, and there may
 * be no second. A head of zeros, for the others, says that they may be asked to write.
 */
export function codeFile(): CodeFile {
  const fd = inheritance.codeFd;
  if (fd === undefined) {
    isOwner = true;
    return { fd: (inheritance.codeFd = createMemoryFile("multiproc-code", 0)), isWritable: false };
  }
  if (isOwner && fstatSync(fd).size === 0) ftruncateSync(fd, HEAD_BYTES);
  return { fd, isWritable: isOwner };
}

/** True if this child is to write its code down: one at a time does, until one has. */
export function isKeeper(child: ChildLink): boolean {
  if (isKept || !child.mayKeepCode || (keeper !== undefined && keeper.exit === undefined)) return false;
  isKept = hasHead();
  if (!isKept) keeper = child;
  return !isKept;
}

/** The head, which is written last, starts with a length. */
function hasHead(): boolean {
  const fd = inheritance.codeFd;
  const length = new Float64Array(1);
  return fd !== undefined && readSync(fd, length, 0, length.byteLength, 0) > 0 && length[0] !== 0;
}
