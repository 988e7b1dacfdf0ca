"""An import posts every good row once, names every bad one, and, when asked, does all or nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.base.errors import BadInput, Refusal
from formicary.base.money import parse_asset
from formicary.kernel.objects import transfers_from
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.node.import_source import CHUNK_ROWS, open_source
from formicary.node.importing import ImportOptions, ImportReport, import_accounts, import_transfers
from formicary.node.ledger import Ledger
from formicary.node.names import Names

EUR = parse_asset("EUR")
ASSET_RULE = "1 to 6 of A-Z and 0-9 with a letter among them, or # and a number"
HEADER = "id,debit,credit,amount,asset\n"


class Desk:
    """A ledger, its names, and a folder to put files in."""

    def __init__(self, ledger: Ledger, names: Names, folder: Path) -> None:
        self.ledger = ledger
        self.names = names
        self._folder = folder

    def load(self, text: str, *, accounts: bool = False, **options: Any) -> ImportReport:
        """Import the text of a CSV file."""
        path = self._folder / "in.csv"
        path.write_text(text)
        run = import_accounts if accounts else import_transfers
        with closing(open_source(path)) as source:
            return run(self.ledger, self.names, source, ImportOptions(**options))

    def balance(self, name: str, asset: int = EUR) -> int:
        """Return what a named account has, in minor units."""
        number = self.names.find(name, asset)
        assert number is not None
        return self.ledger.balance(number)


@pytest.fixture
def desk(town: Ledger, town_names: Names, tmp_path: Path) -> Desk:
    """A desk with an empty ledger."""
    return Desk(town, town_names, tmp_path)


def problems(report: ImportReport) -> list[str]:
    """Return the problems as a person reads them."""
    return [str(problem) for problem in report.problems]


def test_rows_are_posted_and_accounts_opened(desk: Desk) -> None:
    """The default header, names for accounts, a reference for an id."""
    report = desk.load(HEADER + "1,fund,alice,100.00,EUR\nINV-2,alice,shop,12.5,EUR\n")
    assert (report.rows, report.accepted, report.accounts_opened, report.clean) == (2, 2, 3, True)
    assert (desk.balance("alice"), desk.balance("shop"), desk.balance("fund")) == (8750, 1250, -10000)
    (stored,) = transfers_from(desk.ledger.lookup_transfers([desk.names.transfer_id("INV-2")]))
    assert (stored.amount, stored.asset, stored.code) == (1250, EUR, 1)


def test_importing_again_posts_nothing_twice(desk: Desk) -> None:
    """A second run counts everything as there already, and adds what is new."""
    text = HEADER + "1,fund,alice,100.00,EUR\n2,alice,shop,12.50,EUR\n"
    desk.load(text)
    again = desk.load(text + "3,alice,shop,1.00,EUR\n")
    assert (again.accepted, again.existed, again.accounts_opened, again.clean) == (1, 2, 0, True)
    assert desk.balance("shop") == 1350


def test_bad_rows_are_named_and_the_others_posted(desk: Desk) -> None:
    """Each with its line and column; what the ledger itself refuses as well."""
    text = HEADER + (
        "1,fund,alice,100.00,EUR\n"
        "2,fund,alice,1.005,EUR\n"
        "3,fund,,5,EUR\n"
        "4,#zz,alice,5,EUR\n"
        "5,fund,alice,5,EURO€\n"
        "6,alice,alice,5,EUR\n"
        ",fund,alice,5,EUR\n"
        "1,fund,alice,99.00,EUR\n"
        "9,fund,alice,1.00,EUR\n"
    )
    report = desk.load(text)
    assert (report.rows, report.accepted) == (9, 2)
    assert report.problem_count == len(report.problems) == 7
    assert sorted(problems(report)) == [
        "line 3, column amount: '1.005' has 3 decimals, more than the 2 of its asset",
        "line 4, column credit: the credit account is missing",
        "line 5, column debit: 'zz' is not an id: write decimal digits, 0x and hexadecimal digits, or a UUID",
        f"line 6, column asset: 'EURO€' is not an asset: {ASSET_RULE}",
        "line 7: refused: accounts_must_be_different",
        "line 8, column id: the id is missing",
        "line 9, column amount: refused: exists_with_different_amount",
    ]
    assert desk.balance("alice") == 10100


def test_a_map_a_template_and_constants(desk: Desk) -> None:
    """The standing orders of a Czech bank."""
    report = desk.load(
        '"order_id";"account_id";"bank_to";"account_to";"amount"\n29401;1;"YZ";"87144583";2452.00\n',
        maps=["id=order_id", "debit=payer {account_id}", "credit={bank_to}:{account_to}"],
        constants={"asset": "CZK", "code": "7"},
        open_flags=int(AccountFlag.CREDITS_LIMITED),
        open_code=3,
    )
    assert problems(report) == ["line 2, column credit: refused: exceeds_debits"]
    accounts = desk.ledger.account_records()
    assert accounts["code"].tolist() == [3, 3]
    assert set(accounts["flags"].tolist()) == {int(AccountFlag.CREDITS_LIMITED)}
    assert desk.names.find("YZ:87144583", parse_asset("CZK")) is not None


def test_unknown_accounts_are_refused_when_none_may_be_opened(desk: Desk) -> None:
    """A typing error then opens nothing."""
    desk.load(HEADER + "1,fund,alice,1,EUR\n")
    report = desk.load(HEADER + "2,fund,alcie,1,EUR\n3,#99,alice,1,EUR\n4,fund,alice,1,EUR\n", open_new=False)
    assert problems(report) == [
        "line 2, column credit: there is no account 'alcie' of this asset, and new ones are not opened",
        "line 3, column debit: refused: debit_account_not_found",
    ]
    assert (report.accepted, len(desk.ledger.account_records())) == (1, 2)


def test_an_account_that_was_named_but_never_opened_is_opened(desk: Desk) -> None:
    """A crash between the two leaves a name; the next import mends it."""
    desk.names.ids(["alice"], EUR)
    assert desk.load(HEADER + "1,fund,alice,1,EUR\n").clean


def test_one_account_in_two_assets(desk: Desk) -> None:
    """The asset of the row decides which account a name means; an id means itself."""
    assert desk.load(HEADER + "1,fund,alice,1.00,EUR\n2,fund,alice,1,JPY\n").clean
    assert (desk.balance("alice"), desk.balance("alice", parse_asset("JPY"))) == (100, 1)
    number = desk.names.find("alice", EUR)
    report = desk.load(HEADER + f"3,fund,#{number},1,EUR\n4,fund,#{number},1,JPY\n")
    assert problems(report) == ["line 3, column asset: refused: accounts_have_different_assets"]


def test_holds_captures_and_releases(desk: Desk) -> None:
    """By flags and hold columns; a capture's accounts may be left out."""
    text = (
        "id,debit,credit,amount,asset,flags,hold,timeout\n"
        "F,fund,alice,100,EUR,,,\n"
        "H1,alice,hotel,80,EUR,hold,,3600\n"
        "H2,alice,hotel,10,EUR,hold,,0\n"
        "C1,,,55.20,EUR,capture,H1,\n"
        "R2,,,10,EUR,release,H2,\n"
    )
    assert problems(desk.load(text)) == []
    assert (desk.balance("hotel"), desk.balance("alice")) == (5520, 4480)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_bad_row_takes_its_linked_chain_with_it(desk: Desk, atomic: bool) -> None:
    """Never would its neighbours be linked to a row that is not theirs."""
    text = (
        "id,debit,credit,amount,asset,flags\n"
        "1,fund,alice,1,EUR,linked\n"
        "2,fund,alice,x,EUR,linked\n"
        "3,fund,alice,1,EUR,\n"
        "4,fund,alice,1,EUR,\n"
    )
    report = desk.load(text, atomic=atomic)
    assert [problem.line for problem in report.problems] == [3, 2, 4]
    assert (report.accepted, report.posted) == (0, False) if atomic else (1, True)


