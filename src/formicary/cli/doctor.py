"""``formicary doctor``: look whether this machine and an installation are in order, and say what to do where not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from rich.text import Text

from formicary.base.errors import FormicaryError
from formicary.cli.options import AsJson
from formicary.cli.output import show_json, show_table, size_text

SYNC_GOOD_MS: Final = 10.0
SYNC_BAD_MS: Final = 50.0
SYNCS: Final = 40
FREE_GOOD_BYTES: Final = 5 << 30
FREE_BAD_BYTES: Final = 500 << 20
PYTHON_LEAST: Final = (3, 11)
CLOCK_STEP_NS: Final = 50_000_000
FILES_LIMIT_LEAST: Final = 4096
ENTRIES_READ: Final = 10_000
EXTRAS: Final = {"pyarrow": "data", "psycopg": "postgres", "pyiso20022": "banks"}
Verdict = Literal["ok", "warn", "fail"]

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, what was found, and what to do where it is not in order."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


@app.callback(invoke_without_command=True, context_settings={"allow_interspersed_args": True})
def doctor(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The folder of `formicary up`, or of one ledger.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> int:
    """Check this machine, and the installation in DIR where one is given: disk, files, clock, keys, ledger.

    Changes nothing but a small file that it writes to measure the disk and removes. Ends with status 1 when something
    is wrong.
    """
    findings = list(examine(folder))
    if as_json:
        show_json({"findings": [asdict(finding) for finding in findings], "verdict": worst(findings)})
    else:
        colours = {"ok": "green", "warn": "yellow", "fail": "bold red"}
        rows: list[list[str | Text]] = [
            [each.check, Text(each.verdict, colours[each.verdict]), each.found, each.advice] for each in findings
        ]
        show_table(["check", "", "found", "what to do"], rows)
    status = 1 if worst(findings) == "fail" else 0
    if status:
        raise typer.Exit(status)
    return status


def worst(findings: list[Finding]) -> Verdict:
    """Return the worst verdict among findings."""
    verdicts = {finding.verdict for finding in findings}
    return "fail" if "fail" in verdicts else "warn" if "warn" in verdicts else "ok"


def examine(folder: Path | None) -> Iterator[Finding]:
    """Make every check, of the machine and of a folder; a check that itself fails is a finding."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python", _python),
        ("packages", _packages),
        ("clock", _clock),
        ("open files", _open_files),
        ("free space", lambda: _free_space(folder or Path.cwd())),
        ("disk sync", lambda: _disk_sync(folder or Path.cwd())),
    ]
    if folder is not None:
        checks += [
            ("folder", lambda: _folder(folder)),
            ("file modes", lambda: _modes(folder)),
            ("config", lambda: _config(folder)),
            ("keys", lambda: _keys(folder)),
            ("doors' store", lambda: _databases(folder)),
            ("ledger", lambda: _ledger(folder)),
        ]
    for name, check in checks:
        try:
            yield check()
        except (FormicaryError, OSError, sqlite3.Error) as error:
            yield Finding(name, "fail", str(error)[:200], "repair what the message names, then run this again")


# ── the machine ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _python() -> Finding:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    if sys.version_info[:2] < PYTHON_LEAST:
        return Finding("python", "fail", found, "install Python 3.11 or newer")
    if sys.flags.optimize:
        return Finding("python", "fail", f"{found} with -O", "run without -O: assertions stop a node that is wrong")
    return Finding("python", "ok", found)


def _packages() -> Finding:
    missing = [f"formicary[{extra}]" for module, extra in EXTRAS.items() if util.find_spec(module) is None]
    found = f"formicary {metadata.version('formicary')}"
    if missing:
        return Finding("packages", "ok", f"{found}, without {', '.join(missing)}", "install those only if you use them")
    return Finding("packages", "ok", f"{found} with every extra")


def _clock() -> Finding:
    """The wall clock must run on as the steady one does, and be of this time."""
    wall, steady = time.time_ns(), time.monotonic_ns()
    time.sleep(0.1)
    step = abs((time.time_ns() - wall) - (time.monotonic_ns() - steady))
    if time.gmtime().tm_year < 2026:
        return Finding("clock", "fail", time.strftime("%Y-%m-%d", time.gmtime()), "set the clock (timedatectl, NTP)")
    if step > CLOCK_STEP_NS:
        return Finding("clock", "warn", f"steps by {step / 1e6:.0f} ms", "let chrony or systemd-timesyncd slew it")
    return Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _open_files() -> Finding:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_LIMIT_LEAST:
        advice = f"raise it for more than a few hundred connections: ulimit -n {FILES_LIMIT_LEAST}"
        return Finding("open files", "warn", f"{soft:,} at most", advice)
    return Finding("open files", "ok", f"{soft:,} at most")


