/** Proxies on their way: what is sent in their place, and what becomes of it in the process that receives it. */

import { StateError } from "../core/errors.ts";
import { type HandleTransfer, registerHandle } from "../core/handle.ts";
import { type BlockRef, type Cell, retractRef } from "../memory/index.ts";
import { isKind, surfaceOfKind } from "./kinds.ts";
import type { Surface } from "./surface.ts";

/** What proxies are sent as. */
export const PROXY_TAG = "ManagerProxy";

/** Within the family. */
export interface FamilyTransfer {
  readonly manager: BlockRef;
  readonly object: BlockRef;
  /** The name of a built-in kind stands for its surface. */
  readonly surface: Surface | string;
}

/** To and from strangers. */
export interface StrangerTransfer {
  readonly id: number;
  readonly surface: Surface | string;
}

/** What is sent within the family in place of a proxy. */
export function familyTransfer(manager: Cell, object: Cell, surface: Surface): HandleTransfer {
  const data: FamilyTransfer = { manager: manager.refer(), object: object.refer(), surface: packSurface(surface) };
  const abort = (): void => {
    retractRef(data.manager);
    retractRef(data.object);
  };
  return { tag: PROXY_TAG, data, abort };
}

export function packSurface(surface: Surface): Surface | string {
  return surface.builtIn ?? surface;
}

export function unpackSurface(surface: Surface | string): Surface {
  if (typeof surface !== "string") return surface;
  if (!isKind(surface)) throw new StateError(`Cannot receive a proxy: "${surface}" is no kind of object`);
  return surfaceOfKind(surface);
}

type ReviveFamily = (transfer: FamilyTransfer) => object;
type ReviveStranger = (transfer: StrangerTransfer) => object;

let reviveFamily: ReviveFamily | undefined;
/** For whom a message is being read, when that is no family. */
let reviveStranger: ReviveStranger | undefined;

/** Registers what makes proxies out of transfers; once, by who knows the managers of this process. */
export function provideFamily(revive: ReviveFamily): void {
  reviveFamily = revive;
}

/** Reads a message from a stranger's connection. */
export function readingFrom<R>(revive: ReviveStranger, read: () => R): R {
  const before = reviveStranger;
  reviveStranger = revive;
  try {
    return read();
  } finally {
    reviveStranger = before;
  }
}

let strangerTransfer: ((ref: object) => HandleTransfer) | undefined;

/** Writes a message for a stranger's connection: `transfer` says what to send in place of a proxy. */
export function writingFor<R>(transfer: (ref: object) => HandleTransfer, write: () => R): R {
  const before = strangerTransfer;
  strangerTransfer = transfer;
  try {
    return write();
  } finally {
    strangerTransfer = before;
  }
}

/** How to send proxies in the message that is written just now, if it is for a stranger. */
export function transferForStranger(): ((ref: object) => HandleTransfer) | undefined {
  return strangerTransfer;
}

registerHandle(PROXY_TAG, (data: FamilyTransfer | StrangerTransfer) => {
  if (reviveStranger !== undefined) return reviveStranger(data as StrangerTransfer);
  if (reviveFamily === undefined) throw new StateError("Cannot receive a manager's proxy: managers are not loaded");
  return reviveFamily(data as FamilyTransfer);
});
