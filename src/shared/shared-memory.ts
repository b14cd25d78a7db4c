import { StateError } from "../core/errors.ts";
import { defineHandle, type HandleTransfer, registerHandle } from "../core/handle.ts";
import {
  checkBoolean,
  checkInteger,
  checkKnownOptions,
  checkObject,
  checkString,
  rangeError,
} from "../core/options.ts";
import { forgetObject, knownObject, openExtent, rememberObject, retractRef } from "../memory/index.ts";
import { ArenaBacking } from "./arena-backing.ts";
import type { Backing, BackingTransfer } from "./backing.ts";
import { PosixBacking } from "./posix-backing.ts";

const TAG = "SharedMemory";
/** A name is a file name for the system. */
const MAX_NAME_BYTES = 255;

/** What `new SharedMemory` takes. */
export interface SharedMemoryOptions {
  /** The name to create or to open, without a slash. With `create` it may be left out. */
  readonly name?: string | undefined;
  /** Creates memory instead of opening it; default false. */
  readonly create?: boolean | undefined;
  /** Bytes, when creating; ignored when opening. */
  readonly size?: number | undefined;
}

/** Memory that is there already, to make a handle for. */
class Existing {
  readonly backing: Backing;

  constructor(backing: Backing) {
    this.backing = backing;
  }
}

/**
 * A block of bytes that processes share, found by its name.
 *
 * With a name given, it is POSIX shared memory (shm_open): any program of the user opens it by that name, Python's
 * `SharedMemory` included, and it lives until `unlink()`. Creating is race-free: the name either is taken, or appears with
 * the memory whole.
 *
 * Without a name it has none in the system, so nothing is left behind, however the program ends. Its `name` is for the
 * processes of this program; until somebody reads it, the memory is freed with the last handle, from then on at `unlink()`.
 *
 * @example
 * ```ts
 * import { Process, SharedMemory } from "multiproc";
 *
 * const memory = new SharedMemory({ create: true, size: 1024 });
 * const write = (name: string) => void (new SharedMemory({ name }).buffer[0] = 7); // any other program could
 * await new Process(write, memory.name).start().join();
 * console.log(memory.buffer[0]); // 7
 * memory.close();
 * memory.unlink();
 * ```
 */
export class SharedMemory {
  readonly #backing: Backing;
  #buffer: Uint8Array | undefined;
  #closed = false;

  static {
    defineHandle(SharedMemory, (memory) => memory.#transfer());
  }

  /**
   * @throws {SystemError} EEXIST if the name to create is taken, ENOENT if the one to open does not exist, ENOSPC if the
   *   system has no room (all in `errname`).
   */
  constructor(options: SharedMemoryOptions);
  constructor(options: SharedMemoryOptions | Existing) {
    this.#backing = options instanceof Existing ? options.backing : backingFor(options);
    rememberObject(this.#backing.key, this);
  }

  /** The bytes. Once closed this throws, and views taken before are detached. */
  get buffer(): Uint8Array {
    if (this.#closed) throw new StateError("Cannot use this SharedMemory: it is closed");
    this.#buffer ??= new Uint8Array(this.#backing.buffer(), 0, this.#backing.size);
    return this.#buffer;
  }

  /** What to open it by. A made-up name must have been read before `close()` to be read after it. */
  get name(): string {
    return this.#backing.name;
  }

  /** Bytes. */
  get size(): number {
    return this.#backing.size;
  }

  /** Lets go of the memory in this process; views of it are detached. Repeatable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#buffer = undefined;
    forgetObject(this.#backing.key, this);
    this.#backing.release();
  }

  /**
   * Takes the name away: nobody can open it any more, and the memory is freed when the last process has let go of it. May be
   * called after `close()`.
   * @throws {SystemError} ENOENT if it was unlinked already.
   */
  unlink(): void {
    this.#backing.unlink();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #transfer(): HandleTransfer {
    if (this.#closed) throw new StateError("Cannot send this SharedMemory: it is closed");
    const data = this.#backing.transfer();
    return { tag: TAG, data, abort: () => void ("ref" in data && retractRef(data.ref)) };
  }
}

/** Memory that holds `contents` from the first moment at which others can open it. */
export function memoryWith(contents: Uint8Array, name: string | undefined): SharedMemory {
  if (name !== undefined) {
    return new SharedMemory(new Existing(PosixBacking.create(checkedName(name), contents.length, contents)) as never);
  }
  const memory = new SharedMemory({ create: true, size: contents.length });
  memory.buffer.set(contents);
  return memory;
}

function backingFor(options: SharedMemoryOptions): Backing {
  checkObject("options", options);
  checkKnownOptions("SharedMemory", options, ["name", "create", "size"]);
  const { name, create = false, size } = options;
  checkBoolean("options.create", create);
  if (create) {
    checkInteger("options.size", size, 1);
    return name === undefined ? ArenaBacking.create(size) : PosixBacking.create(checkedName(name), size);
  }
  const checked = checkedName(name);
  return ArenaBacking.find(checked) ?? PosixBacking.open(checked);
}

/** The name as the system knows it; one leading slash, as in POSIX, is allowed. */
function checkedName(given: unknown): string {
  checkString("options.name", given);
  const name = given.startsWith("/") ? given.slice(1) : given;
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_NAME_BYTES) {
    throw rangeError("options.name", `a name of 1 to ${MAX_NAME_BYTES} bytes`, given);
  }
  if (name.includes("/") || name.includes("\0") || name === "." || name === "..") {
    throw rangeError("options.name", "a name without slashes and NUL characters", given);
  }
  return name;
}

registerHandle(TAG, (data: BackingTransfer) => {
  // The reference must be taken out of the message in any case.
  if ("ref" in data) return handleFor(new ArenaBacking(openExtent(data.ref)));
  return knownObject(data.identity) ?? handleFor(PosixBacking.open(data.name, data.identity));
});

function handleFor(backing: Backing): object {
  const known = knownObject(backing.key);
  if (known === undefined) return new SharedMemory(new Existing(backing) as never);
  backing.release();
  return known;
}
