/** All parts of the soak. */

import { locks } from "./locks.ts";
import { managers } from "./managers.ts";
import { payloads } from "./payloads.ts";
import { pipes } from "./pipes.ts";
import { pools } from "./pools.ts";
import { processes } from "./processes.ts";
import { queues } from "./queues.ts";
import { sharedData } from "./shared-data.ts";
import type { Part } from "../part.ts";

export const parts: readonly Part[] = [processes, pools, queues, pipes, payloads, locks, sharedData, managers];
