"""Reading back: an account's transfers by its links, all transfers by their times, and balances as they once were.

Each transfer's trail holds the one before it on either account, so an account's history is a walk back from its newest,
and needs no index. Times strictly increase, so a time range of all transfers is found by bisection. Balances of the
past come from undoing transfers on the way back, from the balances that are there now.

These functions only read. They take the account as a copied record, made while nobody was writing, and look at nothing
newer: so they may run in any thread while posting goes on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from formicary.base.compiled import I64, U64, compiled
from formicary.kernel.flags import CAPTURE, HOLD, RESOLVED_BY
from formicary.kernel.records import AMOUNT_MAX
from formicary.kernel.storage import Record
from formicary.kernel.tables import Ints, Tables

ANYBODY: Final = -1
"""As a row: transfers of all accounts."""
LINK: Final = 0
DEBITS_HELD: Final = 1
DEBITS_POSTED: Final = 2
CREDITS_HELD: Final = 3
CREDITS_POSTED: Final = 4
POSITION_FIELDS: Final = 5
"""A position on the way back: 1 + index of the transfer that is looked at, and the balances right after it."""
BALANCES: Final = 4


class Filter(NamedTuple):
    """Which transfers are wanted; made by :func:`make_filter`. Zero stands for any, but for the times and sides."""

    time_min: np.int64
    time_max: np.int64
    asset: np.int64
    code: np.int64
    user_data_lo: np.uint64
    user_data_hi: np.uint64
    user_data_64: np.uint64
    user_data_32: np.int64
    debits: np.int64
    """1 when transfers are wanted that the account is the debit account of …"""
    credits: np.int64
    """… and the credit account of."""


def make_filter(
    *,
    time_min: int = 0,
    time_max: int = AMOUNT_MAX,
    asset: int = 0,
    code: int = 0,
    user_data: int = 0,
    user_data_64: int = 0,
    user_data_32: int = 0,
    debits: bool = True,
    credits: bool = True,  # noqa: A002 - the field's own word
) -> Filter:
    """Describe the transfers that are wanted; times are ns since 1970, both included. Without arguments: all."""
    return Filter(
        np.int64(time_min),
        np.int64(time_max),
        np.int64(asset),
        np.int64(code),
        U64(user_data & 2**64 - 1),
        U64(user_data >> 64),
        U64(user_data_64),
        np.int64(user_data_32),
        np.int64(debits),
        np.int64(credits),
    )


class Found(NamedTuple):
    """What a walk found: indexes of transfers, and the account's four balances right after each, a row for each.

    A row is debits held, debits posted, credits held, credits posted.
    """

    indexes: Ints
    balances: Ints


# ── compiled ────────────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def has_user_data(transfer: Record, wanted: Filter) -> bool:
    """Whether a transfer has the caller's data that is asked for."""
    if wanted.user_data_lo != U64(0) or wanted.user_data_hi != U64(0):
        if transfer["user_data_lo"] != wanted.user_data_lo or transfer["user_data_hi"] != wanted.user_data_hi:
            return False
    if wanted.user_data_64 != U64(0) and transfer["user_data_64"] != wanted.user_data_64:
        return False
    return wanted.user_data_32 == 0 or I64(transfer["user_data_32"]) == wanted.user_data_32


@compiled
def is_wanted(transfer: Record, wanted: Filter) -> bool:
    """Whether a transfer passes the filter, sides apart."""
    if not wanted.time_min <= transfer["time"] <= wanted.time_max:
        return False
    if wanted.asset != 0 and I64(transfer["asset"]) != wanted.asset:
        return False
    if wanted.code != 0 and I64(transfer["code"]) != wanted.code:
        return False
    return has_user_data(transfer, wanted)


@compiled
def is_wanted_of(trail: Record, row: int, wanted: Filter) -> bool:
    """Whether the account in ``row`` is on a side of the transfer that is asked for."""
    on_debit = wanted.debits != 0 and trail["debit_row"] == row
    return bool(on_debit or (wanted.credits != 0 and trail["credit_row"] == row))


