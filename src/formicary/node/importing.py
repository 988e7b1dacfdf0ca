"""Import transfers or accounts from a CSV or Parquet file into a ledger.

An import may be run again: a row whose transfer is there already, with the same fields, counts as ``existed``. Rows
that can't be read or that the ledger refuses are reported, each with its line, and the others are posted; or,
``atomic``, nothing is posted unless every row can be. How that is kept: every row is parsed and set aside on disk, then
all are rehearsed against the ledger's balances as they are, on its own kernel, and undone; only when each was accepted
are they posted. Up to 8,190 rows go into one entry of the log, so that not even a power cut leaves half of them. More
rows take several entries: after a crash in between, running the same import again completes it. The ledger must be open
in this process and nobody else may post meanwhile; the command line sees to both.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Protocol

import numpy as np

from formicary.base.errors import Refusal
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.node.import_accounts import AccountBook
from formicary.node.import_map import ACCOUNT_FIELDS, TRANSFER_FIELDS, ColumnMap
from formicary.node.import_records import (
    Lines,
    Parsed,
    batches_of,
    joined,
    parse_accounts,
    parse_transfers,
    whole_chains,
)
from formicary.node.import_source import Problem, Rows, Source
from formicary.node.names import Names
from formicary.node.surface import Codes, Records, Surface, Ticket

PROBLEMS_MAX: Final = 100_000
"""Problems kept and told one by one; beyond that they are only counted."""
IN_FLIGHT_MAX: Final = 8
"""Batches submitted and not yet answered."""

Progress = Callable[[int, int], None]
"""Called with how far the file is read, in its source's unit, and how many rows that is."""


class CanRehearse(Protocol):
    """What an atomic import needs of a ledger beside its surface."""

    def rehearse(self, accounts: Iterable[Records], transfers: Iterable[Records]) -> list[Codes]:
        """Try batches against the present state and undo them; return the codes that each batch would get."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read and what to allow; see docs/how-to/import-and-export.md."""

    maps: Sequence[str] = ()
    constants: dict[str, str] = field(default_factory=dict)
    atomic: bool = False
    open_new: bool = True
    open_flags: int = 0
    open_code: int = 1
    keep_times: bool = False


@dataclass(slots=True)
class ImportReport:
    """What came of an import: every row is counted under exactly one code, or is among the problems unread."""

    rows: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    accounts_opened: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    posted: bool = True
    """False when an atomic import found something wrong, and so left everything as it was."""

    @property
    def accepted(self) -> int:
        """Rows posted (or opened) now."""
        return self.codes["ok"]

    @property
    def existed(self) -> int:
        """Rows that were there already, the same."""
        return self.codes["exists"]

    @property
    def clean(self) -> bool:
        """Whether every row is in the ledger."""
        return self.problem_count == 0

    def add_problems(self, problems: Sequence[Problem]) -> None:
        """Count problems, and keep them while there is room."""
        self.problem_count += len(problems)
        self.problems.extend(problems[: PROBLEMS_MAX - len(self.problems)])

    def as_dict(self) -> dict[str, Any]:
        """Give the counts and the problems as plain values."""
        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "existed": self.existed,
            "accounts_opened": self.accounts_opened,
            "posted": self.posted,
            "codes": dict(sorted(self.codes.items())),
            "problem_count": self.problem_count,
            "problems": [problem._asdict() for problem in self.problems],
        }


def import_transfers(
    ledger: Surface, names: Names, source: Source, options: ImportOptions, progress: Progress | None = None
) -> ImportReport:
    """Post a file's transfers and say what came of every row."""
    left_out = () if options.keep_times else ("time",)
    column_map = _column_map(source, TRANSFER_FIELDS, options, left_out)
    column_map.need("id", "debit", "credit", "asset")
    if "amount_minor" not in column_map.sources:
        column_map.need("amount")
    book = AccountBook(
        ledger,
        names,
        open_new=options.open_new,
        flags=options.open_flags,
        code=options.open_code,
        held_back=options.atomic,
    )
    kind = _Kind(TRANSFER, TransferCode, ledger.submit_transfers)
    reading = _Reading(source, column_map, lambda rows: parse_transfers(rows, column_map, names, book), progress)
    report = _all_or_nothing(ledger, names, kind, reading, book) if options.atomic else _row_by_row(kind, reading)
    report.accounts_opened = book.opened if report.posted else 0
    return report


