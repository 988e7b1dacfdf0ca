"""A real process under load, killed without warning at a random instant; then all it had acknowledged is looked for.

The child numbers its transfers 1, 2, 3 …, several batches in flight, and prints the highest id that the ledger has
acknowledged. The parent kills it, opens the ledger again, and checks that every acknowledged transfer is there once,
that debits equal credits, that the state is what the log says, and that the unacknowledged rest can simply be retried.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import numpy as np

import formicary
from formicary.kernel.codes import TransferCode
from formicary.kernel.records import ACCOUNT, TRANSFER

ACCOUNTS: Final = 50
ASSET: Final = 978
IN_FLIGHT: Final = 3
BATCH: Final = 500


def batch_of(first: int, size: int = BATCH) -> np.ndarray:
    """Build the transfers ``first`` … ``first + size - 1``; the same id always has the same fields."""
    batch = np.zeros(size, TRANSFER)
    ids = np.arange(first, first + size, dtype=np.uint64)
    batch["id_lo"] = ids
    batch["debit_lo"] = ids % np.uint64(ACCOUNTS) + np.uint64(1)
    batch["credit_lo"] = (ids * np.uint64(7) + np.uint64(1)) % np.uint64(ACCOUNTS) + np.uint64(1)
    clash = batch["debit_lo"] == batch["credit_lo"]
    batch["credit_lo"][clash] = batch["debit_lo"][clash] % np.uint64(ACCOUNTS) + np.uint64(1)
    batch["amount"] = ids % np.uint64(1000) + np.uint64(1)
    batch["asset"], batch["code"] = ASSET, 1
    return batch


def open_accounts(ledger: formicary.Ledger) -> None:
    """Open the accounts, again and again if need be."""
    batch = np.zeros(ACCOUNTS, ACCOUNT)
    batch["id_lo"] = np.arange(1, ACCOUNTS + 1)
    batch["asset"], batch["code"] = ASSET, 1
    ledger.open_accounts(batch)


def child(path: Path, first: int) -> None:
    """Post for ever, printing the highest id acknowledged."""
    ledger = formicary.open(path, checkpoint_every=20_000)
    open_accounts(ledger)
    sys.stdout.write("0\n")
    sys.stdout.flush()
    waiting: deque[tuple[int, Any]] = deque()
    while True:
        batch = batch_of(first)
        first += len(batch)
        waiting.append((first - 1, ledger.submit_transfers(batch)))
        if len(waiting) > IN_FLIGHT:
            last, ticket = waiting.popleft()
            assert not ticket.result().any()
            sys.stdout.write(f"{last}\n")
            sys.stdout.flush()


def kill_once(path: Path, chance: random.Random) -> int:
    """Run the load, kill it within about a second, check what is left; return how many transfers are stored."""
    with formicary.open(path) as ledger:
        stored = int(ledger.info()["transfers"])
    command = [sys.executable, "-m", "formicary.testing.killing", str(path), "--first", str(stored + 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ourselves
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.random())
        process.send_signal(signal.SIGKILL)
        printed = process.stdout.read().split("\n")[:-1]  # the last line may be cut
    acknowledged = max((int(line) for line in printed), default=stored)
    return check(path, acknowledged)


def check(path: Path, acknowledged: int) -> int:
    """Demand that nothing acknowledged is lost, nothing is there twice, and a retry completes the rest."""
    with formicary.open(path) as ledger:
        stored = int(ledger.info()["transfers"])
        assert stored >= acknowledged, f"{acknowledged} transfers were acknowledged, only {stored} are there"
        _retry(ledger, stored)
        trial = ledger.trial_balance()
        assert trial.balanced, "debits equal credits"
        report = ledger.verify()
        assert report.ok, f"the state is not what the log says: {report}"
        return int(ledger.info()["transfers"])


def _retry(ledger: formicary.Ledger, stored: int) -> None:
    """Post the last batches again, and one more: what is there answers ``exists``, the rest is posted once."""
    first = max(1, stored - BATCH)
    codes = ledger.post(batch_of(first, 2 * BATCH)).tolist()
    there = stored - first + 1
    assert codes[:there] == [TransferCode.EXISTS] * there, "what is stored is there exactly once"
    assert not any(codes[there:]), "what is not stored can be posted"


def main() -> None:
    """Be the child."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("ledger", type=Path)
    options.add_argument("--first", type=int, required=True)
    chosen = options.parse_args()
    child(chosen.ledger, chosen.first)


if __name__ == "__main__":
    main()
