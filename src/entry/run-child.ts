/**
 * The life of a child: it says that it listens, is told what to run, runs it, and tells what came of it.
 *
 * A fresh child loads little: what its target does not need (shared memory, koffi, the library's façade) it does not load.
 * A spare loads it while it waits.
 */

import { setMainModule } from "../capture/main-module.ts";
import { loadModule } from "../capture/modules.ts";
import { decode, needsHandles, prepare } from "../codec/decode.ts";
import { loadFunctionSourceBy } from "../codec/function-source.ts";
import { isGenerator } from "../core/generators.ts";
import { inheritance } from "../core/inheritance.ts";
import { fs, util } from "../core/node-builtins.ts";
import { ownModule } from "../core/own-modules.ts";
import { receiveAtOnce } from "../core/receipts.ts";
import { type Bootstrap, ChildFd, type Payload } from "../process/bootstrap.ts";
import { setCurrentProcess, setImporting } from "../process/current.ts";
import {
  type Frame,
  FrameReader,
  FrameType,
  isInMailbox,
  KEEP_CODE,
  MAX_INLINE_BYTES,
  packFrame,
  packMessage,
  Warmth,
} from "../process/frames.ts";
import { takeMail, writeMail } from "../process/mailbox.ts";
import { unpackParcel } from "../process/parcel.ts";
import { askForPlaces } from "../process/source-places.ts";
import { blockOnOutput } from "./blocking-output.ts";

/** True once the parent knows what came of the target. */
let reported = false;

/** Loads, at once, what not every child needs. */
export interface Loader {
  /** For results. */
  encoder(): typeof import("../codec/encode.ts");
  /** The analysis of functions: for results that have functions in them, or errors of classes of their own. */
  capture(): void;
  /** Writes down what was compiled, for the processes that are started after this one; where that can be. */
  keepCode?(): void;
}

/** The message that stands for undefined. */
const NOTHING = new Uint8Array(0);

let load: Loader;

/** In a warm spare: goes once over what a start does, just before one. */
let wakeUp: (() => Promise<void>) | undefined;

/** Waits to be told what to run, and runs it. */
export async function runChild(loader: Loader): Promise<void> {
  load = loader;
  loadFunctionSourceBy(() => loader.capture());
  inheritance.arenaFd = ChildFd.arena;
  inheritance.codeFd = ChildFd.code;
  blockOnOutput();
  process.on("uncaughtExceptionMonitor", (error) => {
    // A program that handles such errors itself goes on, and may still have a result.
    if (process.listenerCount("uncaughtException") > 0) return;
    reportError(error);
    showSources(error);
  });
  process.on("exit", (code) => say(FrameType.exiting, code));
  say(FrameType.ready);
  const message = await hearGo();
  let value: unknown;
  try {
    value = await start(message);
  } catch (error) {
    return fail(error);
  }
  reportValue(value);
}

async function start(message: Uint8Array): Promise<unknown> {
  const { header, payload } = unpackParcel(message);
  become(header);
  const unpacked = await unpackPayload(payload, header.ticket);
  // Before anything of the user's runs, and all that a start needs is compiled now.
  if (header.keepsCode === true) keepCode();
  return run(unpacked);
}

/** Blocks until the parent says what to run. A spare is told before to load what it may need. */
async function hearGo(): Promise<Uint8Array> {
  const reader = new FrameReader();
  for (;;) {
    const frames = readFrames(reader);
    for (const { type, value, inline } of frames) {
      if (type === FrameType.go) return inline ?? takeMail(ChildFd.mailbox, value);
      if (type === FrameType.warm) await warmUp(value);
      // When `go` has come with it, it is too late for that.
      else if (frames.length === 1) await wakeUp?.();
    }
  }
}

/** Gets faster, at best; a start must work without it as well. */
async function warmUp(what: number): Promise<void> {
  try {
    if ((what & ~KEEP_CODE) === Warmth.worker) await preloadWorker();
    const { rehearse } = await import("./rehearse.ts");
    wakeUp = await rehearse(start);
  } catch {
    // What is wrong will be told by the first start that meets it.
  }
  if ((what & KEEP_CODE) !== 0) keepCode();
}

/** Later starts get faster; this one works without it as well. */
function keepCode(): void {
  try {
    // What comes after the target is compiled, too.
    void finish(packMessage(FrameType.result, NOTHING));
    load.keepCode?.();
  } catch {
    // There is no memory for it.
  }
}

