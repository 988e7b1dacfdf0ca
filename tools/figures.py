"""Fills the table of figures in README.md from docs/benchmarks*.json, so that nobody types a figure by hand.

The table stands between two comments, ``figures`` and ``/figures``. A figure that was not measured is left out; when
none was, the table says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
README: Final = ROOT / "README.md"
MEASURED: Final = (ROOT / "docs" / "benchmarks-http.json", ROOT / "docs" / "benchmarks.json")
OPEN: Final = "<!-- figures -->"
CLOSE: Final = "<!-- /figures -->"


def rate(value: float) -> str:
    """Write a rate with three digits that mean something."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:.2f} million/s"
    return f"{round(value, -2) if value >= 10_000 else round(value):,.0f}/s"


def milliseconds(value: float) -> str:
    """Write milliseconds."""
    return f"{value:.1f} ms"


ROWS: Final[list[tuple[str, str, Callable[[float], str]]]] = [
    ("payments_per_s", "Payments over HTTP, signed in, checked and durable, 64 connections", rate),
    ("baseline_per_s", "The same payment with FastAPI and PostgreSQL", rate),
    ("paced_p99_ms", "99th percentile at 300 payments a second", milliseconds),
    ("batch_transfers_per_s", "Bulk transfers over HTTP, JSON", rate),
    ("posted_per_s", "Transfers posted, durable, in batches of 8,190", rate),
    ("served_per_s", "The same, from another process through the socket", rate),
    ("served_p99_ms", "… 99th percentile of a batch", milliseconds),
    ("single_async_per_s", "Single transfers from 64 concurrent callers", rate),
    ("single_async_p99_ms", "… 99th percentile of a call", milliseconds),
    ("bare_log_per_s", "The same bytes appended and synced, and nothing else", rate),
    ("postgres_batch_per_s", "PostgreSQL, same machine, its best batch", rate),
    ("postgres_single_per_s", "PostgreSQL, one stored function a transfer, 32 clients", rate),
    ("history_100_us", "Newest 100 transfers of an account", lambda value: f"{value:,.0f} µs"),
    ("recover_s", "Recovery after kill -9", lambda value: f"{value:.1f} s"),
    ("disk_bytes_per_transfer", "Disk for a transfer: log, history and tree", lambda value: f"{value:,.0f} bytes"),
]


def table(figures: Mapping[str, Any]) -> str:
    """Write the table of what was measured, with the size of the ledger it was measured on."""
    rows = [
        f"| {label} | {shown(figures[key])} |"
        for key, label, shown in ROWS
        if isinstance(figures.get(key), int | float)
    ]
    if not rows:
        return "Not measured on this version yet: `make bench` does it."
    size = ""
    if "accounts" in figures and "transfers" in figures:
        size = (
            f"\n\nMeasured with {figures['accounts']:,} accounts and {figures['transfers']:,} transfers in one run by"
        )
        size += " `make bench` and `make bench-http`; [benchmarks](docs/benchmarks.md) and"
        size += " [of the API](docs/benchmarks-http.md) have the machine, the method and the plot."
    return "\n".join(["| what | measured |", "| --- | ---: |", *rows]) + size


def filled(text: str, figures: Mapping[str, Any]) -> str:
    """Put the table between its two comments."""
    head, opening, rest = text.partition(OPEN)
    _, closing, tail = rest.partition(CLOSE)
    if not opening or not closing:
        raise SystemExit(f"README.md has lost {OPEN} or {CLOSE}")
    return f"{head}{OPEN}\n{table(figures)}\n{CLOSE}{tail}"


def main() -> int:
    """Write README.md, or with --check say whether it has fallen behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the table has fallen behind")
    checking = parser.parse_args().check
    figures: dict[str, Any] = {}
    for path in MEASURED:
        figures |= json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before = README.read_text(encoding="utf-8")
    after = filled(before, figures)
    if before != after and not checking:
        README.write_text(after, encoding="utf-8")
    return 1 if before != after and checking else 0


if __name__ == "__main__":
    sys.exit(main())
