import { checkKnownOptions, checkObject, typeError } from "../core/options.ts";
import { RLock } from "../sync/index.ts";

/**
 * The lock that belongs to a shared object: made when somebody asks for it, or when the object first travels.
 *
 * Only the process that made the object can be the first to need it, since whoever receives the object receives the lock
 * with it. So making it late needs no agreement between processes.
 */
export class OwnedLock {
  #lock: RLock | undefined;

  /** @param lock A lock to use instead of one of its own. */
  constructor(lock?: RLock) {
    if (lock !== undefined && !(lock instanceof RLock)) throw typeError("options.lock", "an RLock", lock);
    this.#lock = lock;
  }

  get(): RLock {
    this.#lock ??= new RLock();
    return this.#lock;
  }
}

/** The lock that options name, if any. */
export function lockIn(constructor: string, options: { readonly lock?: RLock | undefined }): RLock | undefined {
  checkObject("options", options);
  checkKnownOptions(constructor, options, ["lock"]);
  return options.lock;
}
