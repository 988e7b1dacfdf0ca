"""Accounts by filter: a look through all of them in the order of opening, in the writer's turn."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import BadInput
from formicary.kernel.kernel import Kernel
from formicary.queries.filters import AccountFilter, check_filter
from formicary.queries.pages import AccountPage, Ints, Records

CHUNK: Final = 1 << 14
"""Accounts that are compared at once: 2 MiB of them."""
HALF: Final = 64
HALF_MASK: Final = 2**64 - 1


def accounts(kernel: Kernel, wanted: AccountFilter) -> AccountPage:
    """Return the accounts that pass a filter, with their balances of now, at most ``wanted.limit`` of them.

    Refuses, as BadInput, a filter that can't be meant and a cursor beyond the last account.
    """
    check_filter(wanted)
    found: list[Ints] = []
    missing = wanted.limit + 1
    for first, last in _chunks(kernel, wanted):
        rows = first + np.flatnonzero(_passes(kernel.stored_accounts(first, last), wanted))
        found.append((rows[::-1] if wanted.newest_first else rows)[:missing])
        missing -= len(found[-1])
        if not missing:
            break
    rows = np.concatenate([np.zeros(0, np.int64), *found])
    page = rows[: wanted.limit]
    return AccountPage(kernel.tables.accounts[page], int(page[-1]) + 1 if len(rows) > wanted.limit else 0)


def _chunks(kernel: Kernel, wanted: AccountFilter) -> Iterator[tuple[int, int]]:
    """Split what lies in the time range, and behind the cursor, into ranges of rows in the order asked for."""
    count = kernel.accounts_count
    if wanted.cursor > count:
        raise BadInput("not a cursor that this query gave", where="cursor", code="bad_filter")
    times = kernel.stored_openings(0, count)["time"]
    first, last = bisect_left(times, wanted.time_min_ns), bisect_right(times, wanted.time_max_ns)
    if wanted.cursor:
        first, last = (
            (first, min(last, wanted.cursor - 1)) if wanted.newest_first else (max(first, wanted.cursor), last)
        )
    starts = range(first, last, CHUNK)
    for start in reversed(starts) if wanted.newest_first else starts:
        yield start, min(start + CHUNK, last)


def _passes(records: Records, wanted: AccountFilter) -> npt.NDArray[np.bool_]:
    """Say of each account whether it has the asset, code and user data that are asked for."""
    asked = {
        "asset": wanted.asset,
        "code": wanted.code,
        "user_data_64": wanted.user_data_64,
        "user_data_32": wanted.user_data_32,
    }
    compared = {name: value for name, value in asked.items() if value}
    if wanted.user_data:
        compared |= {"user_data_lo": wanted.user_data & HALF_MASK, "user_data_hi": wanted.user_data >> HALF}
    passes = np.ones(len(records), np.bool_)
    for name, value in compared.items():
        passes &= records[name] == value
    return passes
