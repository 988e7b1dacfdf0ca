"""What the model ledger keeps: accounts, transfers and the books of both, as dataclasses of Python ints.

An id is one int of 128 bits here, joined from a record's two halves on the way in and parted on the way out. Flags
are plain ints, so that an undefined bit survives to be refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from formicary.kernel.records import ACCOUNT, AMOUNT_MAX, TRANSFER

Records = NDArray[np.void]

HALF: Final = 2**64
SECOND_NS: Final = 1_000_000_000


@dataclass(slots=True)
class ModelAccount:
    """An account, with its balances of now."""

    id: int
    user_data: int
    user_data_64: int
    user_data_32: int
    asset: int
    code: int
    flags: int
    time: int
    reserved: tuple[int, int, int]
    debits_held: int
    debits_posted: int
    credits_held: int
    credits_posted: int
    newest: int
    transfers: int

    def available_for_debit(self) -> int:
        """Return what its posted credits leave over its debits, in minor units; negative when they leave nothing."""
        return self.credits_posted - self.debits_posted - self.debits_held

    def available_for_credit(self) -> int:
        """Return what its posted debits leave over its credits, in minor units."""
        return self.debits_posted - self.credits_posted - self.credits_held

    def is_empty(self) -> bool:
        """Whether it may be closed."""
        return self.debits_posted == self.credits_posted and self.debits_held == self.credits_held == 0


@dataclass(frozen=True, slots=True)
class ModelTransfer:
    """A transfer, as asked for or as stored."""

    id: int
    debit: int
    credit: int
    amount: int
    hold_id: int
    user_data: int
    user_data_64: int
    user_data_32: int
    timeout: int
    asset: int
    code: int
    flags: int
    time: int
    reserved: int

    def has(self, flags: int) -> bool:
        """Whether any of ``flags`` is set."""
        return bool(self.flags & flags)

    def expires_at(self) -> int | None:
        """When this hold expires by itself, in nanoseconds; None for never."""
        return min(AMOUNT_MAX, self.time + self.timeout * SECOND_NS) if self.timeout else None


@dataclass(slots=True)
class Books:
    """Everything that the ledger knows."""

    accounts: dict[int, ModelAccount] = field(default_factory=dict)
    transfers: list[ModelTransfer] = field(default_factory=list)
    index_of: dict[int, int] = field(default_factory=dict)
    resolved_by: dict[int, int] = field(default_factory=dict)
    """The flags of the transfer that resolved a hold, by the hold's id."""

    def copy(self) -> Books:
        """Take a snapshot that later changes don't reach; stored transfers are frozen and may be shared."""
        accounts = {account_id: replace(account) for account_id, account in self.accounts.items()}
        return Books(accounts, list(self.transfers), dict(self.index_of), dict(self.resolved_by))

    def find(self, transfer_id: int) -> ModelTransfer | None:
        """Return the stored transfer of this id."""
        index = self.index_of.get(transfer_id)
        return None if index is None else self.transfers[index]


def _wide(record: np.void, name: str) -> int:
    """Join a 128-bit field from its two halves."""
    return int(record[f"{name}_hi"]) * HALF + int(record[f"{name}_lo"])


def account_from(record: np.void) -> ModelAccount:
    """Read an account record."""
    same = {name: int(record[name]) for name in ModelAccount.__slots__ if name in (ACCOUNT.names or ())}
    reserved = (int(record["reserved_32"]), int(record["reserved_64"]), int(record["reserved_64b"]))
    return ModelAccount(id=_wide(record, "id"), user_data=_wide(record, "user_data"), reserved=reserved, **same)


def transfer_from(record: np.void) -> ModelTransfer:
    """Read a transfer record."""
    same = {name: int(record[name]) for name in ModelTransfer.__slots__ if name in (TRANSFER.names or ())}
    return ModelTransfer(
        id=_wide(record, "id"),
        debit=_wide(record, "debit"),
        credit=_wide(record, "credit"),
        hold_id=_wide(record, "hold"),
        user_data=_wide(record, "user_data"),
        reserved=int(record["reserved_64"]),
        **same,
    )


def account_row(a: ModelAccount) -> tuple[int, ...]:
    """Return the fields of an account record, in the record's order."""
    sums = (a.debits_held, a.debits_posted, a.credits_held, a.credits_posted)
    rest = (a.user_data_64, a.user_data_32, a.asset, a.code, a.flags, 0, a.time, a.newest, a.transfers, 0, 0)
    return (*_halves(a.id), *sums, *_halves(a.user_data), *rest)


def transfer_row(t: ModelTransfer) -> tuple[int, ...]:
    """Return the fields of a transfer record, in the record's order."""
    ids = (*_halves(t.id), *_halves(t.debit), *_halves(t.credit), t.amount, *_halves(t.hold_id))
    rest = (t.user_data_64, t.user_data_32, t.timeout, t.asset, t.code, t.flags, t.time, 0)
    return (*ids, *_halves(t.user_data), *rest)


def _halves(number: int) -> tuple[int, int]:
    return number % HALF, number // HALF
