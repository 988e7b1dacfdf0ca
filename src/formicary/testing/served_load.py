"""Load through the socket: a server in one process, one client in another, batches in a pipeline.

What is measured is what a caller sees: from handing a batch over to having its durable codes.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER
from formicary.node.client import RemoteLedger, connect
from formicary.node.folder import Folder
from formicary.node.ledger import open_ledger
from formicary.node.surface import Records, Ticket

DEPTH: Final = 4
"""Batches in flight: enough that neither side waits for the other, below the server's window."""
FORMICARY: Final = (sys.executable, "-c", "import sys; from formicary.cli import main; sys.exit(main())")
"""The command line's own program, wherever it is installed."""
START_S: Final = 120
"""How long a server may take to start; the first start on a machine compiles the kernel."""


@dataclass(frozen=True, slots=True)
class ServedLoad:
    """What one client reached."""

    transfers: int
    transfers_per_s: float
    batch_p99_ms: float
    refused: int
    """Transfers that were not answered OK; a healthy run has none."""


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``formicary ledger serve`` in a process of its own, on a ledger that is made when new.

    Gives the process and the address that it serves at.
    """
    if not Folder(folder).exists():
        open_ledger(folder).close()
    command = [*FORMICARY, "ledger", "serve", str(folder), "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own program
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            if not line:
                raise ChildProcessError(f"the server of {folder} ended with code {server.wait(START_S)}")
            yield server, json.loads(line)["address"]
        finally:
            server.terminate()
            server.wait(START_S)


def open_load_accounts(ledger: RemoteLedger, accounts: int) -> None:
    """Open accounts 1 … ``accounts`` of one asset, in full batches."""
    batch = np.zeros(BATCH_MAX, ACCOUNT)
    batch["asset"], batch["code"] = 978, 1
    for first in range(1, accounts + 1, BATCH_MAX):
        part = batch[: min(BATCH_MAX, accounts + 1 - first)].copy()
        part["id_lo"] = np.arange(first, first + len(part), dtype=np.uint64)
        ledger.open_accounts(part)


def load_batch(generator: np.random.Generator, *, first_id: int, accounts: int, size: int) -> Records:
    """Make transfers between random pairs of different accounts, with ids in a row."""
    batch = np.zeros(size, TRANSFER)
    batch["id_lo"] = np.arange(first_id, first_id + size, dtype=np.uint64)
    debit = generator.integers(0, accounts, size, dtype=np.uint64)
    batch["debit_lo"] = debit + np.uint64(1)
    step = generator.integers(1, accounts, size, dtype=np.uint64)
    batch["credit_lo"] = (debit + step) % np.uint64(accounts) + np.uint64(1)
    batch["amount"], batch["asset"], batch["code"] = 1, 978, 1
    return batch


def post_load(address: str, *, accounts: int, transfers: int, batch: int, depth: int, seed: int = 1) -> ServedLoad:
    """Post ``transfers`` in batches, ``depth`` in flight, and time each from its submission to its codes.

    Batches are made in advance, as a caller has them ready; making them is not part of the figure.
    """
    generator = np.random.default_rng(seed)
    sizes = [min(batch, transfers - done) for done in range(0, transfers, batch)]
    with connect(address) as ledger:
        open_load_accounts(ledger, accounts)
        first = 1 << 32
        ready = []
        for size in sizes:
            ready.append(load_batch(generator, first_id=first, accounts=accounts, size=size))
            first += size
        started = time.perf_counter()
        waits, refused = _pump(ledger, ready, depth)
        took_s = time.perf_counter() - started
    return ServedLoad(
        transfers=transfers,
        transfers_per_s=transfers / took_s,
        batch_p99_ms=float(np.percentile(waits, 99)) * 1e3,
        refused=refused,
    )


def _pump(ledger: RemoteLedger, batches: list[Records], depth: int) -> tuple[list[float], int]:
    """Keep ``depth`` batches in flight; return how long each took, in seconds, and how many records were refused."""
    flying: deque[Ticket] = deque()
    waits: list[float] = []
    refused = 0
    for each in batches:
        if len(flying) == depth:
            refused += int(np.count_nonzero(flying.popleft().result()))
        begun = time.perf_counter()
        ticket = ledger.submit_transfers(each)
        ticket.add_done_callback(_stopwatch(waits, begun))
        flying.append(ticket)
    refused += sum(int(np.count_nonzero(ticket.result())) for ticket in flying)
    return waits, refused


def _stopwatch(waits: list[float], begun: float) -> Callable[[Ticket], None]:
    return lambda _: waits.append(time.perf_counter() - begun)


def served_load(
    *,
    folder: Path | None = None,
    accounts: int = 10_000,
    transfers: int = 4_000_000,
    batch: int = BATCH_MAX,
    depth: int = DEPTH,
) -> ServedLoad:
    """Start a server on a new ledger and one client process; return what the client reached.

    The ledger lies in ``folder``, or in a temporary one: choose a folder on the disk that is to be measured.
    """
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="formicary-load-")))
        _, address = stack.enter_context(serving(place / "served.ledger"))
        options = {"accounts": accounts, "transfers": transfers, "batch": batch, "depth": depth}
        client = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "formicary.testing.served_load", address, json.dumps(options)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    return ServedLoad(**json.loads(client.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(post_load(sys.argv[1], **json.loads(sys.argv[2])))))  # noqa: T201 - the parent reads it
