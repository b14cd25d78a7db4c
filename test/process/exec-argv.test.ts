import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { quota } from "../../src/process/cpu-count.ts";
import { inheritedExecArgv } from "../../src/process/exec-argv.ts";
import { cpuCount } from "../../src/index.ts";

const CASES: readonly [string, string[], string[]][] = [
  [
    "loaders and plain flags",
    ["--import", "tsx", "--expose-gc", "-r", "./x.cjs"],
    ["--import", "tsx", "--expose-gc", "-r", "./x.cjs"],
  ],
  [
    "not what says what to run",
    ["-e", "code", "--input-type", "module", "--enable-source-maps"],
    ["--enable-source-maps"],
  ],
  ["not in the form with an equals sign", ["--eval=code", "--print=1", "--input-type=module"], []],
  [
    "not inspectors",
    ["--inspect", "--inspect-brk=9229", "--inspect-port", "0", "--max-old-space-size=64"],
    ["--max-old-space-size=64"],
  ],
  [
    "not tests, watching and profiles",
    [
      "--test",
      "--test-only",
      "--test-name-pattern",
      "x",
      "--test-timeout=5",
      "--test-reporter",
      "tap",
      "--watch",
      "--watch-path=x",
      "--cpu-prof",
      "--heap-prof",
    ],
    [],
  ],
];

for (const [what, given, kept] of CASES) {
  test(`a child inherits flags: ${what}`, () => assert.deepEqual(inheritedExecArgv(given), kept));
}

function files(contents: Record<string, string>): (path: string) => string | undefined {
  return (path) => contents[path];
}

test("cpuCount is at least 1", () => {
  assert.ok(Number.isInteger(cpuCount()) && cpuCount() >= 1);
});

test("the quota of control groups, version 2: the least on the way up", () => {
  const v2 = { "/proc/self/cgroup": "0::/app/worker\n" };
  assert.equal(quota(files({})), Infinity);
  assert.equal(quota(files({ ...v2, "/sys/fs/cgroup/app/worker/cpu.max": "max 100000\n" })), Infinity);
  assert.equal(quota(files({ ...v2, "/sys/fs/cgroup/app/worker/cpu.max": "150000 100000\n" })), 1.5);
  assert.equal(
    quota(
      files({
        ...v2,
        "/sys/fs/cgroup/app/worker/cpu.max": "400000 100000\n",
        "/sys/fs/cgroup/app/cpu.max": "200000 100000\n",
      }),
    ),
    2,
  );
  assert.equal(quota(files({ ...v2, "/sys/fs/cgroup/cpu.max": "300000 100000\n" })), 3);
});

test("the quota of control groups, version 1", () => {
  const v1 = { "/proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n" };
  const folder = "/sys/fs/cgroup/cpu,cpuacct";
  assert.equal(quota(files({ ...v1, [`${folder}/cpu.cfs_quota_us`]: "-1" })), Infinity);
  assert.equal(
    quota(files({ ...v1, [`${folder}/cpu.cfs_quota_us`]: "50000", [`${folder}/cpu.cfs_period_us`]: "100000" })),
    0.5,
  );
});

test("what inherited flags name is found from where the program was started, wherever it is now", () => {
  const folder = mkdtempSync(join(tmpdir(), "multiproc-flags-"));
  try {
    const url = new URL("../../src/index.js", import.meta.url).href;
    const program = `
      import { Process } from ${JSON.stringify(url)};
      const where = () => [globalThis.isPreloaded, process.cwd()];
      process.chdir("/");
      for (const method of ["spawn", "spare"]) {
        console.log(await new Process({ target: where, method }).start().result());
        const nested = () => {
          process.chdir("/tmp");
          return new Process({ target: where, method }).start().result();
        };
        console.log(await new Process({ target: nested, method }).start().result());
      }`;
    writeFileSync(join(folder, "preload.mjs"), "globalThis.isPreloaded = true;");
    writeFileSync(join(folder, "program.mjs"), program);
    const options = { encoding: "utf8", timeout: 20_000, cwd: folder } as const;
    const expected = "[ true, '/' ]\n[ true, '/tmp' ]\n".repeat(2);
    assert.equal(execFileSync(process.execPath, ["--import", "./preload.mjs", "program.mjs"], options), expected);
    const env = { ...process.env, NODE_OPTIONS: "--import ./preload.mjs" };
    assert.equal(execFileSync(process.execPath, ["program.mjs"], { ...options, env }), expected);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
