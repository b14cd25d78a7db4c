/**
 * Processes kept warm: started ahead, waiting to be told what to run. Used once; a spare then is the process, with the
 * guarantees of a fresh one.
 *
 * A spare fits when nothing differs that cannot be set late (flags, some variables of the environment). New ones are started
 * when the program has a moment, not in the middle of a burst of starts, and one at a time, unless starts keep following
 * each other: then a few are on their way up together. A spare that waits longer is told to load what it may need.
 */

import { availableParallelism } from "node:os";
import type { ChildLink } from "./child-link.ts";
import { KEEP_CODE, Warmth } from "./frames.ts";
import { isKeeper } from "./kept-code.ts";
import { launch, type LaunchOptions, type StdioPlan } from "./launch.ts";

const INHERITED: StdioPlan = ["inherit", "inherit", "inherit"];
/** Variables that node, V8 or the C library read at start only. */
const READ_AT_START = /^(NODE_(?!ENV$)|LD_|MALLOC_|UV_|OPENSSL_|SSL_|GLIBC_|TZ$|LANG$|LC_|ICU)/;

/** After the last start: it is not in a burst any more. */
const REFILL_DELAY_MS = 60;
/** Starts that follow each other this closely ask for more than one spare. */
const BUSY_WINDOW_MS = 400;
const IDLE_MS = 60_000;
/** One more than there are processors: none of them is idle while this process starts the next one. */
const MAX_KEPT: number = Math.min(4, availableParallelism() + 1);

/** The spares that fit the same starts. */
export interface Shelf {
  readonly options: LaunchOptions;
  readonly kept: ChildLink[];
  lastStart: number;
  wanted: number;
  /** A spare has ended by itself, or could not be started: none is started before the next start of a process. */
  failed: boolean;
}

const shelves = new Map<string, Shelf>();
let last: Shelf | undefined;
/** What each spare was told to load. */
const warmed = new WeakMap<ChildLink, number>();
let warmth: number = Warmth.process;
let booting = 0;
let refillTimer: NodeJS.Timeout | undefined;
let idleTimer: NodeJS.Timeout | undefined;

/** Where the spares with these flags are kept; their standard streams are inherited. */
export function shelfOf(execArgv: readonly string[], env: NodeJS.ProcessEnv): Shelf {
  return shelfFor({ execArgv, env, stdio: INHERITED });
}

/** Where there is one processor only, a spare that wakes up takes it from who wants to start it. */
const CAN_OVERLAP: boolean = availableParallelism() > 1;

/** A spare will be taken in a moment, probably like the last one: it wakes up meanwhile. */
export function wakeSpare(): void {
  const spare = CAN_OVERLAP ? last?.kept.find((link) => link.ready) : undefined;
  if (spare !== undefined && warmed.has(spare)) spare.wake();
}

/** A spare will be taken in a moment: if there is none, one comes up meanwhile. */
export function expectSpare(shelf: Shelf): void {
  if (shelf.kept.length === 0) addSpare(shelf);
}

/** Takes a spare; starts a process when there is none. It may still be on its way up. */
export function takeSpare(shelf: Shelf): ChildLink {
  const now = performance.now();
  const isBusy = now - shelf.lastStart < BUSY_WINDOW_MS;
  shelf.lastStart = now;
  shelf.failed = false;
  const spare = takeBest(shelf.kept);
  if (spare?.ready !== true) shelf.wanted = isBusy ? Math.min(MAX_KEPT, shelf.wanted + 1) : 1;
  const link = spare ?? boot(shelf.options);
  // It has done its work, and takes no time any more: now for the next one.
  link.onExit(refillSoon);
  refillLater(REFILL_DELAY_MS);
  return link;
}

/** True for a spare that has been told to load what it may need. */
export function isWarm(link: ChildLink): boolean {
  return warmed.has(link);
}

/** From now on spares load what a pool's worker needs as well: a program that has made a pool makes another. */
export function warmForWorkers(): void {
  if (warmth === Warmth.worker) return;
  warmth = Warmth.worker;
  refillLater(REFILL_DELAY_MS);
}

