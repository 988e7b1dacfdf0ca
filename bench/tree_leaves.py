"""How many leaves a second the receipt tree seals, with each way of hashing, on one core.

``hashed`` is a batch turned into its nodes: blinds, leaves and inner nodes. ``written`` is the same with the nodes
appended to a file, and every batch's work besides. ``beside`` is how far another Python thread gets while one seals,
against what it does alone: 100 % means that sealing holds the interpreter's lock at no time that matters.

    python bench/tree_leaves.py [--batch 8190] [--seconds 1] [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from formicary.kernel.records import BATCH_MAX, RECORD_BYTES, TRANSFER
from formicary.machine.sealing import PEAKS_BYTES, Sealer, sealers
from formicary.machine.tree import Tree

KEY = bytes(range(16))


def best_rate(work: Callable[[], object], *, count: int, seconds: float) -> float:
    """Items a second of the quickest call within some seconds; what else the machine does disturbs it least."""
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return count / best


def hashed(sealer: Sealer, records: np.ndarray, seconds: float) -> float:
    """Leaves a second without any file."""
    flat, peaks = records.view(np.uint8), np.zeros(PEAKS_BYTES, np.uint8)
    return best_rate(lambda: sealer.records(flat, size=0, key=KEY, peaks=peaks), count=len(records), seconds=seconds)


def written(sealer: Sealer, records: np.ndarray, seconds: float) -> float:
    """Leaves a second into a tree on disk, not synced."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        tree = Tree(Path(folder) / "tree", KEY, sealer=sealer)
        rate = best_rate(lambda: tree.append_transfers(records), count=len(records), seconds=seconds)
        tree.close()
    return rate


def beside(sealer: Sealer, records: np.ndarray, seconds: float) -> float:
    """Share of its own speed that a busy Python thread keeps while another one seals."""
    alone = _counted(seconds)
    stop = threading.Event()
    flat, peaks = records.view(np.uint8), np.zeros(PEAKS_BYTES, np.uint8)

    def seal() -> None:
        while not stop.is_set():
            sealer.records(flat, size=0, key=KEY, peaks=peaks)

    thread = threading.Thread(target=seal)
    thread.start()
    together = _counted(seconds)
    stop.set()
    thread.join()
    return together / alone


def _counted(seconds: float) -> int:
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        count += 1
    return count


def measure(batch: int, seconds: float) -> list[dict[str, object]]:
    """Measure every sealer that works here, the preferred one first."""
    records = np.frombuffer(np.random.default_rng(1).bytes(batch * RECORD_BYTES), TRANSFER)
    return [
        {
            "sealer": sealer.name,
            "hashed_per_s": round(hashed(sealer, records, seconds)),
            "written_per_s": round(written(sealer, records, seconds)),
            "beside": round(beside(sealer, records, seconds), 2),
        }
        for sealer in sealers()
    ]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batch", type=int, default=BATCH_MAX)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = measure(given.batch, given.seconds)
    if given.json:
        print(json.dumps(figures))
        return
    print(f"{'sealer':10}{'hashed/s':>14}{'written/s':>14}{'beside':>9}")
    for line in figures:
        print(f"{line['sealer']:10}{line['hashed_per_s']:14,}{line['written_per_s']:14,}{line['beside']:9.0%}")


if __name__ == "__main__":
    main()
