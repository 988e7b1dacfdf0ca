"""``python -m formicary.testing.http_soak --seconds 600``: pay over HTTP while the server is killed; count afterwards.

Clients pay one another with idempotency keys. The server is a real ``formicary up``, killed with ``kill -9`` at random
instants and started again. A client that gets no answer asks again under the same key until it has one, as a phone
does, and sometimes repeats what was answered already. When the time is up:

- no acknowledged payment is lost, and none is there twice: what each person has is what they began with, less what they
  were told they paid, plus what others were told they paid them, and each person's list of payments says the same;
- every retry gets the same answer, also after a graceful stop and another start;
- debits equal credits, the state is what the log comes to, and customers' money is backed by the bank's to the cent.

The seed of a failure is printed; ``--seed`` draws the same people, amounts and instants again.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import httpx

from formicary.base.money import parse_asset
from formicary.node.ledger import open_ledger
from formicary.stack import standard_products
from formicary.testing.town_process import Browser, Refused, TownProcess, fresh_key

CLIENTS: Final = 6
FUNDS_MINOR: Final = 500_000
AMOUNT_MAX_MINOR: Final = 400
"""So small that nothing but money's absence ever keeps a payment from being made."""
ALIVE_S: Final = (0.5, 6.0)
"""How long the server lives between a start and the next kill, at least and at most."""
REPEAT: Final = 0.1
"""Part of the answered payments that are asked again at once."""
RETRIED_AT_END: Final = 300
"""Newest payments of each client that are asked again at the end, besides all that once got no answer."""
WAIT_S: Final = 30.0
NO_ANSWER: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that say nothing about the payment: it is asked again."""


@dataclass(slots=True)
class Payment:
    """One payment that a client wants, and what it was told."""

    payer: str
    payee: str
    amount_minor: int
    key: str
    answer: dict[str, Any] | None = None
    code: str = ""
    """Why it was refused; empty otherwise."""
    unanswered: int = 0
    """How often it was asked without an answer."""


@dataclass(slots=True)
class Outcome:
    """What a soak did."""

    seed: int
    kills: int = 0
    paid: int = 0
    refused: int = 0
    unanswered: int = 0
    retried: int = 0
    entries: int = 0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills, {self.paid:,} payments acknowledged, {self.refused:,} refused, "
            f"{self.unanswered:,} requests without an answer, {self.retried:,} asked again, {self.entries:,} entries"
        )


@dataclass(slots=True)
class Client:
    """Somebody who pays, in a thread of their own."""

    browser: Browser
    payees: list[str]
    chance: random.Random
    stop: threading.Event
    payments: list[Payment] = field(default_factory=list)
    retried: int = 0
    failure: BaseException | None = None
    thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin to pay."""
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                self._pay_one()
        except BaseException as error:  # noqa: BLE001 - raised again by who started the thread
            self.failure = error

    def _pay_one(self) -> None:
        payee = self.chance.choice(self.payees)
        payment = Payment(self.browser.id, payee, self.chance.randint(1, AMOUNT_MAX_MINOR), fresh_key())
        self.payments.append(payment)
        answer, code = self._ask_until_answered(payment)
        payment.answer, payment.code = answer, code
        if self.chance.random() < REPEAT:
            self.check_again(payment)

    def _ask_until_answered(self, payment: Payment) -> tuple[dict[str, Any] | None, str]:
        """Ask, with a pause after each time that nothing came; the server is back within seconds."""
        ends = time.monotonic() + 4 * WAIT_S
        while True:
            try:
                return self._ask(payment), ""
            except Refused as refusal:
                if refusal.status not in NO_ANSWER:
                    return None, refusal.code
            except httpx.TransportError:
                pass
            payment.unanswered += 1
            assert time.monotonic() < ends, f"no answer for {payment} for a long time"
            time.sleep(0.02 + self.chance.random() / 10)

    def _ask(self, payment: Payment) -> dict[str, Any]:
        answer: dict[str, Any] = self.browser.done(
            "/v1/pay/send",
            idempotency_key=payment.key,
            payee=payment.payee,
            asset="EUR",
            amount_minor=payment.amount_minor,
            purpose="friend",
            note=None,
        )
        return answer

    def check_again(self, payment: Payment) -> None:
        """Ask once more under the same key: the answer has to be the same."""
        again = self._ask_until_answered(payment)
        self.retried += 1
        told = (payment.answer, payment.code)
        assert again == told, f"{payment.key} was answered {told}, and later {again}"


