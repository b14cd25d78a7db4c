/**
 * Reading and writing a mailbox: a file in memory that a parent shares with one child. It holds one message at a time:
 * first what to run, then the result, if they are long. Writing never blocks, whatever the size, and takes no mapping.
 */

import { fs } from "../core/node-builtins.ts";

export function writeMail(fd: number, bytes: Uint8Array): void {
  // One call takes at most 2 GiB.
  for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, done);
}

/** Takes the message out: its memory is given back at once. */
export function takeMail(fd: number, byteLength: number): Uint8Array {
  // Not zeroed: it is filled completely.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer);
  for (let done = 0; done < byteLength;) {
    const read = fs.readSync(fd, bytes, done, byteLength - done, done);
    if (read === 0) throw new Error("Cannot read the mailbox: it is shorter than announced");
    done += read;
  }
  fs.ftruncateSync(fd, 0);
  return bytes;
}
