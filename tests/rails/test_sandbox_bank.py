"""The sandbox bank by itself: what it takes, what it refuses, how it misbehaves, and that a seed decides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from formicary.base.errors import BadInput
from formicary.products.bank import SANDBOX_HOUSE
from formicary.rails import iso20022
from formicary.rails.iso20022 import Order, OrderStatus, Payment, Report
from formicary.rails.sandbox_bank import Bank, Manners

pytest.importorskip("pyiso20022")

SECOND_NS = 10**9
NOW_NS = 1_767_225_600 * SECOND_NS
IBAN = "DE89370400440532013000"


def bring(folder: Path, name: str, amount: str = "100.00", **changes: str) -> None:
    """A customer's transfer."""
    told = {"name": "Alice", "iban": IBAN, "currency": "EUR", "amount": amount} | changes
    (folder / "customers" / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def order(
    folder: Path, name: str, amount_minor: int = 1_000, *, file: str = "", iban: str = SANDBOX_HOUSE.iban
) -> None:
    """An order of one payment."""
    payment = Payment(end_to_end_id=name, asset=978, amount_minor=amount_minor, name="Bob", iban=IBAN)
    data = iso20022.write_order(
        Order(message_id=file or name, created_ns=NOW_NS, name="Formicary", iban=iban, payments=(payment,))
    )
    (folder / "outgoing" / f"{file or name}.xml").write_bytes(data)


def told(folder: Path) -> list[OrderStatus | Report]:
    """All that the bank has told, in the order of its files' names."""
    found: list[OrderStatus | Report] = []
    for path in sorted((folder / "incoming").glob("*.xml")):
        read = iso20022.read_incoming(path.read_bytes(), name=path.name)
        found += read if isinstance(read, list) else [read]
    return found


def opened(folder: Path, text: str = "", seed: int = 0) -> Bank:
    """A bank that has 100.00."""
    bank = Bank(folder, iban=SANDBOX_HOUSE.iban, manners=Manners.parse(text, seed=seed))
    bring(folder, "first")
    bank.step(NOW_NS)
    return bank


def test_an_order_is_booked_and_told(tmp_path: Path) -> None:
    """One notification for each booking, and a statement that adds up."""
    bank = opened(tmp_path)
    order(tmp_path, "a")
    for second in range(3):
        bank.step(NOW_NS + second * SECOND_NS)
    assert bank.close_day(NOW_NS) == 1
    assert bank.close_day(NOW_NS) == 0, "nothing new, no statement"
    reports = [report for report in told(tmp_path) if isinstance(report, Report)]
    (statement,) = [report for report in reports if report.kind == "statement"]
    assert (statement.number, statement.opening_minor, statement.closing_minor) == (1, 0, 9_000)
    assert [(line.direction, line.amount_minor) for line in statement.bookings] == [("in", 10_000), ("out", 1_000)]
    assert statement.bookings == tuple(line for report in reports[1:] for line in report.bookings)
    assert (tmp_path / "taken" / "a.xml").exists()
    bank.close()


def test_orders_that_it_can_not_pay_are_refused(tmp_path: Path) -> None:
    """No money, no schema, another's account, the same payment again, the same order changed; each with its reason."""
    bank = opened(tmp_path)
    order(tmp_path, "a")
    bank.step(NOW_NS)
    order(tmp_path, "a", file="b")
    order(tmp_path, "rich", 1_000_000)
    order(tmp_path, "stolen", iban=IBAN)
    order(tmp_path, "a", 2_000)
    (tmp_path / "outgoing" / "junk.xml").write_bytes(b"<junk")
    for second in range(4):
        bank.step(NOW_NS + second * SECOND_NS)
    statuses = [found for found in told(tmp_path) if isinstance(found, OrderStatus)]
    whole = {status.order_id: status.reason for status in statuses if status.status}
    single = {(status.order_id, line.end_to_end_id): line.reason for status in statuses for line in status.outcomes}
    assert whole == {"stolen": "FF01", "junk": "FF01", "a": "AM05"}
    assert single == {("b", "a"): "AM05", ("rich", "rich"): "AM04"}
    assert bank.store.account(978)[0] == 9_000
    bank.close()


def test_transfers_that_are_wrong_are_refused(tmp_path: Path) -> None:
    """With the reason in a file beside them."""
    bank = opened(tmp_path)
    bring(tmp_path, "iban", iban="DE00")
    bring(tmp_path, "amount", "1,50")
    bring(tmp_path, "none", "0.00")
    bring(tmp_path, "currency", currency="XYZ")
    bring(tmp_path, "more", colour="green")
    (tmp_path / "customers" / "large.json").write_bytes(b" " * 20_000)
    bank.step(NOW_NS)
    refused = tmp_path / "customers" / "refused"
    assert len(list(refused.glob("*.json"))) == len(list(refused.glob("*.why"))) == 6
    assert bank.store.account(978)[0] == 10_000
    bank.close()


@pytest.mark.parametrize(
    ("kind", "bookings", "files"),
    [
        ("", 2, 2),
        ("partial", 3, 3),
        ("returned", 3, 3),
        ("fee", 3, 3),
        ("duplicate", 2, 4),
        ("torn", 2, 4),
        ("late", 2, 0),
        ("rejected", 1, 2),
    ],
)
def test_each_kind_of_misbehaviour(tmp_path: Path, kind: str, bookings: int, files: int) -> None:
    """At 100 percent each kind does what it says, and no other."""
    bank = opened(tmp_path, f"{kind}=100" if kind else "")
    order(tmp_path, "a")
    for second in range(10):
        bank.step(NOW_NS + second * SECOND_NS)
    assert len(list((tmp_path / "incoming").glob("*.xml"))) == files
    assert len(bank.store.unlisted(978)) == bookings
    for second in range(10, 40):
        bank.step(NOW_NS + second * SECOND_NS)
    assert bank.store.tasks() == 0
    assert len(list((tmp_path / "incoming").glob("*.xml"))) == max(files, 2)
    bank.close()


def test_a_seed_decides(tmp_path: Path) -> None:
    """The same seed goes wrong in the same places, another one in others."""
    runs = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        bank = opened(folder, "all=30", seed=seed)
        for place in range(20):
            order(folder, f"p{place}", 10)
        for second in range(40):
            bank.step(NOW_NS + second * SECOND_NS)
        runs.append(sorted(path.name for path in (folder / "incoming").iterdir()))
        bank.close()
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("text", ["late", "late=x", "late=101", "lost=5", "late=-1"])
def test_rates_that_are_none_are_refused(text: str) -> None:
    """What can't be read is not guessed."""
    with pytest.raises(BadInput):
        Manners.parse(text, seed=0)


def test_a_bank_killed_between_row_and_file_sends_the_file_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is a row before it is a file, so none is lost."""
    bank = Bank(tmp_path, iban=SANDBOX_HOUSE.iban)
    bring(tmp_path, "first")
    monkeypatch.setattr(bank, "_send", lambda: 0)
    bank.step(NOW_NS)
    bank.close()
    assert told(tmp_path) == []
    again = Bank(tmp_path, iban=SANDBOX_HOUSE.iban)
    again.step(NOW_NS)
    assert len(told(tmp_path)) == 1
    again.close()


def test_the_program_runs_once_and_refuses_nonsense(tmp_path: Path) -> None:
    """``--once`` does what can be done, closes the day and ends; a wrong option says what is wrong."""
    command = [sys.executable, "-m", "formicary.rails.sandbox_bank", "--folder", str(tmp_path)]
    (tmp_path / "customers").mkdir()
    bring(tmp_path, "first")
    done = subprocess.run([*command, "--once"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"sandbox bank at {tmp_path}\n"
    assert [found.kind for found in told(tmp_path) if isinstance(found, Report)] == ["statement", "notification"]
    wrong = subprocess.run([*command, "--misbehave", "lost=1"], capture_output=True, text=True, timeout=60, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "lost=1" in wrong.stderr
