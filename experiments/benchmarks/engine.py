"""What the study engine costs: strides a minute, overhead a stride, memory and resuming with many rows.

Takes options (`--help`); gives figures on stdout. Strides are real for the first figures; overhead, memory
and resuming use a stand-in that sleeps. The last line says what follows for a million strides on 100 nodes.
"""

import argparse
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from bladerun._lib.data_files import toml
from bladerun.study import sweep
from bladerun.study._sweep import opened
from bladerun.study.file import study

SLEEP_S = 0.005
STANDIN = "engine:sleeping"
DONE = 100_000  # rows in the folder of a study that is gone on with
_ROW = {"status": "converged", "why": "", "objective": 1.0}
FIRST_FIT = str(Path(__file__).parents[1] / "first-fit.toml")


def sleeping(way, start, keep):
    """Stands in for the solver: sleeps, and gives a seed as large as a real one."""
    time.sleep(SLEEP_S)
    return _ROW, bytes(330_000) if keep != "nothing" else None


def asked(rows: int):
    """A study of about so many rows: a Sobol design over height, toe-out and category."""
    parameters = {
        "height_mm": {"low": 10, "high": 30},
        "toe_out_deg": {"low": 0, "high": 10},
        "category_step": {"low": -1, "high": 1},
    }
    return study({"base": FIRST_FIT, "parameters": parameters, "design": {"kind": "sobol", "count": rows}})


class Memory:
    """Greatest resident memory of this process and of the largest one below it, MB, while the block runs."""

    def __enter__(self):
        self.client = self.worker = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def __str__(self):
        return f"memory {self.client:.0f} MB client, {self.worker:.0f} MB largest worker"

    def _watch(self):
        me = psutil.Process()
        while not self._over.wait(1.0):
            self.client = max(self.client, me.memory_info().rss / 1e6)
            for child in me.children(recursive=True):
                try:
                    self.worker = max(self.worker, child.memory_info().rss / 1e6)
                except psutil.Error:
                    continue


def apart(measure, *args):
    """What `measure` gives in a process of its own, whose memory nothing before it has filled."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(measure, *args).result()


def products(_) -> float:
    """Products a second of matrices as large as the solver's, on one thread."""
    matrix, count, begin = np.random.default_rng(0).normal(size=(150, 150)), 0, time.perf_counter()
    with threadpool_limits(1):
        while time.perf_counter() - begin < 4.0:
            for _ in range(100):
                np.dot(matrix, matrix)
            count += 100
    return count / (time.perf_counter() - begin)


def machine() -> float:
    """How much more two processes of this machine do than one, without any engine: the best there can be."""
    with get_context("spawn").Pool(2) as pool:
        pool.map(products, range(2), chunksize=1)
        alone = pool.map(products, range(1))
        return sum(pool.map(products, range(2), chunksize=1)) / alone[0]


def real(rows: int) -> float:
    """Strides a minute with 1 and 2 workers, and their ratio; gives seconds a stride."""
    pace, each = {}, 0.0
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            table = sweep(asked(rows), folder, workers=workers).table()
            pace[workers] = 60 * rows / (time.perf_counter() - begin)
            begin = time.perf_counter()
            sweep(asked(rows), folder, workers=workers)
            resumed = time.perf_counter() - begin
            each = table.seconds.mean()
            text = f"{pace[workers]:.1f} strides/min, {each:.2f} s each, resumed in {resumed:.2f} s"
            print(f"{workers} workers: {text}")
    print(f"ratio {pace[2] / pace[1]:.2f}; of plain matrix products on this machine {machine():.2f}")
    return each


def standin(rows: int, workers: int) -> float:
    """Overhead and memory with a stand-in; gives the client's processor time a row in s."""
    with tempfile.TemporaryDirectory() as folder, Memory() as memory:
        begin, cpu = time.perf_counter(), time.process_time()
        sweep(asked(rows), folder, workers=workers, solver=STANDIN)
        wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    print(
        f"{rows} rows of {1e3 * SLEEP_S:.0f} ms asleep, {workers} workers: {wall:.0f} s, "
        f"client {1e3 * cpu / rows:.1f} ms a row, {memory}"
    )
    return cpu / rows


def resuming(rows: int, workers: int) -> None:
    """How soon a study goes on whose folder holds all rows but one, put there without solving."""
    with tempfile.TemporaryDirectory() as folder:
        with opened(asked(rows), Path(folder), STANDIN) as store:
            for number in range(rows - 1):
                store.add(_ROW | {"number": number})
        begin, first = time.perf_counter(), []

        def solved(*_):
            first.append(time.perf_counter() - begin)

        with Memory() as memory:
            sweep(asked(rows), folder, workers=workers, solver=STANDIN, progress=solved)
    print(f"{rows} rows in the folder: goes on after {first[0]:.1f} s, {memory}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000], help="with the stand-in")
    options.add_argument(
        "--strides", type=int, default=64, help="real ones, with 1 and with 2 workers; 0 for none"
    )
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    overhead_s = [apart(standin, rows, chosen.workers) for rows in chosen.rows][-1]
    apart(resuming, DONE, chosen.workers)
    each_s = real(chosen.strides) if chosen.strides else toml("sweep.toml")["expected"]["near_s"]
    print(
        f"overhead {100 * overhead_s / each_s:.2f} % of a stride of {each_s:.1f} s (client's processor time)"
    )
    cores = 100 * 32
    hours, client_h = 1e6 * each_s / cores / 3600, 1e6 * overhead_s / 3600
    print(
        f"1e6 strides on 100 nodes of 32 cores: {hours:.2f} h of solving, "
        f"{client_h:.2f} h of one client's time; "
        f"the client is full at {each_s / overhead_s:.0f} workers: "
        + ("it breaks first" if client_h > hours else "the solving is the limit")
        + "; give each group of nodes its own study folder"
    )
