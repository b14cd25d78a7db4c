/**
 * Children die with their parent, however it goes.
 *
 * The parent holds the write end of a pipe that is never written to. Each child inherits an open file description of its own
 * of the read end, on which the parent has asked the kernel to send the child SIGKILL when something happens there; the
 * only thing that can happen is that the write end closes. It works for busy and blocked children, takes no call in the
 * child, and does not depend on the thread that spawned it, as PR_SET_PDEATHSIG does. Source: fcntl(2), F_SETSIG.
 */

import { constants } from "node:os";
import { openFile } from "../core/open-file.ts";
import { createPipe, signalOnEvent } from "../platform/index.ts";

let readEnd: number | undefined;

/** The end that one child gets, between making and arming it. */
export interface Lifeline {
  /** Descriptor for the child to inherit; the parent closes its own copy afterwards. */
  readonly fd: number;
  /** Ties the child to this process. Must come before the child runs user code; until then the control socket tells it. */
  arm(pid: number): void;
}

export function createLifeline(): Lifeline {
  // The write end is never closed but by the end of this process.
  readEnd ??= createPipe()[0];
  const fd = openFile(`/proc/self/fd/${readEnd}`);
  return { fd, arm: (pid) => signalOnEvent(fd, pid, constants.signals.SIGKILL) };
}
