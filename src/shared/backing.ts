/** What a SharedMemory stands on: a part of the arena, or a POSIX shared memory that has a name in the system. */

import type { BlockRef } from "../memory/index.ts";

/** How a backing travels: by a counted reference, or by its name and the identity of the memory that had it. */
export type BackingTransfer =
  | { readonly ref: BlockRef; readonly size: number }
  | { readonly name: string; readonly identity: string };

export interface Backing {
  /** Under which this process knows the object that stands for the memory. */
  readonly key: number | string;
  readonly size: number;
  readonly name: string;
  /** The bytes; always the same buffer. */
  buffer(): ArrayBuffer;
  /** Detaches the buffer and lets go of the memory. */
  release(): void;
  /** Takes the name away. @throws {SystemError} ENOENT if it is gone already. */
  unlink(): void;
  transfer(): BackingTransfer;
}
