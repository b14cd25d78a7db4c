/**
 * Two strangers prove to each other that they know a key, before anything else is said.
 *
 * Each sends a greeting with a random nonce. Then the one that has connected sends its proof, an HMAC-SHA-256 under the key of its role
 * and both nonces; the listener answers with its own. The key itself never goes over the line; a proof is good for one connection only,
 * since both nonces are in it; and it cannot be sent back to who made it, since the role is in it, too.
 * Source: the challenge of CPython's `multiprocessing.connection`; HMAC: RFC 2104.
 */

import { crypto } from "../core/node-builtins.ts";
import type { Deadline } from "../core/deadline.ts";
import { AuthenticationError } from "../core/errors.ts";
import { NOTHING_YET, type SocketLine } from "./socket-line.ts";

const MAGIC: Uint8Array = Buffer.from("multiproc connection 1\n");
const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
const GREETING_BYTES: number = MAGIC.length + NONCE_BYTES;
const WELCOME = 1;
const REFUSED = 0;

/** Proves the key as the one that has connected. Rejects with AuthenticationError; the line is closed then. */
export function authenticateClient(line: SocketLine, key: Uint8Array, deadline: Deadline): Promise<void> {
  return closingOnFailure(line, async () => {
    const { own, other } = await greet(line, deadline);
    await writeAll(line, proofOf(key, "client", other, own), deadline);
    const answer = await readExactly(line, 1 + PROOF_BYTES, deadline);
    if (answer[0] !== WELCOME) throw new AuthenticationError("Cannot connect: the listener has refused the key");
    if (!isEqual(answer.subarray(1), proofOf(key, "listener", other, own))) {
      throw new AuthenticationError("Cannot connect: the listener does not know the key");
    }
  });
}

/** Proves the key as the one that listens. Rejects with AuthenticationError; the line is closed then. */
export function authenticateListener(line: SocketLine, key: Uint8Array, deadline: Deadline): Promise<void> {
  return closingOnFailure(line, async () => {
    const { own, other } = await greet(line, deadline);
    const proof = await readExactly(line, PROOF_BYTES, deadline);
    const isRight = isEqual(proof, proofOf(key, "client", own, other));
    const answer = new Uint8Array(1 + PROOF_BYTES);
    answer[0] = isRight ? WELCOME : REFUSED;
    if (isRight) answer.set(proofOf(key, "listener", own, other), 1);
    await writeAll(line, answer, deadline);
    if (!isRight) throw new AuthenticationError("Cannot accept a connection: the other side does not know the key");
  });
}

interface Nonces {
  readonly own: Uint8Array;
  readonly other: Uint8Array;
}

async function greet(line: SocketLine, deadline: Deadline): Promise<Nonces> {
  const own = crypto().randomBytes(NONCE_BYTES);
  await writeAll(line, Buffer.concat([MAGIC, own]), deadline);
  const greeting = await readExactly(line, GREETING_BYTES, deadline, MAGIC);
  return { own, other: greeting.subarray(MAGIC.length) };
}

function proofOf(key: Uint8Array, role: string, listenerNonce: Uint8Array, clientNonce: Uint8Array): Uint8Array {
  return crypto()
    .createHmac("sha256", key)
    .update(`multiproc ${role}\n`)
    .update(listenerNonce)
    .update(clientNonce)
    .digest();
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && crypto().timingSafeEqual(a, b);
}

/** Reads no byte more than asked for. @param start What it must start with; looked at as it comes. */
async function readExactly(
  line: SocketLine,
  length: number,
  deadline: Deadline,
  start: Uint8Array = new Uint8Array(0),
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let has = 0; has < length;) {
    const count = line.read(bytes.subarray(has));
    if (count === 0) throw new AuthenticationError("Cannot connect: the other side has closed the connection");
    if (count === NOTHING_YET) await waitOrFail(line.waitReadable(deadline));
    else has += count;
    const common = Math.min(has, start.length);
    if (Buffer.compare(bytes.subarray(0, common), start.subarray(0, common)) !== 0) {
      throw new AuthenticationError("Cannot connect: the other side does not speak this protocol");
    }
  }
  return bytes;
}

async function writeAll(line: SocketLine, bytes: Uint8Array, deadline: Deadline): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = line.write(bytes.subarray(done));
    if (count === -1) throw new AuthenticationError("Cannot connect: the other side has closed the connection");
    done += count;
    if (done < bytes.length) await waitOrFail(line.waitWritable(deadline));
  }
}

async function waitOrFail(waiting: Promise<boolean>): Promise<void> {
  if (!(await waiting)) throw new AuthenticationError("Cannot connect: the other side did not prove the key in time");
}

async function closingOnFailure(line: SocketLine, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    line.close();
    throw error;
  }
}
