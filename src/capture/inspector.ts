/**
 * V8's inspector, in this process and synchronous: what a function has captured, and where it was written.
 *
 * A session of our own, connected at the first use. No `Debugger.enable` unless a caller needs it: the first one costs
 * 14–64 ms (it replays every script), and it is switched off again at once.
 */

import type { Session } from "node:inspector";
import { createRequire } from "node:module";
import { ownFolder } from "../core/own-modules.ts";

const require = createRequire(ownFolder());

/** One level of the variables around a function, innermost first. A copy, taken when it was asked for. */
export interface ScopeValues {
  /** `Module`, `Closure`, `Block`, `Script`, `Class`, `Global` … */
  readonly type: string;
  readonly values: Record<string, unknown>;
}

/** Where a function's parameters start. Lines and columns from 0. */
export interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** What the inspector tells of a function. */
export interface FunctionFacts {
  readonly location: Location | undefined;
  readonly scopes: readonly ScopeValues[];
  /** Set for a bound function. */
  readonly bound: { readonly target: Function; readonly boundThis: unknown; readonly boundArgs: unknown[] } | undefined;
}

/** A script as the debugger announces it. */
export interface ScriptFacts {
  readonly scriptId: string;
  readonly url: string;
  readonly sourceMapURL: string | undefined;
  readonly isModule: boolean;
}

interface RemoteObject {
  readonly type: string;
  readonly objectId?: string;
  readonly value?: unknown;
}

interface PropertyList {
  readonly result: readonly { readonly name: string; readonly value?: RemoteObject }[];
  readonly internalProperties?: readonly { readonly name: string; readonly value?: RemoteObject }[];
}

interface CallFrame {
  readonly functionLocation?: Location;
  readonly this: RemoteObject;
}

/**
 * Through this object values pass between the inspector's world, which is the first context, and ours, which may be a vm context. It
 * hangs on a module of node's, which is one object in all of them, unlike `globalThis`, and unlike `process`, of which Jest makes copies.
 */
let exchange: { fn: unknown; out: unknown } = { fn: undefined, out: undefined };
const EXCHANGE = Symbol.for("multiproc.capture");
const AT_EXCHANGE = 'process.getBuiltinModule("node:inspector")[Symbol.for("multiproc.capture")]';

let session: Session | undefined;
let unavailable: Error | undefined;

/** False where the inspector may not be used (`--permission`, a Node built without it). */
export function hasInspector(): boolean {
  try {
    connect();
    return true;
  } catch {
    return false;
  }
}

function connect(): Session {
  if (session !== undefined) return session;
  if (unavailable !== undefined) throw unavailable;
  try {
    const inspector = require("node:inspector") as typeof import("node:inspector");
    const fresh = new inspector.Session();
    fresh.connect();
    // Another copy of this module may have put it there.
    const shared = Object.getOwnPropertyDescriptor(inspector, EXCHANGE)?.value as typeof exchange | undefined;
    if (shared === undefined) Object.defineProperty(inspector, EXCHANGE, { value: exchange });
    else exchange = shared;
    return (session = fresh);
  } catch (error) {
    unavailable = error as Error;
    throw error;
  }
}

/** One call of the protocol. Answers come before `post` returns, since the session lives in this thread. */
function post<T>(method: string, parameters?: object): T {
  let answer: T | undefined;
  let failure: Error | null = null;
  connect().post(method, parameters as never, (error: Error | null, result?: unknown) => {
    failure = error;
    answer = result as T;
  });
  if (failure !== null) throw new Error(`${method}: ${(failure as Error).message}`);
  return answer as T;
}

const GROUP = "multiproc";

function remoteOf(value: unknown): string {
  exchange.fn = value;
  const { result } = post<{ result: RemoteObject }>("Runtime.evaluate", {
    expression: `${AT_EXCHANGE}.fn`,
    objectGroup: GROUP,
    silent: true,
  });
  exchange.fn = undefined;
  return result.objectId as string;
}

