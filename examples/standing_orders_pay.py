"""A month of a bank's standing orders, run by the products themselves and accounted for to the last heller.

    python examples/standing_orders_pay.py                  # all of them; or --sample 500

Every payer and payee of the file opens a wallet; every payer is funded with exactly what its orders of a month take;
every order becomes one of ``pay.schedule``. Then a month goes by in virtual time: the orders run by their timers, on
their days, through limits and guard like any payment. An order that takes most of what is on an account, to somebody
new, is held for a day first. At the end every payer must be at zero, and each payee must have what the file says.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path
from typing import Final

from standing_orders import crowns, find_orders

from formicary.base.entry import NO_PARENT, Draft, Entry, EntryKind, seal_draft
from formicary.base.errors import FormicaryError
from formicary.base.money import parse_asset, parse_minor
from formicary.cli.output import show_error
from formicary.kernel.objects import Account, Transfer
from formicary.machine.commands import Command, encode, pack_commands
from formicary.machine.context import Context, View
from formicary.machine.genesis import Genesis, new_genesis, write_genesis
from formicary.machine.keys import SigningKey
from formicary.machine.machine import Machine
from formicary.products import guard, pay, wallet
from formicary.products.anatomy import Amount, CommandType, Message, Product
from formicary.products.pay.calendar import days_from_civil
from formicary.products.pay.codes import DAY_NS, SECOND_NS
from formicary.products.pay.commands import Purpose, Schedule
from formicary.products.wallet.commands import Open, SetTier
from formicary.products.wallet.offers import Purses

CZK: Final = parse_asset("CZK")
JANUARY_NS: Final = days_from_civil(1999, 1, 1) * DAY_NS
MONTH_END_NS: Final = days_from_civil(1999, 1, 31) * DAY_NS
COMMANDS_AT_ONCE: Final = 250
OPENING: Final = 1
OPENING_CODE: Final = 9
FUNDED: Final = 9
PURPOSES: Final[dict[str, Purpose]] = {"SIPO": "rent", "": "other"}
"""The file's SIPO is what a household pays; loans, insurance and leasing have no purpose of their own here."""


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the file."""

    payer: bytes
    payee: bytes
    amount_minor: int
    purpose: Purpose
    first_ns: int


class Fund(Message, frozen=True):
    """Bring the signer's opening balance."""

    amount_minor: Amount


def fund(context: Context, command: Fund) -> None:
    """Move it from the opening account, which may go below zero."""
    account = Purses().purse(context, context.signer, CZK)
    assert account is not None, "who is funded has a wallet"
    context.transfer(
        Transfer(
            id=context.new_id("fund"),
            debit=OPENING,
            credit=account,
            amount=command.amount_minor,
            asset=CZK,
            code=FUNDED,
        )
    )


def begin(context: Context, _genesis: Genesis) -> None:
    """Open the opening account."""
    context.open_account(Account(id=OPENING, asset=CZK, code=OPENING_CODE))


class NoShops:
    """Nobody but people is paid here."""

    def account_of(self, _context: Context, _party: bytes, _asset: int, _amount_minor: int) -> int | None:
        """Nobody."""
        return None


def products() -> tuple[Product, ...]:
    """The opening, and the real wallet, guard and payments over one another."""
    purses = Purses()
    opening = Product(name="opening", commands=(CommandType(name="fund", body=Fund, handler=fund),), on_genesis=begin)
    watch = guard.Watch(purses)
    return (
        opening,
        wallet.product(),
        guard.product(purses=purses, payments=(pay.Settlement(purses),), book=pay.Ledgerbook()),
        pay.product(purses=purses, watch=watch, receivers=NoShops()),
    )


class Town:
    """A machine in memory, whose clock goes on when told."""

    def __init__(self) -> None:
        self.machine = Machine(None, products())
        self.now_ns = JANUARY_NS - DAY_NS
        self.entries: list[Entry] = []
        self.events: Counter[str] = Counter()
        self._ids = itertools.count(1)
        key = SigningKey(bytes(range(32))).public_key
        genesis = new_genesis(created_ns=self.now_ns, blinding_key=bytes(16), public_key=key, note="standing orders")
        self._step(EntryKind.GENESIS, write_genesis(genesis))

    def say(self, commands: Iterable[tuple[bytes, str, Message]]) -> None:
        """Send commands, many to an entry; each must be accepted."""
        sent = [
            encode(Command(next(self._ids).to_bytes(16, "big"), signer, name, 1, encode(body)))
            for signer, name, body in commands
        ]
        for start in range(0, len(sent), COMMANDS_AT_ONCE):
            self._step(EntryKind.COMMANDS, pack_commands(sent[start : start + COMMANDS_AT_ONCE]))

    def wait(self, until_ns: int) -> None:
        """Let every timer run at its time."""
        while (due := self.machine.next_due()) is not None and due <= until_ns:
            self.now_ns = max(self.now_ns, due - 1)
            self._step(EntryKind.TICK, b"")
        self.now_ns = until_ns

    def _step(self, kind: EntryKind, body: bytes) -> None:
        parent = self.entries[-1].hash if self.entries else NO_PARENT
        self.now_ns += 1
        entry = seal_draft(Draft(len(self.entries) + 1, self.now_ns, kind, body), epoch=1, parent=parent)
        self.entries.append(entry)
        applied = self.machine.step(entry)
        refused = [answer.reply.code for answer in applied.answers if answer.reply.code != "ok"]
        assert not refused, refused
        self.events.update(f"{event.product}.{event.kind}" for event in applied.events)


