"""The Python side of bench/manager.mjs: prints name and microseconds, a line a figure."""
import sys, time, statistics
from multiprocessing import Manager

def measure(name, count, work, repeats=5):
    work(max(1, count // 5))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work(count)
        times.append((time.perf_counter() - start) / count * 1e6)
    print(name, statistics.median(times), flush=True)

def loop(call):
    def work(n):
        for _ in range(n):
            call()
    return work

if __name__ == "__main__":
    def start(n):
        for _ in range(n):
            Manager().shutdown()
    starts = []
    for _ in range(5):
        t = time.perf_counter(); m = Manager(); starts.append((time.perf_counter() - t) * 1e6); m.shutdown()
    print("start", statistics.median(starts), flush=True)
    m = Manager()
    d = m.dict({"k": 1}); l = m.list(); q = m.Queue(); lock = m.Lock(); ns = m.Namespace(); v = m.Value("i", 0)
    def setitem(): d["k"] = 1
    measure("set", 2000, loop(setitem))
    measure("get", 2000, loop(lambda: d["k"]))
    measure("append", 2000, loop(lambda: l.append(1)))
    measure("queue", 1000, loop(lambda: (q.put(1), q.get())))
    measure("lock", 1000, loop(lambda: (lock.acquire(), lock.release())))
    measure("create", 100, loop(lambda: m.dict()))
    big = m.dict({i: i for i in range(10000)})
    measure("copy", 20, loop(big.copy))
