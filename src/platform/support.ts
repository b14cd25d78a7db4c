/** Says at once, at import, whether the library can work here. */

import { UnsupportedPlatformError } from "../core/errors.ts";

const SUPPORTED = "multiproc supports Linux on x64 and arm64 with Node.js 20.20 or newer";

/** @throws {UnsupportedPlatformError} If the operating system, the processor, the runtime or its version is not supported. */
export function assertSupported(
  platform: string = process.platform,
  arch: string = process.arch,
  version: string = process.versions.node,
  runtime: string | undefined = otherRuntime(),
): void {
  if (runtime !== undefined) throw new UnsupportedPlatformError(`${SUPPORTED}; this is ${runtime}`);
  if (platform !== "linux") throw new UnsupportedPlatformError(`${SUPPORTED}; this is ${platform}`);
  if (arch !== "x64" && arch !== "arm64") throw new UnsupportedPlatformError(`${SUPPORTED}; this processor is ${arch}`);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 20)) {
    throw new UnsupportedPlatformError(`${SUPPORTED}; this is Node.js ${version}`);
  }
}

/** Others that say which version of Node they are like, but have another engine: no inspector that shows what a function captures. */
function otherRuntime(): string | undefined {
  const { bun, deno } = process.versions;
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? undefined : `Deno ${deno}`;
}
