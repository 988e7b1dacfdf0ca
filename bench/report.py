"""Measure the ledger on this machine and write docs/benchmarks.md, docs/benchmarks.json and a plot.

``python bench/report.py`` takes about a quarter of an hour; ``--quick`` takes two minutes and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from rich.console import Console

from formicary.testing.benchmarks.ledger import Settings, posted, run

DOCS = Path(__file__).resolve().parent.parent / "docs"
ACCOUNTS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
INK, LEDGER, BASELINE = "#444444", "#0b7a75", "#b5651d"

ROWS = [
    ("posted_per_s", "transfers a second, posted and durable", "{:,.0f}", "≥ 1,500,000"),
    ("batch_p99_ms", "p99 of a batch, ms", "{:.1f}", "≤ 40"),
    ("bare_log_per_s", "the same bytes appended and synced, nothing else", "{:,.0f}", ""),
    ("posted_to_bare_log", "posted ÷ bare log", "{:.2f}", "≥ 0.30"),
    ("postgres_batch_per_s", "PostgreSQL, one statement a batch", "{:,.0f}", ""),
    ("posted_to_postgres_batch", "posted ÷ PostgreSQL batch", "{:.0f}", "≥ 30"),
    ("postgres_single_per_s", "PostgreSQL, a stored function a transfer, 32 clients", "{:,.0f}", ""),
    ("served_per_s", "from another process through the socket", "{:,.0f}", "≥ 1,200,000"),
    ("served_p99_ms", "p99 of a batch through the socket, ms", "{:.1f}", ""),
    ("single_async_per_s", "one transfer a call, 64 tasks", "{:,.0f}", "≥ 30,000"),
    ("single_async_p99_ms", "its p99, ms", "{:.1f}", "≤ 20"),
    ("history_100_us", "newest 100 transfers of an account, µs", "{:.0f}", "≤ 1,000"),
    ("disk_bytes_per_transfer", "bytes of disk a transfer: log, history and tree", "{:.0f}", "≤ 400"),
    ("rss_bytes", "resident memory, bytes (mapped files included)", "{:,.0f}", ""),
    ("recover_s", "recovery after kill -9, s", "{:.2f}", "≤ 5"),
    ("import_s", "import of the package, s", "{:.2f}", "≤ 1.5"),
]


def measure(console: Console) -> dict[str, Any]:
    """Run the whole benchmark, then throughput alone at other numbers of accounts."""
    figures = run(Settings(), progress=lambda what: console.print(f"  {what} …"))
    figures["by_accounts"] = []
    for accounts in ACCOUNTS:
        console.print(f"  {accounts:,} accounts …")
        with tempfile.TemporaryDirectory(prefix="formicary-bench-") as folder:
            settings = Settings(accounts=accounts, transfers=4_000_000)
            one = posted(Path(folder) / "ledger", settings)
        figures["by_accounts"].append((accounts, one["posted_per_s"], one["batch_p99_ms"]))
    return figures | {"measured": datetime.now(UTC).date().isoformat(), "machine": machine()}


def machine() -> str:
    """Name the processor and the kernel."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} × {names[0].split(':')[1].strip()}, {platform.system()} {platform.release()}"


def plot(figures: dict[str, Any], path: Path) -> None:
    """Throughput against accounts and against history length, side by side, on one scale."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
    accounts = [row[0] for row in figures["by_accounts"]]
    left.plot(accounts, [row[1] / 1e6 for row in figures["by_accounts"]], "o-", color=LEDGER, label="Formicary")
    right.plot(
        [row[0] / 1e6 for row in figures["curve"]], [row[1] / 1e6 for row in figures["curve"]], "o-", color=LEDGER
    )
    for axes in (left, right):
        axes.axhline(figures["postgres_batch_per_s"] / 1e6, color=BASELINE, label="PostgreSQL, batches")
        axes.axhline(figures["bare_log_per_s"] / 1e6, color=INK, linestyle=":", label="bare disk: same bytes, synced")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0)
    left.set(xscale="log", xlabel="accounts", ylabel="million transfers a second")
    right.set(xlabel="million transfers already stored")
    left.legend(frameon=False, fontsize=8, loc="center left")
    figure.tight_layout()
    figure.savefig(path)


def markdown(figures: dict[str, Any]) -> str:
    """Write the page from the figures."""
    lines = [
        "# Benchmarks",
        "",
        (
            f"Measured on {figures['measured']} with `make bench` on {figures['machine']}, Python {figures['python']}; "
            f"{figures['transfers']:,} transfers in batches of {figures['batch']:,} between {figures['accounts']:,} "
            "accounts. Everything in one run on one disk, synced before it is acknowledged, with idempotency, history, "
            "digest and Merkle sealing on. Compare the ratios: absolute figures belong to that machine and that hour."
        ),
        "",
        "| figure | measured | aim |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {text} | {form.format(figures[name])} | {aim} |" for name, text, form, aim in ROWS if name in figures]
    lines += ["", "![Throughput against accounts and against history](images/benchmarks.svg)", ""]
    lines += ["| accounts | transfers a second | p99 of a batch, ms |", "| ---: | ---: | ---: |"]
    lines += [f"| {count:,} | {rate:,.0f} | {p99:.1f} |" for count, rate, p99 in figures["by_accounts"]]
    notes = (DOCS / "explanation" / "what-limits-speed.md").exists()
    lines += ["", "What limits each figure: [what limits speed](explanation/what-limits-speed.md)." if notes else ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    console = Console(stderr=True)
    if options.parse_args().quick:
        figures = run(Settings(transfers=1_000_000, seconds=2), progress=lambda what: console.print(f"  {what} …"))
        console.print_json(json.dumps(figures))
        return
    figures = measure(console)
    (DOCS / "images").mkdir(exist_ok=True)
    plot(figures, DOCS / "images" / "benchmarks.svg")
    (DOCS / "benchmarks.json").write_text(json.dumps(figures, indent=1) + "\n")
    (DOCS / "benchmarks.md").write_text(markdown(figures))


if __name__ == "__main__":
    main()
