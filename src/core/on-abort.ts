/** Listening to an AbortSignal as often as one likes: node warns of a leak from the eleventh listener of a signal on. */

interface Heard {
  readonly listeners: Set<() => void>;
  readonly tell: () => void;
}

const heard = new WeakMap<AbortSignal, Heard>();

/** Calls back once, when the signal is aborted. @returns takes the listener away. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const { listeners, tell } = heard.get(signal) ?? listenTo(signal);
  // Of its own, so that the same function can be given twice.
  const entry = (): void => listener();
  listeners.add(entry);
  return () => {
    if (!listeners.delete(entry) || listeners.size > 0) return;
    heard.delete(signal);
    signal.removeEventListener("abort", tell);
  };
}

function listenTo(signal: AbortSignal): Heard {
  const listeners = new Set<() => void>();
  const tell = (): void => {
    heard.delete(signal);
    for (const each of listeners) each();
    listeners.clear();
  };
  const made = { listeners, tell };
  heard.set(signal, made);
  signal.addEventListener("abort", tell, { once: true });
  return made;
}
