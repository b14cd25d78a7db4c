// The codec against v8.serialize and JSON, in one process, medians of 9, on the single files of the library: npm run bench codec
import { deserialize, serialize } from "node:v8";
import { decode, decodeFrom, encode, encodeTo } from "../build/src/codec/index.js";
import { HeapSink } from "../build/src/core/bytes.js";
import { median, Report } from "./report.mjs";

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

const report = new Report("The codec");
const row = (name, unit, ours, peer, peerName, goal = "") =>
  report.row(name, unit, ours, goal, { name: peerName, value: peer });

const small = { a: 1, b: "x", c: [1, 2, 3] };
const ints = perMessage(5, 200_000, write, read);
const objects = perMessage(small, 50_000, write, read);
row("an integer there and back", "ns", ints, perMessage(5, 20_000, serialize, deserialize), "v8");
row("a small object there and back", "ns", objects, perMessage(small, 20_000, serialize, deserialize), "v8");
row("a small object there and back", "ns", objects, perMessage(small, 50_000, JSON.stringify, JSON.parse), "JSON");

const many = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `item ${id}`, ok: true, part: id / 3 }));
const ourBytes = encode(many);
const theirBytes = serialize(many);
row(
  "100,000 plain objects, encode",
  "ms",
  medianMs(() => encode(many)),
  medianMs(() => serialize(many)),
  "v8",
  "<= 1.5",
);
row(
  "100,000 plain objects, decode",
  "ms",
  medianMs(() => decode(ourBytes)),
  medianMs(() => deserialize(theirBytes)),
  "v8",
  "<= 1.5",
);

const mebibyte = new Uint8Array(1 << 20);
write(mebibyte);
const packed = serialize(mebibyte);
row(
  "1 MiB of bytes, encode",
  "ms",
  medianMs(() => write(mebibyte)),
  medianMs(() => serialize(mebibyte)),
  "v8",
);
row(
  "1 MiB of bytes, decode",
  "ms",
  medianMs(() => (write(mebibyte), read())),
  medianMs(() => deserialize(packed)),
  "v8",
);
report.print();
