"""How fast the file log takes records, one synced group at a time, beside the bare disk in the same run.

``bare`` writes the same bytes with pwrite and fdatasync and nothing else; ``log`` hashes, chains and checks as well.
Rounds alternate, so that both see the same machine. Usage: ``python bench/log_append.py [--megabytes N] [--rounds N]``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from formicary.base.entry import Draft, EntryKind
from formicary.log import FileLog

RECORD_SIZES = (8 << 10, 1 << 20)


def bare(folder: Path, body: bytes, count: int) -> list[float]:
    """Append and sync ``count`` bodies to one file; the seconds of each."""
    seconds = []
    fd = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in range(count):
        begin = time.perf_counter()
        os.pwrite(fd, body, number * len(body))
        os.fdatasync(fd)
        seconds.append(time.perf_counter() - begin)
    os.close(fd)
    (folder / "bare").unlink()
    return seconds


def log(folder: Path, body: bytes, count: int) -> list[float]:
    """Append and sync ``count`` entries to a new log; the seconds of each."""
    seconds = []
    target = FileLog.create(folder / "log")
    for index in range(1, count + 1):
        begin = time.perf_counter()
        target.append(Draft(index=index, time_ns=index, kind=EntryKind.TRANSFERS, body=body))
        target.sync()
        seconds.append(time.perf_counter() - begin)
    target.close()
    for path in (folder / "log").iterdir():
        path.unlink()
    (folder / "log").rmdir()
    return seconds


def report(name: str, body: bytes, seconds: list[float]) -> None:
    """One line: throughput, median, 99th percentile, worst."""
    rate = len(body) * len(seconds) / sum(seconds) / 1e6
    percentiles = statistics.quantiles(seconds, n=100)
    print(
        f"{name:5} {len(body) >> 10:5} KiB  {rate:6.0f} MB/s  p50 {percentiles[49] * 1e3:6.2f} ms"
        f"  p99 {percentiles[98] * 1e3:6.2f} ms  max {max(seconds) * 1e3:6.2f} ms",
        flush=True,
    )


def main() -> None:
    """Measure each size, both ways, in alternating rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=512, help="written each time with 1 MiB records")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to measure")
    options = parser.parse_args()
    ways: dict[str, Callable[[Path, bytes, int], list[float]]] = {"bare": bare, "log": log}
    for size in RECORD_SIZES:
        body = os.urandom(size)
        count = min(options.megabytes << 20, size * 4000) // size
        for _ in range(options.rounds):
            for name, way in ways.items():
                with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                    report(name, body, way(Path(folder), body, count))


if __name__ == "__main__":
    main()
