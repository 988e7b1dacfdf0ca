"""``formicary ledger init``, ``post`` and ``checkpoint``: what makes a ledger and adds to it by hand."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from formicary.base.errors import BadInput, Refusal
from formicary.cli.options import (
    AsJson,
    AssetOption,
    LedgerArgument,
    LedgerOption,
    find_account,
    names_of,
    open_writer,
    writing,
)
from formicary.cli.output import REFUSED, account_text, amount_json, amount_text, say, show_json, time_json, warn

if TYPE_CHECKING:
    from formicary.node.names import Names
    from formicary.node.surface import Records, Surface

PLAIN_WORDS: Final = {
    "exceeds_credits": "the debit account has not that much",
    "exceeds_debits": "the credit account can't take that much",
    "debit_account_not_found": "the debit account was never opened",
    "credit_account_not_found": "the credit account was never opened",
    "accounts_must_be_different": "both accounts are the same",
    "amount_must_not_be_zero": "the amount is zero",
    "hold_not_found": "there is no such hold",
    "hold_already_captured": "the hold was captured before",
    "hold_already_released": "the hold was released before",
    "hold_expired": "the hold has expired",
    "exceeds_hold": "the hold is smaller than that",
    "debit_account_frozen": "the debit account is frozen",
    "credit_account_frozen": "the credit account is frozen",
}
"""What the commonest codes mean; the rest are in docs/reference."""


def init(
    ledger: LedgerArgument,
    *,
    log: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Keep the log elsewhere: postgresql://…/…?formicary_log=NAME.")
    ] = "",
    note: Annotated[str, typer.Option(help="A name for it, shown on its receipts.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a new ledger.

    LEDGER is a folder to be made; one that holds anything is refused.
    """
    from formicary.node.folder import Folder
    from formicary.node.ledger import open_ledger

    if Folder(ledger).exists():
        raise Refusal(f"there is a ledger in {ledger} already", code="ledger_exists")
    with open_ledger(ledger, log=log or None, note=note) as opened:
        info = opened.info()
    if as_json:
        show_json({"ledger": str(ledger), "ledger_id": info["ledger_id"], "note": note})
    else:
        say(f"{ledger} is a new ledger, id {info['ledger_id']}")


def post(
    *,
    ledger: LedgerOption,
    debit: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Who gives: a name, or # and an id.")] = None,
    credit: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Who gets.")] = None,
    amount: Annotated[str | None, typer.Option(help="Such as 12.50; or all, for a capture.")] = None,
    asset: AssetOption = None,
    code: Annotated[int, typer.Option(min=0, max=65535, help="Your own kind of transfer.")] = 1,
    transfer_id: Annotated[
        str | None, typer.Option("--id", help="A number, a UUID or your own reference; made when not given.")
    ] = None,
    hold: Annotated[bool, typer.Option("--hold", help="Reserve the amount; capture or release it later.")] = False,
    timeout: Annotated[int, typer.Option(min=0, help="Seconds until a hold expires; 0 for never.")] = 0,
    capture: Annotated[str | None, typer.Option(metavar="HOLD", help="Post a hold, whole or in part.")] = None,
    release: Annotated[str | None, typer.Option(metavar="HOLD", help="Give a hold back.")] = None,
    open_new: Annotated[bool, typer.Option("--open", help="Open accounts that are new.")] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="Post transfers from stdin, a JSON object a line.")] = False,
    as_json: AsJson = False,
) -> None:
    """Post one transfer, or those that stdin gives."""
    with writing(ledger) as opened, names_of(ledger, read_only=False) as names:
        if stdin:
            _post_lines(opened, names, open_new=open_new, as_json=as_json)
            return
        asked = _Asked(
            debit=debit, credit=credit, amount=amount, asset=asset, code=code, transfer_id=transfer_id,
            hold=hold, timeout=timeout, capture=capture, release=release, open_new=open_new,
        )  # fmt: skip
        _post_one(opened, names, asked, as_json=as_json)


