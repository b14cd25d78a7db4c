/**
 * Objects of the platform that are made again from what their constructor was given: `new TextDecoder("utf-16le")`,
 * `new Intl.NumberFormat("de")`. Programs make such an object once, at the top of a file, and use it in many functions.
 */

type Constructor = new (...args: never[]) => object;

/** The arguments that make the same object again. */
type Parts = (object: never) => readonly unknown[];

interface Resolvable {
  resolvedOptions(): { readonly locale: string };
}

const resolved: Parts = (object: Resolvable) => [object.resolvedOptions().locale, object.resolvedOptions()];

interface Decoding {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
}

const INTL =
  "Collator DateTimeFormat DisplayNames DurationFormat ListFormat NumberFormat PluralRules RelativeTimeFormat Segmenter";

const PARTS: ReadonlyMap<string, Parts> = new Map<string, Parts>([
  ["TextEncoder", () => []],
  ["TextDecoder", ({ encoding, fatal, ignoreBOM }: Decoding) => [encoding, { fatal, ignoreBOM }]],
  ["Headers", (headers: Headers) => [[...headers]]],
  ["Intl.Locale", (locale: Intl.Locale) => [locale.toString()]],
  ...INTL.split(" ").map((name) => [`Intl.${name}`, resolved] as const),
]);

/** What a platform object is rebuilt from. */
export interface PlatformObject {
  readonly name: string;
  readonly prototype: object;
  readonly parts: Parts;
}

const known = new WeakMap<object, { readonly found: PlatformObject | undefined }>();

/** The class of the platform that an object is of, if its objects can be made again. Asked once for each prototype. */
export function platformObject(value: object): PlatformObject | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) return undefined;
  let verdict = known.get(prototype);
  if (verdict === undefined) known.set(prototype, (verdict = { found: search(prototype) }));
  return verdict.found;
}

function search(start: object): PlatformObject | undefined {
  for (
    let prototype: object | null = start;
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype) as object
  ) {
    const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
    if (typeof constructor !== "function") continue;
    // By its name first: merely looking at some globals loads them, which takes up to 30 ms.
    for (const name of [constructor.name, `Intl.${constructor.name}`]) {
      const parts = PARTS.get(name);
      if (parts !== undefined && constructorNamed(name) === constructor) return { name, prototype, parts };
    }
  }
  return undefined;
}

function constructorNamed(name: string): unknown {
  const [first, second] = name.split(".") as [string, string?];
  const found = (globalThis as Record<string, unknown>)[first];
  return second === undefined ? found : (found as Record<string, unknown> | undefined)?.[second];
}

/** Makes the object again; undefined if there is no such class, here or at all. */
export function makePlatformObject(name: string, parts: readonly unknown[]): object | undefined {
  const constructor = PARTS.has(name) ? constructorNamed(name) : undefined;
  return typeof constructor === "function"
    ? Reflect.construct(constructor as Constructor, parts as never[])
    : undefined;
}
