/**
 * What a client process and the server share: a cell and the bytes of two rings.
 *
 * | word | holds                                                        | written by              |
 * |------|--------------------------------------------------------------|-------------------------|
 * | 0    | id of the link that arrived before, 0 if none                | client                  |
 * | 1    | generation of this cell, for references                      | client                  |
 * | 2–3  | slot of the client, and the slot's generation                | client                  |
 * | 4–7  | references to the rings' bytes: requests, replies            | client                  |
 * | 8    | 1 when the client is closed                                  | client                  |
 * | 9    | how the client sleeps: AWAKE, BLOCKED, IN_LOOP               | client; who wakes it clears it |
 * | 10   | 1 when the client waits for room for requests                | client; server clears it |
 * | 11   | 1 when the server waits for room for replies                 | server; client clears it |
 * | 16   | requests: bytes written                                      | client                  |
 * | 32   | requests: bytes read                                         | server                  |
 * | 48   | replies: bytes written                                       | server                  |
 * | 64   | replies: bytes read                                          | client                  |
 */

import {
  allocateCell,
  allocateExtent,
  arena,
  type BlockRef,
  type Cell,
  Extent,
  openCell,
  openExtent,
  payloadOffset,
  selfSlot,
  slotGeneration,
} from "../memory/index.ts";
import { futexWait, futexWake } from "../platform/index.ts";
import { ringDoorbell, SLICE_MS } from "../wait/index.ts";
import { RingReader, RingWriter } from "./message-ring.ts";

const LINK_BYTES = 512;
const REQUEST_BYTES = 256 * 1024;
const REPLY_BYTES = 1024 * 1024;

const Word = {
  next: 0,
  generation: 1,
  slot: 2,
  slotGeneration: 3,
  requests: 4,
  replies: 6,
  closed: 8,
  sleep: 9,
  clientWantsRoom: 10,
  serverWantsRoom: 11,
  requestsWritten: 16,
  requestsRead: 32,
  repliesWritten: 48,
  repliesRead: 64,
} as const;

export const Sleep = { awake: 0, blocked: 1, inLoop: 2 } as const;

abstract class LinkMemory {
  readonly cell: Cell;
  readonly #bytes: Extent[] = [];

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get closed(): boolean {
    return this.load(Word.closed) !== 0;
  }

  /** Lets go of the memory; the rings must not be used any more. */
  release(): void {
    for (const extent of this.#bytes) extent.release();
    this.cell.release();
  }

  protected load(word: number): number {
    return Atomics.load(arena().words, this.cell.word + word);
  }

  protected store(word: number, value: number): void {
    Atomics.store(arena().words, this.cell.word + word, value);
  }

  protected take(word: number): boolean {
    return this.load(word) !== 0 && Atomics.exchange(arena().words, this.cell.word + word, 0) !== 0;
  }

  protected own(extent: Extent): Extent {
    this.#bytes.push(extent);
    return extent;
  }

  protected place(bytes: Extent, written: number, read: number): ConstructorParameters<typeof RingWriter>[0] {
    return { bytes, writtenWord: this.cell.word + written, readWord: this.cell.word + read };
  }
}

/** The client's end. */
export class ClientLink extends LinkMemory {
  readonly requests: RingWriter;
  readonly replies: RingReader;

  constructor() {
    super(allocateCell(LINK_BYTES));
    const requests = this.own(allocateExtent(REQUEST_BYTES));
    const replies = this.own(allocateExtent(REPLY_BYTES));
    this.store(Word.slot, selfSlot());
    this.store(Word.slotGeneration, slotGeneration(selfSlot()));
    this.store(Word.generation, this.cell.refer().generation);
    this.#refer(Word.requests, requests);
    this.#refer(Word.replies, replies);
    this.requests = new RingWriter(this.place(requests, Word.requestsWritten, Word.requestsRead));
    this.replies = new RingReader(this.place(replies, Word.repliesWritten, Word.repliesRead));
  }

  setNext(id: number): void {
    this.store(Word.next, id);
  }

  set sleep(sleep: number) {
    this.store(Word.sleep, sleep);
  }

  /** Blocks for at most `timeoutMs`, unless woken before; `sleep` must be BLOCKED. */
  block(timeoutMs: number): void {
    const address = arena().address + 4 * (this.cell.word + Word.sleep);
    futexWait(address, Sleep.blocked, Math.min(SLICE_MS, timeoutMs));
  }

  /** Has the server wake this process when it has taken requests. */
  wantRoom(): void {
    this.store(Word.clientWantsRoom, 1);
  }

  /** True when the server waits for room that there is now. */
  takeServerWantsRoom(): boolean {
    return this.take(Word.serverWantsRoom);
  }

  close(): void {
    this.store(Word.closed, 1);
  }

  #refer(word: number, extent: Extent): void {
    const { id, generation } = extent.refer();
    this.store(word, id);
    this.store(word + 1, generation);
  }
}

/** The server's end. */
export class ServerLink extends LinkMemory {
  readonly requests: RingReader;
  readonly replies: RingWriter;
  readonly slot: number;
  readonly slotGeneration: number;
  /** Id of the link that arrived before this one. */
  readonly next: number;

  private constructor(cell: Cell) {
    super(cell);
    this.slot = this.load(Word.slot);
    this.slotGeneration = this.load(Word.slotGeneration);
    this.next = this.load(Word.next);
    const requests = this.own(openExtent(this.#ref(Word.requests)));
    const replies = this.own(openExtent(this.#ref(Word.replies)));
    this.requests = new RingReader(this.place(requests, Word.requestsWritten, Word.requestsRead));
    this.replies = new RingWriter(this.place(replies, Word.repliesWritten, Word.repliesRead));
  }

  /** Opens a link that arrived. */
  static open(id: number): ServerLink {
    const generation = arena().words[payloadOffset(id) / 4 + Word.generation] as number;
    return new ServerLink(openCell({ id, generation }));
  }

  /** Wakes the client if it sleeps. */
  wakeClient(): void {
    const word = this.cell.word + Word.sleep;
    if (Atomics.load(arena().words, word) === Sleep.awake) return;
    const sleep = Atomics.exchange(arena().words, word, Sleep.awake);
    if (sleep === Sleep.blocked) futexWake(arena().address + 4 * word, 1);
    else if (sleep === Sleep.inLoop) ringDoorbell(this.slot);
  }

  /** True when the client waits for room that there is now. */
  takeClientWantsRoom(): boolean {
    return this.take(Word.clientWantsRoom);
  }

  /** Has the client wake the server when it has taken replies. */
  wantRoom(): void {
    this.store(Word.serverWantsRoom, 1);
  }

  #ref(word: number): BlockRef {
    return { id: this.load(word), generation: this.load(word + 1) };
  }
}
