"""From rows to records: one chunk's columns become transfer or account records, and what is wrong becomes problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import BadInput, Refusal
from formicary.base.ids import split_ids
from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER, AccountFlag, TransferFlag
from formicary.node.import_accounts import NO_ACCOUNT, AccountBook
from formicary.node.import_map import (
    Cells,
    ColumnMap,
    asset_number,
    flags_from,
    reference,
    time_ns,
    user_data,
    whole_number,
)
from formicary.node.import_source import Problem, Rows
from formicary.node.names import Names, check_name
from formicary.node.surface import Records

Lines = npt.NDArray[np.int64]

_CAPTURE: Final = int(TransferFlag.CAPTURE)
_RELEASE: Final = int(TransferFlag.RELEASE)
_IMPORTED: Final = np.uint16(TransferFlag.IMPORTED)
_EXPIRY: Final = np.uint16(TransferFlag.EXPIRY)
_NOT_AT_OPENING: Final = np.uint16(AccountFlag.CLOSED | AccountFlag.IMPORTED)
_LINKED: Final = np.uint16(TransferFlag.LINKED)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A chunk as records, the line of each, which of them can't be used, and why."""

    records: Records
    lines: Lines
    bad: npt.NDArray[np.bool_]
    problems: list[Problem]


def parse_transfers(rows: Rows, column_map: ColumnMap, names: Names, book: AccountBook) -> Parsed:
    """Make transfer records of a chunk; accounts that are new are opened on the way."""
    cells = Cells(rows, column_map)
    records = np.zeros(cells.count, TRANSFER)
    assets = cells.few("asset", asset_number, 0)
    flags = cells.few("flags", lambda text: flags_from(text, TransferFlag), 0)
    ids = cells.ids("id", names.transfer_id)
    records["asset"] = assets
    records["amount"] = cells.amounts(assets)
    _fill_common(records, cells)
    if cells.has("time"):
        records["time"] = cells.each("time", time_ns, 0)
    records["flags"] = _allowed_flags(flags, ids, names, timed=cells.has("time"))
    records["id_lo"], records["id_hi"] = split_ids(ids)
    if cells.has("hold"):
        holds = cells.few("hold", lambda text: reference(text, names.transfer_id) if text else 0, 0)
        records["hold_lo"], records["hold_hi"] = split_ids(holds)
    if cells.has("timeout"):
        records["timeout"] = cells.few("timeout", lambda text: whole_number(text, 2**32 - 1), 0)
    _fill_accounts(records, cells, assets, book)
    return _parsed(records, cells)


def parse_accounts(rows: Rows, column_map: ColumnMap, names: Names) -> Parsed:
    """Make account records of a chunk. A name with an id beside it gets that id; a name alone gets its own."""
    cells = Cells(rows, column_map)
    records = np.zeros(cells.count, ACCOUNT)
    assets = cells.few("asset", asset_number, 0)
    flags = cells.few("flags", lambda text: flags_from(text, AccountFlag), 0)
    records["asset"] = assets
    records["flags"] = np.array(flags, np.uint16) & ~_NOT_AT_OPENING
    _fill_common(records, cells)
    texts = cells.each("name", lambda text: check_name(text) if text else text, "")
    ids = cells.each("id", lambda text: reference(text, _no_reference) if text else 0, 0)
    for place, (number, name) in enumerate(zip(ids, texts, strict=True)):
        if not number and not name and place not in cells.bad:
            cells.note(place, "name" if cells.has("name") else "id", "a row needs an id or a name")
    _bind_names(cells, assets, texts, ids, names)
    records["id_lo"], records["id_hi"] = split_ids(ids)
    return _parsed(records, cells)


def whole_chains(parsed: Parsed, *, at_the_end: bool = False) -> tuple[Parsed, Parsed]:
    """Drop rows that can't be used, each with the whole of its linked chain; split off a chain still open at the end.

    Returns what is ready to post and what must wait for the next chunk; ``at_the_end`` of the file nothing waits.
    """
    linked = (parsed.records["flags"] & _LINKED) != 0
    if not linked.any():
        return _where(parsed, ~parsed.bad, parsed.problems), _where(parsed, np.zeros(len(linked), np.bool_), [])
    chain = np.cumsum(np.concatenate(([False], ~linked[:-1])))
    open_end = np.full(len(linked), bool(linked[-1]) and not at_the_end) & (chain == chain[-1])
    broken = np.isin(chain, chain[parsed.bad]) & ~open_end
    problems = parsed.problems + [
        Problem(int(line), "flags", "another row of its linked chain is wrong")
        for line in parsed.lines[broken & ~parsed.bad]
    ]
    return _where(parsed, ~broken & ~open_end, problems), _where(parsed, open_end, [])


def joined(first: Parsed, second: Parsed) -> Parsed:
    """Put two chunks together, in order."""
    return Parsed(
        np.concatenate([first.records, second.records]),
        np.concatenate([first.lines, second.lines]),
        np.concatenate([first.bad, second.bad]),
        first.problems + second.problems,
    )


