"""The bare loop of the kernel: transfers a second with nothing else around it, no log, no disk, no digest.

Run ``python bench/kernel_loop.py --accounts 10000 --transfers 4000000``; it prints one JSON object. Accounts of a
transfer are drawn at random and differ; ids are in sequence, or random with ``--random-ids``. ``--folder`` keeps the
history in files, as a ledger does, instead of memory. ``--recover`` then times coming back from them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from formicary.kernel.kernel import Kernel
from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER

START_NS = 1_700_000_000_000_000_000


def open_many(kernel: Kernel, count: int) -> float:
    """Open ``count`` accounts; returns the seconds that the slowest batch took."""
    slowest = 0.0
    for first in range(0, count, BATCH_MAX):
        batch = np.zeros(min(BATCH_MAX, count - first), ACCOUNT)
        batch["id_lo"] = np.arange(first + 1, first + 1 + len(batch))
        batch["asset"] = batch["code"] = 1
        began = time.perf_counter()
        codes = kernel.open_accounts(batch, START_NS + first)
        slowest = max(slowest, time.perf_counter() - began)
        assert not codes.any(), "every account opens"
    return slowest


def make_batch(rng: np.random.Generator, first: int, accounts: int, *, random_ids: bool) -> np.ndarray[Any, Any]:
    """Make a batch of plain transfers between accounts drawn at random."""
    batch = np.zeros(BATCH_MAX, TRANSFER)
    batch["id_lo"] = np.arange(first + 1, first + 1 + BATCH_MAX)
    if random_ids:
        batch["id_lo"] = rng.integers(1, 2**63, BATCH_MAX)
        batch["id_hi"] = rng.integers(0, 2**63, BATCH_MAX)
    debit = rng.integers(0, accounts, BATCH_MAX)
    batch["debit_lo"] = debit + 1
    batch["credit_lo"] = (debit + rng.integers(1, accounts, BATCH_MAX)) % accounts + 1
    batch["amount"] = rng.integers(1, 1000, BATCH_MAX)
    batch["asset"] = batch["code"] = 1
    return batch


def post_many(kernel: Kernel, count: int, accounts: int, *, random_ids: bool) -> dict[str, float]:
    """Post ``count`` transfers and measure the loop alone."""
    rng = np.random.default_rng(7)
    seconds = []
    for number, first in enumerate(range(0, count, BATCH_MAX)):
        batch = make_batch(rng, first, accounts, random_ids=random_ids)
        began = time.perf_counter()
        codes = kernel.post(batch, START_NS + 10**15 + number)
        seconds.append(time.perf_counter() - began)
        assert not codes.any(), "every transfer is accepted"
    times = np.sort(np.array(seconds))
    return {
        "per_s": round(len(times) * BATCH_MAX / times.sum()),
        "median_per_s": round(BATCH_MAX / float(np.median(times))),
        "p99_ms": round(float(times[int(len(times) * 0.99)]) * 1e3, 2),
        "slowest_ms": round(float(times[-1]) * 1e3, 2),
    }


def recover(folder: Path, kernel: Kernel) -> float:
    """Close the kernel and come back from its files; returns seconds."""
    checkpoint = kernel.checkpoint()
    kernel.close()
    began = time.perf_counter()
    Kernel.recover(folder, checkpoint).close()
    return round(time.perf_counter() - began, 3)


def main() -> None:
    """Measure what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--transfers", type=int, default=4_000_000)
    parser.add_argument("--random-ids", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--recover", action="store_true")
    options = parser.parse_args()
    kernel = Kernel(options.folder)
    result: dict[str, Any] = {"accounts": options.accounts, "random_ids": options.random_ids}
    began = time.perf_counter()
    slowest = open_many(kernel, options.accounts)
    result["open_per_s"] = round(options.accounts / (time.perf_counter() - began))
    result["open_slowest_ms"] = round(slowest * 1e3, 2)
    result |= post_many(kernel, options.transfers, options.accounts, random_ids=options.random_ids)
    if options.recover:
        result["recover_s"] = recover(options.folder, kernel)
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
