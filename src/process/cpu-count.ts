/** How many processors there are for this program. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/**
 * The number of processors that this process can keep busy: what its affinity allows, and no more than the quota of its
 * control groups (version 1 and 2) allows. At least 1.
 *
 * Differs from Python, whose `cpu_count` knows no quota.
 *
 * @example
 * ```ts
 * import { cpuCount, Pool } from "multiproc";
 *
 * await using pool = new Pool(Math.max(1, cpuCount() - 1)); // leaves one to this process
 * console.log(await pool.apply(() => "done")); // done
 * ```
 */
export function cpuCount(): number {
  return Math.max(1, Math.floor(Math.min(availableParallelism(), quota(readText))));
}

type Read = (path: string) => string | undefined;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The quota in processors; Infinity without one. A group is held by the quotas of all groups above it. */
export function quota(read: Read): number {
  let least = Infinity;
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isCpu = controllers.split(",").includes("cpu");
    if (controllers !== "" && !isCpu) continue;
    const root = controllers === "" ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controllers}`;
    for (const group of withAncestors(path)) {
      least = Math.min(least, controllers === "" ? quotaOfV2(read, root + group) : quotaOfV1(read, root + group));
    }
  }
  return least;
}

/** "/a/b" gives "/a/b", "/a" and "". Inside a container the path may be the host's: then only "" exists. */
function withAncestors(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return parts.map((_, i) => `/${parts.slice(0, parts.length - i).join("/")}`).concat("");
}

function quotaOfV2(read: Read, folder: string): number {
  const [limit, period] = (read(`${folder}/cpu.max`) ?? "max").trim().split(" ");
  return limit === "max" ? Infinity : Number(limit) / Number(period ?? 100_000);
}

function quotaOfV1(read: Read, folder: string): number {
  const limit = Number(read(`${folder}/cpu.cfs_quota_us`) ?? -1);
  const period = Number(read(`${folder}/cpu.cfs_period_us`) ?? 100_000);
  return limit > 0 && period > 0 ? limit / period : Infinity;
}
