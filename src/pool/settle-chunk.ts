/** A chunk of `imap` in the worker: an outcome for each of its items, since each fails alone. */

import { encodeError, encodeTo } from "../codec/encode.ts";
import { HeapSink } from "../core/bytes.ts";
import { type AnyGenerator, isGenerator } from "../core/generators.ts";
import { isPromise } from "../core/is-promise.ts";
import type { AnyFunction } from "./task-values.ts";

/** Who encodes an error. */
export interface Origin {
  readonly name: string;
  readonly pid: number;
}

/** The outcomes of a chunk's items one by one. */
export class Outcomes {
  readonly list: [boolean, unknown][] = [];

  add(isValue: boolean, value: unknown): void {
    this.list.push([isValue, value]);
  }

  /** Replaces values that cannot travel by the reasons. @returns false when there are none. */
  dropUnsendable(origin: Origin): boolean {
    let found = false;
    this.list.forEach(([isValue, value], i) => {
      const problem = isValue ? problemOf(value) : undefined;
      if (problem === undefined) return;
      found = true;
      this.list[i] = [false, encodeError(problem, origin)];
    });
    return found;
  }
}

/** Why a value cannot travel. */
function problemOf(value: unknown): unknown {
  try {
    const taken = encodeTo(new HeapSink(), value, { root: "result" });
    for (const transfer of taken?.transfers ?? []) transfer.abort?.();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What a chunk whose outcomes go one by one needs of the loop. */
export interface ChunkContext {
  readonly origin: Origin;
  /** False when nobody waits for the chunk any more. */
  isWanted(): boolean;
  /** Sends outcomes, then the items of a generator; throws what it throws. */
  stream(outcomes: Outcomes, generator: AnyGenerator): Promise<void>;
}

export function settleChunk(items: unknown[], fn: AnyFunction, context: ChunkContext): unknown {
  const outcomes = new Outcomes();
  for (let i = 0; i < items.length; i++) {
    try {
      const value = fn(items[i]);
      if (isPromise(value) || isGenerator(value)) return settleRest(items, fn, outcomes, value, context);
      outcomes.add(true, value);
    } catch (error) {
      outcomes.add(false, encodeError(error, context.origin));
    }
  }
  return outcomes;
}

async function settleRest(
  items: unknown[],
  fn: AnyFunction,
  outcomes: Outcomes,
  first: unknown,
  context: ChunkContext,
): Promise<Outcomes> {
  const firstIndex = outcomes.list.length;
  for (let i = firstIndex; i < items.length && context.isWanted(); i++) {
    try {
      const value: unknown = await (i === firstIndex ? first : fn(items[i]));
      if (isGenerator(value)) await context.stream(outcomes, value);
      else outcomes.add(true, value);
    } catch (error) {
      outcomes.add(false, encodeError(error, context.origin));
    }
  }
  return outcomes;
}