def _free_space(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    found = f"{size_text(free)} free"
    if free < FREE_BAD_BYTES:
        return Finding("free space", "fail", found, "make room: a full disk stops the ledger")
    if free < FREE_GOOD_BYTES:
        return Finding("free space", "warn", found, "make room soon: the log only grows")
    return Finding("free space", "ok", found)


def _disk_sync(folder: Path) -> Finding:
    """Measure how long the disk takes to make a small write durable: what each acknowledgement waits for."""
    with tempfile.NamedTemporaryFile(dir=_existing(folder), prefix=".doctor-") as file:
        took = []
        for _ in range(SYNCS):
            os.write(file.fileno(), bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    middle, slow = sorted(took)[SYNCS // 2], sorted(took)[-2]
    found = f"{middle:.2f} ms, at times {slow:.2f} ms"
    if middle > SYNC_BAD_MS:
        return Finding("disk sync", "fail", found, "use a local SSD: every payment waits for this")
    if middle > SYNC_GOOD_MS:
        return Finding("disk sync", "warn", found, "payments will wait that long; a local SSD takes about 1 ms")
    if middle < 0.02:
        return Finding("disk sync", "warn", found, "too quick to be true: does this disk keep what it syncs?")
    return Finding("disk sync", "ok", found)


# ── the installation ────────────────────────────────────────────────────────────────────────────────────────────────


def _folder(folder: Path) -> Finding:
    if _ledger_of(folder) is None:
        return Finding("folder", "fail", f"no ledger in {folder}", f"make one: formicary up --data {folder}")
    return Finding("folder", "ok", str(folder))


def _modes(folder: Path) -> Finding:
    """What holds secrets may be read by its owner alone."""
    names = ("*.key", "gateway.db*", "*keys.db*", "*vault*.db*", "serve.token")
    secrets = [path for name in names for path in folder.rglob(name) if path.is_file()]
    secrets += [path for keys in folder.rglob("keys") if keys.is_dir() for path in keys.rglob("*") if path.is_file()]
    open_ones = [path for path in secrets if stat.S_IMODE(path.stat().st_mode) & 0o077]
    strange = [path for path in folder.rglob("*") if path.stat().st_uid != folder.stat().st_uid]
    if open_ones:
        first = open_ones[0]
        found = f"others can read {len(open_ones)} files, {first.name} first"
        return Finding("file modes", "fail", found, f"chmod 600 {first}")
    if strange:
        return Finding("file modes", "warn", f"{strange[0]} has another owner", "let one user own and run all of it")
    return Finding("file modes", "ok", f"{len(secrets)} files of secrets are their owner's alone")


def _config(folder: Path) -> Finding:
    from formicary.gateway.config import load_config

    path = folder / "formicary.toml"
    config = load_config(path if path.exists() else None, environment=os.environ)
    found = "sandbox" if config.sandbox else "live"
    if not config.sandbox and not config.is_secure:
        advice = "put it behind TLS and set `origin` to its https address"
        return Finding("config", "fail", f"live, at {config.public_origin}", advice)
    return Finding("config", "ok", f"{found}, at {config.public_origin}")


def _keys(folder: Path) -> Finding:
    ledger = _ledger_of(folder)
    keys = list((ledger / "keys").glob("*")) if ledger else []
    kms = [path for path in folder.rglob("kms.key") if path.is_file()]
    if not keys:
        return Finding(
            "keys", "fail", "no signing key", "restore the folder keys/ of the ledger from where you keep it"
        )
    if (folder / "vault").exists() and not kms:
        return Finding("keys", "warn", "no kms.key here", "is it in a key service? without it the vault can't be read")
    return Finding("keys", "ok", f"{len(keys)} for signing{', 1 for the vault' if kms else ''}")


def _databases(folder: Path) -> Finding:
    """SQLite's own check of the doors' and the vault's files."""
    files = [path for path in folder.rglob("*.db") if path.name != "rows.db"]
    for path in files:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
        try:
            told = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
        if told != ("ok",):
            return Finding(
                "doors' store", "fail", f"{path.name}: {told[0]}", "stop, and restore the file from a backup"
            )
    return Finding("doors' store", "ok", f"{len(files)} files are whole")


def _ledger(folder: Path) -> Finding:
    """Read the log to its end, each entry checked against the one before it."""
    from formicary.log import is_postgres, open_log
    from formicary.node.folder import Folder

    ledger = _ledger_of(folder)
    if ledger is None:
        return Finding("ledger", "fail", "there is none", f"make one: formicary up --data {folder}")
    address = Folder(ledger).log_address()
    if is_postgres(address):
        return Finding("ledger", "ok", "its log is in PostgreSQL; formicary ledger verify reads it")
    log = open_log(address, writer=False)
    try:
        begun, count, newest = time.monotonic(), 0, log.head.index
        for entry in log.read(max(1, newest - ENTRIES_READ)):
            count += 1
            assert entry.index, "entries begin at 1"
    finally:
        log.close()
    took_s = time.monotonic() - begun
    found = f"{newest:,} entries; the newest {count:,} are whole ({took_s:.1f} s)"
    return Finding("ledger", "ok", found, "formicary ledger verify checks all of history")


def _ledger_of(folder: Path) -> Path | None:
    """The ledger in a folder: itself, or the one below it."""
    for each in (folder, folder / "ledger"):
        if (each / "ledger.json").exists():
            return each
    return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    for each in (folder, *folder.resolve().parents):
        if each.is_dir():
            return each
    return Path.cwd()
