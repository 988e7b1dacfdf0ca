"""``formicary ledger names``: listing names, and changing and forgetting one, for people and for programs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from formicary.cli import main

ORDERS = "id,debit,credit,amount,asset\n1,fund,alice,12.50,EUR\n2,fund,alina,3.00,EUR\n3,fund,alice,500,JPY\n"


class Shell:
    """Runs commands in a folder that has a ledger ``shop``, and keeps their errors."""

    errors = ""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, line: str, *, status: int = 0) -> str:
        """Run one command, expect its exit status, and return what it printed."""
        self._capture.readouterr()
        found = main(shlex.split(line))
        said = self._capture.readouterr()
        self.errors = said.err
        assert found == status, f"{line}\n{said.out}\n{said.err}"
        return said.out

    def json(self, line: str) -> Any:
        """Run one command with --json."""
        return json.loads(self(f"{line} --json"))


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell with a ledger of five accounts: fund and alice in two assets, alina in one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORMICARY_LEDGER", raising=False)
    (tmp_path / "orders.csv").write_text(ORDERS)
    shell = Shell(capsys)
    shell("ledger init shop")
    shell("ledger import orders.csv -l shop")
    return shell


def names(shop: Shell, options: str = "") -> list[tuple[str, str]]:
    """The names and assets that are listed."""
    return [(each["name"], each["asset"]) for each in shop.json(f"ledger names shop {options}")]


def test_names_are_listed_in_order(shop: Shell) -> None:
    """All of them, some of them, one asset's, and no more than asked for."""
    every = [("alice", "JPY"), ("alice", "EUR"), ("alina", "EUR"), ("fund", "JPY"), ("fund", "EUR")]
    assert names(shop) == every
    assert names(shop, "--search ALI") == every[:3]
    assert names(shop, "--search ali --asset EUR") == every[1:3]
    assert names(shop, "--limit 1") == every[:1]
    assert "there are more" in shop("ledger names shop --limit 4")
    assert "there are more" not in shop("ledger names -l shop --limit 5")


def test_a_renamed_account_keeps_everything_but_its_name(shop: Shell) -> None:
    """Its id and its balance are as before; the old name is nobody's."""
    before = shop.json("ledger names shop --search alina")[0]
    assert shop("ledger names shop --rename alina bella") == "alina in EUR is called bella from now on\n"
    assert shop.json("ledger names shop --search bella") == [before | {"name": "bella"}]
    assert shop.json("ledger balance bella -l shop")["amount"] == "3.00"
    shop("ledger balance alina -l shop", status=1)
    again = shop.json("ledger names shop --rename bella cora")
    assert again == before | {"name": "cora", "was": "bella"}


def test_an_asset_says_which_of_two_is_renamed(shop: Shell) -> None:
    """Without it, an account that is not clear is refused, and nothing changes."""
    shop("ledger names shop --rename alice ally", status=1)
    assert shop.errors.startswith("error[account_ambiguous]: ")
    shop("ledger names shop --rename alice ally --asset JPY")
    assert names(shop, "--search al") == [("alice", "EUR"), ("alina", "EUR"), ("ally", "JPY")]


def test_an_erased_name_is_gone_and_the_account_is_not(shop: Shell) -> None:
    """The account goes by its id; its name is not in the file any more, and whoever takes it gets another account."""
    number = shop.json("ledger names shop --search alina")[0]["id"]
    assert shop("ledger names shop --erase alina") == f"alina in EUR is #{number} from now on, without a name\n"
    assert names(shop, "--search alina") == []
    assert shop.json(f"ledger balance '#{number}' -l shop")["amount"] == "3.00"
    assert b"alina" not in Path("shop/names.db").read_bytes()
    shop("ledger post -l shop --open --debit fund --credit alina --amount 1 --asset EUR")
    assert shop.json("ledger names shop --search alina")[0]["id"] != number
    told = shop.json("ledger names shop --erase alina")
    assert (told["name"], told["was"], told["asset"]) == (None, "alina", "EUR")


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ("shop --rename alina fund --asset EUR", 1, "name_taken"),
        ("shop --rename alina ' x'", 1, "bad_input"),
        ("shop --rename nobody x", 1, "account_not_found"),
        ("shop --erase '#99'", 1, "name_not_found"),
        ("shop --search a --erase alina", 2, "usage"),
        ("shop --rename alina", 2, "usage"),
        ("none", 1, "ledger_missing"),
        ("none --erase alina", 1, "ledger_missing"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(shop: Shell, options: str, status: int, code: str) -> None:
    """One line that says why; no name is lost, and no file is made."""
    before = names(shop)
    assert shop(f"ledger names {options}", status=status) == ""
    assert shop.errors.startswith(f"error[{code}]: ")
    assert names(shop) == before
    assert not Path("none").exists()
