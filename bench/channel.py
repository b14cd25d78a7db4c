"""The Python side of bench/channel.mjs: prints name and the figures of the runs, a line a figure."""
import os, sys, time
from multiprocessing import Pipe, Process, Queue

RUNS = 5
INTEGERS, OBJECTS, TRIPS, BLOCKS = 40_000, 30_000, 4_000, 300
SMALL = {"id": 1, "name": "item", "ok": True}
BLOCK = bytes(1 << 20)

def put_all(go, queue, item, count):
    while go.recv():
        for _ in range(count):
            queue.put(item)

def one_way(item, count):
    """Items a second."""
    queue = Queue()
    here, there = Pipe()
    child = Process(target=put_all, args=(there, queue, item, count))
    child.start()
    def run():
        here.send(True)
        start = time.perf_counter()
        for _ in range(count):
            queue.get()
        return count / (time.perf_counter() - start)
    figures = [run() for _ in range(RUNS + 1)][1:]
    here.send(False)
    child.join()
    return figures

def echo(there, cpu):
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    while (message := there.recv()) is not None:
        there.send(message)

def round_trip(cpus):
    """Microseconds a round trip. On CPUs of their own, if there are two."""
    here, there = Pipe()
    child = Process(target=echo, args=(there, cpus[1]))
    child.start()
    before = os.sched_getaffinity(0)
    if cpus[0] is not None:
        os.sched_setaffinity(0, {cpus[0]})
    def run():
        start = time.perf_counter()
        for i in range(TRIPS):
            here.send(i)
            here.recv()
        return (time.perf_counter() - start) / TRIPS * 1e6
    figures = [run() for _ in range(RUNS + 1)][1:]
    here.send(None)
    child.join()
    os.sched_setaffinity(0, before)
    return figures

def send_blocks(go, writer, count):
    while go.recv():
        for _ in range(count):
            writer.send_bytes(BLOCK)

def blocks():
    """GB a second, through a pipe of one direction: Python's faster kind."""
    here, there = Pipe()
    reader, writer = Pipe(duplex=False)
    child = Process(target=send_blocks, args=(there, writer, BLOCKS))
    child.start()
    def run():
        here.send(True)
        start = time.perf_counter()
        for _ in range(BLOCKS):
            reader.recv_bytes()
        return BLOCKS * len(BLOCK) / (time.perf_counter() - start) / 1e9
    figures = [run() for _ in range(RUNS + 1)][1:]
    here.send(False)
    child.join()
    return figures

if __name__ == "__main__":
    cpus = sorted(os.sched_getaffinity(0))[:2]
    for name, figures in (
        ("integers", one_way(5, INTEGERS)),
        ("objects", one_way(SMALL, OBJECTS)),
        ("trip", round_trip((None, None))),
        ("tripAcross", round_trip(cpus if len(cpus) == 2 else (None, None))),
        ("blocks", blocks()),
    ):
        print(name, *figures, flush=True)
