"""Export accounts, transfers and balances: to CSV, Parquet, Arrow and pandas.

What is exported as CSV or Parquet imports again (:mod:`formicary.node.importing`) and comes to the same balances: an
account is written as its name, or as ``#`` and its id where it has none. Amounts are exact everywhere: decimal text in
CSV, ``decimal(23, 4)`` in Arrow and Parquet, which holds every int64 of minor units of every asset. Arrow, Parquet and
pandas need the extra ``data``; CSV needs nothing.
"""

from __future__ import annotations

import csv
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.base.ids import format_id, join_ids
from formicary.base.iso4217 import DECIMALS_MAX
from formicary.base.money import asset_code, asset_decimals, format_minor
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.node.import_map import flags_text
from formicary.node.surface import Records

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NamesOf: TypeAlias = Callable[[Iterable[int]], dict[int, str]]
"""Gives the names of those ids that have one."""
AMOUNT_DIGITS: Final = 19 + DECIMALS_MAX
"""An int64 has 19 digits; an amount of an asset without decimals gets the zeros of the finest one beside them."""


class Column(NamedTuple):
    """One column: ``text``, ``amount`` (minor units, with the assets beside them), ``integer`` or ``time`` (ns)."""

    name: str
    kind: str


def _columns(listed: str) -> tuple[Column, ...]:
    """Read columns written as ``name:kind``."""
    return tuple(Column(*pair.split(":")) for pair in listed.split())


