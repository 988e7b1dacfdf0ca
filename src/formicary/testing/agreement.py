"""Several ledgers that must answer alike: the compiled kernel, its uncompiled twin and the obvious model.

:class:`Agreement` is itself a ledger. It hands every request to each of its ledgers and then compares everything that
can be seen of them: codes, accounts with their balances, stored transfers and the next expiry. The first difference
is a :class:`DisagreementError` that names the record, the field and what each ledger has there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from formicary.base.compiled import uncompiled
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.kernel import Kernel
from formicary.kernel.records import ACCOUNTS_MAX, TRANSFERS_MAX
from formicary.testing.model import Codes, Model
from formicary.testing.model_books import Records

Answer = TypeVar("Answer")


class Ledger(Protocol):
    """What a kernel and the model have in common."""

    @property
    def accounts_count(self) -> int:
        """How many accounts there are."""

    @property
    def transfers_count(self) -> int:
        """How many transfers are stored."""

    def open_accounts(self, batch: Records, time_ns: int) -> Codes:
        """Open accounts."""

    def post(self, batch: Records, time_ns: int) -> Codes:
        """Post transfers."""

    def expire(self, time_ns: int, limit: int) -> int:
        """Record expiries."""

    def next_expiry(self) -> int | None:
        """When the next hold expires."""

    def mark(self) -> Any:  # noqa: ANN401 - each ledger's own kind of mark
        """Remember the state."""

    def undo(self, mark: Any) -> None:  # noqa: ANN401
        """Be as at the mark."""

    def stored_accounts(self, first: int, last: int) -> Records:
        """Accounts by place."""

    def stored_transfers(self, first: int, last: int) -> Records:
        """Transfers by place."""


class DisagreementError(AssertionError):
    """Two ledgers that should be equal are not."""


@functools.cache
def twin() -> type[Kernel]:
    """Return the kernel's class with no function of it compiled."""
    return cast("type[Kernel]", uncompiled("formicary.kernel.kernel", "formicary.kernel").Kernel)


def three_ledgers(*, accounts_max: int = ACCOUNTS_MAX, transfers_max: int = TRANSFERS_MAX) -> dict[str, Ledger]:
    """Make an empty kernel, twin and model, in memory."""
    return {
        "kernel": Kernel(None, accounts_max=accounts_max, transfers_max=transfers_max),
        "twin": twin()(None, accounts_max=accounts_max, transfers_max=transfers_max),
        "model": Model(accounts_max=accounts_max, transfers_max=transfers_max),
    }


class Agreement:
    """Ledgers by name, of which the first is the one that answers."""

    def __init__(self, ledgers: Mapping[str, Ledger]) -> None:
        self.ledgers = dict(ledgers)

    @property
    def first(self) -> Ledger:
        """The ledger whose answers are given."""
        return next(iter(self.ledgers.values()))

    def open_accounts(self, batch: Records, time_ns: int) -> list[AccountCode]:
        """Open accounts on every ledger."""
        codes = self._each(lambda ledger: ledger.open_accounts(batch, time_ns).tolist())
        return [AccountCode(code) for code in codes]

    def post(self, batch: Records, time_ns: int) -> list[TransferCode]:
        """Post transfers on every ledger."""
        codes = self._each(lambda ledger: ledger.post(batch, time_ns).tolist())
        return [TransferCode(code) for code in codes]

    def expire(self, time_ns: int, limit: int) -> int:
        """Record due expiries on every ledger; answer how many."""
        return self._each(lambda ledger: ledger.expire(time_ns, limit))

    def mark(self) -> list[object]:
        """Remember the state of every ledger."""
        return [ledger.mark() for ledger in self.ledgers.values()]

    def undo(self, marks: Sequence[object]) -> None:
        """Let every ledger be as at the mark, and compare them."""
        for ledger, mark in zip(self.ledgers.values(), marks, strict=True):
            ledger.undo(mark)
        self.compare()

    def accounts(self) -> Records:
        """Return all accounts, as the first ledger has them."""
        return self.first.stored_accounts(0, self.first.accounts_count)

    def transfers(self) -> Records:
        """Return all stored transfers, as the first ledger has them."""
        return self.first.stored_transfers(0, self.first.transfers_count)

    def compare(self) -> None:
        """Demand that everything seen of the ledgers is equal."""
        self._same("accounts", [ledger.accounts_count for ledger in self.ledgers.values()])
        self._same("transfers", [ledger.transfers_count for ledger in self.ledgers.values()])
        self._same("next expiry", [ledger.next_expiry() for ledger in self.ledgers.values()])
        self._same_records("account", [one.stored_accounts(0, one.accounts_count) for one in self.ledgers.values()])
        self._same_records("transfer", [one.stored_transfers(0, one.transfers_count) for one in self.ledgers.values()])

    def _each(self, ask: Callable[[Ledger], Answer]) -> Answer:
        answers = [ask(ledger) for ledger in self.ledgers.values()]
        self._same("answer", answers)
        self.compare()
        return answers[0]

    def _same(self, what: str, found: Sequence[object]) -> None:
        if any(value != found[0] for value in found):
            raise DisagreementError(f"{what}: {self._listed(found)}")

    def _same_records(self, what: str, found: Sequence[Records]) -> None:
        if all(np.array_equal(records, found[0]) for records in found):
            return
        for place, rows in enumerate(zip(*found, strict=True)):
            for name in found[0].dtype.names or ():
                self._same(f"{what} {place}: {name}", [int(row[name]) for row in rows])

    def _listed(self, found: Sequence[object]) -> str:
        return ", ".join(f"{name} {value}" for name, value in zip(self.ledgers, found, strict=True))
