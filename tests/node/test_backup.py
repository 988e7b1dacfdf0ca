"""A backup of a running ledger is whole, checked and restorable; a damaged one is refused."""

from __future__ import annotations

import stat
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from formicary.base.errors import BadInput, Corrupt, Refusal
from formicary.node.backup import MANIFEST, make_backup, unpack_backup
from formicary.node.import_source import open_source
from formicary.node.importing import ImportOptions, import_transfers
from formicary.node.ledger import Ledger, open_ledger
from formicary.node.names import Names


def fill(ledger: Ledger, names: Names, folder: Path, *, first: int, count: int) -> None:
    """Post some transfers."""
    path = folder / "in.csv"
    rows = [f"{number},fund,alice,1.00,EUR" for number in range(first, first + count)]
    path.write_text("id,debit,credit,amount,asset\n" + "\n".join(rows) + "\n")
    with closing(open_source(path)) as source:
        assert import_transfers(ledger, names, source, ImportOptions()).clean


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_live_ledger_is_backed_up_and_restored(town: Ledger, town_names: Names, tmp_path: Path, name: str) -> None:
    """The copy has what was durable, with the same digest at its newest entry, and goes on by itself."""
    fill(town, town_names, tmp_path, first=1, count=20)
    made = make_backup(tmp_path / "town", tmp_path / name, with_keys=True)
    digest = town.digest_at(made.entries)
    fill(town, town_names, tmp_path, first=21, count=5)
    assert unpack_backup(tmp_path / name, tmp_path / "again") == made
    with open_ledger(tmp_path / "again") as again, Names(tmp_path / "again" / "names.db") as names:
        assert again.digest_at(made.entries) == digest
        assert again.info()["transfers"] == 20
        alice = names.ids(["alice"], 978)
        assert alice == town_names.ids(["alice"], 978)
        assert again.balance(alice[0]) == 2000
        assert again.receipt(1).leaf == town.receipt(1).leaf
        assert again.verify().ok


def test_keys_are_left_out_unless_asked_for(town: Ledger, tmp_path: Path) -> None:
    """They sign for the ledger; with them in it, a backup is as secret as they are."""
    assert town.info()["entries"] == 2
    make_backup(tmp_path / "town", tmp_path / "without", with_keys=False)
    make_backup(tmp_path / "town", tmp_path / "with", with_keys=True)
    assert not (tmp_path / "without" / "keys").exists()
    (key,) = (tmp_path / "with" / "keys").iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_sha256sum_checks_a_backup(town: Ledger, town_names: Names, tmp_path: Path) -> None:
    """The manifest is in its form, and names every file."""
    fill(town, town_names, tmp_path, first=1, count=3)
    make_backup(tmp_path / "town", tmp_path / "copy", with_keys=True)
    subprocess.run(
        ["sha256sum", "--check", "--strict", MANIFEST], cwd=tmp_path / "copy", check=True, capture_output=True
    )
    listed = {line.split("  ")[1] for line in (tmp_path / "copy" / MANIFEST).read_text().splitlines()}
    found = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert found - listed == {MANIFEST}


def test_a_flipped_bit_a_missing_and_an_added_file_are_found(town: Ledger, tmp_path: Path) -> None:
    """Nothing is laid out of a backup that is not as it was made."""
    assert town.info()["entries"] == 2
    make_backup(tmp_path / "town", tmp_path / "copy", with_keys=False)
    (segment,) = (tmp_path / "copy" / "log").glob("*.segment")
    good = segment.read_bytes()
    segment.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(Corrupt, match="not as it was backed up") as corrupt:
        unpack_backup(tmp_path / "copy", tmp_path / "again")
    assert corrupt.value.file == f"log/{segment.name}"
    segment.write_bytes(good)
    (tmp_path / "copy" / "extra").write_text("x")
    with pytest.raises(Corrupt, match="not in SHA256SUMS"):
        unpack_backup(tmp_path / "copy", tmp_path / "again")
    (tmp_path / "copy" / "extra").unlink()
    segment.unlink()
    with pytest.raises(Corrupt, match="missing"):
        unpack_backup(tmp_path / "copy", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    assert not (tmp_path / "again.partial").exists()


def test_a_damaged_log_is_not_backed_up(tmp_path: Path) -> None:
    """The damage is named, and no half backup is left."""
    with open_ledger(tmp_path / "town") as ledger, Names(tmp_path / "town" / "names.db") as names:
        fill(ledger, names, tmp_path, first=1, count=50)
    (segment,) = (tmp_path / "town" / "log").glob("*.segment")
    bytes_ = bytearray(segment.read_bytes())
    bytes_[len(bytes_) // 2] ^= 4
    segment.write_bytes(bytes_)
    with pytest.raises(Corrupt, match="record"):
        make_backup(tmp_path / "town", tmp_path / "copy", with_keys=False)
    assert not list(tmp_path.glob("copy*"))


def test_targets_in_the_way_and_things_that_are_no_backup_are_refused(town: Ledger, tmp_path: Path) -> None:
    """Nothing is ever written over."""
    assert town.info()["entries"] == 2
    (tmp_path / "copy").mkdir()
    with pytest.raises(Refusal, match="there already"):
        make_backup(tmp_path / "town", tmp_path / "copy", with_keys=False)
    with pytest.raises(Refusal, match="there already"):
        unpack_backup(tmp_path / "copy", tmp_path / "town")
    with pytest.raises(Refusal, match="no backup"):
        unpack_backup(tmp_path / "none", tmp_path / "again")
    with pytest.raises(BadInput, match="SHA256SUMS"):
        unpack_backup(tmp_path / "copy", tmp_path / "again")
    (tmp_path / "no.tar").write_text("not a tar file")
    with pytest.raises(BadInput, match="not a backup"):
        unpack_backup(tmp_path / "no.tar", tmp_path / "again")


def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    """A tar file from a stranger writes nowhere but into the new ledger."""
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "evil", "../outside")
    with pytest.raises(BadInput, match="not a backup"):
        unpack_backup(tmp_path / "evil.tar", tmp_path / "new" / "again")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "new" / "outside").exists()