def checkpoint(ledger: LedgerArgument, *, as_json: AsJson = False) -> None:
    """Make the state durable as of now.

    The next opening then has nothing to replay. A ledger does this by itself as it goes, and when it is closed.
    """
    with open_writer(ledger) as opened:
        index = opened.checkpoint()
    if as_json:
        show_json({"entry": index})
    else:
        say(f"checkpoint at entry {index:,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One transfer as it was typed."""

    debit: str | None
    credit: str | None
    amount: str | None
    asset: str | None
    code: int
    transfer_id: str | None
    hold: bool
    timeout: int
    capture: str | None
    release: str | None
    open_new: bool


def _post_one(ledger: Surface, names: Names, asked: _Asked, *, as_json: bool) -> None:
    from formicary.kernel.codes import TransferCode

    record = _record(ledger, names, asked)
    answer = TransferCode(int(ledger.post(record)[0]))
    code = answer.name.lower()
    if answer not in {TransferCode.OK, TransferCode.EXISTS}:
        words = PLAIN_WORDS.get(code, "see the codes in docs/reference")
        raise Refusal(f"the transfer was refused: {words}", code=code)
    _tell_posted(ledger, names, record, code, as_json=as_json)


def _record(ledger: Surface, names: Names, asked: _Asked) -> Records:
    """Make the transfer's record; a capture or release takes what it leaves out from its hold."""
    import numpy as np

    from formicary.base.ids import new_id, split_id
    from formicary.kernel.records import AMOUNT_ALL, TRANSFER, TransferFlag
    from formicary.node.import_map import reference

    if sum([asked.hold, asked.capture is not None, asked.release is not None]) > 1:
        raise typer.BadParameter("a transfer is a hold, a capture or a release, not two of them")
    record = np.zeros(1, TRANSFER)
    number = reference(asked.transfer_id, names.transfer_id) if asked.transfer_id else new_id()
    record["id_lo"], record["id_hi"] = split_id(number)
    resolved = asked.capture or asked.release
    if resolved is None:
        _fill_plain(ledger, names, asked, record)
        return record
    held = ledger.lookup_transfers([hold := reference(resolved, names.transfer_id)])
    if not len(held):
        raise Refusal(f"there is no hold {resolved}", code="hold_not_found")
    record["hold_lo"], record["hold_hi"] = split_id(hold)
    record["flags"] = TransferFlag.CAPTURE if asked.capture else TransferFlag.RELEASE
    if asked.capture:
        everything = asked.amount in {None, "all"}
        record["amount"] = AMOUNT_ALL if everything else _minor(asked.amount or "", int(held["asset"][0]))
    return record


def _fill_plain(ledger: Surface, names: Names, asked: _Asked, record: Records) -> None:
    from formicary.base.ids import split_id
    from formicary.base.money import parse_asset
    from formicary.kernel.records import TransferFlag

    if asked.debit is None or asked.credit is None or asked.amount is None or asked.asset is None:
        raise typer.BadParameter("a transfer needs --debit, --credit, --amount and --asset")
    asset = parse_asset(asked.asset)
    record["amount"], record["asset"] = _minor(asked.amount, asset), asset
    for field, text in (("debit", asked.debit), ("credit", asked.credit)):
        number = _account(ledger, names, text, asset, open_new=asked.open_new)
        record[f"{field}_lo"], record[f"{field}_hi"] = split_id(number)
    record["code"], record["timeout"] = asked.code, asked.timeout
    record["flags"] = TransferFlag.HOLD if asked.hold else 0


def _account(ledger: Surface, names: Names, text: str, asset: int, *, open_new: bool) -> int:
    from formicary.base.money import asset_code
    from formicary.node.import_accounts import AccountBook

    if not open_new:
        return find_account(names, text, asset_code(asset))
    book = AccountBook(ledger, names)
    book.resolve([asset], [[text]])
    found = book.ids_of([asset], [text])[0]
    if found is None:
        raise BadInput(book.why_not(asset, text))
    return int.from_bytes(found, "little")


def _minor(text: str, asset: int) -> int:
    from formicary.base.money import asset_decimals, parse_minor

    return parse_minor(text, asset_decimals(asset))


def _tell_posted(ledger: Surface, names: Names, record: Records, code: str, *, as_json: bool) -> None:
    from formicary.base.ids import format_id, join_id

    number = join_id(record["id_lo"][0], record["id_hi"][0])
    stored = ledger.lookup_transfers([number])[0]
    debit, credit = (join_id(stored[f"{side}_lo"], stored[f"{side}_hi"]) for side in ("debit", "credit"))
    known = names.of([debit, credit])
    minor, asset = int(stored["amount"]), int(stored["asset"])
    value: dict[str, Any] = {
        "id": format_id(number),
        "code": code,
        "debit": account_text(debit, known),
        "credit": account_text(credit, known),
        **amount_json(minor, asset),
        "time": time_json(int(stored["time"])),
    }
    if as_json:
        show_json(value)
        return
    word = "posted" if code == "ok" else "there already"
    say(f"{word}: {amount_text(minor, asset)} {value['asset']} from {value['debit']} to {value['credit']}")
    say(f"id {value['id']}")


def _post_lines(ledger: Surface, names: Names, *, open_new: bool, as_json: bool) -> None:
    """Post JSON lines: read as an import reads rows, each in its own right."""
    from formicary.node.import_map import TRANSFER_FIELDS
    from formicary.node.import_source import JsonLinesSource
    from formicary.node.importing import ImportOptions, import_transfers

    fields = [field for field in TRANSFER_FIELDS if field not in {"amount_minor", "time"}]
    source = JsonLinesSource(sys.stdin.buffer, "stdin", fields)
    report = import_transfers(ledger, names, source, ImportOptions(open_new=open_new))
    if as_json:
        show_json(report.as_dict())
    else:
        say(f"{report.rows:,} lines, {report.accepted:,} posted, {report.existed:,} there already")
        for problem in report.problems:
            warn(f"stdin: {problem}")
    if not report.clean:
        raise typer.Exit(REFUSED)
