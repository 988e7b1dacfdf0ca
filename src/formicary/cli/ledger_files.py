"""``formicary ledger import`` and ``export``: a ledger's rows from and to CSV and Parquet files."""

from __future__ import annotations

import csv
import enum
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from formicary.base.errors import BadInput
from formicary.cli.options import AsJson, AssetOption, LedgerOption, names_of, open_follower, writing
from formicary.cli.output import REFUSED, progress_bar, say, show_json, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from formicary.node.importing import ImportReport

PROBLEMS_SHOWN: Final = 20
"""Problems printed; when there are more, all go into a file."""


class ImportKind(enum.StrEnum):
    """What a file to import holds."""

    TRANSFERS = "transfers"
    ACCOUNTS = "accounts"


class ExportKind(enum.StrEnum):
    """What can be exported."""

    TRANSFERS = "transfers"
    ACCOUNTS = "accounts"
    BALANCES = "balances"


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or .parquet file.", show_default=False)],
    *,
    ledger: LedgerOption,
    kind: Annotated[ImportKind, typer.Option("--kind", help="What a row is.")] = ImportKind.TRANSFERS,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", "-m", metavar="FIELD=COLUMN", help="Also a template: credit={bank}:{account}, id=A-{row}."
        ),
    ] = None,
    constants: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="The same value for every row.")
    ] = None,
    asset: AssetOption = None,
    code: Annotated[str | None, typer.Option(help="Code of every row: your own kind of transfer.")] = None,
    atomic: Annotated[bool, typer.Option("--atomic", help="Post all rows, or none if any is wrong.")] = False,
    open_new: Annotated[bool, typer.Option("--open/--no-open", help="Open accounts that are new.")] = True,
    open_flags: Annotated[str, typer.Option(metavar="FLAGS", help="Flags of accounts opened, as debits_limited.")] = "",
    open_code: Annotated[int, typer.Option(min=1, max=65535, help="Code of accounts opened.")] = 1,
    keep_times: Annotated[bool, typer.Option("--keep-times", help="Keep the times of the column time.")] = False,
    delimiter: Annotated[str | None, typer.Option(help="Between fields. Found in the header if not given.")] = None,
    quote: Annotated[str, typer.Option(help="Around fields; empty for none.")] = '"',
    encoding: Annotated[str, typer.Option(help="utf-8, latin-1, cp1250 …")] = "utf-8",
    header: Annotated[bool, typer.Option("--header/--no-header", help="Without one, columns are 1, 2, 3 …")] = True,
    problems: Annotated[Path | None, typer.Option(help="Write every problem to this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import transfers or accounts from a file.

    A header id,debit,credit,amount,asset needs no map; code, flags, hold, timeout and user_data are read when
    there. Accounts are names (or # and an id), opened when new. Importing a file again posts nothing twice.
    """
    from formicary.kernel.records import AccountFlag
    from formicary.node.import_map import flags_from
    from formicary.node.import_source import open_source
    from formicary.node.importing import ImportOptions, import_accounts, import_transfers

    options = ImportOptions(
        maps=maps or (),
        constants=_constants(constants or [], asset=asset, code=code),
        atomic=atomic,
        open_new=open_new,
        open_flags=flags_from(open_flags, AccountFlag),
        open_code=open_code,
        keep_times=keep_times,
    )
    run = import_transfers if kind is ImportKind.TRANSFERS else import_accounts
    with (
        closing(open_source(file, delimiter=delimiter, quote=quote, encoding=encoding, header=header)) as source,
        writing(ledger) as opened,
        names_of(ledger, read_only=False) as names,
        progress_bar(f"importing {file.name}", source.size) as bar,
    ):
        report = run(opened, names, source, options, bar.at)
    _tell(report, file, problems, kind=kind, as_json=as_json)


def export_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To be made: .csv or .parquet.", show_default=False)],
    *,
    ledger: LedgerOption,
    kind: Annotated[ExportKind, typer.Option("--kind", help="What to export.")] = ExportKind.TRANSFERS,
    as_json: AsJson = False,
) -> None:
    """Export transfers, accounts or balances to a file.

    They are as of one moment. What is exported can be imported again.
    """
    from formicary.node import exporting

    make, columns = {
        ExportKind.TRANSFERS: (exporting.transfer_frames, exporting.TRANSFER_COLUMNS),
        ExportKind.ACCOUNTS: (exporting.account_frames, exporting.ACCOUNT_COLUMNS),
        ExportKind.BALANCES: (exporting.balance_frames, exporting.BALANCE_COLUMNS),
    }[kind]
    write = exporting.write_parquet if file.suffix.lower() in {".parquet", ".pq"} else exporting.write_csv
    with open_follower(ledger) as opened, names_of(ledger) as names:
        batches = opened.transfer_records() if kind is ExportKind.TRANSFERS else [opened.account_records()]
        rows = write(file, columns, make(batches, names.of))
    if as_json:
        show_json({"file": str(file), "kind": kind, "rows": rows, "bytes": file.stat().st_size})
    else:
        say(f"{rows:,} {kind} written to {file}")


def _constants(given: Sequence[str], *, asset: str | None, code: str | None) -> dict[str, str]:
    constants = {}
    for text in given:
        field, equals, value = text.partition("=")
        if not equals:
            raise BadInput(f"{text!r} is not FIELD=VALUE", where="--set")
        constants[field] = value
    return constants | ({"asset": asset} if asset else {}) | ({"code": code} if code else {})


def _tell(report: ImportReport, file: Path, problems: Path | None, *, kind: ImportKind, as_json: bool) -> None:
    """Print the report, write what is too long for the screen to a file, and fail when a row is not in the ledger."""
    if problems is None and report.problem_count > PROBLEMS_SHOWN:
        problems = Path(f"{file.stem}.problems.csv")
    if problems is not None:
        _write_problems(report, problems)
    if as_json:
        show_json(_json_of(report, file, problems))
    else:
        _say_report(report, file, problems, kind)
    if not report.clean:
        raise typer.Exit(REFUSED)


def _say_report(report: ImportReport, file: Path, problems: Path | None, kind: ImportKind) -> None:
    if report.posted:
        done = "posted" if kind is ImportKind.TRANSFERS else "opened"
        parts = [f"{report.accepted:,} {done}", f"{report.existed:,} there already"]
        opened = f"; {report.accounts_opened:,} accounts opened" if kind is ImportKind.TRANSFERS else ""
        say(f"{file.name}: {report.rows:,} rows, {', '.join(parts)}{opened}")
    if report.clean:
        return
    for problem in report.problems[:PROBLEMS_SHOWN]:
        warn(f"{file.name}: {problem}")
    if problems is not None:
        warn(f"all of the problems are in {problems}")
    rest = "the other rows are posted" if report.posted else "nothing was posted, and the ledger is as it was"
    warn(f"error[import_incomplete]: {report.problem_count:,} of {report.rows:,} rows are wrong; {rest}")


def _json_of(report: ImportReport, file: Path, problems: Path | None) -> dict[str, Any]:
    value = report.as_dict() | {"file": str(file), "problems_file": str(problems) if problems else None}
    value["problems"] = value["problems"][:PROBLEMS_SHOWN]
    return value


def _write_problems(report: ImportReport, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["line", "column", "problem"])
        writer.writerows(report.problems)
