"""The courier between a real ledger and the sandbox bank, through real files: nothing is lost, nothing done twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import formicary
from formicary.base.ids import new_id
from formicary.gateway.courier import Courier, Sender
from formicary.machine.commands import Command, encode
from formicary.machine.replies import read_reply
from formicary.products.anatomy import Message
from formicary.products.bank import SANDBOX_HOUSE, backing, queries
from formicary.products.bank import commands as bank
from formicary.products.bank.codes import NOSTRO
from formicary.products.bank.references import spaced
from formicary.rails import iso20022
from formicary.rails.iso20022 import Booking, OrderStatus, Report
from formicary.rails.sandbox_bank import Bank, Manners

from tests.products.bank.fakes import ALICE, BOB, EUR, OPERATOR, Open, products

pytest.importorskip("pyiso20022")

SECOND_NS = 10**9
IBAN = "DE89370400440532013000"
REF = b"account of alice"
ROOT = Path(__file__).parents[2]


class Desk:
    """A ledger, a courier and a sandbox bank in one folder, with a clock that moves when told."""

    def __init__(self, folder: Path, manners: Manners | None = None) -> None:
        self.folder = folder / "exchange"
        self.now_ns = 1_767_225_600 * SECOND_NS
        self.ledger = formicary.open(folder / "ledger", products=products())
        self.senders: dict[bytes, Sender] = {}
        self.courier = self.new_courier()
        self.bank = Bank(self.folder, iban=SANDBOX_HOUSE.iban, manners=manners)
        for person in (ALICE, BOB):
            self.ok(person, "wallet.open", Open(EUR))
        self.ok(ALICE, "bank.link_account", bank.LinkAccount(REF, bytes(16), bytes(32)))
        self.reference = self.ok(ALICE, "bank.take_reference", bank.TakeReference(), bank.ReferenceTaken).reference
        self.transfers = 0

    def new_courier(self) -> Courier:
        """A courier that knows Alice's bank account, and whoever sent what nobody understood."""
        return Courier(
            self.ledger,
            self.folder,
            iban_of=self.iban_of,
            keep_sender=lambda sender: self.senders.update({sender.account_ref: sender}),
            clock_ns=lambda: self.now_ns,
        )

    def iban_of(self, account_ref: bytes) -> tuple[str, str] | None:
        """What the vault would know."""
        if account_ref == REF:
            return IBAN, "Alice"
        found = self.senders.get(account_ref)
        return None if found is None else (found.iban, found.name)

    def ok(self, signer: bytes, name: str, message: Message, reply: type[Message] | None = None) -> Any:
        """Send a command that must be accepted."""
        command = Command(new_id().to_bytes(16, "big"), signer, name, 1, encode(message))
        answer = read_reply(self.ledger.command(encode(command)))
        assert answer.code == "ok", (name, answer.code)
        return msgspec.msgpack.decode(answer.body, type=reply) if reply is not None else None

    def bring(self, amount: str, reference: str | None = None, text: str = "") -> None:
        """A customer of the bank sends money to the institution."""
        self.transfers += 1
        told = {
            "name": "Alice Smith", "iban": IBAN, "currency": "EUR", "amount": amount, "text": text,
            "reference": self.reference if reference is None else reference,
        }  # fmt: skip
        path = self.folder / "customers" / f"{self.transfers:06}.json"
        path.write_text(json.dumps(told), encoding="utf-8")

    def withdraw(self, amount_minor: int) -> bytes:
        """Alice withdraws."""
        return bytes(
            self.ok(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, amount_minor), bank.Withdrawing).withdrawal
        )

    def turn(self, times: int = 1) -> None:
        """Courier and bank work by turns."""
        for _ in range(times):
            self.courier.step()
            self.bank.step(self.now_ns)
            self.now_ns += SECOND_NS
        self.courier.step()

    def balance(self, party: bytes = ALICE) -> int:
        """What somebody has."""

        def question(view: Any) -> int:
            sql = "SELECT account FROM wallet_purses WHERE party = ? AND asset = ?"
            found = view.account(int.from_bytes(view.rows.one(sql, party, EUR)[0], "big"))
            return int(found.credits_posted - found.debits_posted)

        return int(self.ledger.ask("wallet", question))

    def ask(self, name: str, who: bytes, asked: Any) -> Any:
        """Ask the bank product."""
        question = self.ledger.registry.queries[f"bank.{name}"].question
        return self.ledger.ask("bank", lambda view: question(view, who, asked))

    def reconciled(self) -> queries.Reconciled:
        """The euro's reconciliation."""
        found: queries.Reconciled = self.ask("reconciliation", OPERATOR, queries.AskReconciliation()).items[0]
        return found

    def backed(self) -> backing.Backed:
        """The euro's proof of backing."""
        found: backing.Backed = self.ask("backing", b"", backing.AskBacking()).items[0]
        return found

    def close(self) -> None:
        """Let go of everything."""
        self.bank.close()
        self.ledger.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a bank that behaves."""
    opened = Desk(tmp_path)
    yield opened
    opened.close()


def incoming(desk: Desk, name: str, data: bytes) -> None:
    """A file from the bank."""
    (desk.folder / "incoming" / name).write_bytes(data)


def test_money_goes_round(desk: Desk) -> None:
    """In with a reference, out to the linked account, told by notification, explained by the statement."""
    desk.bring("100.00")
    desk.bring("20.50", reference="", text=f"rent {spaced(desk.reference).lower()} thanks")
    desk.turn()
    assert desk.balance() == 12_050
    name = desk.withdraw(2_050)
    desk.turn(2)
    assert desk.balance() == 10_000
    assert desk.bank.store.account(EUR)[0] == 10_000
    desk.bank.close_day(desk.now_ns)
    desk.turn()
    found = desk.reconciled()
    assert (found.nostro_minor, found.closing_minor, found.unlisted_minor) == (10_000, 10_000, 0)
    assert (found.difference_minor, found.problems, found.open_entries, found.under_way) == (0, (), 0, 0)
    assert found.matched == 3
    assert (desk.folder / "taken" / f"{name.hex()}.xml").exists()
    assert desk.courier.quarantined() == []


def test_ibans_stay_off_the_ledger(desk: Desk) -> None:
    """Neither an IBAN nor a name nor what a payer wrote is in any file of the ledger."""
    desk.bring("100.00", text="for my dear aunt")
    desk.bring("1.00", reference="", text="for my dear aunt")
    desk.turn()
    desk.withdraw(100)
    desk.turn(2)
    desk.ledger.checkpoint()
    everything = b"".join(path.read_bytes() for path in (desk.folder.parent / "ledger").rglob("*") if path.is_file())
    for word in (IBAN.encode(), b"Alice Smith", b"dear aunt"):
        assert word not in everything
    (sender,) = desk.senders.values()
    assert (sender.iban, sender.name, sender.text) == (IBAN, "Alice Smith", "for my dear aunt")


def test_money_that_nobody_understood_is_sent_back(desk: Desk) -> None:
    """To the account that it came from, which only the vault knows."""
    desk.bring("7.00", reference="")
    desk.turn()
    (item,) = desk.ask("open_items", OPERATOR, queries.AskOpenItems(asset=EUR)).items
    desk.ok(OPERATOR, "bank.send_back", bank.SendBack(bytes.fromhex(item.ref)))
    desk.turn(3)
    assert desk.bank.store.account(EUR)[0] == 0
    assert desk.reconciled().nostro_minor == 0


def test_an_account_that_is_gone_gives_the_money_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erased in the vault between asking and writing: the withdrawal is rejected, and no file is written."""
    desk.bring("10.00")
    desk.turn()
    monkeypatch.setattr(desk.courier, "_iban_of", lambda _ref: None)
    desk.withdraw(500)
    desk.turn()
    monkeypatch.setattr(desk.courier, "_iban_of", lambda _ref: ("DE00", "Alice"))
    desk.withdraw(500)
    desk.turn()
    assert desk.balance() == 1_000
    assert list((desk.folder / "taken").iterdir()) == []
    shown = desk.ask("withdrawals", ALICE, queries.AskWithdrawals()).items
    assert [(item.state, item.reason) for item in shown] == [("rejected", "AC01")] * 2


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    """Under its name, under another, as notification or on the statement."""
    desk.bring("10.00")
    desk.turn()
    (path,) = (desk.folder / "incoming" / "done").glob("camt054*.xml")
    data = path.read_bytes()
    for name in (path.name, "other.xml"):
        incoming(desk, name, data)
        desk.turn()
    desk.bank.close_day(desk.now_ns)
    desk.turn()
    assert desk.balance() == 1_000
    assert desk.courier.quarantined() == []


