/**
 * Makes the first use of large heap buffers cheap. The kernel finds and clears every page that is touched for the first time,
 * 4 KiB at a time: 1.6 GB/s, where a copy to warm memory runs at 10 and more.
 */

import { koffi, libc } from "./libc.ts";

/** glibc takes what is longer from the system, whatever it has seen, and gives it back when it is freed. */
const MAX_MMAP_THRESHOLD: number = 32 * 1024 * 1024;
/** malloc's own header, and a page that it may round up by. */
const MALLOC_OVERHEAD = 8192;
const MADV_HUGEPAGE = 14;
const MADV_POPULATE_WRITE = 23;
const PAGE_BYTES = 4096;
/** From here on a call costs less than the faults that it saves. */
const MIN_POPULATED_BYTES: number = 64 * 1024;

let keepsFreed = false;

/** Prepares the memory of a large buffer that was just allocated and not written yet. */
export function prepareFreshMemory(memory: Uint8Array): void {
  keepFreedMemory();
  // Only advice: where there are no huge pages, the pages are the usual ones.
  if (memory.length > MAX_MMAP_THRESHOLD) advise(memory, MADV_HUGEPAGE);
}

/**
 * Lets malloc keep what large buffers leave behind, up to 64 MiB at the end of its heap, for the next ones. glibc learns this by itself,
 * whenever a buffer is freed that is longer than all before; so it is shown the longest that it learns from, which is never touched.
 */
function keepFreedMemory(): void {
  if (keepsFreed) return;
  keepsFreed = true;
  const { malloc, free } = libc();
  free(malloc(MAX_MMAP_THRESHOLD - MALLOC_OVERHEAD));
}

/**
 * Has the kernel bring in the pages of shared memory that is about to be written, in one go: half of what it takes to do so one by
 * one, as each is touched. Only advice: an old kernel does not know it.
 */
export function populateSharedMemory(memory: Uint8Array): void {
  if (memory.length >= MIN_POPULATED_BYTES) advise(memory, MADV_POPULATE_WRITE);
}

/** For all pages in which there is some of the memory. malloc's header in front of it stands in the first of them. */
function advise(memory: Uint8Array, advice: number): void {
  const address = Number(koffi().address(memory));
  const start = Math.floor(address / PAGE_BYTES) * PAGE_BYTES;
  libc().madvise(BigInt(start), address + memory.length - start, advice);
}
