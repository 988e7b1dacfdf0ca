"""What the command line prints: tables and sentences for people, one JSON value for programs, and errors in one line.

Amounts are grouped and aligned for people; in JSON they are a decimal string beside the integer of minor units.
Progress and errors go to stderr, so that what stdout carries can be piped on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from formicary.base.errors import Fault, FormicaryError
from formicary.base.ids import format_id
from formicary.base.money import asset_code, asset_decimals, format_minor

REFUSED: Final = 1
"""Exit status: the request was refused, or something wrong was found."""
USAGE: Final = 2
"""Exit status: the command line makes no sense."""
FAULT: Final = 3
"""Exit status: the environment failed; what was not acknowledged may not be relied on."""

Cell: TypeAlias = str | Text


def show_json(value: Any) -> None:  # noqa: ANN401 - any plain value
    """Print one JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False))


def show_error(error: FormicaryError) -> int:
    """Print ``error[code]: message`` on stderr and return the exit status that goes with it."""
    print(f"error[{error.code}]: {error}", file=sys.stderr)
    return FAULT if isinstance(error, Fault) else REFUSED


def say(text: str) -> None:
    """Print a sentence as it is, whatever brackets it has; a terminal gets it wrapped between words."""
    console = _console()
    console.print(escape(text), highlight=False, soft_wrap=not console.is_terminal)


def warn(text: str) -> None:
    """Print a sentence on stderr."""
    print(text, file=sys.stderr)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str = "", footer: str = "") -> None:
    """Print a table; a column whose name starts with ``>`` is aligned right, as amounts are."""
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None)
    table.pad_edge = False
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else escape(cell) for cell in row))
    console = _console()
    console.print(table, highlight=False)
    if footer:
        console.print(f"[dim]{escape(footer)}[/dim]", highlight=False)


def amount_text(minor: int, asset: int) -> str:
    """Write an amount for people: grouped digits, without its asset."""
    return format_minor(minor, asset_decimals(asset), grouped=True)


def amount_json(minor: int, asset: int) -> dict[str, Any]:
    """Write an amount for programs."""
    return {"amount": format_minor(minor, asset_decimals(asset)), "amount_minor": minor, "asset": asset_code(asset)}


def decimal_json(name: str, minor: int, asset: int) -> dict[str, Any]:
    """Write one named amount for programs, its asset being told beside it."""
    return {name: format_minor(minor, asset_decimals(asset)), f"{name}_minor": minor}


def account_text(account_id: int, names: dict[int, str]) -> str:
    """Write an account as its name, or as ``#`` and its id."""
    return names.get(account_id) or f"#{format_id(account_id)}"


def time_text(time_ns: int) -> str:
    """Write a time for people: UTC, to the second."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def time_json(time_ns: int) -> str:
    """Write a time for programs: ISO 8601 with all nine decimals, UTC."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000:09d}Z"


def size_text(size: int) -> str:
    """Write a number of bytes for people."""
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"


class RateColumn(ProgressColumn):
    """How many items a second, over the whole of the work so far."""

    def render(self, task: Task) -> Text:
        """Write the rate."""
        items, seconds = int(task.fields.get("items", 0)), task.elapsed or 0
        return Text(f"{items:,} {task.fields['unit']}" + (f", {items / seconds:,.0f}/s" if seconds > 0 else ""))


class Bar:
    """A progress bar that is told how far the work is, and how many items that makes."""

    def __init__(self, progress: Progress, task: Any) -> None:  # noqa: ANN401 - rich's TaskID
        self._progress = progress
        self._task = task

    def at(self, done: int, items: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, items=items)

    def of(self, done: int, total: int) -> None:
        """Move the bar, where each item is one step."""
        self._progress.update(self._task, completed=done, total=total, items=done)


@contextmanager
def progress_bar(label: str, total: int, *, unit: str = "rows", transient: bool = False) -> Iterator[Bar]:
    """Show a progress bar on stderr while the block runs, if stderr is a terminal; ``transient`` ones go away then."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), RateColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=transient) as progress:
        yield Bar(progress, progress.add_task(label, total=total or None, items=0, unit=unit))


def _console() -> Console:
    """Make a console for stdout as it is now; a pipe gets plain text at a width that cuts nothing."""
    console = Console(soft_wrap=False)
    return console if console.is_terminal else Console(width=200)
