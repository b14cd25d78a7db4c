/**
 * Messages over a socket, between two who prove to each other that they know a key before anything else is said.
 *
 * The listener sends a nonce; the other one answers with a nonce of its own and an HMAC-SHA-256 of both; the listener answers with
 * another HMAC of both, and with the length of the longest message that it takes. Neither sends the key, and what one sends is of no use to
 * who repeats it: the two proofs differ. One for whom there is no place is told so in place of the nonce. A message is its length in 4 bytes and its bytes. Source: the challenge of CPython's `multiprocessing.connection`.
 */

import type { Socket } from "node:net";
import { AuthenticationError, StateError } from "../core/errors.ts";
import { crypto } from "../core/node-builtins.ts";
import { typeError } from "../core/options.ts";
import { clearTimeout, setTimeout } from "../core/timers.ts";
import { Frames, LENGTH_BYTES } from "./frames.ts";

const MAGIC = "multiproc-manager 1\n";
const NO_PLACE = "multiproc-manager has no place\n";
const NONCE_BYTES = 32;
const MAX_HANDSHAKE_BYTES = 256;
/** How long the other side may take to prove that it knows the key, and for what comes before. */
export const HANDSHAKE_MS = 10_000;
/** A machine that is gone without a word is asked after this time; ten seconds later the connection ends. */
const KEEP_ALIVE_MS = 30_000;
/** Bytes of answers that the other side may leave unread. */
const MAX_UNREAD_BYTES = 2 ** 20;

/** The key, as bytes. @throws {TypeError} If it is missing or no key. */
export function keyBytes(authkey: unknown): Uint8Array {
  if (typeof authkey === "string" && authkey !== "") return Buffer.from(authkey);
  if (authkey instanceof Uint8Array && authkey.length > 0) return authkey;
  // Shown only where it is none: it may be a key, of another kind.
  const shown = authkey === undefined || authkey === "" ? authkey : typeof authkey;
  throw typeError("options.authkey", "a text or bytes, not empty", shown);
}

export class MessageSocket {
  readonly #socket: Socket;
  readonly #answers: boolean;
  readonly #received = new Frames();
  #limit = MAX_HANDSHAKE_BYTES;
  #onMessage: (message: Uint8Array) => void = () => {};
  #onClose: (error: Error | undefined) => void = () => {};
  #closed = false;
  #error: Error | undefined;
  /** Takes no messages: the other side has to read first. */
  #held = false;

  /** @param answers Takes no messages while the other side does not read what it is sent; not for who asks, or both would wait. */
  constructor(socket: Socket, answers: boolean) {
    this.#socket = socket;
    this.#answers = answers;
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("drain", () => this.#goOn());
    socket.on("error", (error) => (this.#error = error));
    socket.on("close", () => this.#ended());
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Both are called from now on. @param limit Bytes of the longest message that is taken. */
  listen(limit: number, onMessage: (message: Uint8Array) => void, onClose: (error: Error | undefined) => void): void {
    this.#limit = limit;
    this.#onMessage = onMessage;
    this.#onClose = onClose;
    if (this.#closed) onClose(this.#error);
    else this.#deliver();
  }

  send(message: Uint8Array): void {
    if (this.#closed) return;
    this.#socket.cork();
    this.#socket.write(uint32(message.length));
    this.#socket.write(message);
    // One packet for all that is sent in this turn.
    process.nextTick(() => this.#socket.uncork());
    if (this.#answers && this.#socket.writableLength > MAX_UNREAD_BYTES) this.#hold();
  }

  close(): void {
    this.#socket.destroy();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  /**
   * The listener's side. Rejects with AuthenticationError, and closes, if the other one does not know the key.
   * @param limit Bytes of the longest message that will be taken: the other one is told.
   */
  async challenge(key: Uint8Array, limit: number): Promise<void> {
    const mine = crypto().randomBytes(NONCE_BYTES);
    const answer = this.#next();
    this.send(Buffer.concat([Buffer.from(MAGIC), mine]));
    const bytes = await answer;
    const theirs = bytes.subarray(0, NONCE_BYTES);
    if (!isEqual(bytes.subarray(NONCE_BYTES), proof(key, "client", mine, theirs))) throw this.#refuse();
    const limitBytes = uint32(limit);
    this.send(Buffer.concat([limitBytes, proof(key, "server", mine, theirs, limitBytes)]));
  }

  /**
   * The side of who connects. Rejects with AuthenticationError as `challenge` does, with StateError if the listener has no place.
   * @returns bytes of the longest message that the listener takes.
   */
  async answer(key: Uint8Array): Promise<number> {
    const greeting = await this.#next();
    if (isEqual(greeting, Buffer.from(NO_PLACE))) {
      this.close();
      throw new StateError("Cannot connect: the manager has as many connections as it allows (maxConnections)");
    }
    const theirs = greeting.subarray(MAGIC.length);
    if (Buffer.from(greeting.subarray(0, MAGIC.length)).toString() !== MAGIC || theirs.length !== NONCE_BYTES)
      throw this.#refuse();
    const mine = crypto().randomBytes(NONCE_BYTES);
    const answer = this.#next();
    this.send(Buffer.concat([mine, proof(key, "client", theirs, mine)]));
    const bytes = Buffer.from(await answer);
    const limitBytes = bytes.subarray(0, LENGTH_BYTES);
    if (!isEqual(bytes.subarray(LENGTH_BYTES), proof(key, "server", theirs, mine, limitBytes))) throw this.#refuse();
    return limitBytes.readUInt32LE();
  }

  /** The next message of the handshake. */
  #next(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#refuse()), HANDSHAKE_MS);
      const finish = (message: Uint8Array | undefined): void => {
        clearTimeout(timer);
        this.#onMessage = () => {};
        this.#onClose = () => {};
        if (message === undefined) reject(this.#refuse());
        else resolve(message);
      };
      this.listen(MAX_HANDSHAKE_BYTES, finish, () => finish(undefined));
    });
  }

  #refuse(): AuthenticationError {
    this.close();
    return new AuthenticationError("Cannot connect: the other side has another key, or does not speak the protocol");
  }

  #read(bytes: Buffer): void {
    this.#received.add(bytes);
    this.#deliver();
  }

  #deliver(): void {
    try {
      while (!this.#socket.destroyed && !this.#held) {
        const message = this.#received.next(this.#limit);
        if (message === undefined) return;
        this.#onMessage(message);
      }
    } catch (error) {
      this.#error = error as Error;
      this.#socket.destroy();
    }
  }

  #hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  #goOn(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#socket.resume();
    this.#deliver();
  }

  #ended(): void {
    this.#closed = true;
    this.#onClose(this.#error);
  }
}

/** Tells one that has just connected that there is no place for it, and ends the connection. */
export function turnAway(socket: Socket): void {
  // It may be gone already.
  socket.on("error", () => {});
  socket.write(Buffer.concat([uint32(NO_PLACE.length), Buffer.from(NO_PLACE)]));
  socket.destroySoon();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32LE(value);
  return bytes;
}

function proof(key: Uint8Array, side: string, ...said: readonly Uint8Array[]): Buffer {
  const hmac = crypto().createHmac("sha256", key).update(side);
  for (const bytes of said) hmac.update(bytes);
  return hmac.digest();
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && crypto().timingSafeEqual(a, b);
}
