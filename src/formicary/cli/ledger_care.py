"""``formicary ledger verify``, ``replay``, ``backup`` and ``restore``: what keeps a ledger trustworthy and safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from formicary.base.errors import Corrupt, Diverged, Locked, Refusal
from formicary.cli.options import (
    AsJson,
    LedgerArgument,
    LedgerInstead,
    LedgerMaybe,
    one_of,
    open_follower,
    open_writer,
    products_of,
)
from formicary.cli.output import REFUSED, progress_bar, say, show_json, time_json, warn


def verify(ledger: LedgerMaybe = None, *, ledger_option: LedgerInstead = None, as_json: AsJson = False) -> None:
    """Check everything, from the log's first byte.

    Every byte of the log and its chain; its replay against the state's digest and receipt tree; debits against
    credits. Exit status 1 when something is wrong, naming the file, record and offset of a damaged byte. While another
    process writes, the log is checked and replayed, and the state is left to that process.
    """
    folder = one_of(ledger, ledger_option)
    try:
        value = _verified(folder)
    except Corrupt as found:
        place = {"file": found.file, "record": found.record, "offset": found.offset}
        value = {"ok": False, "problems": [str(found)], "corrupt": place}
    if as_json:
        show_json(value)
    elif value["ok"]:
        say(f"verified: {value['entries']:,} entries, {value['accounts']:,} accounts, {value['transfers']:,} transfers")
        say(f"digest {value['digest']}")
        if not value["state_checked"]:
            say("another process is writing: its state was not compared")
    for problem in value["problems"]:
        warn(f"error[not_verified]: {problem}")
    if not value["ok"]:
        raise typer.Exit(REFUSED)


def replay(ledger: LedgerArgument, *, as_json: AsJson = False) -> None:
    """Make the state anew from the log, and compare.

    The digest must be the one from before. Where it is not, the old state is kept as state.before-replay, and the exit
    status is 3.
    """
    from formicary.node.folder import Folder

    before = _sealed(ledger)
    state = Folder(ledger).state
    aside = state.with_name("state.before-replay")
    if aside.exists():
        raise Refusal(f"{aside} is there from an earlier replay; look at it, then remove it", code="target_exists")
    state.rename(aside)
    after = _sealed(ledger, at=before["entry"])
    if after["digest"] != before["digest"]:
        raise Diverged(f"the log gives {after['digest']}, the state had {before['digest']}", index=before["entry"])
    _remove(aside)
    if as_json:
        show_json(before)
    else:
        say(f"{before['entry']:,} entries replayed; the digest is the same: {before['digest']}")


def backup(
    ledger: LedgerArgument,
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A new folder or .tar file.", show_default=False)],
    *,
    with_keys: Annotated[bool, typer.Option("--with-keys", help="The private keys too: keep it safe.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy a ledger, even while it is in use.

    The log is checked on the way, and checksums are kept with the copy. Without --with-keys a restored ledger can post
    and be verified, but signs no receipts until its key is put back.
    """
    from formicary.node.backup import make_backup

    with progress_bar("backing up", 0, unit="entries", transient=True) as bar:
        made = make_backup(ledger, target, with_keys=with_keys, progress=bar.of)
    value = {"target": str(target), "entries": made.entries, "time": time_json(made.time_ns), "keys": made.keys}
    if as_json:
        show_json(value | {"entry_hash": made.entry_hash})
    else:
        say(f"{target} holds {made.entries:,} entries, {'with' if made.keys else 'without'} the private keys")


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="A folder or .tar.", show_default=False)],
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help="A new folder.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Make a ledger of a backup.

    Every byte is checked, and the state is made anew from the log.
    The copy goes on by itself from here: never let both it and the original go on.
    """
    from formicary.node.backup import unpack_backup
    from formicary.node.ledger import open_ledger

    made = unpack_backup(source, ledger)
    with progress_bar("replaying", made.entries, unit="entries", transient=True) as bar:
        opened = open_ledger(ledger, create=False, products=products_of(ledger), progress=bar.of)
    with opened:
        info = opened.info()
    if as_json:
        show_json(
            {"ledger": str(ledger), "entries": made.entries, "digest": info["sealed"]["digest"], "keys": made.keys}
        )
        return
    say(f"{ledger} has {made.entries:,} entries, {info['accounts']:,} accounts and {info['transfers']:,} transfers")
    if not made.keys:
        say("its private key is not in the backup: it signs no receipts until the key is put under keys/")


def _verified(folder: Path) -> dict[str, Any]:
    """Check the ledger with its state, or, beside a process that has it open, what a reader can."""
    try:
        opened = open_writer(folder)
    except Locked:
        return _verified_log(folder)
    with opened, progress_bar("verifying", 0, unit="entries", transient=True) as bar:
        report = opened.verify(progress=bar.of)
    return {
        "ok": report.ok,
        "entries": report.entries,
        "accounts": report.accounts,
        "transfers": report.transfers,
        "digest": report.digest.hex(),
        "root": report.root.hex(),
        "state_checked": True,
        "problems": list(report.problems),
    }


def _verified_log(folder: Path) -> dict[str, Any]:
    """Check every byte of the log, its replay, and the sums."""
    with open_follower(folder) as opened:
        info, sums = opened.info(), opened.trial_balance()
    return {
        "ok": sums.balanced,
        "entries": info["entries"],
        "accounts": info["accounts"],
        "transfers": info["transfers"],
        "digest": info["sealed"]["digest"],
        "state_checked": False,
        "problems": [] if sums.balanced else ["debits and credits are not equal"],
    }


def _sealed(ledger: Path, *, at: int | None = None) -> dict[str, Any]:
    """Open the ledger, replaying what its state lacks, and give the digest at an entry, or now."""
    with open_writer(ledger) as opened:
        entry = opened.info()["sealed"]["entry"] if at is None else at
        return {"entry": entry, "digest": opened.digest_at(entry).hex()}


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)
