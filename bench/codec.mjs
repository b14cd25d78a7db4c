// The codec against v8.serialize and JSON, in one process, medians of 9: node bench/codec.mjs
import { deserialize, serialize } from "node:v8";
import { decode, decodeFrom, encode, encodeTo } from "../dist/codec/index.js";
import { HeapSink } from "../dist/core/bytes.js";
import { median } from "./report.mjs";

const RUNS = 9;

function medianMs(work) {
  work();
  return median(
    Array.from({ length: RUNS }, () => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );
}

/** Nanoseconds for there and back of one message. */
function perMessage(value, count, there, back) {
  return (
    (medianMs(() => {
      for (let i = 0; i < count; i++) back(there(value));
    }) *
      1e6) /
    count
  );
}

const sink = new HeapSink(1 << 21);
const source = { bytes: sink.bytes, view: sink.view, position: 0, limit: 0 };

function write(value) {
  sink.position = 0;
  encodeTo(sink, value);
}

function read() {
  source.position = 0;
  source.limit = sink.position;
  return decodeFrom(source);
}

function row(name, ours, peer, peerName, goal) {
  const ratio = ours / peer;
  const verdict = goal === undefined ? "" : ratio <= goal ? `goal ${goal}  ok` : `goal ${goal}  MISSED`;
  console.log(`${name.padEnd(44)} ${format(ours)}  ${peerName} ${format(peer)}  ratio ${ratio.toFixed(2)}  ${verdict}`);
}

function format(value) {
  return value.toPrecision(3).padStart(8);
}

console.log(`Node.js ${process.version}, medians of ${RUNS}\n`);
const small = { a: 1, b: "x", c: [1, 2, 3] };
const ints = perMessage(5, 200_000, write, read);
const objects = perMessage(small, 50_000, write, read);
row("an integer there and back, ns", ints, perMessage(5, 20_000, serialize, deserialize), "v8");
row("a small object there and back, ns", objects, perMessage(small, 20_000, serialize, deserialize), "v8");
row("a small object there and back, ns", objects, perMessage(small, 50_000, JSON.stringify, JSON.parse), "JSON");

const many = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `item ${id}`, ok: true, part: id / 3 }));
const ourBytes = encode(many);
const theirBytes = serialize(many);
row(
  "100,000 plain objects, encode, ms",
  medianMs(() => encode(many)),
  medianMs(() => serialize(many)),
  "v8",
  1.5,
);
row(
  "100,000 plain objects, decode, ms",
  medianMs(() => decode(ourBytes)),
  medianMs(() => deserialize(theirBytes)),
  "v8",
  1.5,
);

const mebibyte = new Uint8Array(1 << 20);
write(mebibyte);
const packed = serialize(mebibyte);
row(
  "1 MiB of bytes, encode, ms",
  medianMs(() => write(mebibyte)),
  medianMs(() => serialize(mebibyte)),
  "v8",
);
row(
  "1 MiB of bytes, decode, ms",
  medianMs(() => (write(mebibyte), read())),
  medianMs(() => deserialize(packed)),
  "v8",
);
