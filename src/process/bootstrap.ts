/** What a child is told first. Types, and where its descriptors are. */

/** The descriptors that every child inherits after its standard ones. */
export const ChildFd = { control: 3, mailbox: 4, arena: 5, lifeline: 6, code: 7 } as const;

/** The first part of the first message: who the child is. Travels as JSON, since a child knows no codec before it needs one. */
export interface Bootstrap {
  readonly name: string;
  /** Numbers of the process and its ancestors: Process-1:2 is [1, 2]. */
  readonly identity: readonly number[];
  readonly daemon: boolean;
  readonly parentPid: number;
  readonly parentName: string;
  readonly parentSlot: number | undefined;
  readonly mainModule: string;
  readonly startMethod: string;
  /** How many of the last flags of node are the child's own, and not for its children. */
  readonly ownFlags: number;
  /** `process.argv` of the parent: programs read their options there. */
  readonly argv: readonly string[];
  /** Where to note that the handles in the message were received; undefined when there are none. */
  readonly ticket?: number | undefined;
  /** True if the parent has maps from texts that it sends to their sources, or can ask for them. */
  readonly knowsSources?: boolean | undefined;
  /** True for the one that keeps its compiled code for those that are started after it. */
  readonly keepsCode?: boolean | undefined;
  /** Where to go, when it is not where the process was started. */
  readonly cwd?: string | undefined;
  /** What differs from the environment that the process was started with; null takes a variable away. */
  readonly env?: Readonly<Record<string, string | null>> | undefined;
}

/** What `super.run()` of a class of the user's calls. */
export interface BaseRun {
  readonly target: Function;
  readonly args: readonly unknown[];
}

/** What to run; encoded, it follows the header. */
export type Payload =
  | { readonly target: Function; readonly args: readonly unknown[] }
  /** An instance of a class of the user's with a `run` of its own. */
  | { readonly self: { run(): unknown }; readonly base?: BaseRun | undefined };
