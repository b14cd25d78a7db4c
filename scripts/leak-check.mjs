// Finds what a test run leaves behind: processes that carry the run's mark, files in /dev/shm and in the run's temporary folder.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const MARK = "MULTIPROC_TEST_RUN";
const GRACE_MS = 3000;

export function startLeakCheck() {
  const mark = `${process.pid}-${Date.now()}`;
  const folder = mkdtempSync(join(tmpdir(), "multiproc-test-"));
  const before = new Set(sharedFiles());
  process.env[MARK] = mark;
  process.env.TMPDIR = folder;
  return async function leaks() {
    // A child that ends together with the tests may need a moment to be gone.
    const deadline = Date.now() + GRACE_MS;
    while (markedProcesses(mark).length > 0 && Date.now() < deadline) await sleep(50);
    const found = [
      ...markedProcesses(mark).map(({ pid, command }) => `process ${pid}: ${command}`),
      ...sharedFiles()
        .filter((name) => !before.has(name))
        .map((name) => `/dev/shm/${name}`),
      ...readdirSync(folder)
        .filter((name) => !isCache(name))
        .map((name) => join("temporary folder", name)),
    ];
    rmSync(folder, { recursive: true, force: true });
    return found;
  };
}

/** Caches of the tools that run the tests. */
function isCache(name) {
  return /^(node-compile-cache|tsx-|esbuild|vitest|vite|v8-coverage)/.test(name);
}

function sharedFiles() {
  try {
    return readdirSync("/dev/shm");
  } catch {
    return [];
  }
}

function markedProcesses(mark) {
  const found = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, "latin1").includes(`${MARK}=${mark}`)) continue;
      found.push({ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ") });
    } catch {
      // It ended meanwhile, or is a stranger's.
    }
  }
  return found;
}
