// What child_process.fork runs: says when it got there.
process.send(Number(process.hrtime.bigint()) / 1e6, () => process.disconnect());