def test_a_linked_chain_is_not_cut_where_chunks_meet(desk: Desk) -> None:
    """The chain begins in one chunk and ends in the next."""
    plain = [f"{number},fund,alice,1,EUR," for number in range(1, CHUNK_ROWS)]
    chain = ["90001,fund,bob,1,EUR,linked", "90002,fund,bob,1,EUR,linked", "90003,fund,bob,1,EUR,"]
    report = desk.load("id,debit,credit,amount,asset,flags\n" + "\n".join(plain + chain) + "\n")
    assert (report.accepted, report.clean) == (CHUNK_ROWS + 2, True)
    assert desk.balance("bob") == 300


def test_a_chain_still_open_at_the_end_of_the_file_is_refused(desk: Desk) -> None:
    """The ledger says which row left it open."""
    report = desk.load("id,debit,credit,amount,asset,flags\n1,fund,a,1,EUR,linked\n2,fund,a,1,EUR,linked\n")
    assert problems(report) == ["line 2: refused: chain_failed", "line 3: refused: chain_open"]


@pytest.mark.parametrize("bad", ["x", "100.00"])
def test_atomic_leaves_no_trace_of_a_file_with_one_bad_row(desk: Desk, bad: str) -> None:
    """Neither transfers nor accounts nor names: whether a row can't be read or the ledger would refuse it."""
    desk.load("name,asset,flags\npoor,EUR,debits_limited\n", accounts=True)
    before = desk.ledger.info()
    text = HEADER + f"1,fund,alice,50.00,EUR\n2,poor,bob,{bad},EUR\n"
    report = desk.load(text, atomic=True)
    assert (report.posted, report.accepted, report.accounts_opened, report.problem_count) == (False, 0, 0, 1)
    assert desk.names.find("alice", EUR) is None
    after = desk.ledger.info()
    assert [after[part] for part in ("accounts", "transfers", "entries")] == [
        before[part] for part in ("accounts", "transfers", "entries")
    ]
    assert desk.ledger.verify().ok


