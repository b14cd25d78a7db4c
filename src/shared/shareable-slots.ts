import { StateError } from "../core/errors.ts";
import { rangeError } from "../core/options.ts";
import { performance } from "../core/timers.ts";
import { startTimeOf } from "../platform/index.ts";
import {
  HEADER_BYTES,
  MAGIC,
  payloadBytes,
  roomFor,
  type ShareableValue,
  SLOT_BYTES,
  SlotWord,
  Tag,
  tagOf,
  UNIT,
  Word,
} from "./shareable-layout.ts";

const SPINS = 1000;
/** How long to wait for somebody alive who is at an element: it takes microseconds, unless he is stopped in the middle. */
const PATIENCE_MS = 10_000;

/**
 * The elements of a ShareableList, read and written whole: whoever is at an element holds its slot for that moment, so
 * nobody sees the number of one write with the type of another. Who died holding a slot is passed over; what he was
 * writing is then half written, as it would be in any memory.
 *
 * The holder is known by its pid, since a list with a name is shared with processes of other programs.
 */
export class ShareableSlots {
  readonly length: number;
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #integers: BigInt64Array;
  readonly #bytes: Uint8Array;

  /** @param memory Of a list that is there already. */
  constructor(memory: Uint8Array) {
    const longs = Math.floor(memory.length / UNIT);
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, 2 * longs);
    this.#floats = new Float64Array(memory.buffer, memory.byteOffset, longs);
    this.#integers = new BigInt64Array(memory.buffer, memory.byteOffset, longs);
    this.#bytes = memory;
    this.length = this.#words[Word.length] ?? -1;
    const whole = this.length >= 0 && HEADER_BYTES + this.length * SLOT_BYTES <= memory.length;
    if (!whole || this.#words[Word.magic] !== MAGIC) {
      throw new StateError("Cannot open the ShareableList: the memory holds none");
    }
  }

  /** A new list, as the bytes that its memory is to hold. */
  static format(values: readonly ShareableValue[]): Uint8Array {
    const start = HEADER_BYTES + values.length * SLOT_BYTES;
    const rooms = values.map(roomFor);
    const memory = new Uint8Array(start + UNIT * rooms.reduce((sum, room) => sum + room, 0));
    const words = new Int32Array(memory.buffer);
    words[Word.magic] = MAGIC;
    words[Word.length] = values.length;
    let place = start / UNIT;
    rooms.forEach((room, i) => {
      words[slotOf(i) + SlotWord.room] = room;
      words[slotOf(i) + SlotWord.place] = place;
      place += room;
    });
    const slots = new ShareableSlots(memory);
    values.forEach((value, i) => slots.write(i, value));
    return memory;
  }

  read(index: number): ShareableValue {
    const slot = slotOf(index);
    this.#take(slot, index);
    try {
      return this.#decode(slot);
    } finally {
      Atomics.store(this.#words, slot + SlotWord.holder, 0);
    }
  }

  /** @throws {RangeError} If a text or bytes are longer than the room. */
  write(index: number, value: ShareableValue): void {
    const slot = slotOf(index);
    const byteLength = payloadBytes(value);
    const room = (this.#words[slot + SlotWord.room] as number) * UNIT;
    if (byteLength > room)
      throw rangeError("value", `at most ${room} bytes (UTF-8), which is the room of element ${index}`, value);
    this.#take(slot, index);
    try {
      this.#encode(slot, value, byteLength);
    } finally {
      Atomics.store(this.#words, slot + SlotWord.holder, 0);
    }
  }

  #decode(slot: number): ShareableValue {
    const tag = this.#words[slot + SlotWord.tag];
    if (tag === Tag.number) return this.#floats[(slot + SlotWord.scalar) / 2] as number;
    if (tag === Tag.bigint) return this.#integers[(slot + SlotWord.scalar) / 2] as bigint;
    if (tag === Tag.text) return Buffer.from(this.#payload(slot)).toString("utf8");
    if (tag === Tag.bytes) return this.#payload(slot).slice();
    return tag === Tag.null ? null : tag === Tag.true;
  }

  #encode(slot: number, value: ShareableValue, byteLength: number): void {
    const words = this.#words;
    words[slot + SlotWord.tag] = tagOf(value);
    words[slot + SlotWord.byteLength] = byteLength;
    if (typeof value === "number") this.#floats[(slot + SlotWord.scalar) / 2] = value;
    else if (typeof value === "bigint") this.#integers[(slot + SlotWord.scalar) / 2] = value;
    else if (typeof value === "string") new TextEncoder().encodeInto(value, this.#payload(slot));
    else if (value instanceof Uint8Array) this.#payload(slot).set(value);
  }

  /** The text or bytes of a slot. */
  #payload(slot: number): Uint8Array {
    const start = (this.#words[slot + SlotWord.place] as number) * UNIT;
    return this.#bytes.subarray(start, start + (this.#words[slot + SlotWord.byteLength] as number));
  }

  /** Waits until nobody is at the element, and takes its slot. */
  #take(slot: number, index: number): void {
    for (let i = 0; i < SPINS; i++) {
      if (Atomics.compareExchange(this.#words, slot, 0, process.pid) === 0) return;
    }
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const holder = Atomics.load(this.#words, slot);
      const free = holder === 0 || isGone(holder);
      if (free && Atomics.compareExchange(this.#words, slot, holder, process.pid) === holder) return;
      if (performance.now() > end) {
        throw new StateError(
          `Cannot use element ${index} of the ShareableList: process ${holder} is at it and does not go on`,
        );
      }
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

function isGone(pid: number): boolean {
  try {
    return startTimeOf(pid) === undefined;
  } catch {
    // It cannot be seen (out of descriptors, say): not taken for dead.
    return false;
  }
}

function slotOf(index: number): number {
  return (HEADER_BYTES + index * SLOT_BYTES) / 4;
}
