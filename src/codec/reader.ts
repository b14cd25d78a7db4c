/** What the parts of the decoder know of each other. */

import type { Cell } from "../capture/restore.ts";

/** Options of decoding. */
export interface DecodeOptions {
  /** False refuses functions, classes and whatever would make code run: for strangers. Default: true. */
  readonly functions?: boolean | undefined;
  /** False refuses handles: for strangers; a text allows only handles with that tag. Default: true. */
  readonly handles?: boolean | string | undefined;
}

/** Reads values; the parts of the decoder call each other through this. */
export interface Reader {
  readonly options: DecodeOptions;
  readonly position: number;
  readonly objectCount: number;
  byte(): number;
  uint32(): number;
  double(): number;
  count(): number;
  text(): string;
  value(): unknown;
  copy(): Uint8Array;
  array(index: number): unknown[];
  map(index: number): Map<unknown, unknown>;
  /** The storage of a variable that functions of this message share. */
  cell(number: number): Cell;
  /** Takes the number of the next object, before it is made. */
  reserve(): number;
  /** Puts an object in its place; before its contents are read, which may refer to it. */
  made<T>(index: number, value: T): T;
  /** Goes on behind something that could not be read. */
  skipTo(position: number, objects: number): void;
  fail(why: string): never;
}
