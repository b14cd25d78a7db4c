import { ManagerDiedError } from "../core/errors.ts";
import { defineHandle, registerHandle } from "../core/handle.ts";
import { checkFunction, checkString, typeError } from "../core/options.ts";
import { type BlockRef, retractRef } from "../memory/index.ts";
import type { Process } from "../process/index.ts";
import type { ManagedTypes } from "./control.ts";
import type { CreatesTypes, OtherName } from "./create-types.ts";
import { FarClient } from "./far-client.ts";
import { connectFar } from "./far-connect.ts";
import { FamilyManager, openManager } from "./family.ts";
import { checkManagerOptions, checkTypes, type ManagerOptions } from "./manager-options.ts";
import { ObjectMakers } from "./object-makers.ts";
import { CONTROL_ID, Op } from "./protocol.ts";
import { RemoteProxy } from "./remote-proxy.ts";
import { type ManagerClient, promiseOf } from "./manager-client.ts";
import type { Remote } from "./remote-types.ts";
import { takeServer } from "./server-process.ts";
import {
  type BoundAddress,
  checkAddress,
  checkConnectOptions,
  checkListenOptions,
  type ConnectOptions,
  type ListenOptions,
  type ManagerAddress,
} from "./stranger-options.ts";

type AnyClass = new (...args: any[]) => object;

const STOP_MS = 5000;
const TAG = "Manager";

/** What a manager object is made of; users call `Manager.start`. */
class Connected {
  readonly client: ManagerClient;
  readonly family: FamilyManager | undefined;
  readonly process: Process | undefined;

  constructor(client: ManagerClient, family: FamilyManager | undefined, process: Process | undefined) {
    this.client = client;
    this.family = family;
    this.process = process;
  }
}

/**
 * A process that holds objects which other processes use through proxies: dicts, lists, locks, queues, and objects of your own
 * classes.
 *
 * - Calls of one process are sent without waiting for earlier ones, and served in the order of their arrival at each object. The promise
 *   of a slow method holds up later calls of the same object (unless its class says `static concurrent = true`), never those of
 *   another one.
 * - Proxies can be arguments, captured variables, items of other containers. An object is freed when the last process lets go of it.
 * - The manager ends with its owner, however that ends. It survives Ctrl-C until its owner is done. If it dies, every
 *   call rejects with ManagerDiedError.
 *
 * @example
 * ```ts
 * import { Manager, Process } from "multiproc";
 *
 * await using m = await Manager.start();
 * const seen = await m.dict<string, number>();
 * const children = [1, 2, 3].map((n) => new Process(() => seen.set(`child ${n}`, process.pid)).start());
 * for (const child of children) await child.join();
 * console.log(await seen.toObject());
 * ```
 */
export class Manager extends ObjectMakers {
  /** The classes (or functions that make objects) that `create` knows by name; for classes derived from Manager. */
  static readonly types: ManagedTypes = {};

  readonly #connected: Connected;
  #disposed: Promise<void> | undefined;

