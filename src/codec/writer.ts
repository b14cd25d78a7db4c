/** What the parts of the encoder know of each other. */

import type { HandleTransfer } from "../core/handle.ts";
import type { BuiltinImage, FunctionImage, ModuleImage, ModuleReference } from "../capture/image.ts";

/** Options of encoding. */
export interface EncodeOptions {
  /** False refuses functions and classes: for strangers. Default: true. */
  readonly functions?: boolean | undefined;
  /** False refuses handles (locks, queues …): for strangers; a text allows only handles with that tag. Default: true. */
  readonly handles?: boolean | string | undefined;
  /** What errors call the value: `"message"`. Default: names start with the value's own keys. */
  readonly root?: string | undefined;
  /** What errors call the first element of the value, an array. Default: 0. */
  readonly firstIndex?: number | undefined;
}

/** The analysis of functions, which is loaded only by who sends functions. */
export interface FunctionSource {
  capture(fn: Function, path: string, holder?: object): FunctionImage;
  referenceTo(value: object): ModuleImage | BuiltinImage | undefined;
  refuseReason(value: object): string | undefined;
}

/** A place in a message to go back to. */
export interface Checkpoint {
  readonly position: number;
  readonly objects: number;
  readonly shapes: number;
  readonly modules: number;
  readonly transfers: number;
  readonly cells: number;
}

/** Writes values; the parts of the encoder call each other through this. */
export interface Writer {
  readonly options: EncodeOptions;
  byte(value: number): void;
  uint32(value: number): void;
  double(value: number): void;
  text(value: string): void;
  raw(bytes: Uint8Array): void;
  value(value: unknown): void;
  /** Writes a number, text, boolean or undefined, for which no path is made up. @returns false for anything else. */
  simple(value: unknown): boolean;
  /** Writes a value that hangs below the one being written, by a key for error texts. */
  child(key: string | number, value: unknown, holder?: object): void;
  /** Writes what stands under a key of a plain object. */
  property(holder: object, key: string, value: unknown): void;
  /** Numbers an object; before its contents are written. */
  number(value: unknown): void;
  numberOf(value: unknown): number;
  /** Leaves room for 4 bytes, to be filled later. @returns where, counted from the start of the message. */
  hole(): number;
  fill(hole: number, value: number): void;
  /** Bytes of the message so far. */
  readonly length: number;
  checkpoint(): Checkpoint;
  rollback(to: Checkpoint): void;
  needModule(module: ModuleReference): void;
  takeTransfer(transfer: HandleTransfer): void;
  /** The number of a shared variable's cell in this message. */
  cellIndex(cell: object): number;
  /** The path of the value being written. */
  path(): string;
  /** Writes something under a path of its own: the variable of a function. */
  under(name: string, captor: string, write: () => void): void;
  refuse(why: string): never;
  functionSource(): FunctionSource;
}
