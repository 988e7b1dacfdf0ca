"""A ledger in memory behind a socket of its own, for each test."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.node.client import RemoteLedger, connect
from formicary.node.ledger import Ledger, open_ledger
from formicary.node.server import Server
from formicary.node.surface import Records
from formicary.node.wire import Limits

Serve = Callable[..., Server]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path is short enough for a socket, wherever pytest keeps its own."""
    with tempfile.TemporaryDirectory(prefix="fw") as folder:
        yield Path(folder)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """A ledger in memory."""
    with open_ledger(None) as opened:
        yield opened


@pytest.fixture
def serve(ledger: Ledger, short_path: Path) -> Iterator[Serve]:
    """Start servers of the ledger, with limits of the test's choice; they stop at its end."""
    with ExitStack() as stack:

        def start(
            served: Any = None, *, listen: str | None = None, token: bytes | None = None, **limits: Any
        ) -> Server:
            address = listen or f"unix:{short_path / 'serve.sock'}"
            return stack.enter_context(Server(served or ledger, address, token=token, limits=Limits(**limits)))

        yield start


@pytest.fixture
def served(serve: Serve) -> Server:
    """A server with ordinary limits."""
    return serve()


@pytest.fixture
def remote(served: Server) -> Iterator[RemoteLedger]:
    """A client of it."""
    with connect(str(served.address), timeout_s=60) as client:
        yield client


def account_batch(*ids: int) -> Records:
    """Accounts in one asset that may be debited without limit."""
    batch = np.zeros(len(ids), ACCOUNT)
    batch["id_lo"], batch["asset"], batch["code"] = ids, 978, 1
    return batch


def transfer_batch(first_id: int, count: int, *, debit: int = 1, credit: int = 2, amount: int = 1) -> Records:
    """Transfers from one account to another, with ids in a row."""
    batch = np.zeros(count, TRANSFER)
    batch["id_lo"] = np.arange(first_id, first_id + count, dtype=np.uint64)
    batch["debit_lo"], batch["credit_lo"], batch["amount"] = debit, credit, amount
    batch["asset"], batch["code"] = 978, 1
    return batch