/** The real object behind an id of the inspector. */
function localOf(remote: RemoteObject | undefined): unknown {
  if (remote?.objectId === undefined) return remote?.value;
  post("Runtime.callFunctionOn", {
    objectId: remote.objectId,
    functionDeclaration: `function(){"use strict";${AT_EXCHANGE}.out=this}`,
    // It returns nothing, which is cheaper to tell as a value than as an object that could be asked for more.
    returnByValue: true,
    silent: true,
  });
  const { out } = exchange;
  exchange.out = undefined;
  return out;
}

/** Runs a few calls and lets go of all remote references that they made. */
function scoped<T>(action: () => T): T {
  try {
    return action();
  } finally {
    post("Runtime.releaseObjectGroup", { objectGroup: GROUP });
  }
}

/** Location, variables, and the parts of a bound function. */
export function factsOf(fn: Function): FunctionFacts {
  return scoped(() => {
    const list = post<PropertyList>("Runtime.getProperties", { objectId: remoteOf(fn), ownProperties: true });
    const internal = (name: string): RemoteObject | undefined =>
      list.internalProperties?.find((property) => property.name === name)?.value;
    const scopes = localOf(internal("[[Scopes]]")) as ArrayLike<{ description: string; object: ScopeValues["values"] }>;
    return {
      location: internal("[[FunctionLocation]]")?.value as Location | undefined,
      scopes: scopes === undefined ? [] : Array.from(scopes, scopeOf),
      bound: internal("[[TargetFunction]]") === undefined ? undefined : boundParts(internal),
    };
  });
}

function scopeOf({ description, object }: { description: string; object: ScopeValues["values"] }): ScopeValues {
  return { type: description.replace(/ ?\(.*$/s, ""), values: object };
}

function boundParts(internal: (name: string) => RemoteObject | undefined): FunctionFacts["bound"] {
  return {
    target: localOf(internal("[[TargetFunction]]")) as Function,
    boundThis: localOf(internal("[[BoundThis]]")),
    boundArgs: Array.from((localOf(internal("[[BoundArgs]]")) ?? []) as ArrayLike<unknown>),
  };
}

/** Runs `action` with the debugger enabled; `onScript` is told of every script that there is. */
export function withDebugger<T>(action: () => T, onScript?: (script: ScriptFacts) => void): T {
  const own = connect();
  const listen = (message: { params: unknown }): void => onScript?.(message.params as ScriptFacts);
  own.on("Debugger.scriptParsed", listen as never);
  try {
    post("Debugger.enable");
    return action();
  } finally {
    own.off("Debugger.scriptParsed", listen as never);
    post("Debugger.disable");
  }
}

/** The text of a script as V8 runs it; only inside `withDebugger`. */
export function scriptSource(scriptId: string): string {
  return post<{ scriptSource: string }>("Debugger.getScriptSource", { scriptId }).scriptSource;
}

/**
 * `this` of the nearest function that is being called right now and is wanted, by its place or by its `this`. Breaks in an empty function of ours and looks at the callers: a break in the
 * user's function would have to end it, which hung or crashed V8.
 */
export function thisOfCaller(
  isWanted: (location: Location, readThis: () => unknown) => boolean,
): { value: unknown } | undefined {
  let found: { value: unknown } | undefined;
  const onPaused = (message: { params: { callFrames: readonly CallFrame[] } }): void => {
    const frame = message.params.callFrames.find(
      ({ functionLocation, this: self }) =>
        functionLocation !== undefined && isWanted(functionLocation, () => localOf(self)),
    );
    if (frame !== undefined) found = { value: localOf(frame.this) };
  };
  return scoped(() =>
    withDebugger(() => {
      const stop = (): void => {};
      connect().on("Debugger.paused", onPaused as never);
      try {
        post("Debugger.setBreakpointOnFunctionCall", { objectId: remoteOf(stop) });
        // Not `stop()`: bundlers drop the call of a function that does nothing.
        Reflect.apply(stop, undefined, []);
      } finally {
        connect().off("Debugger.paused", onPaused as never);
      }
      return found;
    }),
  );
}
