"""``formicary operator backing``: how customers' money was backed, day by day, and receipts that prove it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from formicary.base.errors import Refusal
from formicary.base.money import parse_asset
from formicary.cli.options import AsJson, products_of
from formicary.cli.output import amount_text, decimal_json, progress_bar, show_json, show_table

if TYPE_CHECKING:
    from formicary.client import Client

DAYS: Final = 31
DAYS_MAX: Final = 400
AMOUNTS: Final = ("customers", "nostro", "transit", "claims", "own", "closing", "unlisted", "difference")
PLAIN: Final = ("day", "asset", "entry", "statement", "verdict")
COLUMNS: Final = ["day", "asset", ">customers", ">at banks", ">on its way", ">unexplained", "verdict", ">entry"]


def backing(
    where: Annotated[str, typer.Argument(metavar="DIR|URL", help="A wallet's folder, or where its gateway answers.")],
    *,
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="How many lines, the newest ones.")] = DAYS,
    receipts: Annotated[
        Path | None,
        typer.Option("--receipts", metavar="FOLDER", help="Keep and check the receipt of each day; needs a URL."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how customers' money was backed on each day, as it was counted then.

    A folder is read by replaying its log beside whoever writes it, which counts every day again. A gateway tells
    anybody; with --receipts each day is also proved, offline, against the ledger's signature. Refuses `not_backed`
    after showing the lines when the newest day's money was not all there, or not explained.

    Example: formicary operator backing https://wallet.example --receipts proofs
    """
    if where.startswith(("http://", "https://")):
        lines = _remote(where, days, receipts)
    elif receipts is not None:
        raise Refusal("receipts come from the gateway that signs them: name its URL", code="url_needed")
    else:
        lines = _local(Path(where), days)
    if as_json:
        show_json({"items": [_plain(line) for line in lines]})
    else:
        show_table(COLUMNS, [_row(line) for line in lines], footer=f"{len(lines):,} lines, by UTC days")
    if bad := [line["asset"] for line in lines if line["day"] == lines[0]["day"] and line["verdict"] != "backed"]:
        raise Refusal(f"on {lines[0]['day']} not all was backed and explained in {', '.join(bad)}", code="not_backed")


def _remote(origin: str, days: int, receipts: Path | None) -> list[dict[str, Any]]:
    from formicary.client import Client

    with Client(origin) as client:
        lines: list[dict[str, Any]] = client.ask("bank.backing_days", limit=days)["items"]
        if receipts is not None:
            receipts.mkdir(parents=True, exist_ok=True)
            for day in dict.fromkeys(line["day"] for line in lines):
                _prove(client, receipts / f"backing-{day}.json", [line for line in lines if line["day"] == day])
    return lines


def _prove(client: Client, path: Path, lines: list[dict[str, Any]]) -> None:
    """Keep one day's receipt, and refuse a day whose receipt does not say what the list says."""
    import msgspec

    from formicary.machine.receipt_forms import parse_receipt, write_json
    from formicary.machine.receipts import verify_receipt
    from formicary.machine.replies import read_reply
    from formicary.products.bank.commands import Attested

    told = msgspec.json.encode(client.get(f"/v1/bank/backing_days/{lines[0]['day']}/receipt"))
    receipt = parse_receipt(msgspec.json.format(told, indent=2) + b"\n")  # a receipt is written in one way only
    verify_receipt(receipt, None)
    path.write_bytes(write_json(receipt))
    proved = msgspec.msgpack.decode(read_reply(receipt.data).body, type=Attested)
    items = {item.asset: item for item in proved.items}
    for line in lines:
        item = items.get(parse_asset(line["asset"]))
        same = all(getattr(item, f"{name}_minor", None) == line[f"{name}_minor"] for name in AMOUNTS)
        if not same or proved.day != line["day"] or item is None or item.verdict != line["verdict"]:
            raise Refusal(
                f"{path} proves other figures than the gateway tells of {line['day']}", code="receipt_differs"
            )


def _local(path: Path, days: int) -> list[dict[str, Any]]:
    """Replay the log, and read what that gave."""
    from formicary.base.money import asset_code
    from formicary.gateway.operator_sql import ask_snapshot
    from formicary.node.ledger import open_ledger

    folder = path if (path / "ledger.json").exists() else path / "ledger"
    fields = [*PLAIN, *(f"{name}_minor" for name in AMOUNTS)]
    sql = f"SELECT {', '.join(fields)} FROM bank_backing ORDER BY day DESC, asset LIMIT {days}"  # noqa: S608 - ours
    with (
        progress_bar("replaying", 0, unit="entries", transient=True) as bar,
        open_ledger(folder, read_only=True, products=products_of(folder), progress=bar.of) as ledger,
    ):
        rows = [dict(zip(fields, row, strict=True)) for row in ask_snapshot(ledger, sql).rows]
    return [row | {"asset": asset_code(int(str(row["asset"])))} for row in rows]


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    """A line for programs."""
    asset, told = parse_asset(line["asset"]), {name: line[name] for name in PLAIN}
    for name in AMOUNTS:
        told |= decimal_json(name, line[f"{name}_minor"], asset)
    return told


def _row(line: dict[str, Any]) -> list[str]:
    """A line for people."""
    asset, day = parse_asset(line["asset"]), str(line["day"])
    shown = [amount_text(line[f"{name}_minor"], asset) for name in ("customers", "nostro", "transit", "difference")]
    return [f"{day[:4]}-{day[4:6]}-{day[6:]}", line["asset"], *shown, line["verdict"], f"{line['entry']:,}"]
