/** The contract of errors. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as multiproc from "multiproc";
import { eachMethod } from "./each-method.ts";

const { MultiprocError, ProcessDiedError, StateError } = multiproc;

const CODES: Readonly<Record<string, string>> = {
  AuthenticationError: "ERR_AUTHENTICATION",
  BrokenBarrierError: "ERR_BROKEN_BARRIER",
  BrokenPipeError: "ERR_BROKEN_PIPE",
  BufferTooShortError: "ERR_BUFFER_TOO_SHORT",
  CancelledError: "ERR_CANCELLED",
  DeadlockError: "ERR_DEADLOCK",
  EndOfStreamError: "ERR_END_OF_STREAM",
  LockNotHeldError: "ERR_LOCK_NOT_HELD",
  ManagerDiedError: "ERR_MANAGER_DIED",
  ProcessDiedError: "ERR_PROCESS_DIED",
  QueueEmptyError: "ERR_QUEUE_EMPTY",
  QueueFullError: "ERR_QUEUE_FULL",
  QueueShutdownError: "ERR_QUEUE_SHUTDOWN",
  SerializationError: "ERR_SERIALIZATION",
  StateError: "ERR_STATE",
  TimeoutError: "ERR_TIMEOUT",
  UnsupportedPlatformError: "ERR_UNSUPPORTED_PLATFORM",
  WorkerDiedError: "ERR_WORKER_DIED",
};

for (const [name, code] of Object.entries(CODES)) {
  test(`${name} is a MultiprocError with the code ${code}, and its name is its class's`, () => {
    const Class = (multiproc as unknown as Record<string, new (message: string) => Error & { code: string }>)[name];
    assert.ok(Class !== undefined);
    const error = new Class("Cannot do it");
    assert.ok(error instanceof MultiprocError && error instanceof Error);
    assert.deepEqual([error.name, error.code, error.message], [name, code, "Cannot do it"]);
  });
}

test("there are no other error classes but SystemError", () => {
  const all = Object.keys(multiproc).filter((name) => name.endsWith("Error") && name !== "MultiprocError");
  assert.deepEqual(all.sort(), [...Object.keys(CODES), "SystemError"].sort());
});

eachMethod("an error of the library keeps class and code on its way", async ({ Process }) => {
  const target = (): never => {
    throw new StateError("Cannot go on");
  };
  await assert.rejects(new Process({ target, stdio: "ignore" }).start().result(), (error: unknown) => {
    assert.ok(error instanceof StateError);
    assert.equal(error.code, "ERR_STATE");
    return true;
  });
});

test("what dies carries pid, exitCode and signal", () => {
  const error = new ProcessDiedError("Cannot go on", { pid: 5, exitCode: null, signal: "SIGKILL" });
  assert.deepEqual([error.pid, error.exitCode, error.signal], [5, null, "SIGKILL"]);
});

test("an error that cannot be rebuilt still arrives, with its message; what could not travel is left out", async () => {
  const target = (): never => {
    throw Object.assign(new Error("odd"), { memory: new WeakMap(), n: 1 });
  };
  const { Process } = multiproc;
  await assert.rejects(new Process({ target, stdio: "ignore" }).start().result(), (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.equal(error.message, "odd");
    assert.equal((error as Error & { n?: number }).n, 1);
    assert.ok(!("memory" in error));
    return true;
  });
});
