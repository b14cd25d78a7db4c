/** What of an object can be reached from other processes: found once, when it is shared, and sent along with its proxies. */

import { StateError } from "../core/errors.ts";

/** Names by what they are. Plain data: it travels. */
export interface Surface {
  /** What the object is, for error texts: `"dict"`, or the name of the user's class. */
  readonly kind: string;
  /** The built-in kind, which has proxies and views of its own; the user's classes may have the same names, and are none. */
  readonly builtIn?: string;
  readonly methods: readonly string[];
  /** Methods that give generators. */
  readonly generators: readonly string[];
  /** Properties that can be read: getters and public fields. */
  readonly properties: readonly string[];
}

/** What makes a class serve several calls at a time: true, or the names of the methods that others may overtake. */
export type Concurrency = boolean | readonly string[];

interface Found {
  readonly methods: Set<string>;
  readonly generators: Set<string>;
  readonly properties: Set<string>;
}

/**
 * @param exposed Exactly the names to expose; default: all that do not start with an underscore.
 * @throws {StateError} If a name of `exposed` does not exist.
 */
export function surfaceOf(target: object, kind: string, exposed?: readonly string[]): Surface {
  const found: Found = { methods: new Set(), generators: new Set(), properties: new Set() };
  const wanted = (name: string): boolean => (exposed === undefined ? !name.startsWith("_") : exposed.includes(name));
  for (
    let level: object | null = target;
    level !== null && !isRoot(level);
    level = Object.getPrototypeOf(level) as object
  ) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name !== "constructor" && wanted(name)) note(found, name, property);
    }
  }
  const missing = exposed?.find((name) => !found.methods.has(name) && !found.properties.has(name));
  if (missing !== undefined) throw new StateError(`Cannot expose "${missing}": ${kind} has nothing of that name`);
  return {
    kind,
    methods: [...found.methods],
    generators: [...found.generators],
    properties: [...found.properties],
  };
}

function note({ methods, generators, properties }: Found, name: string, property: PropertyDescriptor): void {
  // The nearest level counts.
  if (methods.has(name) || properties.has(name)) return;
  if (typeof property.value !== "function") {
    properties.add(name);
    return;
  }
  methods.add(name);
  const kind = Object.prototype.toString.call(property.value);
  if (kind === "[object GeneratorFunction]" || kind === "[object AsyncGeneratorFunction]") generators.add(name);
}

function isRoot(level: object): boolean {
  // Also that of another realm.
  return Object.getPrototypeOf(level) === null && Object.hasOwn(level, "hasOwnProperty");
}
