"""Transfers by filter, an account's balances after each of its transfers, and balances as of any time.

A query starts from a :class:`Moment`, taken in the writer's turn. Stored transfers never change, so the walk itself
may run in any thread while posting goes on; it sees nothing newer than its moment. Given a kernel instead, a query
takes the moment itself, and must then run in the writer's turn.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from formicary.base.errors import BadInput, Refusal
from formicary.kernel.history import (
    Filter,
    Found,
    account_indexes,
    account_transfers,
    all_transfers,
    balances_at,
    make_filter,
    scan,
    time_range,
)
from formicary.kernel.kernel import Kernel
from formicary.kernel.tables import Tables
from formicary.queries.filters import TransferFilter, check_filter
from formicary.queries.pages import BalancePage, Balances, Ints, Page, Records, balances_of

SCAN_WORTH: Final = 16
"""Looking through so many transfers in a row costs no more than one step back along an account's links."""
NO_ROW: Final = -1


class Moment(NamedTuple):
    """Where a walk starts: how many transfers there were, and an account as it was then."""

    tables: Tables
    transfers: int
    row: int
    account: Records | None


def moment(kernel: Kernel, account_id: int = 0) -> Moment:
    """Take the present moment, for queries about one account, or with zero about all. In the writer's turn.

    Raises Refusal ``account_not_found`` when there is no such account.
    """
    if not account_id:
        return Moment(kernel.tables, kernel.transfers_count, NO_ROW, None)
    row = kernel.find_account(account_id)
    if row < 0:
        raise Refusal(f"there is no account {account_id}", code="account_not_found")
    return Moment(kernel.tables, kernel.transfers_count, row, kernel.tables.accounts[row].copy())


def transfers(source: Kernel | Moment, wanted: TransferFilter) -> Page:
    """Return the transfers that pass a filter, in its order, at most ``wanted.limit`` of them.

    The newest of an account cost as many steps back as are looked at, however long its history. Refuses, as BadInput,
    a filter that can't be meant and a cursor of another query.
    """
    check_filter(wanted)
    start = _start(source, wanted.account)
    cursor = _last_seen(start, wanted)
    compiled_filter = _compiled_filter(wanted)
    limit = wanted.limit + 1
    if start.account is None:
        indexes = all_transfers(
            start.tables,
            start.transfers,
            wanted=compiled_filter,
            limit=limit,
            newest_first=wanted.newest_first,
            cursor=cursor,
        )
    elif wanted.newest_first:
        indexes = account_indexes(
            start.tables, start.row, start.account, wanted=compiled_filter, limit=limit, cursor=cursor
        )
    else:
        indexes = _oldest_of_account(start, compiled_filter, limit=limit, cursor=cursor)
    page = indexes[: wanted.limit]
    return Page(start.tables.transfers[page], _next_cursor(page, is_last=len(indexes) < limit))


def balance_history(source: Kernel | Moment, wanted: TransferFilter) -> BalancePage:
    """Return an account's transfers that pass a filter, each with the account's balances right after it.

    The balances count all transfers, also those that the filter leaves out. Balances come from walking back, so a page
    far in the past takes as long as what lies between.
    """
    check_filter(wanted)
    if not wanted.account:
        raise BadInput("balances after each transfer are those of one account", where="account", code="bad_filter")
    start = _start(source, wanted.account)
    found = _with_balances(
        start,
        _compiled_filter(wanted),
        limit=wanted.limit + 1,
        newest_first=wanted.newest_first,
        cursor=_last_seen(start, wanted),
    )
    page = found.indexes[: wanted.limit]
    cursor = _next_cursor(page, is_last=len(found.indexes) <= wanted.limit)
    return BalancePage(start.tables.transfers[page], found.balances[: wanted.limit], cursor)


def balance_as_of(source: Kernel | Moment, account_id: int, time_ns: int) -> Balances:
    """Return an account's four sums after everything up to ``time_ns``, that instant included; zeros before it opened.

    A hold counts until the transfer that resolved it: an expiry at the time when the ledger recorded it.
    """
    start = _start(source, account_id)
    if start.account is None:
        raise Refusal("there is no account 0", code="account_not_found")
    return balances_of(balances_at(start.tables, start.row, start.account, time_ns))


def _start(source: Kernel | Moment, account_id: int) -> Moment:
    """Take the moment now, or make sure that the one given is of the account asked for."""
    if not isinstance(source, Moment):
        return moment(source, account_id)
    given = 0 if source.account is None else int(source.account["id_hi"]) << 64 | int(source.account["id_lo"])
    assert given == account_id, "a moment is taken for the account that is asked about"
    return source


def _compiled_filter(wanted: TransferFilter) -> Filter:
    return make_filter(
        time_min=wanted.time_min_ns,
        time_max=wanted.time_max_ns,
        asset=wanted.asset,
        code=wanted.code,
        user_data=wanted.user_data,
        user_data_64=wanted.user_data_64,
        user_data_32=wanted.user_data_32,
        debits=wanted.debits,
        credits=wanted.credits,
    )


def _last_seen(start: Moment, wanted: TransferFilter) -> int | None:
    """Return the index that a cursor stands for: the transfer seen last, which must be one of the account's own."""
    if not wanted.cursor:
        return None
    index = wanted.cursor - 1
    is_known = index < start.transfers
    if is_known and start.account is not None:
        trail = start.tables.trails[index]
        is_own = start.row in (int(trail["debit_row"]), int(trail["credit_row"]))
        is_known = is_own and index < int(start.account["newest"])
    if not is_known:
        raise BadInput("not a cursor that this query gave", where="cursor", code="bad_filter")
    return index


def _next_cursor(indexes: Ints, *, is_last: bool) -> int:
    return 0 if is_last else int(indexes[-1]) + 1


def _oldest_of_account(start: Moment, wanted: Filter, *, limit: int, cursor: int | None) -> Ints:
    """Find an account's oldest: by looking through all transfers where it has many of them, else along its links."""
    assert start.account is not None
    first, last = time_range(start.tables, int(start.account["newest"]), wanted)
    first = first if cursor is None else max(first, cursor + 1)
    if last - first > SCAN_WORTH * int(start.account["transfers"]):
        return _with_balances(start, wanted, limit=limit, newest_first=False, cursor=cursor).indexes
    indexes = np.zeros(max(1, min(limit, last - first)), np.int64)
    return indexes[: scan(start.tables, first, last, 1, start.row, wanted, indexes)]


def _with_balances(start: Moment, wanted: Filter, *, limit: int, newest_first: bool, cursor: int | None) -> Found:
    """Walk back along an account's links, keeping its balances."""
    assert start.account is not None
    return account_transfers(
        start.tables,
        start.row,
        start.account,
        wanted=wanted,
        limit=limit,
        newest_first=newest_first,
        cursor=cursor,
    )
