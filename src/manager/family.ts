/** The managers that this process knows: the one that it serves, and those that it was given proxies of. */

import { openCell, type BlockRef, type Cell, forgetObject, knownObject, rememberObject } from "../memory/index.ts";
import { FamilyClient } from "./family-client.ts";
import { type FamilyTransfer, familyTransfer, provideFamily, transferForStranger, unpackSurface } from "./handles.ts";
import { ManagerCell } from "./manager-cell.ts";
import { makeProxy } from "./proxy.ts";
import { RemoteProxy, refOf } from "./remote-proxy.ts";
import type { ObjectRef } from "./manager-client.ts";

/** A manager as a process of the family knows it. */
export class FamilyManager {
  readonly cell: Cell;
  readonly words: ManagerCell;
  readonly client: FamilyClient;
  /** Set by the owner: writes down how the server ended, if it has. */
  noteExit: () => void = () => {};

  constructor(cell: Cell) {
    this.cell = cell;
    this.words = new ManagerCell(cell.word);
    this.client = new FamilyClient(this.words, {
      noteExit: () => this.noteExit(),
      transfer: (ref) => {
        const forStranger = transferForStranger();
        if (forStranger !== undefined) return forStranger(ref);
        return familyTransfer(this.cell, ref.held as Cell, ref.surface);
      },
      released: (ref) => forget(ref),
    });
    rememberObject(cell.id, this);
  }
}

/** What a process that serves a manager makes of proxies of its own objects. */
export interface Served {
  readonly managerId: number;
  revive(objectId: number): object;
}

let served: Served | undefined;

/** Says that this process is a manager's server. */
export function serveFamily(server: Served): void {
  served = server;
}

/** The manager for a reference out of a message. */
export function openManager(ref: BlockRef): FamilyManager {
  const cell = openCell(ref);
  const known = knownObject(cell.id) as FamilyManager | undefined;
  if (known === undefined) return new FamilyManager(cell);
  cell.release();
  return known;
}

interface Holding {
  readonly cell: Cell;
  readonly client: FamilyClient;
}

/** Proxies that were collected: their objects are let go, and the server is told, which may free them. */
const collected = new FinalizationRegistry<Holding>(({ cell, client }) => {
  cell.release();
  client.hintDrop(cell.id);
});

provideFamily(({ manager, object, surface }: FamilyTransfer): object => {
  if (served?.managerId === manager.id) {
    // The server holds its own objects anyway.
    openCell(manager).release();
    openCell(object).release();
    return served.revive(object.id);
  }
  const family = openManager(manager);
  const cell = openCell(object);
  const known = knownObject(cell.id);
  if (known !== undefined) {
    cell.release();
    return known;
  }
  const proxy = makeProxy(family.client, cell.id, unpackSurface(surface), cell);
  rememberObject(cell.id, proxy);
  collected.register(proxy, { cell, client: family.client }, refOf(proxy));
  // The manager's own object stays as long as proxies do.
  managers.set(proxy, family);
  return proxy;
});

const managers = new WeakMap<object, FamilyManager>();

function forget(ref: ObjectRef): void {
  collected.unregister(ref);
  const proxy = knownObject(ref.id);
  if (proxy !== undefined && RemoteProxy.refOf(proxy) === ref) forgetObject(ref.id, proxy);
}
