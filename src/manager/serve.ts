/** What runs in a manager's process. */

import { StateError } from "../core/errors.ts";
import { loadFacade } from "../core/facade.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { setImmediate } from "../core/timers.ts";
import { type BlockRef, openCell, selfSlot } from "../memory/index.ts";
import { keepEventLoop } from "../wait/index.ts";
import { Control } from "./control.ts";
import { Dispatcher } from "./dispatcher.ts";
import { serveFamily } from "./family.ts";
import { FamilyServer } from "./family-server.ts";
import { familyTransfer, transferForStranger } from "./handles.ts";
import { LocalClient } from "./local-client.ts";
import { ManagerCell } from "./manager-cell.ts";
import { ObjectTable } from "./object-table.ts";
import { makeProxy } from "./proxy.ts";
import { CONTROL_ID } from "./protocol.ts";
import { SharedObject } from "./shared-object.ts";
import { StrangerControl } from "./stranger-control.ts";
import type { BoundAddress, StrangerServerOptions } from "./stranger-options.ts";
import { StrangerServer } from "./stranger-server.ts";
import { reportStrayErrors } from "./stray-errors.ts";
import { surfaceOf } from "./surface.ts";

/** What the server is told. */
export interface ServeOptions {
  readonly manager: BlockRef;
  readonly name: string;
  /** Started before it is needed: there is time to load what it may need. */
  readonly ahead: boolean;
}

/** Serves until it is told to end. */
export async function serve({ manager, name, ahead }: ServeOptions): Promise<void> {
  // Ctrl-C goes to the whole group; the manager serves until its owner is done with it.
  process.on("SIGINT", () => {});
  reportStrayErrors(name);
  if (ahead) await loadFacade();
  const cell = openCell(manager);
  const words = new ManagerCell(cell.word);
  const transfer = (object: SharedObject): HandleTransfer => {
    const forStranger = transferForStranger();
    if (forStranger !== undefined) return forStranger(object);
    table.hold(object);
    return familyTransfer(cell, object.cell as never, object.surface);
  };
  const local = new LocalClient((id) => table.find(id), transfer);
  const table: ObjectTable = new ObjectTable((object) => makeProxy(local, object.id, object.surface, undefined));
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const listeners: StrangerServer[] = [];
  const listen = (options: StrangerServerOptions, expose: readonly string[] | undefined): Promise<BoundAddress> => {
    const seen = new StrangerControl(control, (type) => expose?.includes(type) ?? type !== "pool");
    const strangers = new StrangerServer(
      options,
      dispatcher,
      new SharedObject(CONTROL_ID, undefined, seen, surfaceOf(seen, "Manager"), true),
      table,
    );
    listeners.push(strangers);
    return strangers.listen();
  };
  const dispatcher = new Dispatcher(table, name);
  const control: Control = new Control(table, () => setImmediate(end), listen);
  const controlObject = new SharedObject(CONTROL_ID, undefined, control, surfaceOf(control, "Manager"), true);
  serveFamily({
    managerId: manager.id,
    revive(id) {
      const object = table.find(id);
      if (object === undefined) throw new StateError(`Cannot use object ${id} of the manager: it is gone`);
      return table.proxyOf(object);
    },
  });
  const server = new FamilyServer({
    manager: words,
    dispatcher,
    control: controlObject,
    released: (object) => table.releaseUnheld(object),
    left: () => table.sweep(),
  });
  keepEventLoop();
  words.attach(selfSlot());
  server.start();
  await ended;
  server.stop();
  for (const listener of listeners) listener.close();
  // Whatever the user's objects left open must not keep a manager that was told to end.
  setImmediate(() => process.exit(0));
}
