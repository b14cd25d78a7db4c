/** From what a process is to be, to a child that runs it. */

import { type Encoded, encodeTo } from "../codec/index.ts";
import { HeapSink } from "../core/bytes.ts";
import { knowsSources, mainModule } from "../capture/index.ts";
import { currentFolder, inheritance } from "../core/inheritance.ts";
import { makeTicket, selfSlotIfAny, withdraw } from "../memory/index.ts";
import type { Bootstrap, Payload } from "./bootstrap.ts";
import type { ChildLink } from "./child-link.ts";
import { checkMayStart, currentProcess } from "./current.ts";
import { inheritedExecArgv } from "./exec-argv.ts";
import { isKeeper } from "./kept-code.ts";
import { launch, type LaunchOptions } from "./launch.ts";
import { packParcel } from "./parcel.ts";
import { assertFolder, type CheckedOptions } from "./process-options.ts";
import { expectSpare, isWarm, type Shelf, shelfOf, takeSpare, wakeSpare } from "./spares.ts";
import { getStartMethod, type StartMethod } from "./start-method.ts";

/** Who the child is to be. */
export interface ChildIdentity {
  readonly name: string;
  readonly identity: readonly number[];
  readonly daemon: boolean;
}

/** How often a spare may turn out dead before a fresh process is taken. */
const SPARE_TRIES = 2;

/**
 * Starts a child. What the payload captures is taken before anything is started.
 * @throws {SerializationError} If something cannot travel. @throws {StateError} If no process may be started now.
 */
export function startChild(child: ChildIdentity, payload: Payload, options: CheckedOptions): ChildLink {
  checkMayStart();
  options.signal?.throwIfAborted();
  if (options.cwd !== undefined) assertFolder(options.cwd);
  if (mayBeSpare(options)) wakeSpare();
  const launched = launchOptions(options);
  const shelf = shelfFor(options, launched);
  const sink = new HeapSink();
  const taken = encodeTo(sink, payload);
  const encoded = sink.take();
  const ticket = taken === undefined ? undefined : makeTicket();
  let link: ChildLink;
  try {
    link = send({ child, encoded, ticket: ticket?.word }, options, launched, shelf);
  } catch (error) {
    if (taken !== undefined) giveBack(taken);
    ticket?.release();
    throw error;
  }
  // Handles in the message hold what they stand for until the child has them: a child that dies before never will.
  if (taken !== undefined && ticket !== undefined) link.onExit(() => void (withdraw(ticket) && giveBack(taken)));
  return link;
}

interface Message {
  readonly child: ChildIdentity;
  readonly encoded: Uint8Array;
  readonly ticket: number | undefined;
}

function send(
  { child, encoded, ticket }: Message,
  options: CheckedOptions,
  launched: LaunchOptions,
  shelf: Shelf | undefined,
): ChildLink {
  for (let tries = 0; ; tries++) {
    const spare = shelf !== undefined && tries < SPARE_TRIES ? takeSpare(shelf) : undefined;
    const link = spare ?? launch(launched);
    const ownFlags = options.maxMemory === undefined ? 0 : 1;
    const keepsCode = !isWarm(link) && isKeeper(link);
    const base = headerOf(child, methodOf(options), ownFlags);
    const header = { ...base, ticket, keepsCode, ...late(options, launched.env, link) };
    // A spare that somebody has killed meanwhile takes nothing any more.
    if (link.go(packParcel(header, encoded)) || spare === undefined) return link;
  }
}

/**
 * Has a process come up that `startChild` will take, with the same options: what must be done before takes a while, too. Not for
 * payloads that may be refused, since then nothing is to be started.
 */
export function expectChild(options: CheckedOptions): void {
  checkMayStart();
  const shelf = shelfFor(options, launchOptions(options));
  if (shelf !== undefined) expectSpare(shelf);
}

/** undefined when no spare would do. */
function shelfFor(options: CheckedOptions, { execArgv, env }: LaunchOptions): Shelf | undefined {
  return mayBeSpare(options) ? shelfOf(execArgv, env) : undefined;
}

function mayBeSpare(options: CheckedOptions): boolean {
  return methodOf(options) !== "spawn" && options.inheritsStdio;
}

function launchOptions(options: CheckedOptions): LaunchOptions {
  return { execArgv: execArgvOf(options), env: definedOnly(options.env ?? process.env), stdio: options.stdio };
}

function methodOf(options: CheckedOptions): StartMethod {
  return options.method ?? getStartMethod();
}

function giveBack({ transfers }: Encoded): void {
  for (const transfer of transfers) transfer.abort?.();
}

function headerOf({ name, identity, daemon }: ChildIdentity, startMethod: string, ownFlags: number): Bootstrap {
  const me = currentProcess();
  return {
    name,
    identity,
    daemon,
    parentPid: process.pid,
    parentName: me.name,
    parentSlot: selfSlotIfAny(),
    mainModule: mainModule(),
    startMethod,
    ownFlags,
    knowsSources: knowsSources() || inheritance.asksForPlaces,
    argv: process.argv,
  };
}

/** What a fresh process is given at its start, too, but a spare only now. */
function late(options: CheckedOptions, env: NodeJS.ProcessEnv, link: ChildLink): Partial<Bootstrap> {
  const changes: Record<string, string | null> = {};
  const { env: started, cwd: startedIn } = link;
  if (env !== started) {
    for (const name in started) if (!(name in env)) changes[name] = null;
    for (const name in env) if (env[name] !== started[name]) changes[name] = env[name] as string;
  }
  // Also a fresh one goes there by itself: what its flags name is found from where this process is.
  const cwd = options.cwd ?? currentFolder();
  return { env: changes, cwd: cwd === startedIn ? undefined : cwd };
}

function execArgvOf({ execArgv, maxMemory }: CheckedOptions): string[] {
  const flags = [...(execArgv ?? inheritedExecArgv())];
  if (maxMemory !== undefined) flags.push(`--max-old-space-size=${Math.max(1, Math.floor(maxMemory / 2 ** 20))}`);
  return flags;
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const name of Object.keys(env)) {
    const value = env[name];
    if (value !== undefined) defined[name] = value;
  }
  return defined;
}
