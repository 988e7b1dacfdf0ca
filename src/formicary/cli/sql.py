"""``formicary sql``: ask a ledger in SQL, read-only, as of one entry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from formicary.base.errors import BadInput
from formicary.cli.options import AsJson, products_of
from formicary.cli.output import progress_bar, show_json, show_table, warn

if TYPE_CHECKING:
    from formicary.gateway.operator_sql import SqlAnswer

KEY_VARIABLE: Final = "FORMICARY_KEY"
PRIVATE_KEY_VARIABLE: Final = "FORMICARY_PRIVATE_KEY"

app = typer.Typer()


@app.callback(invoke_without_command=True, context_settings={"allow_interspersed_args": True})
def sql(
    where: Annotated[str, typer.Argument(metavar="DIR|URL", help="A ledger's folder, or where its gateway answers.")],
    question: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Ask the ledger in DIR, or behind URL, one SELECT over its tables, `accounts` and `transfers`.

    A folder is read by replaying its log beside whoever writes it. A gateway is asked with an operator's key that has
    the scope `ledger:read`: FORMICARY_KEY names it, and FORMICARY_PRIVATE_KEY is its private half.

    Example: formicary sql shop.ledger "SELECT asset, count(*) FROM transfers GROUP BY asset ORDER BY asset"
    """
    remote = where.startswith(("http://", "https://"))
    answer: dict[str, Any] = _remote(where, question) if remote else _local(Path(where), question)
    if as_json:
        show_json(answer)
        return
    more = " There were more." if answer["more"] else ""
    rows = [["" if value is None else str(value) for value in row] for row in answer["rows"]]
    show_table(answer["columns"], rows, footer=f"{len(rows):,} rows as of entry {answer['entry']:,}.{more}")
    if answer["more"]:
        warn("only the first rows are shown; ask for less, or export the table")


def _remote(origin: str, question: str) -> dict[str, Any]:
    from formicary.client import Client

    key, private_key = os.environ.get(KEY_VARIABLE, ""), os.environ.get(PRIVATE_KEY_VARIABLE, "")
    if not key or not private_key:
        raise BadInput(f"set {KEY_VARIABLE} and {PRIVATE_KEY_VARIABLE} to ask a gateway", code="key_missing")
    with Client(origin, key=key, private_key=private_key) as client:
        answer: dict[str, Any] = client.post("/v1/operator/sql", {"sql": question})
        return answer


def _local(path: Path, question: str) -> dict[str, Any]:
    """Replay the ledger's log, with the products that it has, and ask that."""
    import msgspec

    from formicary.gateway.operator_sql import ask_snapshot
    from formicary.node.ledger import open_ledger

    folder = path if (path / "ledger.json").exists() else path / "ledger"
    with (
        progress_bar("replaying", 0, unit="entries", transient=True) as bar,
        open_ledger(folder, read_only=True, products=products_of(folder), progress=bar.of) as ledger,
    ):
        answer: SqlAnswer = ask_snapshot(ledger, question)
        return dict(msgspec.structs.asdict(answer))
