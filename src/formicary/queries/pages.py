"""What comes back: pages of raw records that turn into typed objects when asked, and balances.

The records are copies: they stay as they are while the ledger goes on. ``cursor`` is zero on the last page; any other
goes into the next filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.kernel.objects import Account, Transfer, accounts_from, transfers_from

Records: TypeAlias = npt.NDArray[Any]
"""ACCOUNT or TRANSFER records."""
Ints: TypeAlias = npt.NDArray[np.int64]


class Balances(msgspec.Struct, frozen=True, kw_only=True):
    """The four sums of an account at one moment, in minor units."""

    debits_held: int = 0
    debits_posted: int = 0
    credits_held: int = 0
    credits_posted: int = 0

    @property
    def posted(self) -> int:
        """Posted credits less posted debits: what a wallet's owner calls the balance."""
        return self.credits_posted - self.debits_posted


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Some of the transfers that pass a filter, in its order."""

    records: Records
    cursor: int

    @property
    def transfers(self) -> list[Transfer]:
        """The records as objects."""
        return transfers_from(self.records)


@dataclass(frozen=True, slots=True, eq=False)
class AccountPage:
    """Some of the accounts that pass a filter, with their balances of the moment, in its order."""

    records: Records
    cursor: int

    @property
    def accounts(self) -> list[Account]:
        """The records as objects."""
        return accounts_from(self.records)


@dataclass(frozen=True, slots=True, eq=False)
class BalancePage:
    """Transfers of one account, and a row for each of what its balances were right after it.

    ``balances`` has a row of four int64: debits held, debits posted, credits held, credits posted.
    """

    records: Records
    balances: Ints
    cursor: int

    @property
    def entries(self) -> list[tuple[Transfer, Balances]]:
        """The records as objects, each with the balances after it."""
        rows = [balances_of(row) for row in self.balances]
        return list(zip(transfers_from(self.records), rows, strict=True))


def balances_of(row: Ints) -> Balances:
    """Make an object of four int64, in the order of :class:`BalancePage`."""
    held_debits, posted_debits, held_credits, posted_credits = row.tolist()
    return Balances(
        debits_held=held_debits,
        debits_posted=posted_debits,
        credits_held=held_credits,
        credits_posted=posted_credits,
    )