@compiled
def step_back(t: Tables, row: int, position: Ints) -> None:
    """Go from right after a transfer to right after the account's transfer before it."""
    index = position[LINK] - 1
    transfer, trail = t.transfers[index], t.trails[index]
    is_debit = trail["debit_row"] == row
    held, posted = (DEBITS_HELD, DEBITS_POSTED) if is_debit else (CREDITS_HELD, CREDITS_POSTED)
    flags = I64(transfer["flags"])
    if flags & HOLD:
        position[held] -= transfer["amount"]
    elif flags & RESOLVED_BY:
        position[held] += t.transfers[trail["partner"] - 1]["amount"]
    if flags & CAPTURE or not flags & (HOLD | RESOLVED_BY):
        position[posted] -= transfer["amount"]
    position[LINK] = trail["debit_previous"] if is_debit else trail["credit_previous"]


@compiled
def note_balances(position: Ints, balances: Ints, place: int) -> None:
    """Keep the balances of a position."""
    for field in range(BALANCES):
        balances[place, field] = position[DEBITS_HELD + field]


@compiled
def walk_newest(  # noqa: PLR0917 - Numba has no keyword-only arguments
    t: Tables, row: int, position: Ints, wanted: Filter, indexes: Ints, balances: Ints
) -> int:
    """Collect an account's transfers, newest first, until the arrays are full; returns how many."""
    count = 0
    while position[LINK] > 0 and count < indexes.shape[0]:
        index = position[LINK] - 1
        if t.transfers[index]["time"] < wanted.time_min:
            break
        if is_wanted_of(t.trails[index], row, wanted) and is_wanted(t.transfers[index], wanted):
            indexes[count] = index
            note_balances(position, balances, count)
            count += 1
        step_back(t, row, position)
    return count


@compiled
def walk_oldest(  # noqa: PLR0917 - Numba has no keyword-only arguments
    t: Tables, row: int, position: Ints, after: int, wanted: Filter, indexes: Ints, balances: Ints
) -> int:
    """Collect an account's transfers behind index ``after`` in a ring, newest first; returns how many went in.

    The arrays end up with the oldest: the last one that went in is the first of them.
    """
    count = 0
    while position[LINK] - 1 > after:
        index = position[LINK] - 1
        if t.transfers[index]["time"] < wanted.time_min:
            break
        if is_wanted_of(t.trails[index], row, wanted) and is_wanted(t.transfers[index], wanted):
            indexes[count % indexes.shape[0]] = index
            note_balances(position, balances, count % indexes.shape[0])
            count += 1
        step_back(t, row, position)
    return count


@compiled
def walk_to(t: Tables, row: int, position: Ints, before: int) -> None:
    """Go back until the position is before index ``before``."""
    while position[LINK] - 1 >= before:
        step_back(t, row, position)


@compiled
def walk_to_time(t: Tables, row: int, position: Ints, time: int) -> None:
    """Go back until the position is not after ``time``."""
    while position[LINK] > 0 and t.transfers[position[LINK] - 1]["time"] > time:
        step_back(t, row, position)


@compiled
def scan(  # noqa: PLR0917 - Numba has no keyword-only arguments
    t: Tables, first: int, last: int, step: int, row: int, wanted: Filter, indexes: Ints
) -> int:
    """Collect transfers from ``first`` to before ``last`` by ``step`` (1 or -1), until the array is full."""
    count = 0
    for index in range(first, last, step):
        if count == indexes.shape[0]:
            break
        is_side = row == ANYBODY or is_wanted_of(t.trails[index], row, wanted)
        if is_side and is_wanted(t.transfers[index], wanted):
            indexes[count] = index
            count += 1
    return count


