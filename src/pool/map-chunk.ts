/** A chunk of `map` in the worker: one result for all its items. */

import { type AnyGenerator, isGenerator } from "../core/generators.ts";
import { isPromise } from "../core/is-promise.ts";
import type { AnyFunction } from "./task-values.ts";

export function mapChunk(items: unknown[], fn: AnyFunction): unknown {
  const values: unknown[] = [];
  for (let i = 0; i < items.length; i++) {
    const value = fn(items[i]);
    if (isPromise(value) || isGenerator(value)) return mapRest(items, fn, values, value);
    values.push(value);
  }
  return values;
}

/** From the first item on that gave something to wait for: one after the other. */
async function mapRest(items: unknown[], fn: AnyFunction, values: unknown[], first: unknown): Promise<unknown[]> {
  values.push(await finish(first));
  for (let i = values.length; i < items.length; i++) values.push(await finish(fn(items[i])));
  return values;
}

async function finish(value: unknown): Promise<unknown> {
  const settled: unknown = await value;
  return isGenerator(settled) ? gather(settled) : settled;
}

/** In a chunk of `map` a generator's items are gathered. */
async function gather(generator: AnyGenerator): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of generator) items.push(item);
  return items;
}
