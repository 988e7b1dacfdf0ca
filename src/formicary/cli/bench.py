"""``formicary bench``: measure this machine, with what one would otherwise run measured beside it in the same run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from formicary.cli.output import show_table
from formicary.kernel.records import BATCH_MAX

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _bench() -> None:
    """Measure how fast it is on this machine."""


@app.command()
def ledger(
    *,
    accounts: Annotated[int, typer.Option(min=2, help="Accounts that transfers go between, at random.")] = 10_000,
    transfers: Annotated[int, typer.Option(min=1, help="Transfers to post.")] = 10_000_000,
    batch: Annotated[int, typer.Option(min=1, max=BATCH_MAX, help="Transfers in a batch.")] = BATCH_MAX,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each part lasts that has no number.")] = 5.0,
    folder: Annotated[Path | None, typer.Option(help="Where to make the ledger: the disk that is measured.")] = None,
    postgres: Annotated[bool, typer.Option(help="Measure PostgreSQL too, on a private server.")] = True,
    served: Annotated[bool, typer.Option(help="Measure a client in another process too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Post transfers as fast as this machine can make them durable, kill the process, and recover.

    Example: formicary bench ledger --transfers 1000000 --no-postgres
    """
    from formicary.testing.benchmarks.ledger import Settings, run

    console = Console(stderr=True)
    settings = Settings(
        accounts=accounts,
        transfers=transfers,
        batch=batch,
        seconds=seconds,
        folder=folder,
        postgres=postgres,
        served=served,
    )
    with console.status("") as status:
        figures = run(settings, progress=lambda what: status.update(f"{what} …"))
    if as_json:
        print(json.dumps(figures))
    else:
        show_table(["figure", ">measured"], [[name, _text(value)] for name, value in _flat(figures)])


@app.command()
def http(
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long each part lasts.")] = 10.0,
    people: Annotated[int, typer.Option(min=128, help="People who pay one another.")] = 4000,
    folder: Annotated[Path | None, typer.Option(help="Where to make the ledger: the disk that is measured.")] = None,
    baseline: Annotated[bool, typer.Option(help="Measure FastAPI over PostgreSQL too, on a private server.")] = True,
    batches: Annotated[bool, typer.Option(help="Measure bulk transfers too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Pay over HTTP from 64 connections, durable and authenticated; then the same with FastAPI and PostgreSQL.

    Example: formicary bench http --seconds 5 --no-baseline
    """
    from formicary.testing.benchmarks.http import Settings, run

    console = Console(stderr=True)
    settings = Settings(seconds=seconds, people=people, folder=folder, baseline=baseline, batches=batches)
    with console.status("") as status:
        figures = run(settings, progress=lambda what: status.update(f"{what} …"))
    if as_json:
        print(json.dumps(figures))
    else:
        show_table(["figure", ">measured"], [[name, _text(value)] for name, value in _flat(figures)])


def _flat(figures: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in figures.items() if not isinstance(value, list)]


def _text(value: Any) -> str:  # noqa: ANN401 - a number or a word
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
