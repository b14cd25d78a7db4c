// One fresh process of bench/capture.mjs: prints its figures as JSON, in milliseconds.
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);

if (process.argv[2] === "rebuild") {
  const { definition, values } = JSON.parse(readFileSync(0, "utf8"));
  const { createFunction } = await import("../build/src/capture/restore.js");
  const rebuild = () => {
    const draft = createFunction(definition);
    for (let i = 0; i < values.length; i++) if (values[i] !== null) draft.set(i, values[i]);
    return draft.fn;
  };
  const first = time(rebuild);
  console.log(JSON.stringify({ firstRebuild: first, laterRebuild: often(rebuild) }));
} else {
  const { capture } = await import("../build/src/capture/capture.js");
  const factor = 3;
  const table = { a: 1, b: [1, 2, 3] };
  const triple = (n) => n * factor;
  const plain = (n) => Math.max(n, 2) + Number("3");
  const captured = (n) => triple(n) + table.b.length + readFileSync.length;
  const firstPlain = process.argv[2] === "captured" ? 0 : time(() => capture(plain, "task"));
  const firstCaptured = time(() => (capture(captured, "task"), capture(triple, "task")));
  if (process.argv[2] === "captured") {
    console.log(JSON.stringify({ firstCaptured }));
  } else {
    const image = capture(captured, "task");
    const parts = { definition: image.definition, values: image.values.map((v) => (typeof v === "object" ? v : null)) };
    const rebuilt = execFileSync(process.execPath, [self, "rebuild"], {
      input: JSON.stringify(parts),
      encoding: "utf8",
    });
    const alone = execFileSync(process.execPath, [self, "captured"], { encoding: "utf8" });
    const make = (k) => () => k + factor;
    const figures = {
      firstPlain,
      laterPlain: often(() => capture(plain, "task")),
      laterCaptured: often(() => capture(captured, "task")),
      newClosure: often(() => capture(make(1), "task")),
      ...JSON.parse(alone),
      ...JSON.parse(rebuilt),
    };
    console.log(JSON.stringify(figures));
  }
}

function time(action) {
  const start = performance.now();
  action();
  return performance.now() - start;
}

function often(action) {
  for (let i = 0; i < 200; i++) action();
  const samples = Array.from(
    { length: 20 },
    () =>
      time(() => {
        for (let i = 0; i < 50; i++) action();
      }) / 50,
  );
  return samples.sort((a, b) => a - b)[10];
}
