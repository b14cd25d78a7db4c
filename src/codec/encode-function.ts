/** Functions and classes: what capture makes of them, with the captured values in the graph of the message. */

import type { FunctionDefinition, SourceImage, VariableDefinition } from "../capture/image.ts";
import { identifyClass, isIdentified, mayBeClass } from "./class-identity.ts";
import { writeProperties, writeKey } from "./encode-properties.ts";
import { Tag } from "./wire.ts";
import type { Writer } from "./writer.ts";

const NO_CELL = 0xffff_ffff;

const encodedDefinitions = new WeakMap<FunctionDefinition, string>();

export function writeFunction(writer: Writer, fn: Function, holder: object | undefined): void {
  const image = writer.functionSource().capture(fn, writer.path() || fn.name || "function", holder);
  writer.number(fn);
  switch (image.kind) {
    case "module":
      writer.needModule(image.module);
      writer.byte(Tag.moduleReference);
      return writer.text(JSON.stringify(image));
    case "builtin":
      writer.byte(Tag.builtinReference);
      return writer.text(JSON.stringify(image));
    case "bound":
      writer.byte(Tag.boundFunction);
      // Its method may be found there, if it uses `super`.
      writer.child("(bound function)", image.target, objectOf(image.boundThis));
      writer.child("(bound this)", image.boundThis);
      writer.uint32(image.boundArgs.length);
      return image.boundArgs.forEach((arg, i) => writer.child(`(bound argument ${i})`, arg));
    default:
      return writeSource(writer, fn, image);
  }
}

/** Order: what is needed to create the function, then what is set afterwards and may refer to it. */
function writeSource(writer: Writer, fn: Function, image: SourceImage): void {
  const { definition } = image;
  writer.byte(Tag.sourceFunction);
  writer.text(definition.id);
  writer.text(encodeDefinition(definition));
  if (mayBeClass(definition)) writer.text(isClass(fn, image) ? identifyClass(fn) : "");
  image.keys.forEach((key) => writeKey(writer, key));
  for (const cell of image.cells) writer.uint32(cell === undefined ? NO_CELL : writer.cellIndex(cell));
  const captor = fn.name || writer.path() || "function";
  definition.variables.forEach((variable, i) => writeVariable(writer, variable, image.values[i], captor));
  if (definition.thisParameter !== undefined)
    writer.under("this", captor, () => writer.value(image.lexicalThis?.value));
  if (definition.usesSuper === true) writer.under("super", captor, () => writer.value(image.homePrototype?.value));
  if (definition.parentParameter !== undefined) writer.under("super", captor, () => writer.value(image.parent?.value));
  writeProperties(writer, image.properties, fn);
  writeProperties(writer, image.prototypeProperties, objectOf(fn.prototype));
}

/** A class, or a function that is used like one, as in older code: with instances, methods or a parent. */
function isClass(fn: Function, { definition, prototypeProperties }: SourceImage): boolean {
  const isOfClass = definition.syntax === "class" || definition.parentParameter !== undefined;
  return isOfClass || prototypeProperties.length > 0 || isIdentified(fn);
}

function objectOf(value: unknown): object | undefined {
  return typeof value === "function" || (typeof value === "object" && value !== null) ? value : undefined;
}

function writeVariable(writer: Writer, variable: VariableDefinition, value: unknown, captor: string): void {
  if (variable.special !== undefined || variable.store !== undefined) return;
  if (variable.reference !== undefined) return writer.needModule(variable.reference.module);
  writer.under(variable.name, captor, () => writer.value(value));
}

function encodeDefinition(definition: FunctionDefinition): string {
  let text = encodedDefinitions.get(definition);
  if (text === undefined) encodedDefinitions.set(definition, (text = JSON.stringify(definition)));
  return text;
}