def party(name: str) -> bytes:
    """A pseudonymous id of a name in the file."""
    return blake2s(name.encode(), digest_size=16).digest()


def read_orders(file: Path, sample: int | None) -> list[Order]:
    """Read the file; an order is due at six in the morning of a day of the month that its number says."""
    with file.open(encoding="latin-1", newline="") as lines:
        rows = list(itertools.islice(csv.DictReader(lines, delimiter=";"), sample))
    return [
        Order(
            payer=party(f"payer {row['account_id']}"),
            payee=party(f"{row['bank_to']}:{row['account_to']}"),
            amount_minor=parse_minor(row["amount"], 2),
            purpose=PURPOSES.get(row["k_symbol"].strip(), "other"),
            first_ns=JANUARY_NS + int(row["order_id"]) % 28 * DAY_NS + 6 * 3600 * SECOND_NS,
        )
        for row in rows
    ]


def totals(pairs: Iterable[tuple[bytes, int]]) -> dict[bytes, int]:
    """Add amounts up by party."""
    sums: dict[bytes, int] = defaultdict(int)
    for who, amount_minor in pairs:
        sums[who] += amount_minor
    return dict(sums)


def set_up(town: Town, orders: Sequence[Order]) -> None:
    """Open wallets of the highest tier, fund the payers, schedule the orders."""
    payers = totals((order.payer, order.amount_minor) for order in orders)
    people = sorted({*payers, *(order.payee for order in orders)})
    town.say((who, "wallet.open", Open((CZK,), None)) for who in people)
    town.say((b"node", "wallet.set_tier", SetTier(who, 2)) for who in people)
    town.say((who, "opening.fund", Fund(amount_minor)) for who, amount_minor in payers.items())
    town.say(
        (
            order.payer,
            "pay.schedule",
            Schedule(order.payee, CZK, order.amount_minor, order.purpose, None, order.first_ns, "month", 0),
        )
        for order in orders
    )


def balance(view: View, who: bytes) -> int:
    """What somebody has, nothing held, in heller."""
    number = Purses().purse(view, who, CZK)
    account = None if number is None else view.account(number)
    assert account is not None, "everybody has a wallet"
    assert account.debits_held == account.credits_held == 0, "nothing is on its way any more"
    return account.credits_posted - account.debits_posted


def accounted(town: Town, orders: Sequence[Order]) -> bool:
    """Hold the ledger against the file: each party's balance, one by one."""
    expected = totals((order.payer, 0) for order in orders)
    for who, amount_minor in totals((order.payee, order.amount_minor) for order in orders).items():
        expected[who] = expected.get(who, 0) + amount_minor
    view = town.machine.view("wallet")
    return all(balance(view, who) == amount_minor for who, amount_minor in expected.items())


def run(file: Path, sample: int | None = None) -> int:
    """Do it all, and return an exit status."""
    orders = read_orders(file, sample)
    total = sum(order.amount_minor for order in orders)
    print(f"{file}:\n{len(orders):,} standing orders, {crowns(total)} a month")
    town = Town()
    started = time.perf_counter()
    set_up(town, orders)
    ready = time.perf_counter()
    town.wait(MONTH_END_NS)
    ended = time.perf_counter()
    town.machine.check()
    held, failed = town.events["guard.case_opened"], town.events["pay.order_failed"]
    right = accounted(town, orders) and failed == 0
    print(f"January 1999: {len(orders) - failed:,} runs paid, {held:,} of them after a day in the guard's hands")
    print(f"{crowns(total)} went to the payees, 0.00 CZK is left with the payers: ", end="")
    print("every heller is accounted for" if right else "NOT what the file says")
    print(f"({ready - started:.1f} s to open, fund and schedule; {ended - ready:.1f} s for the month)")
    return 0 if right else 1


def main() -> int:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description="Run a month of standing orders and account for every heller.")
    parser.add_argument("--orders", type=Path, help="a file of orders (default: the real ones, else made ones)")
    parser.add_argument("--sample", type=int, help="only so many of them")
    arguments = parser.parse_args()
    try:
        return run(arguments.orders or find_orders(), arguments.sample)
    except FormicaryError as error:
        return show_error(error)


if __name__ == "__main__":
    sys.exit(main())
