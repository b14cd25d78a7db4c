/** Bound functions that are made before their parts are known: an object may hold a function that is bound to it. */

/** A bound function under construction. */
export interface BoundDraft {
  readonly fn: Function;
  bind(target: Function, boundThis: unknown, boundArgs: readonly unknown[]): void;
}

const bounds = new WeakMap<Function, Binding>();

/** Creates a bound function whose target, `this` and arguments come later. */
export function createBound(): BoundDraft {
  const binding: Binding = { target: undefined, boundThis: undefined, boundArgs: [] };
  const fn = function (this: unknown, ...args: unknown[]): unknown {
    const all = binding.boundArgs.length === 0 ? args : [...binding.boundArgs, ...args];
    const target = binding.target as Function;
    if (new.target === undefined) return Reflect.apply(target, binding.boundThis, all);
    return Reflect.construct(target, all, (new.target as Function) === fn ? target : new.target) as unknown;
  };
  bounds.set(fn, binding);
  return {
    fn,
    bind(target, boundThis, boundArgs) {
      Object.assign(binding, { target, boundThis, boundArgs });
      const length = Math.max(0, target.length - boundArgs.length);
      Object.defineProperty(fn, "name", { value: `bound ${target.name}`, configurable: true });
      Object.defineProperty(fn, "length", { value: length, configurable: true });
    },
  };
}

/** The parts of a bound function that `createBound` made. */
export interface Binding {
  readonly target: Function | undefined;
  readonly boundThis: unknown;
  readonly boundArgs: readonly unknown[];
}

/** The parts of a bound function, if it was made here. */
export function restoredBinding(fn: Function): Binding | undefined {
  return bounds.get(fn);
}