  static {
    defineHandle(Manager, (manager) => manager.#transfer());
  }

  /** Not for users: see `Manager.start`. @internal */
  constructor(connected: unknown) {
    if (!(connected instanceof Connected))
      throw new TypeError("Cannot make a Manager with new: use await Manager.start()");
    super((kind, args) => this.#control("make", kind, ...args));
    this.#connected = connected;
  }

  /**
   * Starts the manager's process and waits until it serves.
   * @throws What the initializer throws; ManagerDiedError if the process ends before it serves.
   */
  static async start<This extends typeof Manager>(
    this: This,
    options: ManagerOptions = {},
  ): Promise<CreatesTypes<This["types"]> & InstanceType<This>> {
    checkManagerOptions(options);
    const types = checkTypes(this.types);
    const { family, child } = takeServer(options.name, options.method);
    family.noteExit = () => noteExit(family, child);
    const made = new this(new Connected(family.client, family, child));
    try {
      await made.#control("hello", types, options.initializer, [...(options.initArgs ?? [])]);
    } catch (error) {
      await made.#end();
      throw error;
    }
    return made as CreatesTypes<This["types"]> & InstanceType<This>;
  }

  /** The pid of the manager's process; undefined at a manager of strangers. */
  get pid(): number | undefined {
    return this.#connected.family?.words.death().pid ?? this.#connected.process?.pid;
  }

  /**
   * Makes an object of a class in the manager; the class travels like any function.
   * @param type The class, a function that gives the object, or a name in `static types`.
   */
  create<C extends AnyClass>(type: C, ...args: ConstructorParameters<C>): Promise<Remote<InstanceType<C>>>;
  create<A extends unknown[], R extends object>(type: (...args: A) => R | Promise<R>, ...args: A): Promise<Remote<R>>;
  create<T extends object = any, This = unknown>(
    this: This,
    name: OtherName<This>,
    ...args: unknown[]
  ): Promise<Remote<T>>;
  async create(type: AnyClass | ((...args: never[]) => unknown) | string, ...args: unknown[]): Promise<never> {
    if (typeof type !== "string") checkFunction("type", type);
    return (await this.#control("create", type, ...args)) as never;
  }

  /** Gives an object of this manager a name that others find it by: `far.get(name)`. */
  async share(name: string, proxy: object): Promise<void> {
    checkString("name", name);
    if (!(proxy instanceof RemoteProxy)) throw typeError("proxy", "a proxy of this manager", proxy);
    await this.#control("share", name, proxy);
  }

  /** Takes the name away again; gives false if there was none. */
  async unshare(name: string): Promise<boolean> {
    return (await this.#control("unshare", name)) as boolean;
  }

  /** The object that was shared by a name. @throws {RangeError} If there is none; names it. */
  async get<T = any>(name: string): Promise<T> {
    checkString("name", name);
    return (await this.#control("get", name)) as T;
  }

  /**
   * Lets processes in that are not of this program: they connect with `Manager.connect`, prove that they know the key, and can use
   * what is shared (`share`) and make objects of the exposed types. No function is accepted from them.
   * @param address A path (Unix socket), or a host (default 127.0.0.1) and a port (0: any). The socket of a manager that was killed is taken over.
   * @returns The address, with the port. Rejects with what the system says (EADDRINUSE …), and for TLS with what is wrong with the certificate.
   *
   * @example
   * ```ts
   * import { Manager } from "multiproc";
   *
   * await using m = await Manager.start();
   * const { port } = await m.listen({ port: 0 }, { authkey: "a secret" });
   * await m.share("jobs", await m.queue());
   * ```
   */
  async listen<A extends ManagerAddress>(address: A, options: ListenOptions): Promise<BoundAddress<A>> {
    const checked = checkListenOptions(address, options);
    return (await this.#control("listen", checked, options.expose)) as BoundAddress<A>;
  }

  /**
   * Connects to a manager of another program, here or on another machine.
   * @param options The key; `tls` if the manager listens with it; `timeout` in milliseconds (default: as long as the system tries to connect,
   *   and 10 seconds for what comes then) and `signal`. @returns What can `get` what is shared, and `create`. Rejects with AuthenticationError
   *   if the keys differ, StateError if the manager has as many connections as it allows, TimeoutError when the time ran out, the signal's
   *   reason, or what the system or TLS says.
   */
  static async connect<This extends typeof Manager>(
    this: This,
    address: ManagerAddress,
    options: ConnectOptions,
  ): Promise<CreatesTypes<This["types"]> & InstanceType<This>> {
    const client = await connectFar(checkAddress(address), checkConnectOptions(options));
    return new this(new Connected(client, undefined, undefined)) as CreatesTypes<This["types"]> & InstanceType<This>;
  }

  /** How many objects are held by processes; to see that they are freed. */
  async numberOfObjects(): Promise<number> {
    return (await this.#control("numberOfObjects")) as number;
  }

  /** Ends the manager if this process started it, and lets go of it otherwise. Repeatable; pending calls reject with ManagerDiedError. */
  shutdown(): Promise<void> {
    return (this.#disposed ??= this.#end());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #end(): Promise<void> {
    const { process: child, family, client } = this.#connected;
    if (client instanceof FarClient) client.close();
    if (child === undefined || family === undefined) return;
    await this.#stop(child as Process);
    family.noteExit();
    family.client.close("it was shut down");
    child.close();
    family.noteExit = () => {};
  }

  async #stop(child: Process): Promise<void> {
    if (!child.isAlive()) return;
    // It may be dead or stuck: then it does not answer, and is ended the hard way.
    this.#control("shutdown").catch(() => {});
    if ((await child.join({ timeout: STOP_MS })) !== null) return;
    child.terminate();
    if ((await child.join({ timeout: STOP_MS })) !== null) return;
    child.kill();
    await child.join();
  }

  #control(name: string, ...args: unknown[]): Promise<unknown> {
    if (this.#disposed !== undefined && name !== "shutdown") {
      return Promise.reject(
        new ManagerDiedError("Cannot use the manager: it was shut down", this.#connected.family?.words.death()),
      );
    }
    return promiseOf(
      this.#connected.client,
      { id: CONTROL_ID, op: Op.call, name, args, signal: undefined },
      this.#control,
    );
  }

  #transfer(): { tag: string; data: BlockRef; abort: () => void } {
    const { family } = this.#connected;
    if (family === undefined) throw typeError("manager", "a manager of this program, to be sent", this);
    const data = family.cell.refer();
    return { tag: TAG, data, abort: () => retractRef(data) };
  }
}

const handles = new WeakMap<FamilyManager, Manager>();

registerHandle(TAG, (ref: BlockRef) => {
  const family = openManager(ref);
  let manager = handles.get(family);
  if (manager === undefined)
    handles.set(family, (manager = new Manager(new Connected(family.client, family, undefined))));
  return manager;
});

/** Writes down how the server ended, for all who ask why it does not answer. */
function noteExit({ words }: FamilyManager, child: Process): void {
  const { exitCode } = child;
  if (exitCode === null) return;
  const signal = exitCode < 0 ? -exitCode : 0;
  words.end({ exitCode, signal });
}