def test_atomic_posts_a_good_file_of_any_length_and_again_nothing(desk: Desk) -> None:
    """Later rows may spend what earlier ones bring; a rehearsal sees the same balances as the posting."""
    desk.load("name,asset,flags\nalice,EUR,debits_limited\n", accounts=True)
    rows = ["1,fund,alice,9000.00,EUR"] + [f"{number},alice,shop,1.00,EUR" for number in range(2, 9002)]
    report = desk.load(HEADER + "\n".join(rows) + "\n", atomic=True)
    assert (report.accepted, report.clean, report.posted) == (9001, True, True)
    assert (desk.balance("alice"), desk.balance("shop")) == (0, 900000)
    again = desk.load(HEADER + "\n".join(rows) + "\n", atomic=True)
    assert (again.existed, again.accepted, again.clean) == (9001, 0, True)
    assert desk.ledger.verify().ok


def test_atomic_needs_the_ledger_in_this_process(desk: Desk) -> None:
    """A rehearsal runs on the ledger's own kernel, which a client has not."""

    class Far:
        """A ledger that can't rehearse."""

        lookup_accounts = desk.ledger.lookup_accounts
        submit_transfers = desk.ledger.submit_transfers

    ledger, desk.ledger = desk.ledger, Far()  # type: ignore[assignment]
    with pytest.raises(Refusal) as refused:
        desk.load(HEADER + "1,fund,alice,1,EUR\n", atomic=True)
    assert refused.value.code == "not_here"
    desk.ledger = ledger
    assert desk.names.find("alice", EUR) is None


def test_accounts_are_opened_with_names_flags_and_data(desk: Desk) -> None:
    """An id beside a name is kept; a row needs one of the two."""
    header = "id,name,asset,code,flags,user_data\n"
    rows = "77,alice,EUR,5,debits_limited,\n,bob,EUR,,,9\n,,EUR,1,,\n77,carol,EUR,1,,\n"
    report = desk.load(header + rows, accounts=True)
    assert problems(report) == [
        "line 4, column name: a row needs an id or a name",
        "line 5, column name: account 77 has, or had, another name",
    ]
    assert desk.names.find("alice", EUR) == 77
    accounts = desk.ledger.account_records()
    assert accounts["id_lo"][0] == 77
    assert accounts["code"].tolist() == [5, 1]
    assert accounts["user_data_lo"].tolist() == [0, 9]


def test_times_are_kept_when_asked(desk: Desk) -> None:
    """They must rise; without the option the column is not looked at."""
    text = "id,debit,credit,amount,asset,time\n1,fund,a,1,EUR,2001-01-01\n2,fund,a,1,EUR,2000-01-01\n"
    desk.load("id,asset\n5,EUR\n", accounts=True)
    assert problems(desk.load(text, keep_times=True)) == ["line 3, column time: refused: imported_time_regressed"]
    (stored,) = transfers_from(desk.ledger.lookup_transfers([1]))
    assert stored.flags & TransferFlag.IMPORTED
    assert stored.time == 978_307_200 * 10**9
    assert desk.load(text.replace("\n1,", "\n11,").replace("\n2,", "\n12,")).clean


@pytest.mark.parametrize("missing", ["id", "debit", "credit", "amount", "asset"])
def test_a_file_without_a_needed_column_is_refused_before_its_first_row(desk: Desk, missing: str) -> None:
    """With the way to name it."""
    with pytest.raises(BadInput, match=f"--map {missing}=COLUMN"):
        desk.load(HEADER.replace(missing, "other") + "1,fund,alice,1,EUR\n")
    assert desk.ledger.info()["accounts"] == 0


def test_the_counts_add_up(desk: Desk) -> None:
    """Every row is accepted, there already, or a problem."""
    rng = np.random.default_rng(7)
    rows = [f"{number},fund,p{number % 5},{rng.choice(['1', '2', 'x'])},EUR" for number in rng.integers(1, 60, 300)]
    report = desk.load(HEADER + "\n".join(rows) + "\n")
    assert report.rows == 300 == report.accepted + report.existed + report.problem_count
    assert report.as_dict()["codes"].items() >= {("ok", report.accepted)}
    net = desk.ledger.account_records()
    assert int((net["credits_posted"] - net["debits_posted"]).sum()) == 0
