/** A module that is not the main one: what it exports is imported again, what it makes is copied. */

import { TO_HANDLE } from "../../src/core/handle.ts";

export let count = 0;

export function countUp(): number {
  return ++count;
}

const state = { down: 0 };
function countDown(): number {
  return --state.down;
}
export { countDown };

export class Account {
  readonly owner: string;
  constructor(owner: string) {
    this.owner = owner;
  }
}

const one = 1;

export function makeGreeter(greeting: string): (name: string) => string {
  return (name) => `${greeting} ${new Account(name).owner} ${one}`;
}

export function describe(n: number): string {
  return `${typeof n} ${n}`;
}

/** What a lock or a queue is to the codec. */
export const handle = {
  [TO_HANDLE]: () => ({ tag: "test", data: 1 }),
};

const secrets = new WeakMap<object, string>();

/** Keeps its member as compilers do for older targets. */
export class Locked {
  constructor(secret: string) {
    secrets.set(this, secret);
  }
  read(): string | undefined {
    return secrets.get(this);
  }
}
