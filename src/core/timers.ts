/**
 * The timers and clocks as they were when this package was loaded. Tests put false ones on the global object (`vi.useFakeTimers()`,
 * `jest.useFakeTimers()`, `mock.timers`), but what is awaited here depends on other processes, whose time goes on.
 */

type Real = typeof globalThis;

export const setTimeout: Real["setTimeout"] = globalThis.setTimeout;
export const setInterval: Real["setInterval"] = globalThis.setInterval;
export const setImmediate: Real["setImmediate"] = globalThis.setImmediate;
export const clearTimeout: Real["clearTimeout"] = globalThis.clearTimeout;
export const clearInterval: Real["clearInterval"] = globalThis.clearInterval;
export const queueMicrotask: Real["queueMicrotask"] = globalThis.queueMicrotask;
export const performance: Real["performance"] = globalThis.performance;
export const dateNow: typeof Date.now = Date.now;
