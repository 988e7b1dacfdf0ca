"""``formicary bench ledger``: every figure of the ledger in one run on one disk, with its baselines beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from formicary.kernel.records import BATCH_MAX, RECORD_BYTES
from formicary.testing.served_load import served_load

BARE_SECONDS: Final = 3.0
SERVED_TRANSFERS_MAX: Final = 4_000_000
BLOCK_BYTES: Final = 512
RECOVERY: Final = """
import json, sys, time
started = time.perf_counter()
import formicary
formicary.open, formicary.Transfer, formicary.verify_receipt  # names load what they need when first used
imported = time.perf_counter()
ledger = formicary.open(sys.argv[1])
opened = time.perf_counter()
print(json.dumps({"import_s": imported - started, "recover_s": opened - imported,
                  "recovered": ledger.info()["transfers"]}))
ledger.close()
"""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to measure: sizes, and how long the timed parts last."""

    accounts: int = 10_000
    transfers: int = 10_000_000
    batch: int = BATCH_MAX
    seconds: float = 5.0
    postgres: bool = True
    served: bool = True
    folder: Path | None = None


def run(settings: Settings, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measure everything; return one flat object of figures, their units at the end of their names."""
    with _workspace(settings.folder) as folder:
        figures: dict[str, Any] = {"accounts": settings.accounts, "transfers": settings.transfers}
        figures |= {"batch": settings.batch, "cpus": os.cpu_count(), "python": sys.version.split()[0]}
        progress("the bare disk")
        figures["bare_log_per_s"] = bare_log_per_s(folder, settings.batch)
        progress(f"posting {settings.transfers:,} transfers between {settings.accounts:,} accounts")
        figures |= posted(folder / "ledger", settings)
        progress("recovery after kill -9")
        figures |= _recovered(folder / "ledger", figures["transfers_stored"])
        figures["disk_bytes_per_transfer"] = disk_bytes(folder / "ledger") / figures["transfers_stored"]
        shutil.rmtree(folder / "ledger")
        if settings.served:
            progress("through the socket")
            figures |= _served(folder, settings)
        if settings.postgres:
            progress("PostgreSQL")
            figures |= _postgres(settings)
        return figures | _ratios(figures)


@contextmanager
def _workspace(chosen: Path | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="formicary-bench-", dir=chosen))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bare_log_per_s(folder: Path, batch: int) -> float:
    """The same bytes appended and synced, nothing else: records of 128 bytes a second."""
    data = np.random.default_rng(0).integers(0, 256, batch * RECORD_BYTES, dtype=np.uint8)
    path = folder / "bare"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    written, started = 0, time.perf_counter()
    while time.perf_counter() - started < BARE_SECONDS:
        os.write(descriptor, data)
        os.fdatasync(descriptor)
        written += batch
    elapsed = time.perf_counter() - started
    os.close(descriptor)
    path.unlink()
    return written / elapsed


def posted(ledger: Path, settings: Settings) -> dict[str, Any]:
    """Run the load in a process of its own and kill it without warning, its last state unwritten."""
    command = [sys.executable, "-m", "formicary.testing.benchmarks.load", str(ledger), "--die"]
    command += [f"--accounts={settings.accounts}", f"--transfers={settings.transfers}", f"--batch={settings.batch}"]
    command += [f"--async-seconds={settings.seconds}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:  # noqa: S603
        assert load.stdout is not None
        line = load.stdout.readline()
        load.send_signal(signal.SIGKILL)
    if not line:
        message = f"the load ended with status {load.returncode} before it had measured anything"
        raise RuntimeError(message)
    figures: dict[str, Any] = json.loads(line)
    return figures | {"transfers_stored": settings.transfers}


def _recovered(ledger: Path, at_least: int) -> dict[str, Any]:
    printed = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", RECOVERY, str(ledger)], check=True, capture_output=True, text=True
    ).stdout
    figures: dict[str, Any] = json.loads(printed)
    stored = figures.pop("recovered")
    assert stored >= at_least, "every acknowledged transfer is there after the crash"
    return figures | {"transfers_stored": stored}


def disk_bytes(folder: Path) -> int:
    """What a folder really takes on disk, holes not counted."""
    return sum(path.stat().st_blocks * BLOCK_BYTES for path in folder.rglob("*") if path.is_file())


def _served(folder: Path, settings: Settings) -> dict[str, Any]:
    transfers = min(settings.transfers, SERVED_TRANSFERS_MAX)
    load = served_load(folder=folder, accounts=settings.accounts, transfers=transfers, batch=settings.batch)
    assert load.refused == 0, "every transfer of the load is accepted"
    return {"served_per_s": load.transfers_per_s, "served_p99_ms": load.batch_p99_ms}


def _postgres(settings: Settings) -> dict[str, float]:
    from formicary.testing.benchmarks.postgres_ledger import measure  # noqa: PLC0415 - needs the extra and a server

    return measure(accounts=min(settings.accounts, 100_000), batch=settings.batch, seconds=settings.seconds)


def _ratios(figures: dict[str, Any]) -> dict[str, float]:
    ratios = {"posted_to_bare_log": figures["posted_per_s"] / figures["bare_log_per_s"]}
    if "postgres_batch_per_s" in figures:
        ratios["posted_to_postgres_batch"] = figures["posted_per_s"] / figures["postgres_batch_per_s"]
    return ratios
