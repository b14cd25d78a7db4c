import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessDiedError, QueueEmptyError } from "../../src/core/errors.ts";
import { decodeError, encodeError } from "../../src/codec/index.ts";

function travel(thrown: unknown): unknown {
  return decodeError(encodeError(thrown, { name: "worker-1", pid: 123 }));
}

class HttpError extends Error {
  readonly status: number;
  constructor(status: number, options?: ErrorOptions) {
    super(`status ${status}`, options);
    this.name = "HttpError";
    this.status = status;
  }
  get retry(): boolean {
    return this.status >= 500;
  }
}

test("a user's error keeps class, message, properties, cause and stack", () => {
  const sent = Object.assign(new HttpError(503, { cause: new TypeError("inner") }), { extra: { a: 1 } });
  const got = travel(sent) as HttpError & { extra: unknown };
  assert.ok(got instanceof Error);
  assert.equal(got.constructor.name, "HttpError");
  assert.equal(got.name, "HttpError");
  assert.equal(got.message, "status 503");
  assert.equal(got.retry, true);
  assert.deepEqual(got.extra, { a: 1 });
  assert.ok(got.cause instanceof TypeError && got.cause.message === "inner");
  assert.match(got.stack as string, /status 503\n +at .*errors\.test/);
  assert.match(got.stack as string, /in process worker-1 \(pid 123\)/);
  assert.deepEqual(Object.keys(got), Object.keys(sent));
});

test("builtin errors and ours keep their class", () => {
  for (const cls of [Error, TypeError, RangeError, SyntaxError, URIError])
    assert.ok(travel(new cls("m")) instanceof cls);
  const many = travel(new AggregateError([new Error("a"), 5], "all")) as AggregateError;
  assert.ok(many instanceof AggregateError);
  assert.equal((many.errors[0] as Error).message, "a");
  const empty = travel(new QueueEmptyError("nothing")) as QueueEmptyError;
  assert.ok(empty instanceof QueueEmptyError);
  assert.equal(empty.code, "ERR_QUEUE_EMPTY");
  const died = travel(new ProcessDiedError("gone", { pid: 5, signal: "SIGKILL", exitCode: -9 })) as ProcessDiedError;
  assert.ok(died instanceof ProcessDiedError && died.pid === 5 && died.signal === "SIGKILL" && died.exitCode === -9);
});

test("errors of the platform keep name and code", () => {
  let thrown: unknown;
  try {
    Buffer.alloc("x" as never);
  } catch (error) {
    thrown = error;
  }
  const got = travel(thrown) as TypeError & { code: string };
  assert.ok(got instanceof TypeError);
  assert.equal(got.code, "ERR_INVALID_ARG_TYPE");
  const abort = travel(AbortSignal.abort().reason) as DOMException;
  assert.ok(abort instanceof DOMException && abort.name === "AbortError");
});

test("what cannot travel on an error is left out and named", () => {
  const got = travel(Object.assign(new Error("m"), { socket: new WeakMap(), ok: 1 })) as Error & { ok: number };
  assert.equal(got.ok, 1);
  assert.ok(!("socket" in got));
  assert.deepEqual(got[Symbol.for("multiproc.omitted") as never], ["socket"]);
});

test("an error that is its own cause", () => {
  const sent = new Error("loop");
  sent.cause = sent;
  const got = travel(sent) as Error;
  assert.equal(got.cause, got);
});

test("what is no Error arrives as it was", () => {
  for (const thrown of [undefined, null, 5, "text", { a: 1 }]) assert.deepEqual(travel(thrown), thrown);
});

test("nothing that is thrown fails to arrive", () => {
  const hostile = {
    get message(): string {
      throw new Error("getter");
    },
  };
  const awkward = [
    new Proxy({}, {}),
    Symbol("s"),
    () => 1,
    Promise.resolve(),
    Object.setPrototypeOf(new Error("m"), null),
    Object.setPrototypeOf(new Error("m"), hostile),
    Object.defineProperty(new Error("m"), "bad", {
      enumerable: true,
      get: () => {
        throw new Error("getter");
      },
    }),
    new (class extends Error {
      #secret = 1;
      reveal(): number {
        return this.#secret;
      }
    })("private"),
  ];
  for (const thrown of awkward) assert.doesNotThrow(() => travel(thrown));
  assert.match((travel(awkward[0]) as Error).message, /Proxy was thrown/);
  assert.equal((travel(awkward[7]) as Error).message, "private");
});
