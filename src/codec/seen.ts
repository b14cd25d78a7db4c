/**
 * Which objects a message has already, and their numbers.
 *
 * Most messages are small and a short list is quickest. A set follows, which takes one look-up for an object that is new;
 * its order gives the numbers, so a map is made only when an object occurs twice.
 */

const LIST_MAX = 12;

export class Seen {
  #list: unknown[] = [];
  #set: Set<unknown> | undefined;
  #numbers: Map<unknown, number> | undefined;

  get count(): number {
    return this.#numbers?.size ?? this.#set?.size ?? this.#list.length;
  }

  /** The number of an object, or -1. */
  find(value: unknown): number {
    if (this.#numbers !== undefined) return this.#numbers.get(value) ?? -1;
    if (this.#set !== undefined) return this.#set.has(value) ? this.#numberOf(value) : -1;
    const list = this.#list;
    for (let i = 0; i < list.length; i++) if (list[i] === value) return i;
    return -1;
  }

  /** The number of an object that the message has; -1 for a new one, which has the next number from now on. */
  enter(value: unknown): number {
    if (this.#numbers === undefined && this.#set !== undefined) {
      const { size } = this.#set;
      return this.#set.add(value).size === size ? this.#numberOf(value) : -1;
    }
    const known = this.find(value);
    if (known === -1) this.add(value);
    return known;
  }

  add(value: unknown): void {
    if (this.#numbers !== undefined) this.#numbers.set(value, this.#numbers.size);
    else if (this.#set !== undefined) this.#set.add(value);
    else if (this.#list.push(value) > LIST_MAX) this.#set = new Set(this.#list);
  }

  /** Forgets the object that was added last. */
  removeLast(value: unknown): void {
    if (this.#numbers !== undefined) this.#numbers.delete(value);
    else if (this.#set !== undefined) this.#set.delete(value);
    else this.#list.pop();
  }

  /** Forgets what was added after there were `count`. */
  cutTo(count: number): void {
    const kept = [...(this.#numbers?.keys() ?? this.#set ?? this.#list)].slice(0, count);
    this.#numbers = undefined;
    this.#set = kept.length > LIST_MAX ? new Set(kept) : undefined;
    this.#list = kept;
  }

  clear(): void {
    // Emptied, not thrown away: a list a message is a good part of what small messages cost.
    const list = this.#list;
    while (list.length > 0) list.pop();
    this.#set = undefined;
    this.#numbers = undefined;
  }

  #numberOf(value: unknown): number {
    let next = 0;
    this.#numbers = new Map();
    for (const each of this.#set as Set<unknown>) this.#numbers.set(each, next++);
    return this.#numbers.get(value) as number;
  }
}
