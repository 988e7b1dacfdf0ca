"""A leaf in plain words and in named fields: what a receipt is about.

The named fields of a transfer are also its form in a receipt's JSON, and lead back to the same 128 bytes. Integers that
may pass 2⁵³ are decimal strings there, for JavaScript would round them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.errors import BadInput
from formicary.base.ids import format_id, join_id, split_id
from formicary.base.money import asset_code, asset_decimals, format_minor
from formicary.kernel.records import RECORD_BYTES, TRANSFER, TransferFlag
from formicary.machine.commands import encode
from formicary.machine.leaf import REPLY_TAG, TRANSFER_TAG
from formicary.machine.replies import Reply, read_reply

_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TransferFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stored transfer, field by field; strings are decimal numbers."""

    id: str
    debit_account: str
    credit_account: str
    amount: str
    asset: int
    code: int
    flags: int
    hold: str
    timeout_s: int
    user_data: str
    user_data_64: str
    user_data_32: int
    time_ns: str
    reserved_64: str


_HALVES: Final = {
    "id": "id",
    "debit_account": "debit",
    "credit_account": "credit",
    "hold": "hold",
    "user_data": "user_data",
}
"""Fields of 128 bits, and the name of their two halves in a record."""
_WHOLE: Final = {
    "amount": "amount",
    "asset": "asset",
    "code": "code",
    "flags": "flags",
    "timeout_s": "timeout",
    "user_data_64": "user_data_64",
    "user_data_32": "user_data_32",
    "time_ns": "time",
    "reserved_64": "reserved_64",
}
assert sorted([*_HALVES, *_WHOLE]) == sorted(TransferFields.__struct_fields__)
assert 2 * len(_HALVES) + len(_WHOLE) == len(TRANSFER.names or ())


def transfer_fields(record: bytes) -> TransferFields:
    """Read a stored record of 128 bytes."""
    if len(record) != RECORD_BYTES:
        raise BadInput(f"{len(record)} bytes are not a transfer record", where="leaf")
    row = np.frombuffer(record, TRANSFER)[0]
    values: dict[str, int] = {name: join_id(row[f"{half}_lo"], row[f"{half}_hi"]) for name, half in _HALVES.items()}
    values |= {name: int(row[field]) for name, field in _WHOLE.items()}
    kinds = TransferFields.__annotations__
    return TransferFields(**{name: str(n) if kinds[name] == "str" else n for name, n in values.items()})  # type: ignore[arg-type]


def transfer_record(fields: TransferFields) -> bytes:
    """Write the stored record that has these fields; refuse a number that does not fit, by name."""
    row: Any = np.zeros(1, TRANSFER)
    for name in TransferFields.__struct_fields__:
        try:
            number = int(getattr(fields, name))
            if name in _HALVES:
                row[f"{_HALVES[name]}_lo"], row[f"{_HALVES[name]}_hi"] = split_id(number)
            else:
                row[_WHOLE[name]] = number
        except (ValueError, OverflowError) as error:
            raise BadInput(f"{getattr(fields, name)!r} does not fit", where=f"transfer.{name}") from error
    return bytes(row.tobytes())


def reply_fields(data: bytes) -> Reply:
    """Read a reply, which has one byte form."""
    try:
        reply = read_reply(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a reply: {error}", where="leaf") from error
    if encode(reply) != data:
        raise BadInput("not in a reply's one byte form", where="leaf")
    return reply


def describe_leaf(tag: int, data: bytes) -> tuple[str, dict[str, object]]:
    """Say what a leaf is about: one sentence, and named values for a program."""
    if tag == TRANSFER_TAG:
        transfer = transfer_fields(data)
        return _transfer_words(transfer), {"kind": "transfer", **msgspec.structs.asdict(transfer)}
    if tag == REPLY_TAG:
        reply = reply_fields(data)
        command, when = reply.command_id.hex(), describe_time(reply.time_ns)
        words = f"the reply “{reply.code}” to command {command}, given in entry {reply.entry:,}, {when}."
        fields = {"command": command, "entry": reply.entry, "time_ns": str(reply.time_ns), "code": reply.code}
        return words, {"kind": "reply", **fields, "body": reply.body.hex()}
    raise BadInput(f"tag {tag} is neither a transfer nor a reply", where="leaf")


def _transfer_words(transfer: TransferFields) -> str:
    flags = TransferFlag(transfer.flags)
    verb = "moved"
    if flags & TransferFlag.HOLD:
        verb = "held"
    elif flags & TransferFlag.CAPTURE:
        verb = f"captured of hold {format_id(int(transfer.hold))},"
    elif flags & (TransferFlag.RELEASE | TransferFlag.EXPIRY):
        verb = f"no longer held by hold {format_id(int(transfer.hold))},"
    amount = format_minor(int(transfer.amount), asset_decimals(transfer.asset))
    debit, credit = format_id(int(transfer.debit_account)), format_id(int(transfer.credit_account))
    return (
        f"transfer {format_id(int(transfer.id))}: {amount} {asset_code(transfer.asset)} {verb} from account {debit} "
        f"to account {credit}, {describe_time(int(transfer.time_ns))}."
    )


def describe_time(time_ns: int) -> str:
    """Write nanoseconds since 1970 as a date and time in UTC, to the nanosecond."""
    seconds, rest = divmod(time_ns, 10**9)
    try:
        moment = _START + timedelta(seconds=seconds)
    except OverflowError:
        return f"{time_ns} ns after 1970"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{rest:09d} UTC"
