"""Bulk posting: thousands of accounts or transfers in one request, straight into the ledger's arrays.

For the institution's own systems (scope ``ledger:write``): what they post is on the log and in the receipts like all
else, but no product looks at it. A request carries up to 8,190 records, as JSON or as the raw 128-byte records that
:mod:`formicary.kernel.records` describes; its answer has one code for each record, in order. A whole batch is one entry
of the log; records that are refused change nothing and don't stop the others, unless they are linked.

The id of a record makes a retry harmless, so no Idempotency-Key is needed: what arrived before answers ``EXISTS``.

JSON is decoded by msgspec into plain structs and put into columns, so that no record is touched by a Python loop of its
own: 8,190 transfers are read in about 10 ms.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from starlette.responses import Response

from formicary.base.errors import BadInput, FormicaryError
from formicary.base.money import parse_asset
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.records import ACCOUNT, BATCH_MAX, RECORD_BYTES, TRANSFER, AccountFlag, TransferFlag
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.node.surface import Records, Ticket

RAW: Final = "application/octet-stream"
BATCH_BODY_BYTES_MAX: Final = 6 << 20
"""8,190 transfers with every field, as JSON."""
CODES: Final = {
    "batch_too_long": "A batch has 1 to 8,190 records.",
    "record_malformed": "A record of the batch can't be read; the place says which.",
}

Id = Annotated[str, msgspec.Meta(min_length=32, max_length=32, description="128 bits, 32 hexadecimal digits")]
U64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
U16 = Annotated[int, msgspec.Meta(ge=1, le=2**16 - 1)]
NONE: Final = "0" * 32
_HEX: Final = re.compile("[0-9a-fA-F]{32}")


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One transfer; ids are 32 hexadecimal digits, big-endian, as in every other place of the API."""

    id: Id
    debit: Id
    credit: Id
    amount_minor: U64
    asset: Annotated[str, msgspec.Meta(max_length=12)]
    code: U16
    """Why: the caller's own kinds of transfer."""
    flags: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()
    """Such as ``linked`` or ``hold``: :class:`TransferFlag` in lower case."""
    hold: Id = NONE
    """The hold that this captures or releases."""
    timeout_s: U32 = 0
    user_data: Id = NONE
    user_data_64: U64 = 0
    user_data_32: U32 = 0


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One account to open."""

    id: Id
    asset: Annotated[str, msgspec.Meta(max_length=12)]
    code: U16
    """The caller's chart of accounts."""
    flags: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()
    """Such as ``debits_limited``: :class:`AccountFlag` in lower case."""
    user_data: Id = NONE
    user_data_64: U64 = 0
    user_data_32: U32 = 0


class BatchAnswer(msgspec.Struct, frozen=True):
    """One code for each record, in order, such as ``OK``, ``EXISTS`` or ``EXCEEDS_CREDITS``."""

    codes: tuple[str, ...]


_TRANSFERS: Final = msgspec.json.Decoder(list[NewTransfer])
_ACCOUNTS: Final = msgspec.json.Decoder(list[NewAccount])


def read_transfers(body: bytes) -> Records:
    """Read a JSON array of transfers as records; refuse what is not one, saying where."""
    rows = _decode(_TRANSFERS, body)
    records = np.zeros(len(rows), TRANSFER)
    _put_ids(records, rows, ("id", "debit", "credit", "hold", "user_data"))
    _put_numbers(
        records,
        rows,
        amount_minor="amount",
        code="code",
        timeout_s="timeout",
        user_data_64="user_data_64",
        user_data_32="user_data_32",
    )
    records["asset"] = _looked_up(_column(rows, "asset"), _asset)
    records["flags"] = _looked_up(_column(rows, "flags"), _flags_of(TransferFlag))
    return records


def read_accounts(body: bytes) -> Records:
    """Read a JSON array of accounts as records; refuse what is not one, saying where."""
    rows = _decode(_ACCOUNTS, body)
    records = np.zeros(len(rows), ACCOUNT)
    _put_ids(records, rows, ("id", "user_data"))
    _put_numbers(records, rows, code="code", user_data_64="user_data_64", user_data_32="user_data_32")
    records["asset"] = _looked_up(_column(rows, "asset"), _asset)
    records["flags"] = _looked_up(_column(rows, "flags"), _flags_of(AccountFlag))
    return records


def read_raw(body: bytes, record: np.dtype[np.void]) -> Records:
    """Read raw records; refuse a length that is no whole number of them."""
    if not body or len(body) % RECORD_BYTES or len(body) > BATCH_MAX * RECORD_BYTES:
        raise Problem("batch_too_long", f"{len(body):,} bytes are not 1 to 8,190 records of 128", status=422)
    return np.frombuffer(body, record)


def _decode(decoder: msgspec.json.Decoder[list[Any]], body: bytes) -> list[Any]:
    try:
        rows = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(str(error), where="batch") from None
    if not 0 < len(rows) <= BATCH_MAX:
        raise Problem("batch_too_long", f"{len(rows):,} records; {CODES['batch_too_long']}", status=422)
    return rows


def _column(rows: list[Any], name: str) -> list[Any]:
    """Take one field of all rows: a list, and no tuple for each row that the collector would look at."""
    return list(map(attrgetter(name), rows))


