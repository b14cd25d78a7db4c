"""The Python side of bench/sync.mjs: prints name and microseconds (contended: millions a second), a line a figure."""
import os, statistics, time
import multiprocessing as mp

RUNS, ROUNDS, CONTENDED = 5, 300, 50000
ONE_CPU = os.sched_getaffinity(0) == {0}

def pin(cpu):
    if not ONE_CPU:
        os.sched_setaffinity(0, {cpu})

def measure(count, work):
    work(count)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter(); work(count); times.append((time.perf_counter() - start) / count * 1e6)
    return statistics.median(times)

def against(name, rounds, work, peer, *args):
    child = mp.Process(target=peer, args=(rounds * (RUNS + 1), 1, *args)); child.start()
    us = measure(rounds, lambda n: work(n, 0, *args))
    child.join()
    print(name, 2 / us if name == "contended" else us, flush=True)

def count(n, cpu, lock, counter):
    pin(cpu)
    for _ in range(n):
        with lock: counter.value += 1

def ping(n, cpu, a, b):
    for _ in range(n): a.release(); b.acquire()
def pong(n, cpu, a, b):
    pin(cpu)
    for _ in range(n): a.acquire(); b.release()

def flag(n, cpu, a, b):
    for _ in range(n): a.set(); b.wait(); b.clear()
def answer(n, cpu, a, b):
    pin(cpu)
    for _ in range(n): a.wait(); a.clear(); b.set()

def play(n, mine, cond, turn):
    pin(mine)
    for _ in range(n):
        with cond:
            while turn.value != mine: cond.wait()
            turn.value = 1 - mine
            cond.notify()

def meet(n, cpu, barrier):
    pin(cpu)
    for _ in range(n): barrier.wait()

if __name__ == "__main__":
    lock = mp.Lock()
    def uncontended(n):
        for _ in range(n):
            lock.acquire(); lock.release()
    print("lock", measure(100000, uncontended), flush=True)
    pin(0)
    if not ONE_CPU: against("contended", CONTENDED, count, count, lock, mp.RawValue("d", 0))
    against("semaphore", ROUNDS, ping, pong, mp.Semaphore(0), mp.Semaphore(0))
    against("event", ROUNDS, flag, answer, mp.Event(), mp.Event())
    against("condition", ROUNDS, play, play, mp.Condition(), mp.RawValue("i", 0))
    against("barrier", ROUNDS, meet, meet, mp.Barrier(2))
