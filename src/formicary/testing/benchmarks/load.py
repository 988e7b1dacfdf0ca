"""A process that posts what it is told to, prints what it measured as JSON, and waits to be killed.

It runs apart from the one that measures, so that its memory is its own and ``kill -9`` at its end is a real crash.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

import formicary
from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER

IN_FLIGHT: Final = 3
"""Batches submitted and not yet answered: one being logged, one being applied, one waiting."""
POOL: Final = 16
"""Prepared batches, used again with new ids: more than are ever in flight."""
CALLERS: Final = 64
ASSET: Final = 978
HOT: Final = 1
"""The account whose history is read: it pays once in each batch, whatever chance says."""
HISTORY: Final = 100
CURVE_POINTS: Final = 20

assert POOL > IN_FLIGHT


def open_accounts(ledger: Any, accounts: int) -> None:  # noqa: ANN401 - a ledger, local or remote
    """Open accounts 1 … ``accounts`` of one asset, in full batches."""
    for start in range(0, accounts, BATCH_MAX):
        batch = np.zeros(min(BATCH_MAX, accounts - start), ACCOUNT)
        batch["id_lo"] = np.arange(start + 1, start + 1 + len(batch))
        batch["asset"], batch["code"] = ASSET, 1
        codes = ledger.open_accounts(batch)
        assert not codes.any()


def batches(accounts: int, size: int, seed: int = 7) -> list[np.ndarray]:
    """Prepare a pool of batches between random pairs of distinct accounts; ids are set as they are used."""
    chance = np.random.default_rng(seed)
    pool = []
    for _ in range(POOL):
        batch = np.zeros(size, TRANSFER)
        debit = chance.integers(0, accounts, size, dtype=np.uint64)
        step = chance.integers(1, accounts, size, dtype=np.uint64)
        batch["debit_lo"] = debit + np.uint64(1)
        batch["credit_lo"] = (debit + step) % np.uint64(accounts) + np.uint64(1)
        batch["debit_lo"][0], batch["credit_lo"][0] = HOT, HOT + 1
        batch["amount"], batch["asset"], batch["code"] = 1, ASSET, 1
        pool.append(batch)
    return pool


def post(ledger: Any, *, accounts: int, transfers: int, size: int) -> dict[str, Any]:  # noqa: ANN401
    """Post ``transfers`` in batches, a few in flight; return the rate and each batch's latency in milliseconds."""
    pool = batches(accounts, size)
    waiting: deque[tuple[float, Any]] = deque()
    latencies: list[float] = []
    ended: list[float] = []
    step = np.arange(size, dtype=np.uint64)
    started = time.perf_counter()
    for number, first in enumerate(range(1, transfers + 1, size)):
        batch = pool[number % POOL][: min(size, transfers + 1 - first)]
        batch["id_lo"] = step[: len(batch)] + np.uint64(first)
        waiting.append((time.perf_counter(), ledger.submit_transfers(batch)))
        if len(waiting) > IN_FLIGHT:
            _finish(waiting, latencies, ended)
    while waiting:
        _finish(waiting, latencies, ended)
    elapsed = time.perf_counter() - started
    latency = np.array(latencies) * 1e3
    return {
        "posted_per_s": transfers / elapsed,
        "batch_p50_ms": float(np.percentile(latency, 50)),
        "batch_p99_ms": float(np.percentile(latency, 99)),
        "batch_max_ms": float(latency.max()),
        "curve": _curve(np.array(ended) - started, size),
    }


def _curve(ended: np.ndarray, size: int) -> list[tuple[int, float]]:
    """Throughput as history grows: (transfers stored so far, transfers a second) for each twentieth of the run."""
    edges = np.linspace(0, len(ended) - 1, CURVE_POINTS + 1).astype(int)
    pairs = [(first, last) for first, last in pairwise(edges) if last > first]
    return [
        (int(last + 1) * size, float((last - first) * size / (ended[last] - ended[first]))) for first, last in pairs
    ]


