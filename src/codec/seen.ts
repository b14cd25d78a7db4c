/** Which objects a message has already, and their numbers: a short list first, a map when there are many. */

const LIST_MAX = 12;

export class Seen {
  #order: unknown[] = [];
  #map: Map<unknown, number> | undefined;

  get count(): number {
    return this.#order.length;
  }

  /** The number of an object, or -1. */
  find(value: unknown): number {
    if (this.#map !== undefined) return this.#map.get(value) ?? -1;
    const order = this.#order;
    for (let i = 0; i < order.length; i++) if (order[i] === value) return i;
    return -1;
  }

  add(value: unknown): void {
    this.#order.push(value);
    if (this.#map !== undefined) this.#map.set(value, this.#order.length - 1);
    else if (this.#order.length > LIST_MAX) this.#map = new Map(this.#order.map((each, i) => [each, i]));
  }

  /** Forgets what was added after there were `count`. */
  cutTo(count: number): void {
    for (const value of this.#order.splice(count)) this.#map?.delete(value);
  }

  clear(): void {
    if (this.#order.length > 0) this.#order = [];
    this.#map = undefined;
  }
}
