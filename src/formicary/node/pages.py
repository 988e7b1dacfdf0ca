"""Queries on the wire: a filter of 128 bytes out, a page of raw records back. Both sides use this file.

Invariant: what one side packs the other reads as an equal object; a filter is checked by who sends it and, since it may
come from any program, by the query that it reaches.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import BadInput
from formicary.kernel.objects import transfer_records, transfers_from
from formicary.kernel.records import ACCOUNT, RECORD_BYTES, TRANSFER
from formicary.node.bodies import Bytes
from formicary.node.surface import HALF, Records
from formicary.queries import (
    AccountFilter,
    AccountPage,
    BalancePage,
    Balances,
    HoldState,
    HoldStatus,
    Page,
    TransferFilter,
    TrialBalance,
    check_filter,
)

FILTER: Final = np.dtype(
    [
        ("account_lo", "<u8"),
        ("account_hi", "<u8"),
        ("user_data_lo", "<u8"),
        ("user_data_hi", "<u8"),
        ("user_data_64", "<u8"),
        ("user_data_32", "<u4"),
        ("asset", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
        ("limit", "<u4"),
        ("time_min_ns", "<i8"),
        ("time_max_ns", "<i8"),
        ("cursor", "<i8"),
        ("reserved", "<u8", (6,)),
    ]
)
"""What is wanted. Zero stands for any; as ``time_max_ns`` for no end, as ``cursor`` for the first page."""
DEBITS: Final = 1
CREDITS: Final = 2
NEWEST_FIRST: Final = 4
FLAGS: Final = DEBITS | CREDITS | NEWEST_FIRST
"""Sides of the account, neither or both for both; and the order."""
_SAME: Final = ("user_data_64", "user_data_32", "asset", "code", "limit", "time_min_ns", "cursor")
"""Fields that have one name and one meaning in a filter and in its record."""

PAGE: Final = struct.Struct("<qq")
"""The cursor of the next page (zero: this is the last), reserved; the records follow."""
BALANCES: Final = struct.Struct("<qqqq")
"""Debits held, debits posted, credits held, credits posted."""

HOLD: Final = struct.Struct("<QqQQqq")
"""State, amount captured, id of what resolved it, when it expires, time left; they follow the hold's record."""
STATES: Final = (HoldState.OPEN, HoldState.CAPTURED, HoldState.RELEASED, HoldState.EXPIRED)
"""On the wire a state is its place in this row, from 1; new ones go to the end."""

assert set(STATES) == set(HoldState)
assert FILTER.itemsize == RECORD_BYTES


# ── filters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def pack_filter(wanted: TransferFilter) -> bytes:
    """Write which transfers are wanted; refuse what can't be meant."""
    record = _packed(wanted)
    record["account_lo"], record["account_hi"] = wanted.account & HALF, wanted.account >> 64
    record["flags"] |= DEBITS * wanted.debits | CREDITS * wanted.credits
    return record.tobytes()


def pack_account_filter(wanted: AccountFilter) -> bytes:
    """Write which accounts are wanted; refuse what can't be meant."""
    return _packed(wanted).tobytes()


def _packed(wanted: TransferFilter | AccountFilter) -> npt.NDArray[np.void]:
    check_filter(wanted)
    record = np.zeros(1, FILTER)
    for name in _SAME:
        record[name] = getattr(wanted, name)
    record["time_max_ns"] = wanted.time_max_ns
    record["user_data_lo"], record["user_data_hi"] = wanted.user_data & HALF, wanted.user_data >> 64
    record["flags"] = NEWEST_FIRST * wanted.newest_first
    return record


def read_filter(body: memoryview) -> TransferFilter:
    """Read which transfers are wanted."""
    record, fields = _read(body)
    flags = int(record["flags"])
    sides = flags & (DEBITS | CREDITS) or DEBITS | CREDITS
    account = int(record["account_lo"]) | int(record["account_hi"]) << 64
    return TransferFilter(account=account, debits=bool(sides & DEBITS), credits=bool(sides & CREDITS), **fields)


def read_account_filter(body: memoryview) -> AccountFilter:
    """Read which accounts are wanted."""
    record, fields = _read(body)
    if record["account_lo"] or record["account_hi"] or int(record["flags"]) & ~NEWEST_FIRST:
        raise BadInput("a filter of accounts has no account and no sides", code="bad_filter")
    return AccountFilter(**fields)