/** Ends the spares that are kept; new ones are started when processes are. */
export function dropSpares(): void {
  clearTimeout(refillTimer);
  last = undefined;
  for (const [key, { kept }] of shelves) {
    for (const spare of kept.splice(0)) spare.signal("SIGKILL");
    shelves.delete(key);
  }
}

function shelfFor(options: LaunchOptions): Shelf {
  if (last !== undefined && isSame(last.options.execArgv, options.execArgv) && isSame(last.options.env, options.env))
    return last;
  const fixed = Object.entries(options.env).filter(([name]) => READ_AT_START.test(name));
  fixed.sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify([options.execArgv, fixed]);
  let shelf = shelves.get(key);
  if (shelf === undefined)
    shelves.set(key, (shelf = { options, kept: [], lastStart: -Infinity, wanted: 1, failed: false }));
  last = shelf;
  return shelf;
}

function isSame(a: object, b: object): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => (a as Record<string, unknown>)[name] === (b as Record<string, unknown>)[name]);
}

/** The warmest one that is alive. */
function takeBest(kept: ChildLink[]): ChildLink | undefined {
  for (;;) {
    const ready = kept.findIndex((link) => link.ready);
    const spare = kept.splice(Math.max(0, ready), 1)[0];
    if (spare === undefined || spare.exit === undefined) return spare;
  }
}

function boot(options: LaunchOptions): ChildLink {
  const link = launch(options);
  booting += 1;
  let isUp = false;
  const up = (): void => {
    if (isUp) return;
    isUp = true;
    booting -= 1;
    // One that has been taken runs its target now, and is not to be slowed down.
    if (isKept(link)) refillSoon();
  };
  link.onReady(up);
  link.onExit(up);
  return link;
}

function isKept(link: ChildLink): boolean {
  return [...shelves.values()].some(({ kept }) => kept.includes(link));
}

/** After what is being done now: whoever waits for this goes first. */
function refillSoon(): void {
  // Not an immediate: one that keeps no program alive does not wake its event loop either.
  setTimeout(refill, 0).unref();
}

/** When nothing has put it off for a while. */
function refillLater(delayMs: number): void {
  clearTimeout(refillTimer);
  refillTimer = setTimeout(refill, delayMs);
  refillTimer.unref();
}

/** Starts one spare where one is missing, or warms one; the next when that one is up. */
function refill(): void {
  for (const shelf of shelves.values()) {
    for (let i = shelf.kept.length - 1; i >= 0; i--) if (shelf.kept[i]?.exit !== undefined) shelf.kept.splice(i, 1);
    if (booting >= shelf.wanted) return;
    if (shelf.kept.length < shelf.wanted && !shelf.failed) {
      addSpare(shelf);
      if (shelf.kept.length < shelf.wanted) refillSoon();
      return;
    }
  }
  warmOne();
}

function addSpare(shelf: Shelf): void {
  try {
    const spare = boot(shelf.options);
    spare.onExit(() => (shelf.failed ||= shelf.kept.includes(spare)));
    shelf.kept.push(spare);
    dropWhenIdle();
  } catch {
    // The system has no room for it. Nobody has asked for it yet; who does will be told.
    shelf.failed = true;
  }
}

function warmOne(): void {
  for (const { kept, lastStart } of shelves.values()) {
    const cold = kept.find((link) => link.ready && warmed.get(link) !== warmth);
    if (cold === undefined) continue;
    const wait = lastStart + REFILL_DELAY_MS - performance.now();
    if (wait > 0) return refillLater(wait + 1);
    warmed.set(cold, warmth);
    cold.warm(isKeeper(cold) ? warmth | KEEP_CODE : warmth);
    return refillLater(REFILL_DELAY_MS);
  }
}

function dropWhenIdle(): void {
  clearTimeout(idleTimer);
  idleTimer = setTimeout(dropSpares, IDLE_MS);
  idleTimer.unref();
}