TRANSFER_COLUMNS: Final = _columns(
    "id:text debit:text credit:text amount:amount asset:text code:integer flags:text hold:text timeout:integer "
    "user_data:text user_data_64:integer user_data_32:integer time:time"
)
ACCOUNT_COLUMNS: Final = _columns(
    "id:text name:text asset:text code:integer flags:text status:text balance:amount debits_posted:amount "
    "credits_posted:amount debits_held:amount credits_held:amount transfers:integer "
    "user_data:text user_data_64:integer user_data_32:integer time:time"
)
BALANCE_COLUMNS: Final = _columns(
    "name:text id:text asset:text code:integer balance:amount debits_posted:amount credits_posted:amount "
    "debits_held:amount credits_held:amount"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Some rows as columns, typed as :class:`Column` says, and the asset of each row for its amounts."""

    columns: Sequence[Column]
    cells: dict[str, Any]
    assets: npt.NDArray[np.uint32]


def transfer_frames(batches: Iterable[Records], names_of: NamesOf) -> Iterator[Frame]:
    """Turn stored transfers into frames."""
    for records in batches:
        debits = join_ids(records["debit_lo"], records["debit_hi"])
        credits_ = join_ids(records["credit_lo"], records["credit_hi"])
        names = names_of(dict.fromkeys(debits + credits_))
        yield Frame(
            TRANSFER_COLUMNS,
            {
                "id": _id_texts(records, "id"),
                "debit": [names.get(number) or f"#{format_id(number)}" for number in debits],
                "credit": [names.get(number) or f"#{format_id(number)}" for number in credits_],
                "amount": records["amount"],
                "asset": _texts(records["asset"], asset_code),
                "code": records["code"],
                "flags": _texts(records["flags"], lambda number: flags_text(number, TransferFlag)),
                "hold": _id_texts(records, "hold"),
                "timeout": records["timeout"],
                "time": records["time"],
                **_user_data(records),
            },
            records["asset"],
        )


def account_frames(
    batches: Iterable[Records], names_of: NamesOf, columns: Sequence[Column] = ACCOUNT_COLUMNS
) -> Iterator[Frame]:
    """Turn accounts into frames.

    ``flags`` are those to open the account with again: a status that a transfer gave is under ``status`` alone.
    """
    for records in batches:
        ids = join_ids(records["id_lo"], records["id_hi"])
        names = names_of(ids)
        status = AccountFlag.FROZEN | AccountFlag.CLOSED
        opening = np.where(records["transfers"] == 0, records["flags"], records["flags"] & ~np.uint16(status))
        yield Frame(
            columns,
            {
                "id": list(map(format_id, ids)),
                "name": [names.get(number, "") for number in ids],
                "asset": _texts(records["asset"], asset_code),
                "code": records["code"],
                "flags": _texts(opening, lambda number: flags_text(number, AccountFlag)),
                "status": _texts(records["flags"], _status),
                "balance": records["credits_posted"] - records["debits_posted"],
                "transfers": records["transfers"],
                "time": records["time"],
                **{name: records[name] for name in ("debits_posted", "credits_posted", "debits_held", "credits_held")},
                **_user_data(records),
            },
            records["asset"],
        )


def balance_frames(batches: Iterable[Records], names_of: NamesOf) -> Iterator[Frame]:
    """Turn accounts into frames of their balances alone."""
    return account_frames(batches, names_of, BALANCE_COLUMNS)


def write_csv(path: Path, columns: Sequence[Column], frames: Iterable[Frame]) -> int:
    """Write a CSV file, whole or not at all, and return its number of rows."""
    rows, partial = 0, path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for frame in frames:
            writer.writerows(zip(*(_csv_column(frame, column) for column in columns), strict=True))
            rows += len(frame.assets)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return rows


def write_parquet(path: Path, columns: Sequence[Column], frames: Iterable[Frame]) -> int:
    """Write a Parquet file, whole or not at all, and return its number of rows."""
    parquet = _extra("pyarrow.parquet")
    rows, partial = 0, path.with_name(path.name + ".partial")
    with parquet.ParquetWriter(partial, arrow_schema(columns), compression="zstd") as writer:
        for frame in frames:
            writer.write_batch(arrow_batch(frame))
            rows += len(frame.assets)
    partial.replace(path)
    return rows


def to_arrow(columns: Sequence[Column], frames: Iterable[Frame]) -> pa.Table:
    """Gather frames into one Arrow table."""
    return _extra("pyarrow").Table.from_batches([arrow_batch(frame) for frame in frames], arrow_schema(columns))


def to_pandas(columns: Sequence[Column], frames: Iterable[Frame]) -> pd.DataFrame:
    """Gather frames into one pandas frame, whose amounts stay exact decimals."""
    _extra("pandas")
    return to_arrow(columns, frames).to_pandas()


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow types of columns."""
    pa = _extra("pyarrow")
    types = {
        "text": pa.string(),
        "amount": pa.decimal128(AMOUNT_DIGITS, DECIMALS_MAX),
        "integer": pa.uint64(),
        "time": pa.timestamp("ns", tz="UTC"),
    }
    return pa.schema([(column.name, types[column.kind]) for column in columns])


def arrow_batch(frame: Frame) -> pa.RecordBatch:
    """Turn one frame into an Arrow batch."""
    pa = _extra("pyarrow")
    arrays = []
    for field, column in zip(arrow_schema(frame.columns), frame.columns, strict=True):
        values = frame.cells[column.name]
        if column.kind == "amount":
            arrays.append(_decimals(pa, field.type, values, frame.assets))
        elif column.kind == "time":
            arrays.append(pa.array(np.asarray(values, np.int64)).cast(field.type))
        else:
            arrays.append(pa.array(values).cast(field.type))
    return pa.record_batch(arrays, schema=arrow_schema(frame.columns))


def _decimals(pa: Any, kind: Any, minor: npt.NDArray[np.int64], assets: npt.NDArray[np.uint32]) -> Any:  # noqa: ANN401
    """Write minor units as 128-bit decimals of one scale, exactly: multiplied in Python's integers, not in int64."""
    scale = {asset: 10 ** (DECIMALS_MAX - asset_decimals(asset)) for asset in np.unique(assets).tolist()}
    raw = b"".join(
        [
            (amount * scale[asset]).to_bytes(16, "little", signed=True)
            for amount, asset in zip(minor.tolist(), assets.tolist(), strict=True)
        ]
    )
    return pa.Array.from_buffers(kind, len(minor), [None, pa.py_buffer(raw)])


def _csv_column(frame: Frame, column: Column) -> Sequence[Any]:
    values = frame.cells[column.name]
    if column.kind == "amount":
        decimals = {asset: asset_decimals(asset) for asset in np.unique(frame.assets).tolist()}
        return [
            format_minor(amount, decimals[asset])
            for amount, asset in zip(values.tolist(), frame.assets.tolist(), strict=True)
        ]
    if column.kind == "time":
        moments = np.datetime_as_string(np.asarray(values).astype("datetime64[ns]"), timezone="UTC")
        return [str(moment) for moment in moments.tolist()]
    return values if isinstance(values, list) else values.tolist()


def _texts(values: npt.NDArray[Any], write: Callable[[int], str]) -> list[str]:
    """Write a column of few different numbers: each is written once."""
    different, places = np.unique(values, return_inverse=True)
    texts = [write(number) for number in different.tolist()]
    return [texts[place] for place in places.tolist()]


def _id_texts(records: Records, field: str) -> list[str]:
    ids = join_ids(records[f"{field}_lo"], records[f"{field}_hi"])
    return [format_id(number) if number else "" for number in ids]


def _user_data(records: Records) -> dict[str, Any]:
    return {
        "user_data": _id_texts(records, "user_data"),
        "user_data_64": records["user_data_64"],
        "user_data_32": records["user_data_32"],
    }


def _status(flags: int) -> str:
    if flags & AccountFlag.CLOSED:
        return "closed"
    return "frozen" if flags & AccountFlag.FROZEN else "open"


def _extra(module: str) -> Any:  # noqa: ANN401 - a module
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Refusal(f"this needs {module}: pip install 'formicary[data]'", code="extra_missing") from None
