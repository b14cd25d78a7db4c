export type * from "./image.ts";
export { capture, constantImage } from "./capture.ts";
export { fromModule } from "./from-module.ts";
export { referenceTo, registerLibraryModule } from "./identities.ts";
export { mainModule, setMainModule } from "./main-module.ts";
export { refuseReason } from "./refuse.ts";
export { knowsSources, mapStack } from "./source-maps.ts";
