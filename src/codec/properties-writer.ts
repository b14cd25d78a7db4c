/**
 * Writing the properties of plain objects that come again and again: a function for their keys, in which V8 knows where each property
 * stands, and does not have to look for it by its name.
 */

import { compiledFor } from "./compiled.ts";
import type { Writer } from "./writer.ts";

export type PropertiesWriter = (writer: Writer, object: object) => void;

/** @returns undefined where code must not be compiled. */
export function propertiesWriterOf(keys: readonly string[]): PropertiesWriter | undefined {
  return compiledFor<PropertiesWriter>(keys, ["writer", "object"], (quoted) =>
    quoted.map((key) => `writer.property(object, ${key}, object[${key}]);`).join("\n"),
  );
}
