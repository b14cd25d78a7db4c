// How the benchmarks report: a line a figure, with its peer's value, their ratio, the goal and whether it is met. `npm run bench`
// reads the same lines from the file that MULTIPROC_BENCH_OUT names.
import { appendFileSync } from "node:fs";

// Node 20 reads the certificates that this names at every start, for 30 ms: they would hide what a start costs. (Both sides go without.)
delete process.env.NODE_EXTRA_CA_CERTS;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Medians over runs of a measurement that may be asynchronous. */
export async function medianOf(runs, measure) {
  const values = [];
  for (let i = 0; i < runs; i++) values.push(await measure());
  return median(values);
}

const HEAD = { figure: "figure", ours: "here", peer: "peer", ratio: "ratio", goal: "goal", verdict: "" };

/** The figures of one benchmark. */
export class Report {
  #rows = [];

  constructor(title) {
    this.title = title;
  }

  /**
   * Adds a figure. With a peer the goal is for the ratio of both, otherwise for the value itself.
   * @param goal As "<= 0.3" or ">= 2"; empty for a figure that is only told.
   * @param peer `{ name, value }`; a value of undefined (the peer is not there) gives no verdict.
   */
  row(figure, unit, ours, goal = "", peer) {
    const measured = peer === undefined ? ours : ours / peer.value;
    const row = { title: this.title, figure, unit, ours, goal, peer, measured, met: isMet(measured, goal) };
    this.#rows.push(row);
    if (process.env.MULTIPROC_BENCH_OUT) appendFileSync(process.env.MULTIPROC_BENCH_OUT, `${JSON.stringify(row)}\n`);
  }

  print() {
    const lines = this.#rows.map((row) => ({
      figure: `${row.figure}, ${row.unit}`,
      ours: digits(row.ours),
      peer: row.peer === undefined ? "" : `${row.peer.name} ${digits(row.peer.value)}`,
      ratio: row.peer === undefined ? "" : digits(row.measured),
      goal: row.goal,
      verdict: verdictOf(row),
    }));
    const width = (key) => Math.max(...[HEAD, ...lines].map((line) => line[key].length));
    console.log(this.title);
    for (const line of [HEAD, ...lines]) {
      const cells = Object.keys(HEAD).map((key) =>
        key === "figure" || key === "goal" || key === "verdict"
          ? line[key].padEnd(width(key))
          : line[key].padStart(width(key)),
      );
      console.log(`  ${cells.join("  ").trimEnd()}`);
    }
  }
}

function isMet(measured, goal) {
  if (goal === "" || !Number.isFinite(measured)) return undefined;
  const [sign, bound] = goal.split(" ");
  return sign === "<=" ? measured <= Number(bound) : measured >= Number(bound);
}

export function verdictOf({ met, goal }) {
  if (goal === "") return "";
  if (met === undefined) return "no peer";
  return met ? "ok" : "MISSED";
}

export function digits(value) {
  if (!Number.isFinite(value)) return "-";
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
