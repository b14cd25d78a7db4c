/** The report of a soak, as docs/soak.md has it. */

import type { Growth } from "./flatness.ts";
import type { Sample } from "./sample.ts";
import type { SoakReport } from "./soak.ts";

/** So many rows tell how a figure went. */
const ROWS = 24;

const COLUMNS: readonly (readonly [keyof Sample, string])[] = [
  ["minutes", "minutes"],
  ["kills", "kills"],
  ["ownMB", "own memory, MB"],
  ["heapMB", "heap, MB"],
  ["residentMB", "manager, MB"],
  ["descriptors", "descriptors"],
  ["cells", "cells"],
  ["extents", "extents"],
  ["arenaMB", "arena, MB"],
  ["slots", "slots"],
  ["processes", "processes"],
];

/** @param machine Lines about where it ran. @param leftovers What was found after the end; empty if all is well. */
export function markdownOf(report: SoakReport, machine: readonly string[], leftovers: readonly string[]): string {
  const { seed, minutes, laps, parts, samples, growth, failures } = report;
  const kills = parts.reduce((sum, part) => sum + part.kills, 0);
  const isFine = failures.length === 0 && leftovers.length === 0;
  const verdict = isFine ? "Passed: every guarantee held, all figures are flat, nothing is left behind." : "FAILED.";
  const whatFailed = isFine ? "" : `\n\n\`\`\`\n${[...failures, ...leftovers].join("\n")}\n\`\`\``;
  return `# The soak

The last report of \`npm run soak\`: everything at once, under random SIGKILLs. Each part works with processes of its own; whom it exposes, a killer
kills at random moments. After each lap a part accounts for all that it did, the garbage is collected, and what the program uses is counted.

${machine.join("  \n")}  
Seed ${seed}, ${minutes} minutes, ${laps} laps, ${kills} processes killed (\`npm run soak -- --minutes ${minutes} --seed ${seed}\` makes the same choices).

**${verdict}**${whatFailed}

## What was checked

${parts.map((part) => `- **${part.name}** (${part.kills} kills). ${part.guarantee}  \n  ${countsOf(part.counts)}`).join("\n")}
- **At the end**: no process, no file in \`/dev/shm\` and none in the temporary folder is left.

## What was used

At rest, after a lap. _Own_ memory is what a process does not share with others; cells and extents are the blocks of the shared arena, slots its entries
in the process table; of the arena's memory the free pages do not count that are kept for the next blocks (at most 64 MiB); the processes are those of the pools and the manager that live all the time, and spares.

${table(samples)}

${growth.length === 0 ? "Too short to say whether it is flat." : growthTable(growth)}
`;
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, count]) => `${Math.round(count).toLocaleString("en")} ${what}`)
    .join(", ");
}

function table(samples: readonly Sample[]): string {
  const step = Math.max(1, Math.ceil(samples.length / ROWS));
  const shown = samples.filter((_, i) => i % step === 0 || i === samples.length - 1);
  const rows = shown.map((sample) => COLUMNS.map(([key]) => digits(sample[key])));
  return [COLUMNS.map(([, title]) => title), COLUMNS.map(() => "--:"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function growthTable(growth: readonly Growth[]): string {
  const titles = new Map<string, string>(COLUMNS);
  const rows = growth.map(({ figure, first, last, allowed, isFlat }) =>
    [titles.get(figure) ?? figure, digits(first), digits(last), digits(allowed), isFlat ? "flat" : "**grows**"].join(
      " | ",
    ),
  );
  return `Two windows, the first third of the run not counted; of memory the most in each, since what was freed goes back to the system now and
then, of everything else the median:

| figure | first window | last window | may grow by | |
| --- | --: | --: | --: | --- |
${rows.map((row) => `| ${row} |`).join("\n")}`;
}

function digits(value: number): string {
  return String(Number(value.toFixed(1)));
}