def _read(body: memoryview) -> tuple[np.void, dict[str, Any]]:
    record = np.frombuffer(body, FILTER)[0]
    flags = int(record["flags"])
    if flags & ~FLAGS or record["reserved"].any():
        raise BadInput("a flag that is not defined, or a reserved field that is not zero", code="bad_filter")
    fields: dict[str, Any] = {name: int(record[name]) for name in _SAME}
    if record["time_max_ns"]:
        fields["time_max_ns"] = int(record["time_max_ns"])
    fields["user_data"] = int(record["user_data_lo"]) | int(record["user_data_hi"]) << 64
    fields["newest_first"] = bool(flags & NEWEST_FIRST)
    return record, fields


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def pack_page(page: Page | AccountPage) -> bytes:
    """Write a page of transfers or accounts."""
    return PAGE.pack(page.cursor, 0) + page.records.tobytes()


def pack_balance_page(page: BalancePage) -> bytes:
    """Write a page of transfers, then the balances after each."""
    balances = np.ascontiguousarray(page.balances, "<i8")
    return PAGE.pack(page.cursor, 0) + page.records.tobytes() + balances.tobytes()


def read_page(body: Bytes) -> Page:
    """Read a page of transfers."""
    return Page(records=_records(body, TRANSFER), cursor=_cursor(body))


def read_account_page(body: Bytes) -> AccountPage:
    """Read a page of accounts."""
    return AccountPage(records=_records(body, ACCOUNT), cursor=_cursor(body))


def read_balance_page(body: Bytes) -> BalancePage:
    """Read a page of transfers with the balances after each."""
    count = (len(body) - PAGE.size) // (RECORD_BYTES + BALANCES.size)
    end = PAGE.size + count * RECORD_BYTES
    balances = body[end:].view("<i8").reshape(count, -1)
    return BalancePage(records=_records(body[:end], TRANSFER), balances=balances, cursor=_cursor(body))


def _cursor(body: Bytes) -> int:
    cursor: int = PAGE.unpack_from(body)[0]
    return cursor


def _records(body: Bytes, record: np.dtype[np.void]) -> Records:
    return body[PAGE.size :].view(record)


# ── balances ────────────────────────────────────────────────────────────────────────────────────────────────────────


def pack_balances(balances: Balances) -> bytes:
    """Write four balances."""
    return BALANCES.pack(balances.debits_held, balances.debits_posted, balances.credits_held, balances.credits_posted)


def read_balances(body: Bytes) -> Balances:
    """Read four balances."""
    debits_held, debits_posted, credits_held, credits_posted = BALANCES.unpack(body)
    return Balances(
        debits_held=debits_held,
        debits_posted=debits_posted,
        credits_held=credits_held,
        credits_posted=credits_posted,
    )


def pack_hold_status(status: HoldStatus | None) -> bytes:
    """Write a hold and what became of it; nothing when there is no such hold."""
    if status is None:
        return b""
    numbers = HOLD.pack(
        STATES.index(status.state) + 1,
        status.captured,
        status.resolved_by & HALF,
        status.resolved_by >> 64,
        status.expires_at_ns,
        status.remaining_ns,
    )
    return transfer_records([status.hold]).tobytes() + numbers


def read_hold_status(body: Bytes) -> HoldStatus | None:
    """Read what became of a hold."""
    if not len(body):
        return None
    (hold,) = transfers_from(body[:RECORD_BYTES].view(TRANSFER))
    state, captured, low, high, expires_at_ns, remaining_ns = HOLD.unpack_from(body, RECORD_BYTES)
    return HoldStatus(
        hold=hold,
        state=STATES[state - 1],
        captured=captured,
        resolved_by=low | high << 64,
        expires_at_ns=expires_at_ns,
        remaining_ns=remaining_ns,
    )


def pack_trial_balance(trial: TrialBalance) -> bytes:
    """Write the sums of each asset and code as JSON."""
    return msgspec.json.encode(trial)


def read_trial_balance(body: Bytes) -> TrialBalance:
    """Read the sums of each asset and code."""
    return msgspec.json.decode(memoryview(body), type=TrialBalance)
