"""The verbs of ``formicary ledger`` as a person and as a program use them: what they print, and their exit status."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from formicary.cli import GROUPS, main
from formicary.cli.examples import EXAMPLES
from formicary.cli.ledger import VERBS

ORDERS = "id,debit,credit,amount,asset\n1,fund,alice,1234.50,EUR\n2,alice,shop,100.00,EUR\n3,alice,shop,0.50,EUR\n"


class Shell:
    """Runs commands in a folder and keeps what they said."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, line: str, *, status: int = 0) -> str:
        """Run one command, expect its exit status, and return what it printed; its errors are under ``errors``."""
        self._capture.readouterr()
        found = main(shlex.split(line))
        said = self._capture.readouterr()
        self.errors = said.err
        assert found == status, f"{line}\n{said.out}\n{said.err}"
        return said.out

    def json(self, line: str, *, status: int = 0) -> Any:
        """Run one command with --json; stdout must be one JSON value."""
        return json.loads(self(f"{line} --json", status=status))


class Stdin:
    """Bytes, as stdin has them."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An empty folder and a shell of 80 columns in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORMICARY_LEDGER", raising=False)
    (tmp_path / "orders.csv").write_text(ORDERS)
    return Shell(capsys)


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """A shell with a ledger ``shop`` that has three transfers."""
    shell("ledger init shop --note 'Corner shop'")
    shell("ledger import orders.csv --ledger shop")
    return shell


def test_the_version_and_the_groups_are_told(shell: Shell) -> None:
    """The first things that anybody types."""
    assert re.fullmatch(r"formicary \d+\.\d+\.\d+\S*\n", shell("--version"))
    overview = shell("--help")
    assert all(group in overview for group in GROUPS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_fits_80_columns(shell: Shell, verb: str) -> None:
    """And says what --json does, since every verb has it."""
    text = shell(f"ledger {verb} --help")
    assert "--json" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_list_of_verbs_cuts_no_sentence_short(shell: Shell) -> None:
    """Each verb's first line fits beside its name."""
    assert "..." not in shell("ledger --help").partition("Commands:")[2]


def test_init_makes_a_ledger_once(shell: Shell) -> None:
    """A second time, and in a folder that holds anything, it refuses."""
    made = shell.json("ledger init shop")
    assert len(made["ledger_id"]) == 32
    shell("ledger init shop", status=1)
    assert shell.errors == "error[ledger_exists]: there is a ledger in shop already\n"
    Path("full").mkdir()
    Path("full/x").write_text("x")
    shell("ledger init full", status=1)
    assert shell.errors.startswith("error[not_a_ledger]: ")


def test_import_tells_its_counts_and_again_posts_nothing(shell: Shell) -> None:
    """For people and for programs."""
    shell("ledger init shop")
    first = shell("ledger import orders.csv -l shop")
    assert first == "orders.csv: 3 rows, 3 posted, 0 there already; 3 accounts opened\n"
    again = shell.json("ledger import orders.csv -l shop")
    assert (again["rows"], again["accepted"], again["existed"], again["codes"]) == (3, 0, 3, {"exists": 3})


def test_import_names_bad_rows_and_fails(shell: Shell) -> None:
    """Twenty at most on the screen, all of them in a file."""
    shell("ledger init shop")
    Path("bad.csv").write_text(ORDERS + "".join(f"{number},fund,alice,x,EUR\n" for number in range(4, 34)))
    out = shell("ledger import bad.csv -l shop", status=1)
    assert out == "bad.csv: 33 rows, 3 posted, 0 there already; 3 accounts opened\n"
    assert "bad.csv: line 5, column amount: 'x' is not an amount" in shell.errors
    assert shell.errors.count("column amount") == 20
    last = shell.errors.splitlines()[-1]
    assert last == "error[import_incomplete]: 30 of 33 rows are wrong; the other rows are posted"
    assert len(Path("bad.problems.csv").read_text().splitlines()) == 31
    found = shell.json("ledger import bad.csv -l shop --problems all.csv", status=1)
    assert (found["problem_count"], len(found["problems"]), found["problems_file"]) == (30, 20, "all.csv")
    assert found["problems"][0] == {
        "line": 5,
        "column": "amount",
        "message": "'x' is not an amount; write digits and one point, as 1234.50",
    }


