"""The same entries give the same digest on every log, and a ledger runs on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import formicary
from formicary import Account, Transfer, TransferCode
from formicary.base.entry import Draft
from formicary.base.errors import Refusal
from formicary.log import Log, MemoryLog, open_log
from formicary.machine.machine import Machine
from formicary.products.example import PRODUCT
from formicary.testing import golden
from formicary.testing.postgres import private_postgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of one private PostgreSQL."""
    with private_postgres() as running:
        yield running.address


def digest_through(log: Log) -> tuple[bytes, bytes]:
    """Append a busy history, sync it, read it back, and replay it: (head of the log, digest of the machine)."""
    for entry in golden.entries():
        log.append(Draft(index=entry.index, time_ns=entry.time_ns, kind=entry.kind, body=entry.body))
    log.sync()
    machine = Machine(None, (PRODUCT,))
    for entry in log.read(1):
        machine.step(entry)
    assert machine.tree is not None
    assert machine.tree.size > 100, "a busy history"
    return log.head.hash, machine.digest


def test_one_history_one_digest(tmp_path: Path, server: str) -> None:
    """Memory, file and PostgreSQL keep the same chain and lead to the same digest."""
    found = set()
    for log in (MemoryLog(), open_log(tmp_path / "log"), open_log(f"{server}&formicary_log=same")):
        with closing(log):
            found.add(digest_through(log))
    assert len(found) == 1


def test_a_ledger_on_postgres(tmp_path: Path, server: str) -> None:
    """A ledger whose log is in PostgreSQL is used, followed, verified and opened again like any other."""
    address = f"{server}&formicary_log=shop"
    with formicary.open(tmp_path / "shop", log=address) as ledger:
        ledger.accounts([Account(id=number, asset=978, code=1) for number in (1, 2)])
        pay = Transfer(id=1, debit=1, credit=2, amount=5, asset=978, code=1)
        assert ledger.transfers([pay, pay]) == [TransferCode.OK, TransferCode.EXISTS]
        with formicary.follow(address, live=False) as follower:
            assert follower.balance(2) == 5
            assert follower.digest == ledger.digest
    with formicary.open(tmp_path / "shop", create=False) as ledger:
        assert ledger.balance(2) == 5
        assert ledger.verify().ok
    with pytest.raises(Refusal, match="not"):
        formicary.open(tmp_path / "shop", log=f"{server}&formicary_log=other")
