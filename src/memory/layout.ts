/**
 * Where things stand in the arena.
 *
 *     byte 0                     header: magic, counters, heads of the free lists
 *     PROCESS_TABLE_OFFSET       the process table, MAX_PROCESSES slots
 *     CHUNK_TABLE_OFFSET         one word a chunk: the size class of its cells, 0 while unused
 *     HEAP_OFFSET                chunks of cells, up to CONTROL_BYTES
 *     CONTROL_BYTES              extents, mapped on demand
 *
 * The control region, [0, CONTROL_BYTES), is mapped once in each process.
 */

export const MAGIC = 0x6d70_0001;

/** The whole file: address space, not memory; pages come into being when touched. */
export const ARENA_BYTES: number = 2 ** 42;
/**
 * Stays well below 64 MiB: V8 counts a mapped buffer as external memory, and starts a garbage collection (1–3 ms, in every
 * process) when 64 MiB have come since the last one.
 */
export const CONTROL_BYTES: number = 32 * 2 ** 20;

/** How many processes (and worker threads) of one program can be attached at a time. */
export const MAX_PROCESSES = 1024;
export const SLOT_BYTES = 256;

/** Cells of one size are cut from chunks of this size. */
export const CHUNK_BYTES = 16384;
/** Unit of extents: a multiple of the page size of every processor that is supported. */
export const EXTENT_UNIT = 65536;

export const PROCESS_TABLE_OFFSET = 4096;
export const CHUNK_TABLE_OFFSET: number = PROCESS_TABLE_OFFSET + MAX_PROCESSES * SLOT_BYTES;
export const CHUNK_COUNT: number = CONTROL_BYTES / CHUNK_BYTES;
export const HEAP_OFFSET: number = align(CHUNK_TABLE_OFFSET + CHUNK_COUNT * 4, CHUNK_BYTES);

/** Words of the arena's header, as indexes into `words`; the free-list heads are 64 bits, indexes into `longs`. */
export const Header = {
  magic: 0,
  /** The next chunk that was never used. */
  nextChunk: 1,
  /** Kilobytes of freed extents whose pages are kept for reuse. */
  warmKilobytes: 2,
  /** The next process slot to try. */
  slotHint: 3,
  /** 64-bit: the next extent unit that was never used. */
  nextExtentUnit: 4,
  /** 64-bit heads of the free lists of cells, one a size class. */
  cellLists: 8,
  /** 64-bit heads of the free lists of extents, one a power of two. */
  extentLists: 32,
} as const;

export function align(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