def test_import_atomic_leaves_the_ledger_as_it_was(shell: Shell) -> None:
    """One bad row, nothing posted, exit status 1."""
    shell("ledger init shop")
    Path("bad.csv").write_text(ORDERS + "4,fund,alice,x,EUR\n")
    assert shell("ledger import bad.csv -l shop --atomic", status=1) == ""
    assert "nothing was posted, and the ledger is as it was" in shell.errors
    assert shell.json("ledger accounts shop") == []
    assert shell.json("ledger import orders.csv -l shop --atomic")["accepted"] == 3


def test_balances_and_history_for_people(shop: Shell) -> None:
    """Grouped, aligned, with names."""
    assert shop("ledger balance alice -l shop").splitlines()[0] == "alice  1,134.00 EUR"
    lines = [line.rstrip() for line in shop("ledger history alice -l shop").splitlines()]
    assert lines[0] == "alice"
    assert [line[21:] for line in lines[1:]] == [
        "with     debit    credit   balance",
        "shop      0.50            1,134.00",
        "shop    100.00            1,134.50",
        "fund            1,234.50  1,234.50",
    ]
    rows = shop("ledger accounts shop").splitlines()
    assert [row.split() for row in rows] == [
        ["account", "asset", "balance", "held", "transfers"],
        ["fund", "EUR", "-1,234.50", "1"],
        ["alice", "EUR", "1,134.00", "3"],
        ["shop", "EUR", "100.50", "2"],
    ]


def test_balances_and_history_for_programs(shop: Shell) -> None:
    """Amounts as decimal text beside minor units."""
    found = shop.json("ledger balance alice --ledger shop")
    assert found["account"] == "alice"
    assert (found["amount"], found["amount_minor"], found["asset"]) == ("1134.00", 113400, "EUR")
    assert (found["debits_posted"], found["credits_posted_minor"]) == ("100.50", 123450)
    newest, *_, oldest = shop.json("ledger history alice --ledger shop")
    assert (newest["id"], newest["side"], newest["amount"], newest["balance"]) == ("3", "debit", "0.50", "1134.00")
    assert (oldest["debit"], oldest["side"], oldest["balance_minor"]) == ("fund", "credit", 123450)
    between = shop.json(f"ledger balance alice -l shop --at {oldest['time']}")
    assert between["amount"] == "1234.50"
    assert [each["id"] for each in shop.json("ledger history alice -l shop --oldest --limit 2")] == ["1", "2"]
    assert shop.json("ledger history alice -l shop --since 2100-01-01") == []
    assert [each["name"] for each in shop.json("ledger accounts shop --search ALI")] == ["alice"]
    assert shop.json("ledger accounts --ledger shop --asset JPY") == []


def test_the_trial_balance_balances(shop: Shell) -> None:
    """Per asset and code, and as a whole."""
    out = shop("ledger trial-balance shop")
    assert out.splitlines()[-1] == "debits equal credits"
    found = shop.json("ledger trial-balance --ledger shop")
    assert found["balanced"] is True
    (euro,) = found["assets"]
    assert (euro["asset"], euro["amount_minor"], euro["accounts"]) == ("EUR", 0, 3)
    assert euro["debits_posted"] == euro["credits_posted"] == "1335.00"


def test_an_account_that_is_not_there_or_not_clear_is_refused(shop: Shell) -> None:
    """With the code that a script can test for."""
    shop("ledger balance nobody -l shop", status=1)
    assert shop.errors == "error[account_not_found]: there is no account 'nobody'\n"
    shop("ledger balance '#99' -l shop", status=1)
    assert shop.errors.startswith("error[account_not_found]: ")
    shop("ledger post -l shop --open --debit fund --credit alice --amount 5 --asset JPY")
    shop("ledger balance alice -l shop", status=1)
    assert shop.errors == "error[account_ambiguous]: 'alice' has accounts in JPY and EUR; say which with --asset\n"
    assert shop.json("ledger balance alice -l shop --asset jpy")["amount"] == "5"


