"""Accounts and transfers as typed objects, for programs that handle a few at a time; the kernel itself takes arrays.

An object has one field for each value that a person thinks of, ids as whole 128-bit integers. Each converts to a
128-byte record and back without loss, but for an account's ``newest`` link, which is the ledger's own affair.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.errors import BadInput
from formicary.kernel.records import ACCOUNT, RECORD_BYTES, TRANSFER, AccountFlag, TransferFlag
from formicary.kernel.storage import Records

HALF: Final = 64
HALF_MASK: Final = 2**64 - 1
SIGNED: Final = 63

ACCOUNT_FORM: Final = struct.Struct("<QQqqqqQQQIIHHIqqqQQ")
TRANSFER_FORM: Final = struct.Struct("<QQQQQQqQQQQQIIIHHqQ")
"""The records' fields in order, as :mod:`formicary.kernel.records` lists them."""

assert ACCOUNT_FORM.size == TRANSFER_FORM.size == RECORD_BYTES


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account to open, or one as the ledger has it. Amounts are minor units, ``time`` is ns since 1970 UTC."""

    id: int
    asset: int
    code: int
    flags: AccountFlag = AccountFlag(0)
    user_data: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    debits_held: int = 0
    """Set by the ledger, like all that follow; ``time`` may be given with IMPORTED."""
    debits_posted: int = 0
    credits_held: int = 0
    credits_posted: int = 0
    time: int = 0
    transfers: int = 0


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer to post, or one as the ledger has it. A capture or release needs little but its ``hold_id``."""

    id: int
    debit: int = 0
    credit: int = 0
    amount: int = 0
    asset: int = 0
    code: int = 0
    flags: TransferFlag = TransferFlag(0)
    hold_id: int = 0
    timeout: int = 0
    """Seconds until a hold expires by itself, 0 for never."""
    user_data: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    time: int = 0
    """Set by the ledger; given only with IMPORTED."""


ACCOUNT_BITS: Final = {
    "id": 128,
    "asset": 32,
    "code": 16,
    "flags": 16,
    "user_data": 128,
    "user_data_64": 64,
    "user_data_32": 32,
    "debits_held": 63,
    "debits_posted": 63,
    "credits_held": 63,
    "credits_posted": 63,
    "time": 63,
    "transfers": 63,
}
TRANSFER_BITS: Final = {
    "id": 128,
    "debit": 128,
    "credit": 128,
    "amount": 63,
    "asset": 32,
    "code": 16,
    "flags": 16,
    "hold_id": 128,
    "timeout": 32,
    "user_data": 128,
    "user_data_64": 64,
    "user_data_32": 32,
    "time": 63,
}
"""How many bits each field has room for. Fields of 63 bits are signed, so that the kernel itself can refuse a negative
amount, with its code; the others are not."""


def account_records(accounts: Sequence[Account]) -> Records:
    """Turn accounts into ACCOUNT records. Raises BadInput naming the field that has no room for its value."""
    room = bytearray(len(accounts) * RECORD_BYTES)
    for number, account in enumerate(accounts):
        try:
            _pack_account(room, number * RECORD_BYTES, account)
        except (struct.error, TypeError, AttributeError):
            raise _misfit(account, Account, number, ACCOUNT_BITS) from None
    return np.frombuffer(room, ACCOUNT)


def transfer_records(transfers: Sequence[Transfer]) -> Records:
    """Turn transfers into TRANSFER records. Raises BadInput naming the field that has no room for its value."""
    room = bytearray(len(transfers) * RECORD_BYTES)
    for number, transfer in enumerate(transfers):
        try:
            _pack_transfer(room, number * RECORD_BYTES, transfer)
        except (struct.error, TypeError, AttributeError):
            raise _misfit(transfer, Transfer, number, TRANSFER_BITS) from None
    return np.frombuffer(room, TRANSFER)


def accounts_from(records: Records) -> list[Account]:
    """Turn ACCOUNT records into objects."""
    assert records.dtype == ACCOUNT, "account records are needed"
    return [_account(*fields) for fields in ACCOUNT_FORM.iter_unpack(records.tobytes())]


def transfers_from(records: Records) -> list[Transfer]:
    """Turn TRANSFER records into objects."""
    assert records.dtype == TRANSFER, "transfer records are needed"
    return [_transfer(*fields) for fields in TRANSFER_FORM.iter_unpack(records.tobytes())]


