/**
 * Which flags of this process a child inherits: all of them (this is what makes tsx and other loaders work), but for those
 * that say what to run, or that must not run twice, such as an inspector's port.
 */

import { inheritance } from "../core/inheritance.ts";

/** Flags to leave out; those marked true take a value of their own when it does not stand behind a "=". */
const LEFT_OUT: readonly (readonly [pattern: RegExp, takesValue: boolean])[] = [
  [/^(-e|--eval|-pe|-p|--print)$/, true],
  [/^(-c|--check|-i|--interactive)$/, false],
  [/^--input-type$/, true],
  [/^--inspect(-brk|-wait)?$/, false],
  [/^--(inspect-port|inspect-publish-uid|debug-port)$/, true],
  [/^--test(-only|-force-exit|-update-snapshots|-randomize)?$/, false],
  [/^--test-/, true],
  [/^--experimental-test-/, false],
  [/^--watch(-preserve-output)?$/, false],
  [/^--watch-(path|kill-signal)$/, true],
  [/^--(cpu|heap)-prof$/, false],
  [/^--(cpu|heap)-prof-(dir|interval|name)$/, true],
  [/^--prof$/, false],
];

/** A flag with which node would run something else than a child, or nothing. */
export function saysWhatToRun(flag: string): boolean {
  return /^(?:-e|-p|-pe|-c|-i|-h|-v|--|--(?:eval|print|check|interactive|test|run|watch|help|version|v8-options|completion-bash|build-snapshot|build-sea)(?:=.*)?)$/.test(
    flag,
  );
}

/** A flag whose value is looked for from the working directory. */
export function namesFile(flag: string): boolean {
  return /^(?:-r|--require|--import|--loader|--experimental-loader|--env-file|--env-file-if-exists)(?:=|$)/.test(flag);
}

/**
 * The flags for a child of a process that has these.
 * @param own How many of the last ones are this process's own, such as its limit of memory.
 */
export function inheritedExecArgv(
  all: readonly string[] = process.execArgv,
  own: number = inheritance.ownFlags,
): string[] {
  const execArgv = all.slice(0, all.length - own);
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const flag = execArgv[i] as string;
    const name = flag.split("=", 1)[0] as string;
    const rule = LEFT_OUT.find(([pattern]) => pattern.test(name));
    if (rule === undefined) kept.push(flag);
    else if (rule[1] && name === flag) i += 1;
  }
  return kept;
}