def test_post_moves_money_and_explains_a_refusal(shop: Shell) -> None:
    """By name, with an id of one's own, once."""
    line = "ledger post -l shop --debit alice --credit shop --amount 4 --asset EUR --id INV-7"
    assert shop(line).splitlines()[0] == "posted: 4.00 EUR from alice to shop"
    assert shop(line).splitlines()[0] == "there already: 4.00 EUR from alice to shop"
    shop(line.replace("--amount 4", "--amount 5"), status=1)
    assert shop.errors.startswith("error[exists_with_different_amount]: ")
    shop(line.replace("alice", "alcie"), status=1)
    assert shop.errors == "error[account_not_found]: there is no account 'alcie' in EUR\n"
    shop(line.replace("--amount 4", "--amount 4,00"), status=1)
    assert shop.errors.startswith("error[bad_input]: '4,00' has a separator")
    shop("ledger post -l shop --debit alice", status=2)
    assert shop.errors.startswith("error[usage]: ")


def test_post_holds_captures_and_releases(shop: Shell) -> None:
    """What a capture leaves out, its hold has."""
    hold = "ledger post -l shop --open --debit alice --credit hotel --asset EUR --hold --amount"
    shop(f"{hold} 80 --id room-7")
    shop(f"{hold} 20 --id room-8 --timeout 3600")
    shop(f"{hold} 10 --id room-9")
    assert shop.json("ledger balance alice -l shop")["debits_held"] == "110.00"
    captured = shop.json("ledger post -l shop --capture room-7 --amount 55.20")
    assert (captured["code"], captured["amount"], captured["credit"]) == ("ok", "55.20", "hotel")
    assert shop.json("ledger post -l shop --capture room-9")["amount"] == "10.00"
    assert shop.json("ledger post -l shop --release room-8")["amount"] == "20.00"
    assert shop.json("ledger balance hotel -l shop")["amount"] == "65.20"
    shop("ledger post -l shop --capture room-7", status=1)
    assert shop.errors == "error[hold_already_captured]: the transfer was refused: the hold was captured before\n"
    shop("ledger post -l shop --release none", status=1)
    assert shop.errors == "error[hold_not_found]: there is no hold none\n"
    kinds = [each["kind"] for each in shop.json("ledger history hotel -l shop --oldest")]
    assert kinds == ["hold", "hold", "hold", "capture", "capture", "release"]


