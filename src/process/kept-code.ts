/**
 * The compiled code of what every child loads: V8 takes half of a child's own time to compile it. One child of the program writes its
 * own down, once it has run all of it, in a file in memory that has no name and that all children inherit; those that are
 * started afterwards take it over (src/entry/child.cts). It has the text that it was made of, so the two belong together
 * whatever happens to the file.
 */

import { ftruncateSync, readSync } from "node:fs";
import { inheritance } from "../core/inheritance.ts";
import { createMemoryFile } from "../platform/index.ts";

/** What stands before code and source: see src/entry/child.cts. */
const HEAD_BYTES = 16;

/** True in the process that has made the file: it chooses who writes. */
let isOwner = false;
/** True until a second child is started. */
let isFirst = true;
let keeper: { readonly exit: unknown } | undefined;

/**
 * The file's descriptor, for one child. For the first it is empty: that one loads the module, which a pool's worker loads anyway. A
 * head of zeros, for the others, says that they may be asked to write.
 */
export function codeFd(): number {
  if (inheritance.codeFd === undefined) {
    isOwner = true;
    return (inheritance.codeFd = createMemoryFile("multiproc-code", 0));
  }
  if (isOwner && isFirst) {
    isFirst = false;
    ftruncateSync(inheritance.codeFd, HEAD_BYTES);
  }
  return inheritance.codeFd;
}

/** True if this child is to write its code down: one at a time does, until one has. */
export function isKeeper(child: { readonly exit: unknown }): boolean {
  if (!isOwner || (keeper !== undefined && keeper.exit === undefined) || isKept()) return false;
  keeper = child;
  return true;
}

/** The head, which is written last, starts with a length. */
function isKept(): boolean {
  const fd = inheritance.codeFd;
  const length = new Float64Array(1);
  return fd !== undefined && readSync(fd, length, 0, length.byteLength, 0) > 0 && length[0] !== 0;
}
