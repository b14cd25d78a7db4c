import { closeSync } from "node:fs";
import { performance } from "../core/timers.ts";
import {
  createNamedMemory,
  ENOENT,
  mapFile,
  type Mapping,
  type NamedMemory,
  openNamedMemory,
  retireMapping,
  systemError,
  unlinkNamedMemory,
  unmap,
} from "../platform/index.ts";
import type { Backing, BackingTransfer } from "./backing.ts";

/** How long to wait for a creator (Python's, say) that made the name but has not given the memory its size yet. */
const SIZE_WAIT_MS = 200;

/** Memory with a name in the system: other programs can open it, and it lives until it is unlinked. */
export class PosixBacking implements Backing {
  readonly name: string;
  readonly size: number;
  /** Which memory it is, whoever has the name now. */
  readonly key: string;
  readonly #mapping: Mapping;
  readonly #range: Pick<Mapping, "address" | "byteLength">;

  private constructor(name: string, memory: NamedMemory) {
    this.name = name;
    this.size = memory.byteLength;
    this.key = memory.identity;
    this.#mapping = mapFile(memory.fd, 0, memory.byteLength);
    this.#range = { address: this.#mapping.address, byteLength: this.#mapping.byteLength };
    // The buffer may outlive this object: whoever has a view keeps the mapping.
    unreachable.register(this.#mapping.buffer, this.#range, this.#range);
  }

  /** @param contents What it holds from the first moment on; default zeros. */
  static create(name: string, size: number, contents?: Uint8Array): PosixBacking {
    return PosixBacking.#mapped(name, createNamedMemory(name, size, contents));
  }

  /** @param identity If given: the memory that must still have the name. */
  static open(name: string, identity?: string): PosixBacking {
    const memory = openSized(name);
    if (identity !== undefined && memory.identity !== identity) {
      closeSync(memory.fd);
      throw systemError("shm_open", ENOENT, `the shared memory "${name}" was unlinked, and another has its name now`);
    }
    return PosixBacking.#mapped(name, memory);
  }

  static #mapped(name: string, memory: NamedMemory): PosixBacking {
    try {
      return new PosixBacking(name, memory);
    } finally {
      closeSync(memory.fd);
    }
  }

  buffer(): ArrayBuffer {
    return this.#mapping.buffer;
  }

  release(): void {
    if (retireMapping(this.#mapping)) unreachable.unregister(this.#range);
  }

  unlink(): void {
    unlinkNamedMemory(this.name);
  }

  transfer(): BackingTransfer {
    return { name: this.name, identity: this.key };
  }
}

const unreachable = new FinalizationRegistry<Pick<Mapping, "address" | "byteLength">>(unmap);

function openSized(name: string): NamedMemory {
  const end = performance.now() + SIZE_WAIT_MS;
  for (;;) {
    const memory = openNamedMemory(name);
    if (memory.byteLength > 0) return memory;
    closeSync(memory.fd);
    if (performance.now() > end) throw systemError("shm_open", ENOENT, `the shared memory "${name}" has no size`);
    Atomics.wait(pause, 0, 0, 1);
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
