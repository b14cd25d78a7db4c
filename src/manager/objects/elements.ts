import type { ElementKind, ElementOf, ElementType } from "../../shared/element-types.ts";

/** Zeros of a type, in a typed array: what is written there is rounded to what the type can hold. Its `slice` is one, too. */
export function elementsOf<T extends ElementType>(kind: ElementKind, length: number): ElementOf<T>[] {
  return kind.view(new ArrayBuffer(length * kind.bytes), 0, length) as unknown as ElementOf<T>[];
}
