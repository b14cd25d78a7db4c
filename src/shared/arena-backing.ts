import { StateError } from "../core/errors.ts";
import {
  allocateExtent,
  type Extent,
  findExtentByName,
  nameOfExtent,
  unlinkExtent,
  unlinkExtentName,
} from "../memory/index.ts";
import { ENOENT, systemError } from "../platform/index.ts";
import type { Backing, BackingTransfer } from "./backing.ts";

/**
 * Memory without a name in the system, so nothing can be left behind. Its name, made when it is first asked for, is known
 * to the processes of this program; from then on the memory lives until `unlink`, or until the program's last process ends.
 */
export class ArenaBacking implements Backing {
  readonly size: number;
  readonly #extent: Extent;
  #name: string | undefined;
  #unlinked = false;

  constructor(extent: Extent) {
    this.#extent = extent;
    this.size = extent.byteLength;
  }

  static create(size: number): ArenaBacking {
    return new ArenaBacking(allocateExtent(size));
  }

  /** Undefined if no memory of this program has the name. */
  static find(name: string): ArenaBacking | undefined {
    const extent = findExtentByName(name);
    return extent && new ArenaBacking(extent);
  }

  get key(): number {
    return this.#extent.id;
  }

  get name(): string {
    if (this.#name === undefined) {
      if (this.#extent.released) throw new StateError("Cannot name this SharedMemory: it is closed");
      this.#name = nameOfExtent(this.#extent);
    }
    return this.#name;
  }

  buffer(): ArrayBuffer {
    return this.#extent.map();
  }

  release(): void {
    this.#extent.release();
  }

  unlink(): void {
    if (this.#unlinked || !this.#takeNameAway()) {
      throw systemError("shm_unlink", ENOENT, `there is no shared memory "${this.#name ?? "(unnamed)"}" any more`);
    }
    this.#unlinked = true;
  }

  transfer(): BackingTransfer {
    return { ref: this.#extent.refer(), size: this.size };
  }

  #takeNameAway(): boolean {
    if (!this.#extent.released) return unlinkExtent(this.#extent);
    // Let go by this process: without a name there is nothing to take away, with one the memory is found by it.
    return this.#name === undefined || unlinkExtentName(this.#name);
  }
}
