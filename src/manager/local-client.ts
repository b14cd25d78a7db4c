/** A manager's objects as seen from within its server: an object that was given the proxy of another one calls it directly. */

import { StateError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { isPromise } from "../core/is-promise.ts";
import { Caller, serveCall } from "./call-context.ts";
import { checkMember, perform } from "./member.ts";
import type { Invocation, ManagerClient, ObjectRef, Settler } from "./manager-client.ts";
import type { SharedObject } from "./shared-object.ts";

export class LocalClient implements ManagerClient {
  readonly #caller = new Caller("the manager");
  readonly #find: (id: number) => SharedObject | undefined;
  readonly #transfer: (object: SharedObject) => HandleTransfer;

  constructor(find: (id: number) => SharedObject | undefined, transfer: (object: SharedObject) => HandleTransfer) {
    this.#find = find;
    this.#transfer = transfer;
  }

  post({ id, op, name, args, signal }: Invocation, { resolve, reject }: Settler): void {
    const task = (object: SharedObject): unknown => {
      try {
        const given = signal === undefined ? args : [...args.slice(0, -1), { ...(args.at(-1) as object), signal }];
        const result = serveCall({ caller: this.#caller }, () => perform(object, op, name, given));
        if (!isPromise(result)) return resolve(result);
        const done = Promise.resolve(result);
        done.then(resolve, reject);
        return done;
      } catch (error) {
        reject(error);
        return undefined;
      }
    };
    try {
      const object = this.#object(id);
      checkMember(object, op, name);
      object.inTurn(() => task(object), !object.isOvertaken(name));
    } catch (error) {
      reject(error);
    }
  }

  callSync({ id, op, name, args }: Invocation): unknown {
    const object = this.#object(id);
    checkMember(object, op, name);
    const result = serveCall({ caller: this.#caller }, () => perform(object, op, name, args));
    if (isPromise(result)) {
      Promise.resolve(result).catch(() => {});
      throw new StateError(
        `Cannot wait for "${name}" in the manager itself: it would wait for itself; use the promise`,
      );
    }
    return result;
  }

  awaitReplies(): never {
    throw new StateError("Cannot wait in the manager itself: it would wait for itself; use the promise");
  }

  drop(): void {}

  transfer(ref: ObjectRef): HandleTransfer {
    return this.#transfer(this.#object(ref.id));
  }

  callback(fn: (...args: never[]) => unknown): object {
    return fn;
  }

  #object(id: number): SharedObject {
    const object = this.#find(id);
    if (object === undefined) throw new StateError(`Cannot use object ${id} of the manager: it is gone`);
    return object;
  }
}
