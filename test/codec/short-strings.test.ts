import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../../src/codec/index.ts";
import { Random } from "../helpers/random.ts";

/** Strings of all lengths around those that are treated apart, of latin1 characters and some others. */
function strings(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => {
    const characters = Array.from({ length: random.below(20) }, () => 32 + random.below(224));
    if (random.below(50) === 0) characters.push(0x20ac);
    return String.fromCharCode(...characters);
  });
}

test("many new short strings arrive as they were sent, also across the stretches that they are cut out of", () => {
  const random = new Random();
  for (const count of [10, 17, 100, 5000]) {
    const sent = strings(random, count);
    assert.deepEqual(decode(encode(sent)), sent);
    const map = new Map(sent.map((each, i) => [each, i]));
    assert.deepEqual(decode(encode(map)), map);
  }
});

test("a message in the memory of an earlier one is read anew", () => {
  const sent = ["a", "b"].map((first) => Array.from({ length: 1000 }, (_, i) => `${first}${i + 1000}`));
  const [memory, second] = sent.map((each) => encode(each)) as [Uint8Array, Uint8Array];
  assert.equal(memory.length, second.length);
  assert.deepEqual(decode(memory), sent[0]);
  memory.set(second);
  assert.deepEqual(decode(memory), sent[1]);
});