/** What a worker's target does with its module: whoever is told to run it finds it loaded. */
async function preloadWorker(): Promise<void> {
  const module = { importer: undefined, specifier: ownModule("pool/worker-loop.js"), how: "import" } as const;
  ((await loadModule(module)) as typeof import("../pool/worker-loop.ts")).preload();
}

function readFrames(reader: FrameReader): Frame[] {
  const bytes = new Uint8Array(2 * MAX_INLINE_BYTES);
  try {
    const read = fs.readSync(ChildFd.control, bytes);
    if (read > 0) return reader.read(bytes.subarray(0, read));
  } catch {
    // ECONNRESET: the parent died with something of ours unread.
  }
  // Nobody is left who could say what to run.
  process.exit(0);
}

/** Becomes the process that the parent asked for. */
function become(header: Bootstrap): void {
  inheritance.name = header.name;
  inheritance.identity = header.identity;
  inheritance.daemon = header.daemon;
  inheritance.ownFlags = header.ownFlags;
  inheritance.parentSlot = header.parentSlot;
  inheritance.asksForPlaces = header.knowsSources;
  inheritance.startMethod = header.startMethod;
  inheritance.parent = { pid: header.parentPid, name: header.parentName };
  setMainModule(header.mainModule);
  process.argv = header.argv as string[];
  if (header.cwd !== undefined) process.chdir(header.cwd);
  for (const [variable, value] of Object.entries(header.env ?? {})) {
    if (value === null) delete process.env[variable];
    else process.env[variable] = value;
  }
}

async function unpackPayload(bytes: Uint8Array, ticket: number | undefined): Promise<Payload> {
  const read = (): Payload => decode(bytes) as Payload;
  setImporting(true);
  try {
    // The façade registers the kinds of handles that there are.
    if (needsHandles(bytes)) await import("../index.ts");
    await prepare(bytes);
    return ticket === undefined ? read() : receiveAtOnce(ticket, read);
  } finally {
    setImporting(false);
  }
}

function run(payload: Payload): unknown {
  if ("self" in payload) {
    setCurrentProcess(payload.self as never, payload.base);
    return finish(payload.self.run());
  }
  const { target, args } = payload;
  if (isClass(target)) return Reflect.construct(target, args) as unknown;
  return finish(Reflect.apply(target, undefined, args));
}

function isClass(target: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(target));
}

/** A generator runs to its end; what it gives on the way is dropped, what it returns is the result. */
async function finish(value: unknown): Promise<unknown> {
  if (!isGenerator(value)) return value;
  for (;;) {
    const { done, value: given } = await value.next();
    if (done === true) return given;
  }
}

function reportValue(value: unknown): void {
  let bytes: Uint8Array;
  try {
    // Nothing takes no encoder: most targets return nothing.
    bytes = value === undefined ? NOTHING : load.encoder().encode(value, { root: "result" });
  } catch (error) {
    // Only who asks for the result needs it. (`() => setInterval(…)` is a fine target.)
    return reportError(error);
  }
  report(FrameType.result, bytes);
}

function reportError(error: unknown): void {
  if (reported) return;
  const origin = { name: inheritance.name, pid: process.pid };
  report(FrameType.error, load.encoder().encodeError(error, origin));
}

function report(type: number, bytes: Uint8Array): void {
  reported = true;
  if (isInMailbox(bytes.length)) writeMail(ChildFd.mailbox, bytes);
  write(packMessage(type, bytes));
}

function say(type: number, value?: number): void {
  write(packFrame(type, value));
}

function write(frame: Uint8Array): void {
  try {
    fs.writeSync(ChildFd.control, frame);
  } catch {
    // EPIPE: the parent is gone, and this process will be in a moment.
  }
}

/** Node is about to print the error, with what caused it. */
function showSources(error: unknown): void {
  const chain: Error[] = [];
  for (let each = error; each instanceof Error && !chain.includes(each); each = each.cause) chain.push(each);
  try {
    const stacks = askForPlaces(chain.map(({ stack }) => stack).join("\0")).split("\0");
    if (stacks.length === chain.length) chain.forEach((each, i) => (each.stack = stacks[i] as string));
  } catch {
    // A frozen one is printed as it is.
  }
}

/** The target has failed: prints its error once, and ends with 1. */
function fail(error: unknown): void {
  reportError(error);
  const end = (): void => process.exit(1);
  process.stderr.once("error", end);
  process.stderr.write(
    `Uncaught error in ${inheritance.name} (process ${process.pid}):\n${askForPlaces(util.inspect(error))}\n`,
    end,
  );
}
