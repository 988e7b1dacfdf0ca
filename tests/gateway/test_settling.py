"""Two gateways with ledgers and sandbox banks of their own settle what their customers paid across, by real files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from formicary.base.errors import Refusal
from formicary.base.money import format_minor
from formicary.gateway.banking import iban_of, keep_sender
from formicary.gateway.clearing import relay_of
from formicary.gateway.courier import Courier
from formicary.gateway.settling import BankAccount, set_bank
from formicary.products.bank import House as Account
from formicary.products.clearing import queries
from formicary.rails import iso20022
from formicary.rails.sandbox_bank import Bank, Manners
from formicary.testing.trial import person

from tests.gateway.house import ALICE, BOB, EUR, House

pytest.importorskip("pyiso20022")

IBANS = {"north": "FR7630006000011234567890189", "south": "DE89370400440532013000"}
OLGA, PETER = person("olga"), person("peter")
NODE = b"node"
WAIT_S = 20.0
SECOND_NS = 10**9


@dataclass
class Clock:
    """A time that moves when told."""

    now_ns: int = time.time_ns()


class Institution:
    """A gateway on a port, its courier, its bank; Olga proposes and Peter approves."""

    def __init__(self, folder: Path, name: str, manners: Manners | None) -> None:
        self.name, self.exchange = name, folder / "bank"
        self.house = House(folder, institution_id=person(name).hex(), name=name.title())
        self.id = self.house.door.config.institution
        door, account = self.house.door, Account(IBANS[name], "AGRIFRPP", name.title())
        self.courier = Courier(
            self.house.ledger,
            self.exchange,
            iban_of=partial(iban_of, door),
            houses=lambda _asset: account,
            keep_sender=partial(keep_sender, door),
        )
        self.bank = Bank(self.exchange, iban=IBANS[name], manners=manners)
        for who in (ALICE, BOB, OLGA, PETER):
            self.house.run(who, "wallet.open", assets=(EUR,), alias=None)
            self.house.run(NODE, "wallet.set_tier", person=who, tier=2)
        self.house.run(NODE, "wallet.appoint", person=OLGA, role="operator")
        self.house.run(NODE, "wallet.appoint", person=PETER, role="approver")
        self.forwarded: set[str] = set()
        self.carried = 0

    def know(self, other: Institution) -> None:
        """Add the other, at its own port."""
        key = relay_of(other.house.door).public_key
        known = {"institution": other.id, "own": False, "key": key, "address": other.house.origin, "notice_minor": 0}
        self.house.run(NODE, "clearing.add_institution", **known)

    def know_bank(self, other: Institution, reference: str = "") -> str:
        """Olga names the other's bank account at the door; what the other's payments have to say."""
        body = BankAccount(other.id.hex(), IBANS[other.name], reference)
        asked = self.house.asked(OLGA, body, roles="operator")
        asked.key = f"bank-{len(reference)}-{other.name}"
        told: Any = self.house.on_loop(lambda: set_bank(asked))
        return str(told.body.our_reference)

    def top_up(self, amount_minor: int) -> None:
        """Alice brings money from her bank."""
        reference = self.house.run(ALICE, "bank.take_reference").reference
        self.customer(amount_minor, reference, "Alice")

    def customer(self, amount_minor: int, reference: str, name: str) -> None:
        """A customer of the bank sends money to the institution."""
        self.carried += 1
        told = {"name": name, "iban": IBANS["south"], "currency": "EUR", "amount": format_minor(amount_minor, 2)}
        path = self.exchange / "customers" / f"{self.carried:06}.json"
        path.write_text(json.dumps(told | {"reference": reference}), encoding="utf-8")

    def pay(self, other: Institution, amount_minor: int) -> None:
        """Alice pays Bob across, and it is decided."""
        door = self.house.door
        payee = self.house.on_loop(lambda: door.seal(ALICE, (), BOB.hex()))
        sent = self.house.run(
            ALICE, "clearing.send_out", institution=other.id, payee=payee, payee_ref=BOB, asset=EUR,
            amount_minor=amount_minor, purpose="friend", note=None,
        )  # fmt: skip
        until(lambda: self.state(sent.payment) == "captured")
        until(lambda: other.owed(self) == -self.owed(other))

    def state(self, payment: bytes) -> str:
        """How a payment across stands."""
        found = self.house.ledger.ask("clearing", lambda view: queries.out(view, payment))
        return "" if found is None else str(found.state)

    def owed(self, other: Institution) -> int:
        """What this one owes the other; below zero what it is owed."""
        owed: int = self.house.ledger.ask("clearing", lambda view: queries.owed_minor(view, other.id, EUR))
        return owed

    def settle(self, other: Institution, amount_minor: int) -> None:
        """Olga proposes, Peter approves."""
        fields = {"institution": other.id, "asset": EUR, "amount_minor": amount_minor}
        made = self.house.run(OLGA, "clearing.propose_settlement", **fields)
        self.house.run(PETER, "clearing.approve_settlement", settlement=made.settlement)

    def told(self) -> list[tuple[str, str, int]]:
        """Settlements as operators see them: state, the bank's, and what came back."""
        door = self.house.door
        answer: Any = self.house.on_loop(
            lambda: door.ask("clearing.settlements", OLGA, door.asked("clearing.settlements"))
        )
        return [(item.state, item.bank_state, item.back_minor) for item in answer.items]

    def backed(self) -> tuple[bool, int, int]:
        """Whether customers are backed; what is theirs, and what is owed to the institution."""
        door = self.house.door
        (found,) = self.house.on_loop(lambda: door.ask("bank.backing", b"", door.asked("bank.backing"))).items
        return found.backed, found.customers_minor, found.claims_minor

    def close(self) -> None:
        """Let go of everything."""
        self.bank.close()
        self.house.close()


