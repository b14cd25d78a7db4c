/**
 * The C library, through koffi. Declarations only; what each call means here stands in the files beside this one.
 *
 * koffi takes a millisecond or more to load, so it is loaded at the first call, not at import.
 */

import { createRequire } from "node:module";
import { UnsupportedPlatformError } from "../../core/errors.ts";
import { fs, nodePath, nodeUrl } from "../../core/node-builtins.ts";
import { assertCanOpen } from "../../core/open-file.ts";
import { ownFolder } from "../../core/own-modules.ts";
import type Koffi from "koffi";
import { systemError } from "../errno.ts";

type Address = bigint | number | ArrayBufferView | null;

/** What is called; every function returns what C returns, on errors -1 (or MAP_FAILED; posix_spawn… the error's number). */
export interface Libc {
  memfd_create(name: string, flags: number): number;
  ftruncate(fd: number, length: number): number;
  fallocate(fd: number, mode: number, offset: number, length: number): number;
  mmap(address: Address, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(address: Address, length: number): number;
  madvise(address: Address, length: number, advice: number): number;
  malloc(length: number): bigint;
  free(address: Address): void;
  shm_open(name: string, flags: number, mode: number): number;
  shm_unlink(name: string): number;
  linkat(fromFd: number, from: string, toFd: number, to: string, flags: number): number;
  pipe2(fds: Int32Array, flags: number): number;
  socketpair(domain: number, type: number, protocol: number, fds: Int32Array): number;
  fcntl(fd: number, command: number, argument: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: null, length: null, flags: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Int32Array): number;
  getsockopt(fd: number, level: number, name: number, value: Int32Array, length: Int32Array): number;
  setsockopt(fd: number, level: number, name: number, value: Int32Array, length: number): number;
  poll(fds: Int32Array, count: number, timeoutMs: number): number;
  dup3(from: number, to: number, flags: number): number;
  close(fd: number): number;
  sched_yield(): number;
  waitid(kind: number, id: number, info: Int32Array, options: number): number;
  posix_spawn(
    pid: Int32Array,
    path: string,
    actions: Uint8Array,
    attributes: Uint8Array,
    args: readonly (string | null)[],
    env: readonly (string | null)[],
  ): number;
  posix_spawn_file_actions_init(actions: Uint8Array): number;
  posix_spawn_file_actions_adddup2(actions: Uint8Array, from: number, to: number): number;
  posix_spawn_file_actions_destroy(actions: Uint8Array): number;
  posix_spawnattr_init(attributes: Uint8Array): number;
  posix_spawnattr_setflags(attributes: Uint8Array, flags: number): number;
  posix_spawnattr_setsigdefault(attributes: Uint8Array, signals: Uint8Array): number;
  posix_spawnattr_setsigmask(attributes: Uint8Array, signals: Uint8Array): number;
  sched_getaffinity(pid: number, size: number, mask: Uint8Array): number;
  /** Six-argument form of syscall(2): for what the C library has no wrapper for. */
  syscall(number: number, a: Address, b: number, c: number, d: Address, e: Address, f: number): number;
}

type LibcFunction = keyof Libc;

const SIGNATURES: Record<LibcFunction, string> = {
  memfd_create: "int memfd_create(const char *name, unsigned int flags)",
  ftruncate: "int ftruncate(int fd, int64_t length)",
  fallocate: "int fallocate(int fd, int mode, int64_t offset, int64_t length)",
  mmap: "void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)",
  munmap: "int munmap(void *address, size_t length)",
  madvise: "int madvise(void *address, size_t length, int advice)",
  malloc: "void *malloc(size_t length)",
  free: "void free(void *address)",
  shm_open: "int shm_open(const char *name, int flags, unsigned int mode)",
  shm_unlink: "int shm_unlink(const char *name)",
  linkat: "int linkat(int fromFd, const char *from, int toFd, const char *to, int flags)",
  pipe2: "int pipe2(int *fds, int flags)",
  socketpair: "int socketpair(int domain, int type, int protocol, int *fds)",
  fcntl: "int fcntl(int fd, int command, long argument)",
  socket: "int socket(int domain, int type, int protocol)",
  bind: "int bind(int fd, void *address, uint32_t length)",
  listen: "int listen(int fd, int backlog)",
  accept4: "int accept4(int fd, void *address, void *length, int flags)",
  connect: "int connect(int fd, void *address, uint32_t length)",
  getsockname: "int getsockname(int fd, void *address, int *length)",
  getsockopt: "int getsockopt(int fd, int level, int name, void *value, int *length)",
  setsockopt: "int setsockopt(int fd, int level, int name, void *value, uint32_t length)",
  poll: "int poll(int *fds, unsigned long count, int timeout)",
  dup3: "int dup3(int from, int to, int flags)",
  close: "int close(int fd)",
  sched_yield: "int sched_yield()",
  waitid: "int waitid(int kind, int id, void *info, int options)",
  posix_spawn:
    "int posix_spawn(int *pid, const char *path, void *actions, void *attributes, const char **args, const char **env)",
  posix_spawn_file_actions_init: "int posix_spawn_file_actions_init(void *actions)",
  posix_spawn_file_actions_adddup2: "int posix_spawn_file_actions_adddup2(void *actions, int from, int to)",
  posix_spawn_file_actions_destroy: "int posix_spawn_file_actions_destroy(void *actions)",
  posix_spawnattr_init: "int posix_spawnattr_init(void *attributes)",
  posix_spawnattr_setflags: "int posix_spawnattr_setflags(void *attributes, short flags)",
  posix_spawnattr_setsigdefault: "int posix_spawnattr_setsigdefault(void *attributes, void *signals)",
  posix_spawnattr_setsigmask: "int posix_spawnattr_setsigmask(void *attributes, void *signals)",
  sched_getaffinity: "int sched_getaffinity(int pid, size_t size, void *mask)",
  syscall: "long syscall(long number, void *a, long b, long c, void *d, void *e, long f)",
};

let koffiModule: typeof Koffi | undefined;
let library: Libc | undefined;

/** koffi itself: for views of memory and for watching descriptors. */
export function koffi(): typeof Koffi {
  return (koffiModule ??= load());
}

function load(): typeof Koffi {
  assertCanOpen("koffi");
  return loadBinary() ?? loadWhole();
}

/**
 * Node takes an addon out of memory with the last thread that uses it, but before that thread's event loop has called the addon
 * back for the handles that it had: a segmentation fault when a worker thread ends. So koffi stays.
 */
const STAYS: number = 2 | 0x1000; // RTLD_NOW, RTLD_NODELETE

/**
 * koffi's JavaScript only finds its binary, and takes 6 of 7 ms for it; the binary has all that is used here. Also to let node
 * find that takes 2 ms; so it is looked for where npm and others put it.
 */
function loadBinary(): typeof Koffi | undefined {
  const { platform, arch } = process;
  const file = koffiFolders()
    .map((folder) => nodePath.join(folder, `@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`))
    .find((each) => fs.existsSync(each));
  if (file === undefined) return undefined;
  const module = { exports: {} };
  try {
    process.dlopen(module, file, STAYS);
  } catch {
    // Made for another C library.
    return undefined;
  }
  return module.exports as typeof Koffi;
}

/** Folders of packages in which koffi finds what it depends on. */
function koffiFolders(): string[] {
  for (let folder = nodeUrl.fileURLToPath(ownFolder()); ; folder = nodePath.dirname(folder)) {
    const found = nodePath.join(folder, "node_modules/koffi");
    if (fs.existsSync(found)) {
      const real = fs.realpathSync(found);
      return [nodePath.join(real, "node_modules"), nodePath.dirname(real)];
    }
    if (folder === nodePath.dirname(folder)) return [];
  }
}

/** As koffi itself does it: it finds its binary everywhere. */
function loadWhole(): typeof Koffi {
  const require = createRequire(ownFolder());
  const whole = requireKoffi(require);
  const binary = Object.keys(require.cache).find((file) => file.endsWith("koffi.node"));
  if (binary !== undefined) process.dlopen({ exports: {} }, binary, STAYS);
  return whole;
}

function requireKoffi(require: NodeJS.Require): typeof Koffi {
  try {
    return require("koffi") as typeof Koffi;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_DLOPEN_DISABLED") throw error;
    throw new UnsupportedPlatformError(
      "multiproc reaches the operating system through an addon, which is not allowed here: node's permission model needs --allow-addons and --allow-child-process, and --no-addons cannot be used",
      { cause: error },
    );
  }
}

/** The C library; each function is bound when it is first asked for. */
export function libc(): Libc {
  return (library ??= bindLazily());
}

function bindLazily(): Libc {
  const loaded = koffi().load(null as never);
  const bound = {} as Record<LibcFunction, unknown>;
  for (const name of Object.keys(SIGNATURES) as LibcFunction[]) {
    Object.defineProperty(bound, name, {
      configurable: true,
      get() {
        const value = loaded.func(SIGNATURES[name]);
        Object.defineProperty(bound, name, { value });
        return value;
      },
    });
  }
  return bound as unknown as Libc;
}

export function errno(): number {
  return koffi().errno();
}

/** Gives the result of a call, or throws what `errno` says when it is -1. */
export function checked(syscall: string, result: number, detail?: string): number {
  if (result === -1) throw systemError(syscall, errno(), detail);
  return result;
}
