/** Who is told how a call has ended: one of both, once. */
export interface Settler {
  value(value: unknown): void;
  error(error: unknown): void;
}
