/** Generators by what they can do: those of compilers for older targets are no generators to V8, and a class may call itself one. */

export type AnyGenerator = AsyncGenerator<unknown> | Generator<unknown>;

/** Something that can be asked for the next value, thrown into and ended, and goes through itself. Iterators cannot be thrown into. */
export function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== "object" || value === null) return false;
  const like = value as Partial<Record<"next" | "return" | "throw", unknown>>;
  // One question is enough for nearly all values.
  if (typeof like.next !== "function") return false;
  if (typeof like.return !== "function" || typeof like.throw !== "function") return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

/** True for a function whose text says that it is a generator. One that a compiler has made an ordinary function of is not recognized. */
export function isGeneratorFunction(fn: Function): boolean {
  const tag = Object.prototype.toString.call(fn);
  return tag === "[object GeneratorFunction]" || tag === "[object AsyncGeneratorFunction]";
}
