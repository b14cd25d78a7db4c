import { test } from "node:test";
import { travel } from "./parcel.ts";

type Case = readonly [name: string, run: (send: typeof travel) => Promise<void>];

const corners = new URL("../../../test/fixtures/capture/corners.mjs", import.meta.url).href;

test("corners of the language", async (t) => {
  const { cases } = (await import(corners)) as { cases: readonly Case[] };
  for (const [name, run] of cases) await t.test(name, () => run(travel));
});
