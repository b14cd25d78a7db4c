import { rangeError, typeError } from "../../core/options.ts";

/** Where an index is among `length` items; indexes below 0 count from the end. @throws {RangeError} If it is nowhere; names it. */
export function placeOf(index: number, length: number): number {
  if (typeof index !== "number") throw typeError("index", "an integer", index);
  const place = index < 0 ? index + length : index;
  if (Number.isInteger(place) && place >= 0 && place < length) return place;
  if (length > 0) throw rangeError("index", `an integer from ${-length} to ${length - 1}`, index);
  throw Object.assign(new RangeError(`There is no index ${index}: there are no items`), { code: "ERR_OUT_OF_RANGE" });
}
