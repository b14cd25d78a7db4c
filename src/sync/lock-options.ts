/** What the constructors of Lock and RLock take. */

import { checkBoolean, checkKnownOptions, checkObject, checkString } from "../core/options.ts";
import { arena } from "../memory/index.ts";
import { LockField, LockFlag, writeName } from "./lock-layout.ts";

/** Options of a Lock and an RLock. */
export interface LockOptions {
  /**
   * A wait for this lock that is part of a cycle of waiting processes rejects (or throws) with `DeadlockError`, about 100 ms
   * after the cycle closed; and each acquire of it records where it was called (some microseconds). Default: false.
   */
  readonly detectDeadlock?: boolean | undefined;
  /** What `deadlocks()` and messages call it; its first 64 bytes. Default: none. */
  readonly name?: string | undefined;
}

/** Checks the options. @param type The class, for the message. */
export function checkLockOptions(type: string, options: LockOptions): void {
  checkObject("options", options);
  checkKnownOptions(type, options, ["detectDeadlock", "name"]);
  if (options.detectDeadlock !== undefined) checkBoolean("options.detectDeadlock", options.detectDeadlock);
  if (options.name !== undefined) checkString("options.name", options.name);
}

/** Writes them into a new lock, before any other process sees it. */
export function writeLockOptions(word: number, { detectDeadlock, name }: LockOptions, reentrant: boolean): void {
  const flags = (reentrant ? LockFlag.reentrant : 0) | (detectDeadlock === true ? LockFlag.detect : 0);
  arena().words[word + LockField.flags] = flags;
  if (name !== undefined) writeName(word, name);
}