def import_accounts(
    ledger: Surface, names: Names, source: Source, options: ImportOptions, progress: Progress | None = None
) -> ImportReport:
    """Open a file's accounts and say what came of every row."""
    column_map = _column_map(source, ACCOUNT_FIELDS, options, ())
    column_map.need("asset")
    if "name" not in column_map.sources:
        column_map.need("id")
    kind = _Kind(ACCOUNT, AccountCode, ledger.submit_accounts)
    reading = _Reading(source, column_map, lambda rows: parse_accounts(rows, column_map, names), progress)
    report = _all_or_nothing(ledger, names, kind, reading, None) if options.atomic else _row_by_row(kind, reading)
    report.accounts_opened = report.accepted if report.posted else 0
    return report


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is imported: transfers or accounts."""

    record: np.dtype[np.void]
    codes: type[TransferCode | AccountCode]
    submit: Callable[[Records], Ticket]


class _Reading:
    """The file's batches, ready to post; what can't be read goes into the report."""

    def __init__(
        self, source: Source, column_map: ColumnMap, parse: Callable[[Rows], Parsed], progress: Progress | None
    ) -> None:
        self.report = ImportReport()
        self._source = source
        self._column_map = column_map
        self._parse = parse
        self._progress = progress or (lambda _position, _rows: None)

    def batches(self) -> Iterator[tuple[Records, Lines]]:
        """Read the file to its end, chunk by chunk; a linked chain is never cut by a chunk's end."""
        waiting: Parsed | None = None
        for rows in self._source.chunks(self._column_map.columns()):
            parsed = self._parse(rows)
            self.report.rows += len(rows.lines) + len(rows.problems)
            ready, rest = whole_chains(joined(waiting, parsed) if waiting else parsed)
            self.report.add_problems(ready.problems)
            yield from batches_of(ready)
            waiting = rest if len(rest.records) else None
            self._progress(self._source.position, self.report.rows)
        if waiting:
            ready = whole_chains(waiting, at_the_end=True)[0]
            self.report.add_problems(ready.problems)
            yield from batches_of(ready)


class _Posting:
    """Submits batches, a few ahead of their answers, and counts the answers."""

    def __init__(self, kind: _Kind, report: ImportReport) -> None:
        self._kind = kind
        self._report = report
        self._open: deque[tuple[Ticket, Lines]] = deque()

    def add(self, records: Records, lines: Lines) -> None:
        """Submit one batch; wait for an older one when too many are open."""
        self._open.append((self._kind.submit(records), lines))
        if len(self._open) > IN_FLIGHT_MAX:
            self._settle_oldest()

    def finish(self) -> None:
        """Wait for every answer."""
        while self._open:
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        ticket, lines = self._open.popleft()
        count_codes(self._report, self._kind.codes, ticket.result(), lines)


class _Spool:
    """Batches set aside on disk, so that a file of any size can be checked whole before its first row is posted."""

    def __init__(self, record: np.dtype[np.void]) -> None:
        self._record = record
        self._records: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - close() ends both files
        self._lines: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
        self._lengths: list[int] = []

    def add(self, records: Records, lines: Lines) -> None:
        """Set one batch aside."""
        self._records.write(records.tobytes())
        self._lines.write(lines.tobytes())
        self._lengths.append(len(records))

    def batches(self) -> Iterator[tuple[Records, Lines]]:
        """Give every batch back, in order."""
        self._records.seek(0)
        self._lines.seek(0)
        for length in self._lengths:
            records = np.frombuffer(self._records.read(length * self._record.itemsize), self._record)
            yield records, np.frombuffer(self._lines.read(length * 8), np.int64)

    def close(self) -> None:
        """Throw it away."""
        self._records.close()
        self._lines.close()


