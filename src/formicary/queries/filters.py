"""What may be asked for: which transfers, which accounts, in which order, how many, and from where on.

Zero stands for "any" in each field, as no stored record has a zero there that would be worth asking for. Times are
nanoseconds since 1970 UTC and both ends are included. A cursor is what the page before gave; zero is the beginning.
"""

from __future__ import annotations

from typing import Final

import msgspec

from formicary.base.errors import BadInput
from formicary.kernel.records import AMOUNT_MAX, BATCH_MAX

TIME_MAX_NS: Final = AMOUNT_MAX
BITS: Final = {
    "account": 128,
    "user_data": 128,
    "user_data_64": 64,
    "user_data_32": 32,
    "asset": 32,
    "code": 16,
    "time_min_ns": 63,
    "time_max_ns": 63,
    "cursor": 63,
}
"""How many bits each field has room for; none may be negative."""


class TransferFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which transfers: of one account or of all, and of those the ones that pass every field."""

    account: int = 0
    debits: bool = True
    """Whether transfers that debit ``account`` are wanted …"""
    credits: bool = True
    """… and those that credit it. Without an account both are."""
    time_min_ns: int = 0
    time_max_ns: int = TIME_MAX_NS
    asset: int = 0
    code: int = 0
    user_data: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    newest_first: bool = True
    limit: int = BATCH_MAX
    cursor: int = 0


class AccountFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts: those that pass every field; the times are when they were opened."""

    time_min_ns: int = 0
    time_max_ns: int = TIME_MAX_NS
    asset: int = 0
    code: int = 0
    user_data: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    newest_first: bool = False
    limit: int = BATCH_MAX
    cursor: int = 0


def check_filter(wanted: TransferFilter | AccountFilter) -> None:
    """Refuse, as BadInput, a filter that can't be meant: a number without room, an order of times, no side at all."""
    for name in wanted.__struct_fields__:
        value = getattr(wanted, name)
        if name in BITS and not (isinstance(value, int) and 0 <= value < 1 << BITS[name]):
            raise BadInput(f"must be from 0 to 2^{BITS[name]}-1, not {value!r}", where=name, code="bad_filter")
    if not 1 <= wanted.limit <= BATCH_MAX:
        raise BadInput(f"must be from 1 to {BATCH_MAX:,}, not {wanted.limit!r}", where="limit", code="bad_filter")
    if wanted.time_min_ns > wanted.time_max_ns:
        raise BadInput("must not be after time_max_ns", where="time_min_ns", code="bad_filter")
    if isinstance(wanted, TransferFilter) and wanted.account and not (wanted.debits or wanted.credits):
        raise BadInput("neither debits nor credits are wanted", where="debits", code="bad_filter")