def _finish(waiting: deque[tuple[float, Any]], latencies: list[float], ended: list[float]) -> None:
    submitted, ticket = waiting.popleft()
    codes = ticket.result()
    ended.append(time.perf_counter())
    latencies.append(ended[-1] - submitted)
    assert not codes.any(), "every transfer of the load is accepted"


async def post_singly(ledger: Any, *, accounts: int, seconds: float, first_id: int) -> dict[str, float]:  # noqa: ANN401
    """64 tasks each await one transfer after another for ``seconds``."""
    from formicary.node.asynchronous import AsyncLedger  # noqa: PLC0415

    asynchronous = AsyncLedger(ledger)
    chance = np.random.default_rng(3)
    pairs = chance.integers(1, accounts, (4096, 2)).tolist()
    latencies: list[float] = []
    ends = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        done = 0
        while (started := time.perf_counter()) < ends:
            debit, credit = pairs[(number * 61 + done) % len(pairs)]
            transfer = formicary.Transfer(
                id=first_id + done * CALLERS + number,
                debit=debit,
                credit=credit if credit != debit else accounts,
                amount=1,
                asset=ASSET,
                code=1,
            )
            code = await asynchronous.transfer(transfer)
            assert code == 0
            latencies.append(time.perf_counter() - started)
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    elapsed = time.perf_counter() - started
    latency = np.array(latencies) * 1e3
    return {
        "single_async_per_s": len(latencies) / elapsed,
        "single_async_p50_ms": float(np.percentile(latency, 50)),
        "single_async_p99_ms": float(np.percentile(latency, 99)),
    }


def history_us(ledger: Any) -> float:  # noqa: ANN401
    """Median microseconds to read the newest 100 transfers of one account, as typed objects."""
    times = []
    for _ in range(50):
        started = time.perf_counter()
        page = ledger.history(HOT, limit=HISTORY)
        times.append(time.perf_counter() - started)
    assert page.transfers
    return float(np.median(times) * 1e6)


def resident_bytes() -> int:
    """Resident memory of this process now, of which mapped files are a part."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """Run the load that the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("ledger")
    options.add_argument("--accounts", type=int, required=True)
    options.add_argument("--transfers", type=int, required=True)
    options.add_argument("--batch", type=int, default=BATCH_MAX)
    options.add_argument("--async-seconds", type=float, default=0)
    options.add_argument("--die", action="store_true", help="wait to be killed instead of closing")
    chosen = options.parse_args()
    ledger = formicary.open(chosen.ledger)
    open_accounts(ledger, chosen.accounts)
    warm_up = post(ledger, accounts=chosen.accounts, transfers=20 * chosen.batch, size=chosen.batch)
    assert warm_up["posted_per_s"] > 0
    figures = _measure(ledger, chosen)
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    if chosen.die:
        sys.stdin.read()
    ledger.close()


def _measure(ledger: Any, chosen: argparse.Namespace) -> dict[str, Any]:  # noqa: ANN401
    figures = post(_Shifted(ledger, 1 << 40), accounts=chosen.accounts, transfers=chosen.transfers, size=chosen.batch)
    figures["history_100_us"] = history_us(ledger)
    figures["rss_bytes"] = resident_bytes()
    if chosen.async_seconds:
        figures |= asyncio.run(
            post_singly(ledger, accounts=chosen.accounts, seconds=chosen.async_seconds, first_id=1 << 60)
        )
    return figures


class _Shifted:
    """The same ledger, each id moved up, so that a second round's transfers are new."""

    def __init__(self, ledger: Any, offset: int) -> None:  # noqa: ANN401
        self._ledger = ledger
        self._offset = np.uint64(offset)

    def submit_transfers(self, batch: np.ndarray) -> Any:  # noqa: ANN401
        batch["id_lo"] += self._offset
        return self._ledger.submit_transfers(batch)


if __name__ == "__main__":
    main()
