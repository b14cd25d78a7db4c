import assert from "node:assert/strict";
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
