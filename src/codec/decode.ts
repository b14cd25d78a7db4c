/** Decoding: the half of the codec that a fresh child loads. */

import { type ByteSource, sourceOf } from "../core/bytes.ts";
import { loadModule } from "../capture/modules.ts";
import type { ModuleReference } from "../capture/image.ts";
import { Decoder } from "./decoder.ts";
import type { DecodeOptions, Reader } from "./reader.ts";
import { Flag } from "./wire.ts";

const idle: Decoder[] = [];
const NO_OPTIONS: DecodeOptions = {};

/** Reads the value of a message; the modules it needs must have been loaded by `prepare`, or be loadable synchronously. */
export function decodeFrom(source: ByteSource, options: DecodeOptions = NO_OPTIONS): unknown {
  return decodeWith(source, options, undefined);
}

/** As `decodeFrom`, for bytes of one's own. */
export function decode(bytes: Uint8Array, options?: DecodeOptions): unknown {
  return decodeFrom(sourceOf(bytes), options);
}

/** Reads a message with `read`. Values may need the decoder while they are made (a class that receives): then there are two. */
export function decodeWith(
  source: ByteSource,
  options: DecodeOptions,
  read: ((reader: Reader) => unknown) | undefined,
): unknown {
  const decoder = idle.pop() ?? new Decoder();
  try {
    return decoder.decode(source, options, read);
  } finally {
    idle.push(decoder);
  }
}

/** True when a message carries handles: then the classes of handles must be registered. */
export function needsHandles(bytes: Uint8Array): boolean {
  return ((bytes[1] as number) & Flag.handles) !== 0;
}

/** True when `prepare` has something to do for the message at the source's position. */
export function needsModules({ bytes, position }: ByteSource): boolean {
  return ((bytes[position + 1] as number) & Flag.modules) !== 0;
}

/** Loads the modules that a message needs; undefined when it needs none. */
export function prepare(bytes: Uint8Array, options: DecodeOptions = NO_OPTIONS): Promise<void> | undefined {
  if (((bytes[1] as number) & Flag.modules) === 0 || options.functions === false) return undefined;
  return loadModules(modulesOf(bytes));
}

function modulesOf(bytes: Uint8Array): ModuleReference[] {
  const source = sourceOf(bytes);
  const at = source.view.getUint32(4, true);
  // The list is a text like any other; read as if it were the message.
  return JSON.parse(
    decodeWith(source, NO_OPTIONS, (reader) => (reader.skipTo(at, 0), reader.text())) as string,
  ) as ModuleReference[];
}

async function loadModules(modules: ModuleReference[]): Promise<void> {
  for (const module of modules) await loadModule(module);
}
