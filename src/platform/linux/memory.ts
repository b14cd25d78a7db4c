/** Shared memory: files without a name, and mappings of them. */

import { systemError } from "../errno.ts";
import { checked, errno, koffi, libc } from "./libc.ts";
import { ownedByThread } from "./thread-owned.ts";

const MFD_CLOEXEC = 1;
const PROT_NONE = 0;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const MAP_FAILED = BigInt.asUintN(64, -1n);

/** A mapped range. */
export interface Mapping {
  readonly address: bigint;
  /** Bytes of address space, which is twice the file's range for a mirrored one. */
  readonly byteLength: number;
  readonly buffer: ArrayBuffer;
}

/** Makes a sparse file in memory that has no name; the kernel frees it when nobody has it open or mapped any more. */
export function createMemoryFile(name: string, byteLength: number): number {
  const fd = ownedByThread(checked("memfd_create", libc().memfd_create(name, MFD_CLOEXEC)));
  checked("ftruncate", libc().ftruncate(fd, byteLength));
  return fd;
}

export function resizeFile(fd: number, byteLength: number): void {
  checked("ftruncate", libc().ftruncate(fd, byteLength));
}

/** Maps a range of the file for reading and writing, shared with everybody who maps it. Offsets must be multiples of the page size. */
export function mapFile(fd: number, offset: number, byteLength: number): Mapping {
  const address = map(null, byteLength, PROT_READ_WRITE, MAP_SHARED | MAP_NORESERVE, fd, offset);
  return { address, byteLength, buffer: viewOf(address, byteLength) };
}

/** Maps a range twice, back to back: what runs over the end of the first goes on at its start, so a record never wraps. */
export function mapFileMirrored(fd: number, offset: number, byteLength: number): Mapping {
  const address = map(null, 2 * byteLength, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE;
  map(address, byteLength, PROT_READ_WRITE, flags, fd, offset);
  map(address + BigInt(byteLength), byteLength, PROT_READ_WRITE, flags, fd, offset);
  return { address, byteLength: 2 * byteLength, buffer: viewOf(address, 2 * byteLength) };
}

/**
 * Ends a mapping whose buffer is still reachable. Unmapping under a live view is a segmentation fault, so the buffer is
 * detached first: plain reads of a stale view give `undefined`, writes are ignored, Atomics throw. Should an engine refuse
 * to detach, the range is covered with private memory that nobody has touched: stale views read zeros, and `unmap` may
 * follow when the buffer was collected.
 *
 * @returns true when the range is unmapped; false when it is only covered.
 */
export function retireMapping(mapping: Mapping): boolean {
  if (detach(mapping.buffer)) {
    unmap(mapping);
    return true;
  }
  const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
  map(mapping.address, mapping.byteLength, PROT_READ_WRITE, flags, -1, 0);
  return false;
}

/** Unmaps a range whose buffer is detached or collected. */
export function unmap(mapping: Pick<Mapping, "address" | "byteLength">): void {
  checked("munmap", libc().munmap(mapping.address, mapping.byteLength));
}

/** Gives the pages of a range back to the system; the range reads as zeros afterwards. */
export function punchHole(fd: number, offset: number, byteLength: number): void {
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  checked("fallocate", libc().fallocate(fd, mode, offset, byteLength));
}

function map(
  address: bigint | null,
  byteLength: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
): bigint {
  const result = libc().mmap(address, byteLength, protection, flags, fd, offset);
  if (BigInt.asUintN(64, BigInt(result)) === MAP_FAILED) throw systemError("mmap", errno(), `${byteLength} bytes`);
  return BigInt(result);
}

function viewOf(address: bigint, byteLength: number): ArrayBuffer {
  return koffi().view(address, byteLength) as ArrayBuffer;
}

/**
 * `ArrayBuffer.prototype.transfer` came with Node 22. On Node 20 `structuredClone` silently copies such a buffer instead of
 * transferring it, but a byte stream does transfer what is enqueued, as the Streams Standard asks
 * (ReadableByteStreamControllerEnqueue); the stream is dropped at once, and with it the only view of the memory.
 */
function detach(buffer: ArrayBuffer): boolean {
  const { transfer } = buffer as { transfer?: (length: number) => ArrayBuffer };
  if (transfer !== undefined) transfer.call(buffer, 0);
  else new ReadableStream({ type: "bytes", start: (controller) => controller.enqueue(new Uint8Array(buffer)) });
  return buffer.byteLength === 0;
}
