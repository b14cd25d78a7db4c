/** What came of a process: the value or error of its target, and how it ended. */

import { mapStack } from "../capture/index.ts";
import { decode, decodeError, needsHandles, prepare } from "../codec/index.ts";
import { deferred, type Deferred } from "../core/deferred.ts";
import { ProcessDiedError } from "../core/errors.ts";
import type { ChildLink, Exit, Message } from "./child-link.ts";

type Settled =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown };

/** Collects what a child says, and settles who waits for it. Nobody has to wait: an error that nobody asks for stays here. */
export class Outcome {
  readonly #link: ChildLink;
  readonly #describe: () => string;
  readonly #maxMemory: number | undefined;
  readonly #waiting: Deferred<unknown>[] = [];
  readonly #joining: Deferred<number>[] = [];
  #message: Message | undefined;
  #settled: Settled | undefined;

  /** @param describe Names the process in errors. */
  constructor(link: ChildLink, describe: () => string, maxMemory: number | undefined) {
    this.#link = link;
    this.#describe = describe;
    this.#maxMemory = maxMemory;
    link.onMessage((message) => this.#heard(message));
    link.onExit((exit) => this.#ended(exit));
  }

  /** True when `result` has its answer. */
  get known(): boolean {
    return this.#settled !== undefined || this.#message !== undefined;
  }

  /** Makes `reason` the outcome, unless there is one. */
  abort(reason: unknown): void {
    if (this.#message === undefined) this.#settled ??= { kind: "error", error: reason };
    void this.#settle();
  }

  /** The value, or its error. */
  result(): Promise<unknown> {
    const waiting = deferred<unknown>();
    this.#waiting.push(waiting);
    if (this.known) void this.#settle();
    return waiting.promise;
  }

  /** The value, once it is known. */
  resultNow(): unknown {
    this.#settled ??= this.#decode();
    if (this.#settled.kind === "error") throw this.#settled.error;
    return this.#settled.value;
  }

  exitCode(): Promise<number> {
    const { exit } = this.#link;
    if (exit !== undefined) return Promise.resolve(exit.exitCode);
    const joining = deferred<number>();
    this.#joining.push(joining);
    return joining.promise;
  }

  #heard(message: Message): void {
    this.#message ??= message;
    // Handles on their way hold what they stand for: take them, though nobody may ever ask.
    if (needsHandles(message.bytes)) void this.#take();
    void this.#settle();
  }

  #ended(exit: Exit): void {
    if (this.#message === undefined) this.#settled ??= { kind: "error", error: this.#died(exit) };
    void this.#settle();
    for (const joining of this.#joining.splice(0)) joining.resolve(exit.exitCode);
  }

  async #settle(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const settled = await this.#take();
    for (const waiting of this.#waiting.splice(0)) {
      if (settled.kind === "error") waiting.reject(settled.error);
      else waiting.resolve(settled.value);
    }
  }

  async #take(): Promise<Settled> {
    if (this.#settled === undefined && this.#message !== undefined) {
      try {
        await prepare(this.#message.bytes);
      } catch (error) {
        this.#settled ??= { kind: "error", error };
      }
    }
    // Decoded once: whoever asks again gets the same value.
    return (this.#settled ??= this.#decode());
  }

  #decode(): Settled {
    const { isError, bytes } = this.#message as Message;
    if (bytes.length === 0) return { kind: "value", value: undefined };
    try {
      return isError ? { kind: "error", error: decodeError(bytes, mapStack) } : { kind: "value", value: decode(bytes) };
    } catch (error) {
      return { kind: "error", error };
    }
  }

  #died({ exitCode, signal }: Exit): ProcessDiedError {
    const how = signal === null ? `it exited with code ${exitCode}` : `it was ended by ${signal}`;
    return new ProcessDiedError(`${this.#describe()} gave no result: ${how}${this.#hint(exitCode, signal)}`, {
      pid: this.#link.pid,
      exitCode,
      signal,
    });
  }

  #hint(exitCode: number, signal: NodeJS.Signals | null): string {
    // V8 aborts when its heap is full; who wraps the process in a shell sees 128 + the number of the signal.
    if (signal === "SIGABRT" || signal === "SIGTRAP" || exitCode === 134 || exitCode === 133) {
      const limit = this.#maxMemory === undefined ? "" : ` (maxMemory is ${this.#maxMemory} bytes)`;
      return `; it ran out of heap memory${limit}, or aborted for a reason that it printed`;
    }
    return exitCode === 0
      ? " before its target had finished: it called process.exit(), or nothing was left that could settle what it waits for"
      : "";
  }
}
