/** Functions and classes, as `encode-function.ts` writes them. */

import type { BuiltinImage, FunctionDefinition, ModuleImage } from "../capture/image.ts";
import { resolveImage } from "../capture/modules.ts";
import { createBound } from "../capture/restore-bound.ts";
import { type Cell, createFunction, draftOf, isFixed } from "../capture/restore.ts";
import { knownClass, mayBeClass, rememberClass } from "./class-identity.ts";
import { readKey, readProperties } from "./decode-properties.ts";
import type { Reader } from "./reader.ts";
import { Tag } from "./wire.ts";

const NO_CELL = 0xffff_ffff;

const definitions = new Map<string, FunctionDefinition>();

export function readFunction(reader: Reader, tag: number, index: number): unknown {
  switch (tag) {
    case Tag.moduleReference:
    case Tag.builtinReference:
      return reader.made(index, resolveImage(JSON.parse(reader.text()) as ModuleImage | BuiltinImage));
    case Tag.boundFunction:
      return readBound(reader, index);
    default:
      return readSource(reader, index);
  }
}

function readBound(reader: Reader, index: number): Function {
  const draft = createBound();
  reader.made(index, draft.fn);
  const target = reader.value() as Function;
  const boundThis = reader.value();
  const boundArgs: unknown[] = [];
  for (let left = reader.count(); left > 0; left--) boundArgs.push(reader.value());
  draft.bind(target, boundThis, boundArgs);
  return draft.fn;
}

function readSource(reader: Reader, index: number): Function {
  const definition = readDefinition(reader);
  const identity = mayBeClass(definition) ? reader.text() : "";
  const known = identity === "" ? undefined : knownClass(identity);
  const keys = definition.keyParameters.map(() => readKey(reader));
  const cells = definition.variables.map(() => readCell(reader));
  // For a class that this process defined, what came is read and dropped; a copy of another's gets its new variables, unless it
  // shares them with functions that came before.
  const isCopy = known !== undefined && cells.every((cell) => cell === undefined);
  const draft = (isCopy ? draftOf(known) : undefined) ?? createFunction(definition, { cells, keys });
  const fn = known ?? draft.fn;
  reader.made(index, fn);
  if (identity !== "") rememberClass(identity, fn);
  definition.variables.forEach((variable, i) => {
    if (!isFixed(variable)) draft.set(i, reader.value());
  });
  if (definition.thisParameter !== undefined) draft.setThis(reader.value());
  if (definition.usesSuper === true) draft.setHomePrototype(reader.value() as object | null);
  if (definition.parentParameter !== undefined) draft.setParent(reader.value());
  draft.define(readProperties(reader), readProperties(reader));
  return fn;
}

function readDefinition(reader: Reader): FunctionDefinition {
  const id = reader.text();
  const text = reader.text();
  let definition = definitions.get(id);
  if (definition === undefined) definitions.set(id, (definition = JSON.parse(text) as FunctionDefinition));
  return definition;
}

function readCell(reader: Reader): Cell | undefined {
  const number = reader.uint32();
  if (number === NO_CELL) return undefined;
  return reader.cell(number);
}
