/**
 * Waking the event loop of a process: a pipe that the process watches and everybody else can write to.
 *
 * A peer opens the pipe through /proc/PID/fd, so nothing has a name and nothing has to be inherited. The bell is rung only
 * once until it is heard (`Slot.bell`), so under load no system call happens at all.
 */

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { setImmediate, setTimeout } from "../core/timers.ts";
import { arena, onSweep, selfSlot, Slot, slotGeneration, slotWord } from "../memory/index.ts";
import { createPipe, type Watch, watchBell } from "../platform/index.ts";

type Listener = () => void;

interface Peer {
  readonly generation: number;
  readonly fd: number;
}

const listeners = new Set<Listener>();
const peers = new Map<number, Peer>();
const heard = new Uint8Array(64);
const ONE = new Uint8Array(1);
const RETRY_MS = 20;

let watch: Watch | undefined;
let readEnd = -1;
let installed = false;
let keptAlive = 0;
let localRing = false;

/** Calls back in the event loop whenever the bell of this process was rung. @returns ends that. */
export function onDoorbell(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Makes this process's bell; others can ring it once it is installed. */
export function prepareDoorbell(): void {
  if (watch !== undefined) return;
  const [reader, writer] = createPipe({ nonBlocking: true });
  readEnd = reader;
  // The write end stays open: without a writer the pipe would be at its end and readable for ever.
  void writer;
  watch = watchBell(reader, hear);
  watch.unref();
}

/** From now on others can ring this process's bell. */
export function installDoorbell(): void {
  if (installed) return;
  prepareDoorbell();
  installed = true;
  Atomics.store(arena().words, slotWord(selfSlot()) + Slot.bellFd, readEnd);
}

/** The descriptor to poll for who blocks until the bell rings; call `hearDoorbell` afterwards. */
export function doorbellFd(): number {
  installDoorbell();
  return readEnd;
}

/** Empties the bell and calls the listeners, for who has blocked on `doorbellFd`. */
export function hearDoorbell(): void {
  hear();
}

/** Keeps the program alive while somebody waits in the event loop; one call of `releaseEventLoop` for each. */
export function keepEventLoop(): void {
  installDoorbell();
  if (keptAlive++ === 0) watch?.ref();
}

export function releaseEventLoop(): void {
  if (--keptAlive === 0) watch?.unref();
}

/** Wakes the event loop of a process. Does nothing if that process never waits in its event loop. */
export function ringDoorbell(slot: number): void {
  if (slot === selfSlot()) return ringSelf();
  const { words } = arena();
  const at = slotWord(slot);
  const targetFd = Atomics.load(words, at + Slot.bellFd);
  if (targetFd === 0 || Atomics.exchange(words, at + Slot.bell, 1) === 1) return;
  writeToPeer(slot, words[at + Slot.pid] as number, targetFd);
}

/**
 * Rings whatever the bell says, after a death: who said that he rings may have been killed before he did, and everybody
 * after him would rely on it for ever.
 */
export function ringAnyway(slot: number): void {
  Atomics.store(arena().words, slotWord(slot) + Slot.bell, 0);
  ringDoorbell(slot);
}

/** Waiter and waker in one process: no system call, just a turn of the loop. */
function ringSelf(): void {
  if (localRing || listeners.size === 0) return;
  localRing = true;
  setImmediate(() => {
    localRing = false;
    for (const listener of listeners) listener();
  });
}

function writeToPeer(slot: number, pid: number, targetFd: number): void {
  try {
    writeSync(openPeer(slot, pid, targetFd), ONE);
  } catch (error) {
    // EPIPE, ENOENT: the peer is gone, and whoever sweeps it wakes those who wait for it. EAGAIN: its pipe is full of rings.
    forgetPeer(slot);
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EMFILE" || code === "ENFILE") ringLater(slot);
  }
}

/** Out of descriptors: others may ring meanwhile, and this process tries again. Should it end first, its sweeper rings. */
function ringLater(slot: number): void {
  const generation = slotGeneration(slot);
  Atomics.store(arena().words, slotWord(slot) + Slot.bell, 0);
  setTimeout(() => {
    if (slotGeneration(slot) === generation) ringDoorbell(slot);
  }, RETRY_MS).unref();
}

function openPeer(slot: number, pid: number, targetFd: number): number {
  const generation = slotGeneration(slot);
  const known = peers.get(slot);
  if (known?.generation === generation) return known.fd;
  forgetDeadPeers();
  const fd = openSync(`/proc/${pid}/fd/${targetFd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  peers.set(slot, { generation, fd });
  return fd;
}

/** Most dead peers are swept by somebody else, which this process does not see; so it looks whenever it opens another. */
function forgetDeadPeers(): void {
  for (const [slot, { generation }] of peers) if (slotGeneration(slot) !== generation) forgetPeer(slot);
}

function forgetPeer(slot: number): void {
  const known = peers.get(slot);
  if (known === undefined) return;
  peers.delete(slot);
  closeSync(known.fd);
}

function hear(): void {
  try {
    while (readSync(readEnd, heard) === heard.length);
  } catch {
    // EAGAIN: heard before.
  }
  // Before looking: what is rung from now on rings again.
  Atomics.store(arena().words, slotWord(selfSlot()) + Slot.bell, 0);
  for (const listener of listeners) listener();
}

onSweep(({ slot }) => forgetPeer(slot));
