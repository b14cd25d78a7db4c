import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, Socket } from "node:net";
import { test } from "node:test";
import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import type { BuiltinImage } from "../../src/capture/image.ts";
import { resolveImage } from "../../src/capture/modules.ts";
import { refuseReason, referenceTo } from "../../src/capture/index.ts";

test("objects that live in the system or in native code are refused with their class's name", () => {
  const timer = setTimeout(() => {}, 0);
  clearTimeout(timer);
  const stream = createReadStream(process.execPath);
  stream.destroy();
  for (const [value, reason] of [
    [createServer(), /net\.Server/],
    [new Socket(), /net\.Socket/],
    [stream, /ReadStream/],
    [new PassThrough(), /PassThrough/],
    [timer, /Timeout/],
    [new AbortController(), /AbortController/],
    [createHash("md5"), /Hash/],
    [new WeakMap(), /WeakMap/],
    [new WeakSet(), /WeakSet/],
    [new WeakRef({}), /WeakRef/],
    [new Proxy({}, {}), /Proxy/],
    [Promise.resolve(), /Promise/],
    [(function* () {})(), /generator/],
    [new SharedArrayBuffer(1), /SharedArrayBuffer/],
    [new (class extends Socket {})(), /net\.Socket/],
    [new MessageChannel().port1, /MessagePort/],
    [new FinalizationRegistry(() => {}), /FinalizationRegistry/],
    [new Map().entries(), /iterator/],
    [[].values(), /iterator/],
    ["x".matchAll(/x/g), /iterator/],
    [new EventTarget(), /EventTarget/],
    [new (class extends EventTarget {})(), /EventTarget/],
    [new Event("x"), /Event/],
  ] as const) {
    assert.match(refuseReason(value) ?? "nothing", reason);
  }
});

test("a Proxy is refused without running its traps", () => {
  const trap = (): never => assert.fail("trap");
  const value = new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap });
  assert.match(refuseReason(value) ?? "", /Proxy/);
  assert.equal(referenceTo(value), undefined);
});

test("an instance with private members is refused, one without is not", () => {
  class Secret {
    #x = 1;
    get x(): number {
      return this.#x;
    }
  }
  class Open {
    static #made = 0;
    readonly text = "#hash";
    static made(): number {
      return Open.#made++;
    }
  }
  assert.match(refuseReason(new Secret()) ?? "", /private members/);
  assert.match(refuseReason(new (class Derived extends Secret {})()) ?? "", /Secret/);
  assert.equal(refuseReason(new Open()), undefined);
});

test("plain values, collections, errors and instances of user classes are not refused", () => {
  class Point {
    readonly x = 1;
  }
  const values = [
    {},
    [],
    Object.create(null),
    new Map(),
    new Set(),
    new Date(),
    /x/,
    new Error("x"),
    new TypeError("x"),
  ];
  values.push(
    new URL("file:///"),
    new Uint8Array(1),
    Buffer.from("x"),
    new EventEmitter(),
    new Point(),
    Object(1),
    new ArrayBuffer(1),
  );
  for (const value of values) assert.equal(refuseReason(value as object), undefined);
});

test("what the platform names travels by its name", () => {
  assert.deepEqual(referenceTo(Math), { kind: "builtin", from: "globalThis", path: ["Math"] });
  assert.deepEqual(referenceTo(process), { kind: "builtin", from: "globalThis", path: ["process"] });
  assert.deepEqual(referenceTo(process.env), { kind: "builtin", from: "globalThis", path: ["process", "env"] });
  assert.deepEqual(referenceTo(process.stdout), { kind: "builtin", from: "globalThis", path: ["process", "stdout"] });
  assert.deepEqual(referenceTo(performance), { kind: "builtin", from: "globalThis", path: ["performance"] });
  assert.deepEqual(referenceTo(crypto), { kind: "builtin", from: "globalThis", path: ["crypto"] });
  for (const value of [URL.prototype, EventTarget.prototype, console, Intl, globalThis])
    assert.equal(resolveImage(referenceTo(value) as BuiltinImage), value);
  assert.deepEqual(referenceTo(Array.prototype), { kind: "builtin", from: "globalThis", path: ["Array", "prototype"] });
  assert.equal(referenceTo({}), undefined);
  assert.equal(referenceTo(new URL("file:///")), undefined);
  assert.equal(referenceTo(process.argv), undefined);
});
