// How the benchmarks print: a line a figure, value and goal.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Rows of [name, value, goal, unit]; lower is better. */
export function report(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value, goal, unit] of rows) {
    const verdict = value <= goal ? "ok" : "MISSED";
    console.log(`${name.padEnd(width)}  ${value.toPrecision(3).padStart(8)} / ${goal} ${unit}  ${verdict}`);
  }
}
