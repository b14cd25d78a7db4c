/** An object that lives in a manager, as its server sees it: what may be called, and in which order calls are served. */

import type { Cell } from "../memory/index.ts";
import type { Concurrency, Surface } from "./surface.ts";

type Task = () => unknown;

export class SharedObject {
  readonly id: number;
  /** Its bits say which processes of the family hold the object; none for the manager itself. */
  readonly cell: Cell | undefined;
  readonly target: object;
  readonly surface: Surface;
  /** Connections of strangers that hold it. */
  readonly strangers: Set<object> = new Set();
  /** What stands for the object in the server's own process. */
  proxy: object | undefined;
  readonly #methods: ReadonlySet<string>;
  readonly #properties: ReadonlySet<string>;
  readonly #concurrency: Concurrency;
  #busy = false;
  #waiting: Task[] = [];

  constructor(id: number, cell: Cell | undefined, target: object, surface: Surface, concurrency: Concurrency) {
    this.id = id;
    this.cell = cell;
    this.target = target;
    this.surface = surface;
    this.#methods = new Set(surface.methods);
    this.#properties = new Set(surface.properties);
    this.#concurrency = concurrency;
  }

  hasMethod(name: string): boolean {
    return this.#methods.has(name);
  }

  hasProperty(name: string): boolean {
    return this.#properties.has(name);
  }

  /** True when nobody has to wait for the method's promise. */
  isOvertaken(name: string): boolean {
    const concurrency = this.#concurrency;
    return typeof concurrency === "boolean" ? concurrency : concurrency.includes(name);
  }

  /** True while a task would have to wait for its turn. */
  get isBusy(): boolean {
    return this.#busy || this.#waiting.length > 0;
  }

  /**
   * Runs a task in its turn: at once if nothing is before it. While a task's promise is pending, the next ones wait.
   * @param exclusive False for a task that others may overtake: only those before it hold it up.
   */
  inTurn(task: Task, exclusive: boolean): void {
    if (this.isBusy) this.#waiting.push(() => this.#run(task, exclusive));
    else this.#run(task, exclusive);
  }

  #run(task: Task, exclusive: boolean): void {
    const result = task();
    if (!exclusive || !(result instanceof Promise)) return;
    this.#busy = true;
    const next = (): void => {
      this.#busy = false;
      this.#goOn();
    };
    result.then(next, next);
  }

  #goOn(): void {
    const waiting = this.#waiting;
    let served = 0;
    // A task may add others, which then stand behind those that wait.
    while (!this.#busy && served < waiting.length) (waiting[served++] as Task)();
    if (served > 0) waiting.splice(0, served);
  }
}
