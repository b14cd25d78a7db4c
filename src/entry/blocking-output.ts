/** Makes what a child prints arrive, however it ends. */

type Stream = NodeJS.WriteStream & { readonly _handle?: { setBlocking?(blocking: boolean): void } | null };

/**
 * Node writes to files and terminals at once, but to pipes and sockets in the event loop: what is left when the process ends
 * is lost, and `process.exit()` ends it at once. So writes to those block. The streams are made when they are first used;
 * this waits for that, since it loads half of node's networking.
 */
export function blockOnOutput(): void {
  for (const name of ["stdout", "stderr"] as const) {
    const original = Object.getOwnPropertyDescriptor(process, name);
    if (original?.get === undefined || original.configurable !== true) continue;
    Object.defineProperty(process, name, {
      ...original,
      get() {
        Object.defineProperty(process, name, original);
        const stream = process[name] as Stream;
        stream._handle?.setBlocking?.(true);
        return stream;
      },
    });
  }
}
