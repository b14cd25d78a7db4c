/** Imported first: on a platform that is not supported nothing else is run. */

import { assertSupported } from "./support.ts";

assertSupported();
