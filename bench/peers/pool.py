# Python's Pool: the same figures, as JSON.
import json, statistics, time
from multiprocessing import Pool


def echo(x):
    return x


def timed(fn, runs=5):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        fn()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def many(pool, n):
    for r in [pool.apply_async(echo, (i,)) for i in range(n)]:
        r.get()


if __name__ == "__main__":
    with Pool(2) as pool:
        pool.apply(echo, (1,))
        items = list(range(100_000))
        big = bytes(100_000_000)
        out = {
            "apply": timed(lambda: [pool.apply(echo, (i,)) for i in range(1000)]) / 1000 * 1e6,
            "async": 10_000 / timed(lambda: many(pool, 10_000), 3),
            "map": 100_000 / timed(lambda: pool.map(echo, items)),
            "map1": 20_000 / timed(lambda: pool.map(echo, range(20_000), 1), 3),
            "big": timed(lambda: pool.apply(echo, (big,)), 15) * 1e3,
        }
    print(json.dumps(out))
