"""``formicary operator`` gives and takes roles from the machine itself, and only while the wallet is stopped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from formicary import cli
from formicary.base.money import parse_asset
from formicary.gateway.config import Config
from formicary.gateway.server import open_door
from formicary.node.ledger import open_ledger
from formicary.stack import standard_products

LENA = bytes(range(16))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a wallet in which only Lena has an account."""
    with open_ledger(tmp_path / "ledger", products=standard_products()) as ledger:
        door = open_door(Config(data=tmp_path), ledger)
        door.vault.put(LENA, {"name": "Lena Ohm", "alias": "lena", "kind": "person"})
        opening = door.message("wallet.open", assets=(parse_asset("EUR"),), alias=door.digest("alias", "lena"))
        asyncio.run(door.run_as(LENA, "wallet.open", opening, "open lena"))
        door.close()
    return tmp_path


def test_a_role_is_given_listed_and_taken(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By @name or by id; each change is an entry of the log."""
    assert cli.main(["operator", "appoint", str(data), "@lena", "operator", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["person"], told["role"]) == (LENA.hex(), "operator")
    assert cli.main(["operator", "list", str(data)]) == 0
    assert "Lena Ohm" in capsys.readouterr().out
    assert cli.main(["operator", "dismiss", str(data), LENA.hex(), "operator"]) == 0
    assert cli.main(["operator", "list", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"items": []}


def test_what_can_not_be_is_refused_by_name(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody of that name, a role given twice, a ledger that is not there."""
    assert cli.main(["operator", "appoint", str(data), "@nobody", "operator"]) == 1
    assert "error[person_not_found]" in capsys.readouterr().err
    assert cli.main(["operator", "appoint", str(data), "@lena", "arbiter"]) == 0
    assert cli.main(["operator", "appoint", str(data), "@lena", "arbiter"]) == 1
    assert "error[role_given_already]" in capsys.readouterr().err
    assert cli.main(["operator", "list", str(data / "elsewhere")]) == 1
    assert "error[ledger_missing]" in capsys.readouterr().err


def test_a_wallet_that_runs_is_left_alone(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A ledger has one writer; the message says who that is."""
    with open_ledger(data / "ledger", products=standard_products()):
        assert cli.main(["operator", "appoint", str(data), "@lena", "operator"]) == 3
    assert "error[locked]" in capsys.readouterr().err


def test_that_a_name_was_read_can_be_seen(data: Path) -> None:
    """The list shows names, so it leaves the same line as any other look."""
    assert cli.main(["operator", "appoint", str(data), "@lena", "auditor"]) == 0
    assert cli.main(["operator", "list", str(data)]) == 0
    with open_ledger(data / "ledger", products=standard_products()) as ledger:
        door = open_door(Config(data=data), ledger)
        assert [use.purpose for use in door.vault.uses(LENA)] == ["list of roles"]
        door.close()
