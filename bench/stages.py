"""Where a batch's time goes: CPU and wall milliseconds of each stage, inside a running ledger at full speed.

``python bench/stages.py --accounts 10000 --transfers 4000000`` prints a row a stage. The stages run on several threads,
so their wall times overlap; their CPU times add up to what two cores have to do.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import formicary
from formicary.kernel.kernel import Kernel
from formicary.kernel.records import BATCH_MAX
from formicary.log.file import FileLog
from formicary.machine.machine import Machine
from formicary.machine.tree import Tree
from formicary.node import pipeline
from formicary.testing.benchmarks import load

STAGES: list[tuple[str, Any, str]] = [
    ("hash of the body", pipeline, "body_hash"),
    ("apply", Machine, "apply"),
    ("… of it the kernel", Kernel, "post"),
    ("log append", FileLog, "append"),
    ("log sync", FileLog, "sync"),
    ("seal", Machine, "seal"),
    ("… of it the tree", Tree, "append_transfers"),
    ("… of it history to its files", Kernel, "write_out"),
    ("checkpoint", Machine, "checkpoint"),
]


def watched(function: Callable[..., object], into: list[tuple[float, float]]) -> Callable[..., object]:
    """Wrap a function so that its wall and CPU seconds are kept."""

    def call(*arguments: object, **options: object) -> object:
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            into.append((time.perf_counter() - wall, time.thread_time() - cpu))

    return call


def main() -> None:
    """Post, and print what each stage took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--accounts", type=int, default=10_000)
    options.add_argument("--transfers", type=int, default=4_000_000)
    chosen = options.parse_args()
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, owner, attribute in STAGES:
        setattr(owner, attribute, watched(getattr(owner, attribute), times[name]))
    with tempfile.TemporaryDirectory(prefix="formicary-stages-") as folder:
        ledger = formicary.open(Path(folder) / "ledger")
        load.open_accounts(ledger, chosen.accounts)
        for kept in times.values():
            kept.clear()
        cpu = time.process_time()
        figures = load.post(ledger, accounts=chosen.accounts, transfers=chosen.transfers, size=BATCH_MAX)
        cpu = time.process_time() - cpu
        batches = -(-chosen.transfers // BATCH_MAX)
        print(f"{figures['posted_per_s']:,.0f} transfers a second; {1e3 * cpu / batches:.2f} ms of CPU a batch in all")
        print(f"{'ms a batch':30}  {'CPU':>6} {'wall':>6}  {'wall p50':>8} {'p99':>6}")
        for name, kept in times.items():
            milliseconds = np.array(kept or [(0.0, 0.0)]) * 1e3
            wall, of_cpu = milliseconds[:, 0], milliseconds[:, 1]
            low, high = np.percentile(wall, (50, 99))
            print(f"{name:30}  {of_cpu.sum() / batches:6.2f} {wall.sum() / batches:6.2f}  {low:8.2f} {high:6.2f}")
        ledger.close()


if __name__ == "__main__":
    main()