def batches_of(parsed: Parsed) -> list[tuple[Records, Lines]]:
    """Cut records into batches of at most BATCH_MAX, never inside a linked chain."""
    batches, start, count = [], 0, len(parsed.records)
    ends = np.flatnonzero((parsed.records["flags"] & _LINKED) == 0) + 1
    while start < count:
        stop = count
        if count - start > BATCH_MAX:
            fits = ends[(ends > start) & (ends <= start + BATCH_MAX)]
            if not len(fits):
                line = int(parsed.lines[start])
                raise BadInput(f"the linked chain that starts in line {line} is longer than {BATCH_MAX:,} rows")
            stop = int(fits[-1])
        batches.append((parsed.records[start:stop], parsed.lines[start:stop]))
        start = stop
    return batches


def _fill_common(records: Records, cells: Cells) -> None:
    """Fill what transfers and accounts both have."""
    records["code"] = cells.few("code", lambda text: whole_number(text, 0xFFFF, least=1), 1)
    if cells.has("user_data"):
        records["user_data_lo"], records["user_data_hi"] = split_ids(cells.each("user_data", user_data, 0))
    if cells.has("user_data_64"):
        records["user_data_64"] = cells.each("user_data_64", lambda text: whole_number(text, 2**64 - 1), 0)
    if cells.has("user_data_32"):
        records["user_data_32"] = cells.each("user_data_32", lambda text: whole_number(text, 2**32 - 1), 0)


def _allowed_flags(flags: Sequence[int], ids: list[int], names: Names, *, timed: bool) -> npt.NDArray[np.uint16]:
    """Set IMPORTED on rows that bring a time and on no others, and make releases of another ledger's expiries.

    An expiry's id and flag are that ledger's own, so its release gets an id that is derived from it.
    """
    asked = np.array(flags, np.uint16)
    expired = (asked & _EXPIRY) != 0
    for place in np.flatnonzero(expired):
        ids[place] = names.transfer_id(f"expiry/{ids[place]}")
    asked = np.where(expired, asked & ~_EXPIRY | _RELEASE, asked)
    return asked | _IMPORTED if timed else asked & ~_IMPORTED


def _fill_accounts(records: Records, cells: Cells, assets: Sequence[int], book: AccountBook) -> None:
    """Resolve both account columns at once, so that new accounts of a chunk open together."""
    columns = {field: cells.texts(field) for field in ("debit", "credit")}
    usable = None if not cells.bad else [place not in cells.bad for place in range(cells.count)]
    book.resolve(assets, columns.values(), usable)
    for field, texts in columns.items():
        found = book.ids_of(assets, texts)
        if None in found:
            _note_missing(records, cells, field, found, book)
        halves = np.frombuffer(b"".join([each or NO_ACCOUNT for each in found]), "<u8").reshape(-1, 2)
        records[f"{field}_lo"], records[f"{field}_hi"] = halves[:, 0], halves[:, 1]


def _note_missing(records: Records, cells: Cells, field: str, found: Sequence[bytes | None], book: AccountBook) -> None:
    """Say why an account was not found; only a capture or release may leave it out."""
    texts = cells.texts(field)
    for place in [place for place, each in enumerate(found) if each is None and place not in cells.bad]:
        if texts[place]:
            cells.note(place, field, book.why_not(int(records["asset"][place]), texts[place]))
        elif not int(records["flags"][place]) & (_CAPTURE | _RELEASE):
            cells.note(place, field, f"the {field} account is missing")


def _bind_names(cells: Cells, assets: Sequence[int], texts: Sequence[str], ids: list[int], names: Names) -> None:
    """Give names alone their ids, and keep names that come with an id."""
    for asset in dict.fromkeys(assets):
        places = [p for p, each in enumerate(assets) if each == asset and texts[p] and p not in cells.bad]
        alone = [place for place in places if not ids[place]]
        for place, number in zip(alone, names.ids([texts[place] for place in alone], asset), strict=True):
            ids[place] = number
        for place in [place for place in places if place not in set(alone)]:
            try:
                names.adopt(ids[place], asset, texts[place])
            except Refusal as error:
                cells.note(place, "name", str(error))


def _no_reference(text: str) -> int:
    raise BadInput(f"{text!r} is not an account's id")


def _parsed(records: Records, cells: Cells) -> Parsed:
    bad = np.zeros(cells.count, np.bool_)
    bad[list(cells.bad)] = True
    return Parsed(records, np.asarray(cells.lines, np.int64), bad, cells.problems)


def _where(parsed: Parsed, keep: npt.NDArray[np.bool_], problems: list[Problem]) -> Parsed:
    if keep.all():
        return Parsed(parsed.records, parsed.lines, parsed.bad, problems)
    return Parsed(parsed.records[keep], parsed.lines[keep], parsed.bad[keep], problems)
