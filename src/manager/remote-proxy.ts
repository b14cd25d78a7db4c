/** The base of all proxies. */

import { defineHandle } from "../core/handle.ts";
import type { RemoteRef } from "./remote-ref.ts";

/** What stands for an object of a manager; `instanceof` tells. */
export class RemoteProxy {
  readonly #ref: RemoteRef;

  static {
    defineHandle(RemoteProxy, (proxy) => proxy.#ref.client.transfer(proxy.#ref));
  }

  constructor(ref: RemoteRef) {
    this.#ref = ref;
  }

  /** What a proxy stands for; undefined for anything else. */
  static refOf(value: unknown): RemoteRef | undefined {
    return typeof value === "object" && value !== null && #ref in value ? value.#ref : undefined;
  }

  /** As text it says what it is, also if the object has a method `toString`, which gives a promise here. */
  [Symbol.toPrimitive](hint: string): string | number {
    return hint === "number" ? NaN : `[object ${this.#ref.surface.kind}]`;
  }

  [Symbol.dispose](): void {
    this.#ref.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ref.release();
  }
}

/** What a proxy stands for. @throws {TypeError} If it is none. */
export function refOf(proxy: unknown): RemoteRef {
  const ref = RemoteProxy.refOf(proxy);
  if (ref === undefined) throw new TypeError("This method must be called on a proxy of a manager");
  return ref;
}
