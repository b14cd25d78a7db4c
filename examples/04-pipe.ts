/** The tutorial's pipe: parent and child hold an end each, and talk both ways. */
//   prints child: heard hello
//   prints parent: heard HELLO
//   prints parent: heard GOOD BYE
//   prints parent: the child has hung up

import { type Connection, EndOfStreamError, Pipe, Process } from "multiproc";

/** Runs in the child: answers whatever it is told, louder, until it is told good bye. */
async function shout(end: Connection<string>): Promise<void> {
  for await (const message of end) {
    console.log(`child: heard ${message}`);
    await end.send(message.toUpperCase());
    if (message === "good bye") break;
  }
  end.close();
}

async function main(): Promise<void> {
  const [here, there] = Pipe<string>(); // what is sent into one end comes out at the other
  const child = new Process(shout, there).start();
  for (const word of ["hello", "good bye"]) {
    await here.send(word);
    console.log(`parent: heard ${await here.recv()}`);
  }
  try {
    await here.recv();
  } catch (error) {
    // The other end is closed, and all that was sent has been read.
    if (!(error instanceof EndOfStreamError)) throw error;
    console.log("parent: the child has hung up");
  }
  await child.join();
}

await main();
