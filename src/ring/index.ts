/** Rings of records in shared memory. */

export { MAX_INLINE_BYTES, RecordKind, type RecordView } from "./record.ts";
export { LEAVE, NOTHING } from "./ring-reader.ts";
export { drainRing, onDiscard, registerRings } from "./ring-sweep.ts";
export { RING_BYTES } from "./ring-words.ts";
export { Written } from "./ring-writer.ts";
export { Ring, type RingLimits } from "./ring.ts";