def _row_by_row(kind: _Kind, reading: _Reading) -> ImportReport:
    posting = _Posting(kind, reading.report)
    for records, lines in reading.batches():
        posting.add(records, lines)
    posting.finish()
    return reading.report


def _all_or_nothing(
    ledger: Surface, names: Names, kind: _Kind, reading: _Reading, book: AccountBook | None
) -> ImportReport:
    """Parse all, rehearse all, and only then keep the names, open the accounts and post."""
    spool, report = _Spool(kind.record), reading.report
    try:
        with names.attempt() as attempt:
            for records, lines in reading.batches():
                spool.add(records, lines)
            if report.clean:
                _rehearse(ledger, kind, spool, book, report)
            if report.clean:
                attempt.keep()
        if report.clean:
            _post_spool(ledger, kind, spool, book, report)
        else:
            report.posted = False
    finally:
        spool.close()
    return report


def _post_spool(ledger: Surface, kind: _Kind, spool: _Spool, book: AccountBook | None, report: ImportReport) -> None:
    for batch in book.waiting if book else ():
        ledger.open_accounts(batch)
    posting = _Posting(kind, report)
    for records, lines in spool.batches():
        posting.add(records, lines)
    posting.finish()


def _rehearse(ledger: Surface, kind: _Kind, spool: _Spool, book: AccountBook | None, report: ImportReport) -> None:
    """Try everything against the ledger as it is; what would be refused becomes a problem, and nothing is counted."""
    if not hasattr(ledger, "rehearse"):
        raise Refusal("an atomic import needs the ledger opened in this process", code="not_here")
    stage: CanRehearse = ledger
    openings = list(book.waiting) if book else []
    batches = (records for records, _ in spool.batches())
    codes = stage.rehearse(openings, batches) if kind.record == TRANSFER else stage.rehearse(batches, ())
    would_be = ImportReport()
    for (_, lines), batch_codes in zip(spool.batches(), codes[len(openings) :], strict=True):
        count_codes(would_be, kind.codes, batch_codes, lines)
    report.add_problems(would_be.problems)
    report.problem_count += would_be.problem_count - len(would_be.problems)


def count_codes(report: ImportReport, kind: type[TransferCode | AccountCode], codes: Codes, lines: Lines) -> None:
    """Count one batch's answers; those that are neither ok nor exists become problems."""
    values, counts = np.unique(codes, return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        report.codes[kind(value).name.lower()] += count
    refused = np.flatnonzero((codes != kind.OK) & (codes != kind.EXISTS))
    report.add_problems([_refusal(kind(codes[place]), int(lines[place])) for place in refused])


def _refusal(code: TransferCode | AccountCode, line: int) -> Problem:
    """Name the field that a code is about, where its name tells."""
    name = code.name
    fields = [
        ("DEBIT_ACCOUNT", "debit"), ("EXCEEDS_CREDITS", "debit"), ("OVERFLOWS_DEBITS", "debit"),
        ("CREDIT_ACCOUNT", "credit"), ("EXCEEDS_DEBITS", "credit"), ("OVERFLOWS_CREDITS", "credit"),
        ("AMOUNT", "amount"), ("ASSET", "asset"), ("HOLD", "hold"), ("TIME", "time"), ("ID_", "id"),
    ]  # fmt: skip
    field = next((field for part, field in fields if part in name), "")
    return Problem(line, field, f"refused: {name.lower()}")


def _column_map(source: Source, fields: Sequence[str], options: ImportOptions, left_out: Sequence[str]) -> ColumnMap:
    return ColumnMap(source.header, fields, maps=options.maps, constants=options.constants, leave_out=left_out)
