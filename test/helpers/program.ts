/** Runs a fixture as a program of its own, and watches it from outside. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface Program {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it printed so far, to both streams. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until its output contains the text. */
  printed(text: string): Promise<void>;
  /** Waits for its end, and that of everybody who holds its output. */
  ended(): Promise<{ code: number | null; signal: string | null }>;
}

/**
 * @param fixture Name of a file in test/fixtures, without ending. @param detached In a session of its own.
 * @param options For node.
 */
export function startProgram(
  fixture: string,
  args: readonly string[] = [],
  detached = false,
  options: readonly string[] = [],
): Program {
  const file = fileURLToPath(new URL(`../fixtures/${fixture}.js`, import.meta.url));
  const child = spawn(process.execPath, [...options, file, ...args], { stdio: ["ignore", "pipe", "pipe"], detached });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => (text[name] += chunk));
  }
  const closed = once(child, "close") as Promise<[number | null, string | null]>;
  return {
    process: child,
    pid: child.pid as number,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    async printed(wanted) {
      await until(
        () => text.stdout.includes(wanted),
        () => `"${wanted}" in:\n${text.stdout}\n${text.stderr}`,
      );
    },
    async ended() {
      const [code, signal] = await closed;
      return { code, signal };
    },
  };
}

/** Waits until a condition holds; fails after a time that is long on any machine. */
export async function until(condition: () => boolean, what: () => string = () => "a condition"): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < limit, `waited in vain for ${what()}`);
    await sleep(2);
  }
}

/** True while there is a process of that pid, a zombie included. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** True while it runs; a zombie does not. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** The living children of a process, zombies marked. */
export function childrenOf(pid: number): { pid: number; isZombie: boolean }[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(parent) === pid ? [{ pid: Number(name), isZombie: state === "Z" }] : [];
    } catch {
      return [];
    }
  });
}

/** All descendants of a process. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child.pid, ...descendantsOf(child.pid)]);
}
