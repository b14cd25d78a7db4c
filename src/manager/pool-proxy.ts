/** What the proxy of a pool can do beyond the methods of the object: calls that give an AsyncResult at once, callbacks, and loops. */

import { CancelledError } from "../core/errors.ts";
import { onAbort } from "../core/on-abort.ts";
import { checkFunction } from "../core/options.ts";
import { queueMicrotask } from "../core/timers.ts";
import { AsyncResult, settle } from "../pool/async-result.ts";
import { checkIterable } from "../pool/call-options.ts";
import { callBack } from "../pool/callbacks.ts";
import type { MapOptions } from "../pool/index.ts";
import { checkList } from "../pool/pool-options.ts";
import { ItemFeeder } from "./item-feeder.ts";
import { Op } from "./protocol.ts";
import { remoteIterator } from "./remote-iterator.ts";
import { refOf } from "./remote-proxy.ts";
import type { RemoteRef } from "./remote-ref.ts";

type Items = Iterable<unknown>;
type AnyItems = Items | AsyncIterable<unknown>;

interface AsyncOptions extends MapOptions {
  readonly callback?: (value: unknown) => unknown;
  readonly errorCallback?: (error: unknown) => unknown;
}

/** Starts a call. @param options Those of the pool's method, and callbacks, which are called in this process. */
function begin(
  ref: RemoteRef,
  method: string,
  fn: unknown,
  list: readonly unknown[],
  options: AsyncOptions = {},
): AsyncResult<unknown> {
  checkFunction("fn", fn);
  const { callback, errorCallback, signal, ...others } = options;
  signal?.throwIfAborted();
  const ending = new AbortController();
  const end = (reason: unknown): void => {
    ending.abort(reason);
    finish("rejected", reason);
  };
  const result = new AsyncResult<unknown>({
    cancel: () => {
      end(new CancelledError("The task was cancelled"));
      return true;
    },
    waitSync: (milliseconds) => ref.client.awaitReplies(milliseconds),
  });
  const stopListening = signal === undefined ? undefined : onAbort(signal, () => end(signal.reason));
  const finish = (state: "fulfilled" | "rejected", value: unknown): void => {
    if (result.ready()) return;
    stopListening?.();
    // Not now: a reply is being read, and a callback may call the manager. But before whoever awaits the result.
    queueMicrotask(() => {
      if (state === "fulfilled") callBack("result", callback, value);
      else callBack("error", errorCallback, value);
    });
    settle(result, state, value);
  };
  const args = [fn, list, here(ref, others)];
  ref.client.post(
    { id: ref.id, op: Op.call, name: method, args, signal: ending.signal },
    { resolve: (value) => finish("fulfilled", value), reject: (error) => finish("rejected", error) },
    begin,
  );
  return result;
}

/** Options as they are sent: counts of progress come to this process. */
function here(ref: RemoteRef, options: MapOptions): object {
  const { progress } = options;
  return typeof progress === "function" ? { ...options, progress: ref.client.callback(progress) } : options;
}

function loop(ref: RemoteRef, method: string, fn: unknown, items: AnyItems, options: MapOptions = {}): unknown {
  checkFunction("fn", fn);
  const { signal, ...others } = options;
  signal?.throwIfAborted();
  // An array is there as a whole, and its length is known; everything else may be endless.
  checkIterable(items);
  const feeder = Array.isArray(items) ? undefined : new ItemFeeder(ref, items);
  const start = ref.call(method, [fn, feeder?.want ?? items, here(ref, others)]);
  const end = async (): Promise<void> => {
    stopListening?.();
    await feeder?.close();
  };
  const iterator = remoteIterator(start, false, end);
  const stopListening =
    signal === undefined ? undefined : onAbort(signal, () => void iterator.throw?.(signal.reason).catch(() => {}));
  return iterator;
}

export const poolExtras = {
  applyAsync(this: unknown, fn: unknown, args?: Items, options?: AsyncOptions): unknown {
    return begin(refOf(this), "apply", fn, args === undefined ? [] : checkList("args", args), options);
  },
  map(this: unknown, fn: unknown, items: Items, options?: MapOptions): Promise<unknown> {
    return promised(() => begin(refOf(this), "map", fn, checkList("items", items), options));
  },
  mapAsync(this: unknown, fn: unknown, items: Items, options?: AsyncOptions): unknown {
    return begin(refOf(this), "map", fn, checkList("items", items), options);
  },
  starmap(this: unknown, fn: unknown, argTuples: Items, options?: MapOptions): Promise<unknown> {
    return promised(() => begin(refOf(this), "starmap", fn, checkList("argTuples", argTuples), options));
  },
  starmapAsync(this: unknown, fn: unknown, argTuples: Items, options?: AsyncOptions): unknown {
    return begin(refOf(this), "starmap", fn, checkList("argTuples", argTuples), options);
  },
  imap(this: unknown, fn: unknown, items: AnyItems, options?: MapOptions): unknown {
    return loop(refOf(this), "imap", fn, items, options);
  },
  imapUnordered(this: unknown, fn: unknown, items: AnyItems, options?: MapOptions): unknown {
    return loop(refOf(this), "imapUnordered", fn, items, options);
  },
};

/** A method that gives a promise rejects, whatever it is called with. */
async function promised(start: () => AsyncResult<unknown>): Promise<unknown> {
  return await start();
}