def _put_numbers(records: Records, rows: list[Any], **fields: str) -> None:
    """Write fields of integers, each as a column."""
    for name, field in fields.items():
        records[field] = np.fromiter(map(attrgetter(name), rows), np.int64, len(rows))


def _put_ids(records: Records, rows: list[Any], names: Sequence[str]) -> None:
    """Write columns of hexadecimal ids, all of them in one reading of hexadecimal digits; unused ones stay zero."""
    columns = {name: _column(rows, name) for name in names}
    used = {name: column for name, column in columns.items() if column.count(NONE) != len(column)}
    if not used:
        return
    try:
        raw = bytes.fromhex("".join(["".join(column) for column in used.values()]))
    except ValueError:
        raw = b""
    if len(raw) != 16 * len(rows) * len(used):
        raise _wrong_id(used)
    halves = np.frombuffer(raw, ">u8").reshape(len(used), len(rows), 2)
    for at, name in enumerate(used):
        records[f"{name}_hi"], records[f"{name}_lo"] = halves[at, :, 0], halves[at, :, 1]


def _wrong_id(columns: dict[str, list[str]]) -> BadInput:
    """Find the id that is none, now that it is known that there is one."""
    for name, column in columns.items():
        for at, text in enumerate(column):
            if not _HEX.fullmatch(text):
                return BadInput("an id is 32 hexadecimal digits", where=f"[{at}].{name}", code="record_malformed")
    return BadInput("an id is 32 hexadecimal digits", where="batch", code="record_malformed")


def _looked_up(column: Sequence[Any], look_up: Callable[[Any], int]) -> npt.NDArray[np.int64]:
    """Translate a column that has few different values."""
    different = dict.fromkeys(column, 0)
    for value in different:
        try:
            different[value] = look_up(value)
        except (FormicaryError, KeyError):
            at = column.index(value)
            raise BadInput(f"{value!r} is not known", where=f"[{at}]", code="record_malformed") from None
    if len(different) == 1:
        return np.full(len(column), next(iter(different.values())), np.int64)
    return np.fromiter(map(different.__getitem__, column), np.int64, len(column))


def _asset(text: str) -> int:
    return int(parse_asset(text))


def _flags_of(kind: type[TransferFlag | AccountFlag]) -> Callable[[tuple[str, ...]], int]:
    numbers = {flag.name.lower(): int(flag) for flag in kind if flag.name}
    return lambda names: sum({numbers[name] for name in names})


_ACCOUNT_NAMES: Final = {int(code): f'"{code.name}"' for code in AccountCode}
_TRANSFER_NAMES: Final = {int(code): f'"{code.name}"' for code in TransferCode}


def write_codes(codes: npt.NDArray[np.uint16], names: dict[int, str]) -> bytes:
    """Write the JSON answer of a batch."""
    return f'{{"codes":[{",".join(map(names.__getitem__, codes.tolist()))}]}}'.encode()


class Batches:
    """The two bulk routes of one door."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def transfers(self, asked: Asked) -> Response:
        """Post transfers."""
        return await self._run(asked, read_transfers, TRANSFER, self._door.ledger.submit_transfers, _TRANSFER_NAMES)

    async def accounts(self, asked: Asked) -> Response:
        """Open accounts."""
        return await self._run(asked, read_accounts, ACCOUNT, self._door.ledger.submit_accounts, _ACCOUNT_NAMES)

    async def _run(
        self,
        asked: Asked,
        read_json: Callable[[bytes], Records],
        record: np.dtype[np.void],
        submit: Callable[[Records], Ticket],
        names: dict[int, str],
    ) -> Response:
        """Read, submit and answer off the loop: a full pipeline makes its submitter wait, and nobody else."""
        body = await asked.request.body()
        raw = asked.request.headers.get("content-type", "").partition(";")[0].strip().lower() == RAW

        def work() -> Ticket:
            return submit(read_raw(body, record) if raw else read_json(body))

        codes = await asyncio.wrap_future(await self._door.aside(work))
        if raw:
            return Response(codes.astype("<u2", copy=False).tobytes(), media_type=RAW)
        return Response(write_codes(codes, names), media_type="application/json")


def routes(door: Door) -> list[Route]:
    """The bulk routes."""
    batches = Batches(door)
    return [
        Route(
            method="POST",
            path="/v1/transfers:batch",
            handle=batches.transfers,
            summary="Post up to 8,190 transfers in one entry; JSON, or raw records of 128 bytes.",
            access=Access.OPERATOR,
            scope="ledger:write",
            answer=BatchAnswer,
            also=(RAW,),
            body_bytes_max=BATCH_BODY_BYTES_MAX,
            codes=tuple(CODES),
        ),
        Route(
            method="POST",
            path="/v1/accounts:batch",
            handle=batches.accounts,
            summary="Open up to 8,190 accounts in one entry; JSON, or raw records of 128 bytes.",
            access=Access.OPERATOR,
            scope="ledger:write",
            answer=BatchAnswer,
            also=(RAW,),
            body_bytes_max=BATCH_BODY_BYTES_MAX,
            codes=tuple(CODES),
        ),
    ]


assert BATCH_BODY_BYTES_MAX > BATCH_MAX * RECORD_BYTES