class HttpSoak:
    """One soak, on a folder of its own."""

    def __init__(self, folder: Path, seed: int, *, clients: int = CLIENTS) -> None:
        self.chance = random.Random(seed)
        self.outcome = Outcome(seed)
        self.town = TownProcess(folder)
        self._stop = threading.Event()
        self._number = clients
        self.clients: list[Client] = []

    def run(self, seconds: float) -> Outcome:
        """Pay and kill for so many seconds, then count; an AssertionError says what was wrong."""
        try:
            self.town.start()
            self._settle_in()
            self._kill_for(seconds)
            self._count()
            return self.outcome
        finally:
            self._stop.set()
            self.town.stop()

    # ── before ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _settle_in(self) -> None:
        """People with money, and rules of the guard that do not hold what a load test does."""
        olivia = self.town.enter("olivia")
        olivia.confirm()
        now = olivia.get("/v1/guard/rules")
        rules = list(_generous(now["items"]))
        made = olivia.done("/v1/guard/propose_rules", based_on=now["version"], rules=rules)
        otto = self.town.enter("otto")
        otto.confirm()
        otto.done("/v1/guard/approve_rules", proposal=made["proposal"])
        people = [self.town.newcomer(f"Payer {number}", f"payer{number}") for number in range(self._number)]
        for person in people:
            olivia.done("/v1/wallet/set_tier", person=person.id, tier=2)
            person.done("/v1/sandbox/bank-transfer", asset="EUR", amount_minor=FUNDS_MINOR)
        ends = time.monotonic() + WAIT_S
        while any(person.money()["balance_minor"] != FUNDS_MINOR for person in people):
            assert time.monotonic() < ends, "the bank's money did not come"
            time.sleep(0.1)
        for person in people:
            payees = [other.id for other in people if other is not person]
            draw = random.Random(self.chance.getrandbits(64))
            self.clients.append(Client(person, payees, draw, self._stop))

    # ── the load ────────────────────────────────────────────────────────────────────────────────────────────────

    def _kill_for(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        for client in self.clients:
            client.start()
        while time.monotonic() < ends:
            time.sleep(min(self.chance.uniform(*ALIVE_S), max(0.1, ends - time.monotonic())))
            self._raise_failures()
            self.town.kill()
            self.outcome.kills += 1
            self.town.start()
        self._stop.set()
        for client in self.clients:
            assert client.thread is not None
            client.thread.join(5 * WAIT_S)
            assert not client.thread.is_alive(), "a client got no answer"
        self._raise_failures()

    def _raise_failures(self) -> None:
        for client in self.clients:
            if client.failure is not None:
                raise client.failure

    # ── afterwards ──────────────────────────────────────────────────────────────────────────────────────────────

    def _count(self) -> None:
        payments = [payment for client in self.clients for payment in client.payments]
        self._check_money(payments)
        for client in self.clients:
            _check_list(client)
        self.town.stop()
        self._audit()
        self.town.start()
        for client in self.clients:
            client.browser = self.town.enter(client.browser.alias)
            newest = client.payments[-RETRIED_AT_END:]
            for payment in (each for each in client.payments if each.unanswered or each in newest):
                client.check_again(payment)
        self._check_money(payments)
        self._check_backing()
        self.outcome.paid = sum(payment.answer is not None for payment in payments)
        self.outcome.refused = len(payments) - self.outcome.paid
        self.outcome.unanswered = sum(payment.unanswered for payment in payments)
        self.outcome.retried = sum(client.retried for client in self.clients)

    def _check_money(self, payments: list[Payment]) -> None:
        """What each person has follows from what was acknowledged, and from nothing else."""
        expected = Counter({client.browser.id: FUNDS_MINOR for client in self.clients})
        for payment in payments:
            if payment.answer is not None:
                assert payment.answer["state"] == "paid", payment
                expected[payment.payer] -= payment.amount_minor
                expected[payment.payee] += payment.amount_minor
        names = [payment.answer["payment"] for payment in payments if payment.answer is not None]
        assert len(set(names)) == len(names), "two keys were told the same payment"
        for client in self.clients:
            has = client.browser.money()
            assert has["balance_minor"] == expected[client.browser.id], f"{client.browser.alias}: {has}, not {expected}"

    def _check_backing(self) -> None:
        """Customers' money is what lies in the bank, currency by currency."""
        backing = self.town.nobody().get("/v1/bank/backing")
        assert backing["items"], "there is money"
        for line in backing["items"]:
            assert line["backed"], line
            sums = (line["nostro_minor"] + line["claims_minor"], line["customers_minor"] + line["own_minor"])
            assert sums[0] == sums[1], line

    def _audit(self) -> None:
        """Debits equal credits, and the log gives the same state again, with the products that made it."""
        with open_ledger(self.town.data / "ledger", products=standard_products()) as ledger:
            trial = ledger.trial_balance()
            assert trial.balanced, "debits equal credits"
            assert trial.assets, "there are accounts"
            report = ledger.verify()
            assert report.ok, f"the state is not what the log says: {report}"
            self.outcome.entries = report.entries


def _check_list(client: Client) -> None:
    """Somebody's list of payments has each one that was acknowledged, once, and no other."""
    told = Counter(payment.answer["payment"] for payment in client.payments if payment.answer is not None)
    found: Counter[str] = Counter()
    after = ""
    while True:
        page = client.browser.get("/v1/pay/activity", limit=100, after=after)
        found.update(each["payment"] for each in page["items"] if each["direction"] == "out")
        after = page["next"]
        if not after:
            break
    lost, more = told - found, found - told
    assert not lost, f"{client.browser.alias} was told of payments that are not there: {list(lost)[:5]}"
    assert not more, f"{client.browser.alias} has payments that nobody was told of, or twice: {list(more)[:5]}"


def _generous(rules: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The guard's rules as commands take them, without a limit on how often one pays."""
    for rule in rules:
        told = {name: rule[name] for name in ("kind", "source", "minor", "count", "window_s", "percent")}
        if told["kind"] == "velocity":
            told |= {"count": 1_000_000, "minor": 10**12}
        yield {**told, "asset": parse_asset(rule["asset"]) if rule["asset"] else 0}


def main() -> None:
    """Read the command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--clients", type=int, default=CLIENTS)
    chosen = options.parse_args()
    with TemporaryDirectory(prefix="formicary-http-soak-") as folder:
        try:
            outcome = HttpSoak(Path(folder), chosen.seed, clients=chosen.clients).run(chosen.seconds)
        except BaseException:
            sys.stderr.write(f"failed: --seed {chosen.seed}\n")
            raise
    sys.stdout.write(f"{outcome}\n")


if __name__ == "__main__":
    main()
