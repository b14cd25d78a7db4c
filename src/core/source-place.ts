/** Places in the text that a process runs, which need not be the source: a child runs the text that it was sent. */

import { inheritance } from "./inheritance.ts";

/**
 * @param place `file:line:column` in some text; anything else is given back as it is.
 * @param mapStack Knows the sources of the functions that this process has sent.
 * @returns `file:line` in the source. In a child that cannot know, the place itself: its parent can map it.
 */
export function sourcePlace(place: string, mapStack: (stack: string) => string): string {
  if (!/:\d+:\d+$/.test(place)) return place;
  const mapped = mapStack(place);
  const isSource = mapped !== place || inheritance.parent === null;
  return isSource ? mapped.replace(/:\d+$/, "") : place;
}