def test_files_that_are_wrong_are_set_apart_with_the_reason(desk: Desk) -> None:
    """A bomb, half a file, another's account, a booking told before with another amount; and the rest goes on."""
    desk.bring("10.00")
    desk.turn()
    (path,) = (desk.folder / "incoming" / "done").glob("camt054*.xml")
    good = path.read_bytes()
    incoming(desk, "bomb.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    incoming(desk, "half.xml", good[:300])
    incoming(desk, "other.xml", good.replace(SANDBOX_HOUSE.iban.encode(), IBAN.encode()))
    incoming(desk, "amount.xml", good.replace(b">10.00<", b">10.01<"))
    incoming(desk, "huge.xml", good + b" " * (17 << 20))
    desk.bring("5.00")
    desk.turn()
    assert desk.balance() == 1_500
    found = {name.partition("-")[2]: why for name, why in desk.courier.quarantined()}
    assert found.keys() == {"bomb.xml", "half.xml", "other.xml", "amount.xml", "huge.xml"}
    assert "document types" in found["bomb.xml"]
    assert "not whole XML" in found["half.xml"]
    assert "not the institution's" in found["other.xml"]
    assert found["amount.xml"].endswith("bank_entry_differs")
    incoming(desk, "bomb.xml", b'<!DOCTYPE y [<!ENTITY a "b">]><x>&a;</x>')
    desk.turn()
    assert len(desk.courier.quarantined()) == 6


def test_a_duplicate_order_does_not_give_the_money_back(desk: Desk) -> None:
    """The bank says that it has the order already, so it pays: an operator asks, and the ledger waits."""
    desk.bring("10.00")
    desk.turn()
    name = desk.withdraw(400)
    desk.courier.step()
    told = OrderStatus(message_id="x", created_ns=0, order_id=name.hex(), status="RJCT", reason="AM05")
    incoming(desk, "again.xml", iso20022.write_order_status(told))
    incoming(desk, "none.xml", iso20022.write_order_status(msgspec.structs.replace(told, order_id="zz", reason="AC01")))
    desk.turn(3)
    assert desk.balance() == 600
    assert len(desk.courier.quarantined()) == 2
    assert desk.bank.store.account(EUR)[0] == 600


def test_a_bank_without_the_money_rejects(desk: Desk) -> None:
    """What the ledger thinks is there and the bank does not have comes back to the person."""
    booking = Booking(
        bank_ref="X", direction="in", asset=EUR, amount_minor=900, booked_ns=desk.now_ns, reference=desk.reference
    )
    told = Report(
        kind="notification", message_id="x", id="x", created_ns=desk.now_ns, iban=SANDBOX_HOUSE.iban, asset=EUR,
        bookings=(booking,),
    )  # fmt: skip
    incoming(desk, "x.xml", iso20022.write_report(told))
    desk.turn()
    desk.withdraw(900)
    desk.turn(3)
    assert desk.balance() == 900
    assert desk.ask("withdrawals", ALICE, queries.AskWithdrawals()).items[0].reason == "AM04"


@pytest.mark.slow
def test_a_misbehaving_month(tmp_path: Path) -> None:
    """Late, twice, in parts, returned, rejected, torn, unasked fees, no references: all is matched, or listed open."""
    desk = Desk(tmp_path, Manners.parse("all=12", seed=7))
    chance = random.Random(7)
    for day in range(30):
        for _ in range(4):
            desk.bring(f"{chance.randrange(1, 90)}.{chance.randrange(100):02}")
        desk.turn(2)
        if desk.balance() > 2_000:
            for _ in range(2):
                desk.withdraw(chance.randrange(1, 1_000))
        desk.turn(3)
        if day != 11:  # the bank forgets to close one day; the next statement lists both
            desk.bank.close_day(desk.now_ns)
        found = desk.backed()
        assert found.nostro_minor + found.claims_minor == found.customers_minor + found.own_minor
    desk.turn(30)
    desk.bank.close_day(desk.now_ns)
    desk.turn(30)
    found = desk.reconciled()
    assert found.nostro_minor == desk.bank.store.account(EUR)[0], "the ledger has what the bank has"
    assert (found.difference_minor, found.unlisted_minor, found.problems) == (0, 0, ())
    assert found.under_way == 0
    assert found.open_entries > 0
    assert found.open_in_minor > 0
    items, after = [], ""
    while True:
        page = desk.ask("open_items", OPERATOR, queries.AskOpenItems(asset=EUR, after=after, limit=7))
        items += page.items
        after = page.next
        if not after:
            break
    assert len(items) == found.open_entries
    ins, outs = ([item for item in items if item.direction == way] for way in ("in", "out"))
    assert sum(item.amount_minor for item in ins) == found.open_in_minor
    assert sum(item.amount_minor for item in outs) == found.open_out_minor
    assert all("not whole XML" in why for _, why in desk.courier.quarantined())
    settle(desk, ins, outs)
    found, backed = desk.reconciled(), desk.backed()
    assert (found.open_entries, found.open_in_minor, found.open_out_minor) == (0, 0, 0)
    assert backed.customers_minor == desk.balance() + desk.balance(BOB)
    assert backed.nostro_minor == backed.customers_minor + backed.own_minor
    assert backed.backed == (backed.own_minor >= 0)
    assert desk.ledger.verify().ok
    desk.close()


def settle(desk: Desk, ins: list[queries.OpenItem], outs: list[queries.OpenItem]) -> None:
    """An operator gives what came in to Alice, and pays the fees."""
    for item in ins:
        desk.ok(OPERATOR, "bank.assign", bank.Assign(bytes.fromhex(item.ref), ALICE))
    for item in outs:
        desk.ok(OPERATOR, "bank.take_own", bank.TakeOwn(bytes.fromhex(item.ref)))


# ── killed at any instant ───────────────────────────────────────────────────────────────────────────────────────────


def test_stopped_between_any_two_steps_nothing_is_lost_or_doubled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The courier dies before and after each thing it does to a file or the ledger; a new one takes over."""
    from formicary.gateway import courier as module

    class Dead(Exception):
        """The process is gone."""

    budget = [0]

    def mortal(work: Callable[..., Any]) -> Callable[..., Any]:
        def once(*given: Any, **named: Any) -> Any:
            budget[0] -= 1
            if budget[0] == 0:
                raise Dead
            answer = work(*given, **named)
            budget[0] -= 1
            if budget[0] == 0:
                raise Dead
            return answer

        return once

    for name in ("write_whole", "move", "read_bounded"):
        monkeypatch.setattr(module, name, mortal(getattr(module, name)))
    monkeypatch.setattr(desk.ledger, "submit_command", mortal(desk.ledger.submit_command))
    monkeypatch.setattr(desk.ledger, "outbox", mortal(desk.ledger.outbox))
    for instant in range(1, 40):
        desk.bring("3.00")
        desk.bank.step(desk.now_ns)
        budget[0] = 0
        if instant > 1:
            desk.withdraw(100)
        budget[0] = instant
        for _ in range(3):
            try:
                desk.courier.step()
            except Dead:
                budget[0] = 0
                desk.courier = desk.new_courier()
            desk.bank.step(desk.now_ns)
            desk.now_ns += SECOND_NS
        budget[0] = 0
        desk.turn(2)
        expected = 300 * instant - 100 * (instant - 1)
        assert (desk.balance(), desk.bank.store.account(EUR)[0]) == (expected, expected), instant
    assert desk.courier.quarantined() == []
    assert desk.reconciled().under_way == 0


CHILD = """
import sys, threading
from pathlib import Path
import formicary
from formicary.gateway.courier import Courier
from tests.products.bank.fakes import products
folder = Path(sys.argv[1])
ledger = formicary.open(folder / "ledger", products=products())
courier = Courier(ledger, folder / "exchange", iban_of=lambda ref: ("DE89370400440532013000", "Alice"))
print("ready", flush=True)
courier.run(threading.Event())
"""


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_both_processes_killed_at_random(tmp_path: Path) -> None:
    """Real processes, SIGKILL at random instants: in the end bank and ledger agree to the cent."""
    desk = Desk(tmp_path)
    chance = random.Random(3)
    for _ in range(30):
        desk.bring("10.00")
    desk.turn()
    names = [desk.withdraw(100 + number) for number in range(40)]
    for number in range(30):
        desk.bring(f"1.{number:02}")
    desk.close()
    exchange = desk.folder
    bank_command = [
        sys.executable, "-m", "formicary.rails.sandbox_bank", "--folder", str(exchange), "--pace", "0.05", "--day", "0",
    ]  # fmt: skip
    for number in range(20):
        if number >= 4 and list((exchange / "taken").glob("*.xml")):
            break
        with (
            subprocess.Popen(
                [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd()
            ) as one,
            subprocess.Popen(bank_command, stdout=subprocess.PIPE) as other,
        ):
            assert one.stdout is not None
            one.stdout.readline()
            time.sleep(chance.random() * 0.6 + 0.2 * number)  # a loaded machine gets nowhere in less
            for process in chance.sample([one, other], 2):
                process.send_signal(signal.SIGKILL)
                time.sleep(chance.random() * 0.05)
    assert list((exchange / "taken").glob("*.xml")), "the killed ones had got somewhere"
    desk.ledger = formicary.open(tmp_path / "ledger", products=products())
    desk.courier = desk.new_courier()
    desk.bank = Bank(exchange, iban=SANDBOX_HOUSE.iban)
    desk.now_ns = time.time_ns()
    desk.turn(4)
    desk.bank.close_day(desk.now_ns)
    desk.turn()
    expected = 30_000 + sum(100 + number for number in range(30)) - sum(100 + number for number in range(40))
    assert desk.bank.store.account(EUR)[0] == expected
    assert desk.balance() == expected
    assert desk.reconciled().difference_minor == 0
    assert desk.reconciled().problems == ()
    assert desk.courier.quarantined() == []
    assert {path.stem for path in (exchange / "taken").glob("*.xml")} == {name.hex() for name in names}
    trial = desk.ledger.trial_balance()
    assert trial.balanced
    assert [code.code for code in trial.assets[0].codes if code.debits_posted > code.credits_posted] == [NOSTRO]
    desk.close()