def test_post_reads_json_lines(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """One object a line; a bad line is named, the others are posted."""
    lines = b'{"id": "A1", "debit": "alice", "credit": "shop", "amount": 1.20, "asset": "EUR"}\n{"id": 4}\n'
    monkeypatch.setattr(sys, "stdin", Stdin(lines))
    found = shop.json("ledger post -l shop --stdin", status=1)
    assert (found["rows"], found["accepted"]) == (2, 1)
    assert {problem["line"] for problem in found["problems"]} == {2}
    assert shop.json("ledger balance shop -l shop")["amount"] == "101.70"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_export_and_import_round_trip(shop: Shell, suffix: str) -> None:
    """Through the command line alone."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    told = shop.json(f"ledger export t.{suffix} -l shop")
    assert (told["rows"], told["kind"]) == (3, "transfers")
    assert shop(f"ledger export a.{suffix} -l shop --kind accounts") == f"3 accounts written to a.{suffix}\n"
    assert shop.json(f"ledger export b.{suffix} -l shop --kind balances")["rows"] == 3
    shop("ledger init again")
    assert shop.json(f"ledger import a.{suffix} -l again --kind accounts")["accepted"] == 3
    assert shop.json(f"ledger import t.{suffix} -l again --no-open")["accepted"] == 3
    assert shop("ledger accounts again") == shop("ledger accounts shop")


def test_verify_replay_checkpoint_and_info(shop: Shell) -> None:
    """A healthy ledger passes all of them."""
    assert shop("ledger verify shop").startswith("verified: ")
    report = shop.json("ledger verify --ledger shop")
    assert (report["ok"], report["accounts"], report["transfers"], report["problems"]) == (True, 3, 3, [])
    assert re.fullmatch(r"\d+ entries replayed; the digest is the same: [0-9a-f]{64}\n", shop("ledger replay shop"))
    assert not Path("shop/state.before-replay").exists()
    assert shop.json("ledger checkpoint shop")["entry"] > 1
    told = shop.json("ledger info shop")
    assert (told["note"], told["accounts"], told["transfers"], len(told["key_ids"])) == ("Corner shop", 3, 3, 1)
    assert told["bytes"]["log"] > 0
    assert "Corner shop" in shop("ledger info shop")


def test_verify_names_the_place_of_a_flipped_bit(shop: Shell) -> None:
    """File, record and offset, and an exit status that is not zero."""
    (segment,) = Path("shop/log").glob("*.segment")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    shop("ledger verify shop", status=1)
    assert re.fullmatch(r"error\[not_verified\]: shop/log/\d+\.segment: record \d+ at byte \d+: .*\n", shop.errors)
    found = shop.json("ledger verify shop", status=1)
    assert found["corrupt"]["file"] == str(segment)
    assert found["corrupt"]["offset"] <= len(content) // 2
    shop("ledger balance alice -l shop", status=3)
    assert shop.errors.startswith("error[corrupt]: ")


def test_backup_and_restore(shop: Shell) -> None:
    """The restored ledger has the same accounts and goes on."""
    made = shop.json("ledger backup shop copy.tar --with-keys")
    assert made["keys"] is True
    restored = shop.json("ledger restore copy.tar again")
    assert restored["entries"] == made["entries"]
    assert shop("ledger accounts again") == shop("ledger accounts shop")
    assert shop.json("ledger verify again")["ok"] is True
    shop("ledger backup shop copy.tar", status=1)
    assert shop.errors == "error[target_exists]: copy.tar is there already\n"
    shop("ledger backup shop copy")
    out = shop("ledger restore copy third")
    assert "signs no receipts until the key is put under keys/" in out


@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        ("ledger verify none", 1, "error[ledger_missing]"),
        ("ledger import none.csv -l shop", 1, "error[file_not_found]"),
        ("ledger import orders.csv -l none", 1, "error[ledger_missing]"),
        ("ledger accounts", 2, "error[usage]"),
        ("ledger frobnicate", 2, "error[usage]"),
        ("ledger import orders.csv -l shop --map x", 1, "error[bad_input]"),
        ("ledger export /proc/none/t.csv -l shop", 3, "error[system]"),
        ("frobnicate", 2, "error[usage]"),
    ],
)
def test_an_error_is_one_line_and_a_status(shop: Shell, line: str, status: int, error: str) -> None:
    """1 refused, 2 no such command line, 3 the environment; never a traceback, and nothing on stdout."""
    assert shop(line, status=status) == ""
    assert shop.errors.startswith(f"{error}: ")
    assert len(shop.errors.splitlines()) == 1


def test_the_environment_names_the_ledger(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one need not repeat it."""
    monkeypatch.setenv("FORMICARY_LEDGER", "shop")
    assert shop.json("ledger trial-balance")["balanced"] is True
    assert shop.json("ledger balance alice")["amount"] == "1134.00"


def test_reading_goes_on_while_another_process_writes(shop: Shell) -> None:
    """Reads take no lock; a second writer is told who is in the way."""
    from formicary.node.ledger import open_ledger

    with open_ledger("shop"):
        assert shop.json("ledger balance alice -l shop")["amount"] == "1134.00"
        assert shop.json("ledger verify shop")["state_checked"] is False
        shop("ledger backup shop copy")
        shop("ledger post -l shop --debit alice --credit shop --amount 1 --asset EUR", status=3)
        assert shop.errors.startswith("error[locked]: ")


def test_the_examples_of_the_help_run_as_they_stand(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the list, on the files that they name."""
    pytest.importorskip("pyarrow")
    Path("order.asc").write_text('"order_id";"account_id";"bank_to";"account_to";"amount"\n1;1;"YZ";"8";2452.00\n')
    line = b'{"id": "A1", "debit": "till", "credit": "owner", "amount": "1.20", "asset": "EUR"}\n'
    monkeypatch.setattr(sys, "stdin", Stdin(line))
    shop("ledger export big.parquet -l shop")
    shop("ledger init town")
    for commands in EXAMPLES.values():
        for command in commands:
            words = command.replace("\\\n", " ").removeprefix("formicary ").partition(" < ")
            shop(words[0])
    assert shop.json("ledger balance owner -l shop.ledger")["amount"] == "-98.80"


def test_nothing_heavy_is_loaded_for_help() -> None:
    """``--help`` and ``--version`` answer without the kernel's compiler."""
    code = "import sys; from formicary.cli import main; main(['ledger', '--help']); print('numba' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False"