def until(done: Callable[[], bool]) -> None:
    """Wait for something that the relays do by themselves."""
    ends = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)


class Pair:
    """Two institutions, and the banks' own network between them."""

    def __init__(self, folder: Path, manners: Manners | None = None) -> None:
        self.clock = Clock()
        self.north, self.south = (
            Institution(folder / name, name, manners if name == "north" else None) for name in IBANS
        )
        self.north.know(self.south)
        self.south.know(self.north)
        for side in (self.north, self.south):
            side.top_up(100_00)
        self.turn()

    def turn(self, times: int = 2) -> None:
        """Couriers and banks work by turns; what a bank took for the other's account arrives there."""
        for _ in range(times):
            for side, other in ((self.north, self.south), (self.south, self.north)):
                side.courier.step()
                side.bank.step(self.clock.now_ns)
                self.forward(side, other)
            self.clock.now_ns += 3 * SECOND_NS
        self.north.courier.step()
        self.south.courier.step()

    def forward(self, side: Institution, other: Institution) -> None:
        """What the bank booked for the other's account is a customer's transfer at the other bank, once."""
        for path in sorted((side.exchange / "taken").glob("*.xml")):
            booked = any(path.stem in report.read_text() for report in (side.exchange / "incoming").rglob("camt054*"))
            if path.name in side.forwarded or not booked or side.bank.manners.rates.get("returned"):
                continue
            side.forwarded.add(path.name)
            for payment in iso20022.read_order(path.read_bytes(), name=path.name).payments:
                if payment.iban == IBANS[other.name]:
                    other.customer(payment.amount_minor, payment.reference, side.name)

    def close(self) -> None:
        """Let go of both."""
        self.north.close()
        self.south.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Both know each other's bank account and reference."""
    made = Pair(tmp_path)
    for_south = made.south.know_bank(made.north)
    made.north.know_bank(made.south, for_south)
    yield made
    made.close()


def test_what_customers_paid_across_is_settled_by_the_banks(pair: Pair) -> None:
    """North owes 30.00: its bank pays with the reference that South drew, South's courier knows it, and all is even."""
    north, south = pair.north, pair.south
    north.pay(south, 40_00)
    south.pay(north, 10_00)
    assert (north.owed(south), south.owed(north)) == (30_00, -30_00)
    assert south.backed() == (False, 130_00, 30_00), "what North owes is in no bank of South's"
    north.settle(south, 30_00)
    pair.turn(3)
    assert north.told() == [("sent", "booked", 0)]
    assert (north.owed(south), south.owed(north)) == (0, 0)
    assert south.told() == [("received", "", 0)]
    assert (north.backed(), south.backed()) == ((True, 70_00, 0), (True, 130_00, 0))


def test_the_courier_may_do_it_again(pair: Pair) -> None:
    """Every file of the bank comes a second time, under another name: nothing is paid or told twice."""
    north, south = pair.north, pair.south
    north.pay(south, 40_00)
    north.settle(south, 40_00)
    pair.turn(3)
    for side in (north, south):
        done = side.exchange / "incoming" / "done"
        for path in list(done.glob("camt054*.xml")):
            (side.exchange / "incoming" / f"again-{path.name}").write_bytes(path.read_bytes())
    pair.turn(3)
    assert (north.owed(south), south.owed(north)) == (0, 0)
    assert len(list((north.exchange / "taken").glob("*.xml"))) == 1
    assert (len(north.told()), len(south.told())) == (1, 1)


def test_a_settlement_that_the_bank_returns_is_owed_again(tmp_path: Path) -> None:
    """North's bank sends it back: the position stands as before, and nothing is lost on the way."""
    made = Pair(tmp_path, Manners({"returned": 100}, seed=1))
    made.north.know_bank(made.south)
    made.north.pay(made.south, 40_00)
    made.north.settle(made.south, 40_00)
    made.turn(4)
    assert made.north.told() == [("sent", "returned", 40_00)]
    assert (made.north.owed(made.south), made.south.owed(made.north)) == (40_00, -40_00)
    assert made.north.backed() == (True, 100_00, 0)
    made.close()


def test_ibans_of_institutions_are_sealed(pair: Pair) -> None:
    """Neither institution's ledger has the other's IBAN; its people read it, and nobody else."""
    north, south = pair.north, pair.south
    north.pay(south, 1_00)
    with north.house.client(OLGA, "clearing:read", roles="operator") as client:
        (position,) = client.ask("clearing.positions")["items"]
    assert (position["iban"], position["we_owe_minor"]) == (IBANS["south"], 1_00)
    assert position["their_reference"].startswith("RF")
    north.house.ledger.checkpoint()
    for path in (north.house.folder / "ledger").rglob("*"):
        if path.is_file():
            assert IBANS["south"].encode() not in path.read_bytes()


def test_a_bank_account_is_checked_at_the_door(pair: Pair) -> None:
    """An IBAN or a reference with a wrong digit is refused, and so is whoever is no operator."""
    north, south = pair.north, pair.south
    for body, code in (
        (BankAccount(south.id.hex(), "DE89370400440532013001"), "iban_invalid"),
        (BankAccount(south.id.hex(), IBANS["south"], "RF00 5390 0754 7034"), "bank_reference_malformed"),
        (BankAccount("00" * 16, IBANS["south"]), "institution_unknown"),
    ):
        asked = north.house.asked(OLGA, body, roles="operator")
        asked.key = f"wrong-{code}"
        with pytest.raises(Refusal) as refused:
            north.house.on_loop(partial(set_bank, asked))
        assert refused.value.code == code
