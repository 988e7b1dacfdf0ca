"""``formicary doctor`` finds what is wrong, says what to do, and calls a good installation good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import formicary
from formicary.cli import doctor, sql


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a ledger."""
    with formicary.open(tmp_path / "ledger"):
        pass
    (tmp_path / "gateway.db").touch(mode=0o600)
    for path in (tmp_path / "ledger" / "keys").rglob("*"):
        path.chmod(0o600)
    return tmp_path


def verdicts(folder: Path | None) -> dict[str, str]:
    """The verdict of each check."""
    return {finding.check: finding.verdict for finding in doctor.examine(folder)}


def test_a_good_installation_is_called_good(folder: Path) -> None:
    """Every check is made, and nothing of the installation fails."""
    found = verdicts(folder)
    assert {"python", "clock", "disk sync", "free space", "file modes", "keys", "ledger", "config"} <= set(found)
    of_folder = ("folder", "file modes", "config", "keys", "doors' store", "ledger", "python", "packages")
    assert {name: found[name] for name in of_folder} == dict.fromkeys(of_folder, "ok")


def test_files_that_others_can_read_are_found(folder: Path) -> None:
    """With the command that mends it."""
    (folder / "gateway.db").chmod(0o644)
    finding = next(each for each in doctor.examine(folder) if each.check == "file modes")
    assert (finding.verdict, finding.advice) == ("fail", f"chmod 600 {folder / 'gateway.db'}")


def test_damage_is_found(folder: Path) -> None:
    """A wrong byte in the log, a file that is no database, a setting that is none."""
    segment = next((folder / "ledger" / "log").glob("*.seg*"), None) or max(
        (folder / "ledger" / "log").iterdir(), key=lambda path: path.stat().st_size
    )
    raw = bytearray(segment.read_bytes())
    raw[200] ^= 1
    segment.write_bytes(raw)
    (folder / "gateway.db").write_bytes(b"no database" * 100)
    (folder / "formicary.toml").write_text("nonsense = 1\n")
    found = verdicts(folder)
    assert (found["ledger"], found["doors' store"], found["config"]) == ("fail", "fail", "fail")


def test_an_empty_folder_fails_with_advice(tmp_path: Path) -> None:
    """There is no ledger; what to do stands beside it."""
    finding = next(each for each in doctor.examine(tmp_path) if each.check == "folder")
    assert finding.verdict == "fail"
    assert "formicary up" in finding.advice


def test_a_full_or_slow_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bounds that the table has."""
    monkeypatch.setattr(doctor, "FREE_BAD_BYTES", 2**70)
    monkeypatch.setattr(doctor, "SYNC_BAD_MS", 0.0)
    monkeypatch.setattr(doctor, "SYNC_GOOD_MS", 0.0)
    found = verdicts(tmp_path)
    assert (found["free space"], found["disk sync"]) == ("fail", "fail")


def test_json_and_status(folder: Path) -> None:
    """One JSON value for programs; status 1 when something is wrong."""
    runner = CliRunner()
    good = runner.invoke(doctor.app, [str(folder), "--json"])
    told = json.loads(good.stdout)
    assert told["verdict"] in {"ok", "warn"}
    assert good.exit_code == 0
    (folder / "gateway.db").chmod(0o644)
    assert runner.invoke(doctor.app, [str(folder)]).exit_code == 1


def test_sql_asks_a_folder_and_a_gateway_needs_a_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows as JSON; a URL without a key is refused before anything is asked."""
    from formicary.stack import standard_products

    with formicary.open(folder / "town" / "ledger", products=standard_products()):
        pass
    runner = CliRunner()
    answer = runner.invoke(sql.app, [str(folder / "town"), "SELECT count(*) AS n FROM transfers", "--json"])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert (told["columns"], told["rows"]) == (["n"], [[0]])
    table = runner.invoke(sql.app, [str(folder / "town"), "SELECT 1 AS one"])
    assert "as of entry" in table.stdout
    monkeypatch.delenv("FORMICARY_KEY", raising=False)
    refused = runner.invoke(sql.app, ["http://127.0.0.1:1", "SELECT 1"])
    assert getattr(refused.exception, "code", "") == "key_missing"
    assert isinstance(sql.app, typer.Typer)
