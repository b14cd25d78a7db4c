"""The Python side of bench/sync.mjs: prints name and microseconds, a line a figure."""
import os, statistics, time
import multiprocessing as mp

RUNS, ROUNDS = 5, 300

def measure(name, count, work):
    work(count)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter(); work(count); times.append((time.perf_counter() - start) / count * 1e6)
    print(name, statistics.median(times), flush=True)

def pin(cpu):
    if os.sched_getaffinity(0) != {0}:
        os.sched_setaffinity(0, {cpu})

def pong(a, b, n):
    pin(1)
    for _ in range(n):
        a.acquire(); b.release()

def meet(barrier, n, cpu=1):
    pin(cpu)
    for _ in range(n):
        barrier.wait()

if __name__ == "__main__":
    lock, a, b, barrier = mp.Lock(), mp.Semaphore(0), mp.Semaphore(0), mp.Barrier(2)
    def uncontended(n):
        for _ in range(n):
            lock.acquire(); lock.release()
    measure("lock", 100000, uncontended)
    def ping(n):
        for _ in range(n):
            a.release(); b.acquire()
    for name, target, args, work in (
        ("semaphore", pong, (a, b), ping),
        ("barrier", meet, (barrier,), lambda n: meet(barrier, n, 0)),
    ):
        child = mp.Process(target=target, args=(*args, ROUNDS * (RUNS + 1)))
        child.start(); measure(name, ROUNDS, work); child.join()