@compiled
def first_not_before(t: Tables, count: int, time: int) -> int:
    """Find the first of ``count`` transfers whose time is ``time`` or later; ``count`` when there is none."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if t.transfers[middle]["time"] < time:
            low = middle + 1
        else:
            high = middle
    return low


# ── what queries call ───────────────────────────────────────────────────────────────────────────────────────────────


def account_transfers(
    tables: Tables,
    row: int,
    account: Record,
    *,
    wanted: Filter,
    limit: int,
    newest_first: bool = True,
    cursor: int | None = None,
) -> Found:
    """Find at most ``limit`` transfers of the account in ``row``, with its balances right after each.

    ``account`` is a copy of its record; nothing newer is seen. ``cursor`` is the index of the last transfer that was
    seen before: the next page goes on behind it. Newest first takes as long as what lies between the account's newest
    and the page; oldest first walks back to the beginning of the time range.
    """
    size = max(1, min(limit, int(account["transfers"])))
    indexes, balances = np.zeros(size, np.int64), np.zeros((size, BALANCES), np.int64)
    position = position_of(account)
    if newest_first:
        if cursor is not None:
            walk_to(tables, row, position, cursor)
        count = walk_newest(tables, row, position, wanted, indexes, balances)
        return Found(indexes[:count], balances[:count])
    went_in = walk_oldest(tables, row, position, -1 if cursor is None else cursor, wanted, indexes, balances)
    order = np.arange(went_in - 1, went_in - 1 - min(went_in, size), -1) % size
    return Found(indexes[order], balances[order])


def account_indexes(
    tables: Tables, row: int, account: Record, *, wanted: Filter, limit: int, cursor: int | None = None
) -> Ints:
    """Find at most ``limit`` transfers of an account, newest first, without balances.

    The next page starts from the cursor's own links, however far back it is; and where fewer transfers of all accounts
    lie in the time range than the account has, those are looked through instead.
    """
    indexes = np.zeros(max(1, min(limit, int(account["transfers"]))), np.int64)
    newest = int(account["newest"])
    first, last = time_range(tables, newest, wanted)
    if last - first < int(account["transfers"]):
        last = last if cursor is None else min(last, cursor)
        return indexes[: scan(tables, last - 1, first - 1, -1, row, wanted, indexes)]
    position = position_of(account)
    if cursor is not None:
        position[LINK] = _link_before(tables, row, newest, cursor)
    balances = np.zeros((len(indexes), BALANCES), np.int64)
    return indexes[: walk_newest(tables, row, position, wanted, indexes, balances)]


def all_transfers(
    tables: Tables,
    count: int,
    *,
    wanted: Filter,
    limit: int,
    newest_first: bool = True,
    cursor: int | None = None,
) -> Ints:
    """Find at most ``limit`` among the first ``count`` transfers of all accounts; the filter's sides do not matter."""
    first, last = time_range(tables, count, wanted)
    if cursor is not None:
        first, last = (first, min(last, cursor)) if newest_first else (max(first, cursor + 1), last)
    indexes = np.zeros(max(1, min(limit, last - first)), np.int64)
    begin, end, step = (last - 1, first - 1, -1) if newest_first else (first, last, 1)
    return indexes[: scan(tables, begin, end, step, ANYBODY, wanted, indexes)]


def balances_at(tables: Tables, row: int, account: Record, time_ns: int) -> Ints:
    """Return an account's four balances as they were at ``time_ns``, all that happened at that instant included."""
    position = position_of(account)
    walk_to_time(tables, row, position, time_ns)
    return position[DEBITS_HELD:]


def time_range(tables: Tables, count: int, wanted: Filter) -> tuple[int, int]:
    """Find the range ``first … last - 1`` of the first ``count`` transfers that lies within the filter's times."""
    first = int(first_not_before(tables, count, int(wanted.time_min)))
    if wanted.time_max == AMOUNT_MAX:
        return first, count
    return first, max(first, int(first_not_before(tables, count, int(wanted.time_max) + 1)))


def position_of(account: Record) -> Ints:
    """Stand right after an account's newest transfer."""
    position = np.zeros(POSITION_FIELDS, np.int64)
    names = ("newest", "debits_held", "debits_posted", "credits_held", "credits_posted")
    for place, name in enumerate(names):
        position[place] = account[name]
    return position


def _link_before(tables: Tables, row: int, newest: int, cursor: int) -> int:
    """Find where an account's history goes on before a transfer of its own, which a cursor names."""
    assert 0 <= cursor < newest, "a cursor is the index of a transfer that was seen"
    trail = tables.trails[cursor]
    assert row in (trail["debit_row"], trail["credit_row"]), "a cursor is a transfer of the same account"
    return int(trail["debit_previous"] if trail["debit_row"] == row else trail["credit_previous"])
