/**
 * The words of a ring, which stand in the payload of a cell; several processes write to and read from one ring.
 *
 * | word   | holds                                                     | written by                        |
 * |--------|-----------------------------------------------------------|-----------------------------------|
 * | 0      | producer lock: slot of the owner + 1                      | producers                         |
 * | 1      | tail: position behind the last record                     | who holds the producer lock       |
 * | 2      | records ever put; storing it is what publishes a record   | who holds the producer lock       |
 * | 3, 4   | tail and count as they will be: for recovery              | who holds the producer lock       |
 * | 5      | serial number of the segment at the tail, 0 if none       | who holds the producer lock       |
 * | 6      | 1 when nothing can be put any more                        | who holds the producer lock       |
 * | 8–15   | segment slots of the tail: serial & 1 says which holds    | who holds the producer lock       |
 * | 16     | consumer lock: slot of the owner + 1                      | consumers                         |
 * | 17     | head: position of the oldest record                       | who holds the consumer lock       |
 * | 18     | records ever taken; storing it is what takes a record     | who holds the consumer lock       |
 * | 19, 20 | head and count as they will be: for recovery              | who holds the consumer lock       |
 * | 21     | serial number of the segment at the head, 0 if none       | who holds the consumer lock; the first time the producer |
 * | 24–31  | segment slots of the head                                 | likewise                          |
 * | 32     | largest number of records, 0 for no limit                 | who makes the ring                |
 * | 33     | largest size in KiB                                       | who makes the ring                |
 * | 34     | KiB in blocks of their own                                | both sides, atomically            |
 * | 35     | records that are done with (JoinableQueue)                | consumers, atomically             |
 * | 48–51  | wait queue: not empty                                     | wait-queue.ts                     |
 * | 52–55  | wait queue: not full                                      | wait-queue.ts                     |
 * | 56–59  | wait queue: those who only want to know                   | wait-queue.ts                     |
 * | 60–63  | wait queue: all done (JoinableQueue)                      | wait-queue.ts                     |
 *
 * Positions count bytes and counts count records, from 0 on and modulo 2³². A segment slot holds the id and generation of the
 * segment's extent, the position of its first byte, and its capacity.
 *
 * Killed at any point, a process damages nothing: a record is there when the count says so, and the words that follow a count are
 * set right from 3, 4, 19 and 20 by whoever takes the lock over.
 */

export const RingWord = {
  producerLock: 0,
  tail: 1,
  put: 2,
  nextTail: 3,
  nextPut: 4,
  tailSerial: 5,
  closed: 6,
  tailSlots: 8,
  consumerLock: 16,
  head: 17,
  taken: 18,
  nextHead: 19,
  nextTaken: 20,
  headSerial: 21,
  headSlots: 24,
  maxRecords: 32,
  maxKilobytes: 33,
  blockKilobytes: 34,
  done: 35,
  notEmpty: 48,
  notFull: 52,
  watchers: 56,
  allDone: 60,
} as const;

/** Words of a segment slot. */
export const SegmentSlot = { id: 0, generation: 1, start: 2, capacity: 3 } as const;
export const SEGMENT_SLOT_WORDS = 4;

/** Room that a ring takes in a cell. */
export const RING_BYTES = 256;

/** Which of the two slots holds the segment with this serial number: writing the next one leaves the present one alone. */
export function segmentSlot(slots: number, serial: number): number {
  return slots + (serial & 1) * SEGMENT_SLOT_WORDS;
}
