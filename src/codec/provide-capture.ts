/** Gives the encoder the analysis of functions. */

import { capture, referenceTo, refuseReason } from "../capture/index.ts";
import { provideFunctionSource } from "./function-source.ts";

provideFunctionSource({ capture, referenceTo, refuseReason });
