/** From what a process is to be, to a child that runs it. */

import { type Encoded, encodeTo } from "../codec/index.ts";
import { HeapSink } from "../core/bytes.ts";
import { mainModule } from "../capture/index.ts";
import { makeTicket, selfSlotIfAny, withdraw } from "../memory/index.ts";
import type { Bootstrap, Payload } from "./bootstrap.ts";
import type { ChildLink } from "./child-link.ts";
import { checkMayStart, currentProcess } from "./current.ts";
import { inheritedExecArgv } from "./exec-argv.ts";
import { currentFolder, launch } from "./launch.ts";
import { packParcel } from "./parcel.ts";
import { assertFolder, type CheckedOptions } from "./process-options.ts";
import { takeSpare } from "./spares.ts";
import { getStartMethod } from "./start-method.ts";

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
  const env = definedOnly(options.env ?? process.env);
  const execArgv = execArgvOf(options);
  const sink = new HeapSink();
  const taken = encodeTo(sink, payload);
  const encoded = sink.take();
  const ticket = taken === undefined ? undefined : makeTicket();
  let link: ChildLink;
  try {
    link = send({ child, encoded, ticket: ticket?.word }, options, env, execArgv);
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
  env: NodeJS.ProcessEnv,
  execArgv: readonly string[],
): ChildLink {
  const method = options.method ?? getStartMethod();
  for (let tries = 0; ; tries++) {
    const warm = method !== "spawn" && options.inheritsStdio && tries < SPARE_TRIES;
    const link = warm ? takeSpare(execArgv, env) : launch({ execArgv, env, stdio: options.stdio });
    const ownFlags = options.maxMemory === undefined ? 0 : 1;
    const header = { ...headerOf(child, method, ownFlags), ticket, ...late(options, env, link) };
    // A spare that somebody has killed meanwhile takes nothing any more.
    if (link.go(packParcel(header, encoded)) || !warm) return link;
  }
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