def _pack_account(room: bytearray, offset: int, account: Account) -> None:
    ACCOUNT_FORM.pack_into(
        room,
        offset,
        account.id & HALF_MASK,
        account.id >> HALF,
        account.debits_held,
        account.debits_posted,
        account.credits_held,
        account.credits_posted,
        account.user_data & HALF_MASK,
        account.user_data >> HALF,
        account.user_data_64,
        account.user_data_32,
        account.asset,
        account.code,
        account.flags,
        0,
        account.time,
        0,
        account.transfers,
        0,
        0,
    )


def _pack_transfer(room: bytearray, offset: int, transfer: Transfer) -> None:
    TRANSFER_FORM.pack_into(
        room,
        offset,
        transfer.id & HALF_MASK,
        transfer.id >> HALF,
        transfer.debit & HALF_MASK,
        transfer.debit >> HALF,
        transfer.credit & HALF_MASK,
        transfer.credit >> HALF,
        transfer.amount,
        transfer.hold_id & HALF_MASK,
        transfer.hold_id >> HALF,
        transfer.user_data & HALF_MASK,
        transfer.user_data >> HALF,
        transfer.user_data_64,
        transfer.user_data_32,
        transfer.timeout,
        transfer.asset,
        transfer.code,
        transfer.flags,
        transfer.time,
        0,
    )


def _account(  # noqa: PLR0917 - one argument for each field of the record
    id_lo: int,
    id_hi: int,
    debits_held: int,
    debits_posted: int,
    credits_held: int,
    credits_posted: int,
    user_data_lo: int,
    user_data_hi: int,
    user_data_64: int,
    user_data_32: int,
    asset: int,
    code: int,
    flags: int,
    _reserved_32: int,
    time: int,
    _newest: int,
    transfers: int,
    *_reserved: int,
) -> Account:
    return Account(
        id=id_hi << HALF | id_lo,
        asset=asset,
        code=code,
        flags=_account_flag(flags),
        user_data=user_data_hi << HALF | user_data_lo,
        user_data_64=user_data_64,
        user_data_32=user_data_32,
        debits_held=debits_held,
        debits_posted=debits_posted,
        credits_held=credits_held,
        credits_posted=credits_posted,
        time=time,
        transfers=transfers,
    )


def _transfer(  # noqa: PLR0917 - one argument for each field of the record
    id_lo: int,
    id_hi: int,
    debit_lo: int,
    debit_hi: int,
    credit_lo: int,
    credit_hi: int,
    amount: int,
    hold_lo: int,
    hold_hi: int,
    user_data_lo: int,
    user_data_hi: int,
    user_data_64: int,
    user_data_32: int,
    timeout: int,
    asset: int,
    code: int,
    flags: int,
    time: int,
    _reserved: int,
) -> Transfer:
    return Transfer(
        id=id_hi << HALF | id_lo,
        debit=debit_hi << HALF | debit_lo,
        credit=credit_hi << HALF | credit_lo,
        amount=amount,
        asset=asset,
        code=code,
        flags=_transfer_flag(flags),
        hold_id=hold_hi << HALF | hold_lo,
        timeout=timeout,
        user_data=user_data_hi << HALF | user_data_lo,
        user_data_64=user_data_64,
        user_data_32=user_data_32,
        time=time,
    )


@functools.cache
def _account_flag(flags: int) -> AccountFlag:
    return AccountFlag(flags)


@functools.cache
def _transfer_flag(flags: int) -> TransferFlag:
    return TransferFlag(flags)


def _misfit(given: Any, kind: type, number: int, bits: dict[str, int]) -> BadInput:  # noqa: ANN401 - whatever came
    """Say which field of a record could not be packed."""
    where = f"{kind.__name__.lower()} {number}"
    if not isinstance(given, kind):
        return BadInput(f"{kind.__name__} is needed, not {type(given).__name__}", where=where)
    for name, size in bits.items():
        value = getattr(given, name)
        if not isinstance(value, int):
            return BadInput(f"must be an integer, not {type(value).__name__}", where=f"{where}, {name}")
        least = -(1 << size) if size == SIGNED else 0
        if not least <= value < 1 << size:
            return BadInput(f"must be from {least} to {(1 << size) - 1}, not {value}", where=f"{where}, {name}")
    raise AssertionError("a record whose fields all fit is packed")
