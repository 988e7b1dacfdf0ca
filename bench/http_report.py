"""Measure the public API on this machine and write docs/benchmarks-http.md and .json.

``python bench/http_report.py`` takes about three minutes. The rival runs in the same run on the same machine.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from formicary.testing.benchmarks.http import Settings, run

DOCS = Path(__file__).resolve().parent.parent / "docs"
ROWS = [
    ("payments_per_s", "payments a second", "{:,.0f}", ""),
    ("payments_p99_ms", "p99 of a payment at that rate, ms", "{:.1f}", ""),
    ("baseline_per_s", "FastAPI and PostgreSQL, one transaction a payment", "{:,.0f}", ""),
    ("baseline_p99_ms", "its p99, ms", "{:.1f}", ""),
    ("ratio", "payments ÷ FastAPI and PostgreSQL", "{:.1f}", "≥ 5"),
    ("paced_p50_ms", "median at 300 payments a second, ms", "{:.1f}", ""),
    ("paced_p99_ms", "p99 at 300 payments a second, ms", "{:.1f}", "≤ 25"),
    ("batch_transfers_per_s", "bulk transfers a second, JSON, signed", "{:,.0f}", "≥ 200,000"),
]

ABOUT = """\
Measured on {measured} with `make bench-http` on {machine}: {connections} keep-alive connections pay between {people:,}
people, {seconds:.0f} seconds for each part, server and clients on the same processors. Each payment is authenticated by
a session, checked by wallet, limits and guard, idempotent by its key, and on disk before it is answered."""
ABOUT_RIVAL = """\
The rival is the same payment as one would write it otherwise, and for speed: FastAPI, psycopg and a pool over a private
PostgreSQL, {workers} worker(s) (the better of one and two), the same checks, one transaction each
(`formicary.testing.benchmarks.http_rival`). Compare the ratio: figures belong to that machine and that hour."""


def machine() -> str:
    """Name the processor and the kernel."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} × {names[0].split(':')[1].strip()}, {platform.system()} {platform.release()}"


def markdown(figures: dict[str, Any]) -> str:
    """Write the page from the figures."""
    lines = [
        "# Benchmarks of the public API",
        "",
        ABOUT.format(**figures),
        "",
        ABOUT_RIVAL.format(workers=figures.get("baseline_workers", 0)),
        "",
        "| figure | measured | aim |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {text} | {form.format(figures[name])} | {aim} |" for name, text, form, aim in ROWS if name in figures]
    lines += ["", "What limits it: [what limits speed](explanation/what-limits-speed.md#payments-over-http).", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=15.0)
    chosen = options.parse_args()
    console = Console(stderr=True)
    figures = run(Settings(seconds=chosen.seconds), progress=lambda what: console.print(f"  {what} …"))
    figures |= {"measured": datetime.now(UTC).date().isoformat(), "machine": machine()}
    (DOCS / "benchmarks-http.json").write_text(json.dumps(figures, indent=1) + "\n")
    (DOCS / "benchmarks-http.md").write_text(markdown(figures))


if __name__ == "__main__":
    main()
