/** Objects in a process of their own, used by others through proxies. */

export type { CreatesTypes } from "./create-types.ts";
export { Manager } from "./manager.ts";
export type { ManagerOptions } from "./manager-options.ts";
export type { BoundAddress, ConnectOptions, ListenOptions, ManagerAddress } from "./stranger-options.ts";
export type { ManagedType, ManagedTypes } from "./control.ts";
export type {
  ArrayProxy,
  BarrierProxy,
  BoundedSemaphoreProxy,
  ConditionProxy,
  DictProxy,
  DictSource,
  DictUpdates,
  EventProxy,
  JoinableQueueProxy,
  ListProxy,
  LockProxy,
  NamespaceProxy,
  PoolProxy,
  QueueProxy,
  RLockProxy,
  SemaphoreProxy,
  SetProxy,
  Usable,
  ValueProxy,
} from "./managed-types.ts";
export type { AcquirableExtras, ConditionExtras, Loopable, ManagedGuard } from "./proxy-extras.ts";
export type { Remote, RemoteIterator, SyncView } from "./remote-types.ts";
