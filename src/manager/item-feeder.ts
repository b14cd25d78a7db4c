/** Feeds an imap of a manager's pool from an iterable of this process: as many items as it asks for, when it asks. */

import { performance } from "../core/timers.ts";
import { ItemSource } from "../pool/item-source.ts";
import type { Feed, Want } from "./objects/fed-items.ts";
import type { RemoteRef } from "./remote-ref.ts";

const LONGEST_TAKE_MS = 5;

type AnyItems = Iterable<unknown> | AsyncIterable<unknown>;

export class ItemFeeder {
  /** What the manager asks for items by. */
  readonly want: object;
  readonly #pool: RemoteRef;
  readonly #source: ItemSource;
  #closing: Promise<void> | undefined;

  constructor(pool: RemoteRef, items: AnyItems) {
    this.#pool = pool;
    this.#source = new ItemSource(items);
    const want: Want = (count) => {
      if (count === 0) this.close().catch(() => {});
      else void this.#feed(count);
    };
    this.want = pool.client.callback(want);
  }

  /** Nobody wants more: tells the iterable. Rejects with what it throws then. Repeatable. */
  close(): Promise<void> {
    return (this.#closing ??= this.#source.close());
  }

  async #feed(count: number): Promise<void> {
    const source = this.#source;
    const items = source.isAsync ? await source.takeAsync(1) : this.#take(count);
    if (this.#closing !== undefined) return;
    await this.#send({ items, ended: source.ended, failure: source.takeFailure() });
  }

  /** Fewer of what comes slowly: this process has results to look after, too. */
  #take(count: number): unknown[] {
    const until = performance.now() + LONGEST_TAKE_MS;
    const items: unknown[] = [];
    do items.push(...this.#source.take(1));
    while (items.length < count && !this.#source.ended && performance.now() < until);
    return items;
  }

  async #send(feed: Feed): Promise<void> {
    try {
      await this.#pool.call("feed", [this.want, feed]);
    } catch (error) {
      // One of them cannot travel, or the manager is gone, which whoever waits for results is told as well.
      this.close().catch(() => {});
      await this.#pool.call("feed", [this.want, { items: [], ended: true, failure: { error } }]).catch(() => {});
    }
  }
}
