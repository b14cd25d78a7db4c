import { registerHandle } from "../core/handle.ts";
import { checkBoolean, checkKnownOptions, checkObject } from "../core/options.ts";
import {
  allocateCell,
  type BlockRef,
  type Cell,
  forgetObject,
  knownObject,
  openCell,
  rememberObject,
} from "../memory/index.ts";
import { Ring } from "../ring/index.ts";
import { Connection } from "./connection.ts";
import { PIPE_BYTES, PIPE_CELL, RING_OUT } from "./pipe-end.ts";
import { type PipeSide, PipeTransport } from "./pipe-transport.ts";

/** Most bytes under way in one direction; then senders wait. A single message may be larger. */
const MAX_BYTES: number = 8 * 1024 * 1024;

/** Options of `Pipe`. */
export interface PipeOptions {
  /** False for one direction only: the first connection receives, the second sends. Default: true. */
  readonly duplex?: boolean;
}

/**
 * Two connected ends, for two processes. Up to 8 MiB can be under way in each direction before senders wait.
 *
 * @returns Both ends; with `{ duplex: false }` the reader first, then the writer.
 * @example
 * ```ts
 * import { Pipe, Process } from "multiproc";
 *
 * const [reader, writer] = Pipe<number>({ duplex: false });
 * const child = new Process(() => {
 *   for (let i = 1; i <= 3; i++) writer.sendSync(i);
 * }).start();
 * let sum = 0;
 * for await (const n of reader) sum += n;
 * console.log(sum); // 6
 * await child.join();
 * ```
 */
export function Pipe<T = unknown>(options: PipeOptions = {}): [Connection<T>, Connection<T>] {
  checkObject("options", options);
  checkKnownOptions("options", options, ["duplex"]);
  const { duplex = true } = options;
  checkBoolean("options.duplex", duplex);
  const cell = allocateCell(PIPE_BYTES, PIPE_CELL);
  for (const ring of RING_OUT) Ring.format(cell.word + ring, { maxRecords: 0, maxBytes: MAX_BYTES });
  // Each end holds the cell by itself.
  const second = openCell(cell.refer());
  return [
    endOf<T>({ cell, side: 0, readable: true, writable: duplex }, false),
    endOf<T>({ cell: second, side: 1, readable: duplex, writable: true }, false),
  ];
}

interface Transferred {
  readonly ref: BlockRef;
  readonly side: number;
  readonly readable: boolean;
  readonly writable: boolean;
}

interface End {
  readonly transport: PipeTransport;
}

const ends = new WeakMap<object, End>();

function endOf<T>(side: PipeSide, arrived: boolean): Connection<T> {
  const transport = new PipeTransport(side);
  if (arrived) transport.arrive();
  else transport.begin();
  const connection = new Connection<T>(transport);
  ends.set(connection, { transport });
  const key = keyOf(side.cell, side.side);
  rememberObject(key, connection);
  transport.onClose(() => forgetObject(key, connection));
  return connection;
}

function keyOf({ id }: Cell, side: number): string {
  return `pipe ${id} ${side}`;
}

registerHandle("Connection", ({ ref, side, readable, writable }: Transferred) => {
  const cell = openCell(ref);
  const known = knownObject(keyOf(cell, side));
  if (known === undefined) return endOf({ cell, side, readable, writable }, true);
  (ends.get(known) as End).transport.arrive();
  cell.release();
  return known;
});
