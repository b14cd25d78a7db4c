/**
 * Tries every interleaving of concurrent code that talks through Atomics. The code under test is the real one: its functions
 * are rewritten to generators that stop before each call of Atomics, so that a scheduler decides who goes on.
 */

import { readFileSync } from "node:fs";
import { compileFunction } from "node:vm";
import { type Node, parse } from "acorn";

type Call = (...args: never[]) => unknown;
export type Steps<T = unknown> = Generator<void, T, unknown>;
export type Stepwise = Record<string, (...args: unknown[]) => Steps<never>>;

/**
 * Compiles a module's functions as generators.
 * @param file The compiled module. @param imports What it imports, by name; generator functions among it are stepped, too.
 * @param patch Changes its text, to see the test fail.
 */
export function stepwise(
  file: URL,
  imports: Record<string, unknown>,
  patch: (text: string) => string = (text) => text,
): Stepwise {
  const scope = { ...imports, Atomics: steppingAtomics };
  const text = patch(readFileSync(file, "utf8"));
  let factory = compiled.get(text);
  if (factory === undefined)
    compiled.set(text, (factory = compileFunction(rewrite(text, steppedIn(imports)), Object.keys(scope)) as Call));
  return factory(...(Object.values(scope) as never[])) as Stepwise;
}

/** By text; the names of the imports must be the same each time. */
const compiled = new Map<string, Call>();

function steppedIn(imports: Record<string, unknown>): string[] {
  return Object.keys(imports).filter((name) => imports[name] instanceof GeneratorFunction);
}

const GeneratorFunction = function* (): Steps<void> {}.constructor as new () => Steps;

function rewrite(text: string, imported: string[]): string {
  const program = parse(text, { ecmaVersion: 2022, sourceType: "module" });
  const names = new Set<string>(imported);
  const edits: [at: number, insert: string, remove: number][] = [];
  walk(program, (node) => {
    if (node.type === "FunctionDeclaration") names.add((node["id"] as Named).name);
  });
  walk(program, (node) => {
    if (node.type === "ImportDeclaration") edits.push([node.start, "", node.end - node.start]);
    else if (node.type === "ExportNamedDeclaration") edits.push([node.start, "", "export ".length]);
    else if (node.type === "FunctionDeclaration") edits.push([node.start + "function".length, "*", 0]);
    else if (node.type === "CallExpression" && isStep(node["callee"] as Visited, names)) {
      edits.push([node.start, "(yield* ", 0], [node.end, ")", 0]);
    }
  });
  // From the end to the start, so that places stay valid.
  edits.sort(([a], [b]) => b - a);
  const code = edits.reduce((done, [at, insert, remove]) => done.slice(0, at) + insert + done.slice(at + remove), text);
  return `${code}\nreturn { ${[...names].filter((name) => !imported.includes(name)).join(", ")} };`;
}

/** What the actor that is stepped just now has got from Atomics so far: all that its local state can depend on. */
let seenByActor: unknown[] = [];

const steppingAtomics = Object.fromEntries(
  (["load", "store", "add", "sub", "and", "or", "compareExchange"] as const).map((name) => [
    name,
    function* (...args: unknown[]): Steps {
      yield;
      const result = (Atomics[name] as Call)(...(args as never[]));
      seenByActor.push(result);
      return result;
    },
  ]),
);

/** One run of a scenario, from its start. */
export interface Run {
  readonly actors: readonly Steps[];
  /** True when an actor waits for another one and must not be stepped. */
  blocked?(actor: number): boolean;
  /** The shared state, as text. */
  state(): string;
  /** Throws if something is wrong now; `finished` when all actors are at their end. */
  check(finished: boolean): void;
}

/**
 * Goes through all interleavings; those that come to a state which was seen before, with the same histories of the actors,
 * are not followed again.
 * @returns how many different states there were.
 */
export function exploreInterleavings(start: () => Run): number {
  const seen = new Set<string>();
  const open: number[][] = [[]];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const { run, done, key } = replay(start(), path);
    if (seen.has(key)) continue;
    seen.add(key);
    const finished = done.every(Boolean);
    run.check(finished);
    const runnable = done.flatMap((isDone, i) => (isDone || run.blocked?.(i) === true ? [] : [i]));
    if (!finished && runnable.length === 0) throw new Error(`nobody can go on after ${path.join(" ")}`);
    for (const actor of runnable) open.push([...path, actor]);
  }
  return seen.size;
}

function replay(run: Run, path: readonly number[]): { run: Run; done: boolean[]; key: string } {
  const done = run.actors.map(() => false);
  const begun = run.actors.map(() => false);
  const seen = run.actors.map((): unknown[] => []);
  for (const actor of path) {
    seenByActor = seen[actor] as unknown[];
    done[actor] = (run.actors[actor] as Steps).next().done === true;
    begun[actor] = true;
  }
  return { run, done, key: [run.state(), begun.join(), done.join(), ...seen.map((each) => each.join())].join("#") };
}

type Visited = Node & Record<string, unknown>;
interface Named {
  readonly name: string;
}

function isStep(callee: Visited, names: Set<string>): boolean {
  if (callee.type === "Identifier") return names.has(callee["name"] as string);
  return callee.type === "MemberExpression" && (callee["object"] as Partial<Named>).name === "Atomics";
}

function walk(node: Node, visit: (node: Visited) => void): void {
  visit(node as Visited);
  for (const child of Object.values(node) as unknown[]) {
    for (const each of Array.isArray(child) ? (child as unknown[]) : [child]) {
      if (typeof each === "object" && each !== null && "type" in each && "start" in each) walk(each as Node, visit);
    }
  }
}
