"""Records by their ids, many at once.

A lookup reads accounts as they are now, so it runs in the writer's turn; what it returns is a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.compiled import compiled
from formicary.base.errors import BadInput
from formicary.kernel.kernel import Kernel
from formicary.kernel.objects import Account, Transfer, accounts_from, transfers_from
from formicary.kernel.posting import find_account, find_transfer
from formicary.kernel.records import BATCH_MAX
from formicary.kernel.tables import Tables
from formicary.queries.pages import Ints, Records

HALF: Final = 64
HALF_MASK: Final = 2**64 - 1
MISSING: Final = -1

Words = npt.NDArray[np.uint64]


@compiled
def find_accounts(t: Tables, lows: Words, highs: Words, rows: Ints) -> None:
    """Find the row of each account, or -1."""
    for place in range(lows.shape[0]):
        rows[place] = find_account(t, lows[place], highs[place])


@compiled
def find_transfers(t: Tables, lows: Words, highs: Words, rows: Ints) -> None:
    """Find the index of each transfer, or -1."""
    for place in range(lows.shape[0]):
        rows[place] = find_transfer(t, lows[place], highs[place])


def lookup_accounts(kernel: Kernel, ids: Iterable[int]) -> list[Account | None]:
    """Return the account of each id, in the order asked; None where there is none. At most BATCH_MAX at once."""
    rows = _places(kernel, ids, find_accounts)
    found = iter(accounts_from(kernel.tables.accounts[rows[rows != MISSING]]))
    return [None if row == MISSING else next(found) for row in rows.tolist()]


def lookup_transfers(kernel: Kernel, ids: Iterable[int]) -> list[Transfer | None]:
    """Return the transfer of each id, in the order asked; None where there is none. At most BATCH_MAX at once."""
    rows = _places(kernel, ids, find_transfers)
    found = iter(transfers_from(kernel.tables.transfers[rows[rows != MISSING]]))
    return [None if row == MISSING else next(found) for row in rows.tolist()]


def lookup_account_records(kernel: Kernel, ids: Iterable[int]) -> Records:
    """Return the ACCOUNT records of those ids that exist, in the order asked."""
    rows = _places(kernel, ids, find_accounts)
    found: Records = kernel.tables.accounts[rows[rows != MISSING]]
    return found


def lookup_transfer_records(kernel: Kernel, ids: Iterable[int]) -> Records:
    """Return the TRANSFER records of those ids that exist, in the order asked."""
    rows = _places(kernel, ids, find_transfers)
    found: Records = kernel.tables.transfers[rows[rows != MISSING]]
    return found


def _places(kernel: Kernel, ids: Iterable[int], find: Callable[[Tables, Words, Words, Ints], None]) -> Ints:
    """Find where each id's record lies; refuse too many, and what is no id."""
    wanted = list(ids)
    if len(wanted) > BATCH_MAX:
        raise BadInput(f"{len(wanted):,} ids are more than the {BATCH_MAX:,} of one lookup", code="batch_too_long")
    if not all(0 <= each < 1 << 2 * HALF for each in wanted):
        raise BadInput("an id is an integer of 128 bits, zero or more", code="wrong_id")
    lows = np.array([each & HALF_MASK for each in wanted], np.uint64)
    highs = np.array([each >> HALF for each in wanted], np.uint64)
    rows = np.full(len(wanted), MISSING, np.int64)
    find(kernel.tables, lows, highs, rows)
    return rows
