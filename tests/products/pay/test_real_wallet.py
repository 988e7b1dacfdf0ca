"""Payments and the guard over the real wallet: limits, trust, roles, parameters; and how few statements they take."""

from __future__ import annotations

import pytest

from formicary.kernel.objects import Account, Transfer
from formicary.machine.context import Context
from formicary.machine.genesis import Genesis
from formicary.products import guard, pay, wallet
from formicary.products.anatomy import Amount, CommandType, Message, Product
from formicary.products.guard.commands import Decide, Recall
from formicary.products.pay.commands import Send
from formicary.products.wallet.commands import Appoint, Freeze, Open, SetTier, Trust
from formicary.products.wallet.offers import Purses
from formicary.testing.trial import Trial, person

ALICE, BOB, CAROL, DAVE = (person(name) for name in ("alice", "bob", "carol", "dave"))
EUR = 978
NODE = b"node"
WORLD = 1
WORLD_CODE, FUNDED_CODE = 1048, 1098
OWN_STATEMENTS_MAX, WALLET_STATEMENTS_MAX = 7, 7


class Fund(Message, frozen=True):
    """Get money from nowhere."""

    amount_minor: Amount


def _fund(context: Context, command: Fund) -> None:
    account = Purses().purse(context, context.signer, EUR)
    assert account is not None
    number = context.new_id("fund")
    context.transfer(
        Transfer(id=number, debit=WORLD, credit=account, amount=command.amount_minor, asset=EUR, code=FUNDED_CODE)
    )


def _begin(context: Context, _genesis: Genesis) -> None:
    context.open_account(Account(id=WORLD, asset=EUR, code=WORLD_CODE))


class NoShops:
    """Nobody but people is paid here."""

    def account_of(self, _context: Context, _party: bytes, _asset: int, _amount_minor: int) -> int | None:
        """Nobody."""
        return None


@pytest.fixture
def trial() -> Trial:
    """Four people of the highest tier with ten thousand each; Dave is an operator, and Alice trusts Carol."""
    purses = Purses()
    world = Product(name="world", commands=(CommandType(name="fund", body=Fund, handler=_fund),), on_genesis=_begin)
    trial = Trial(
        (
            world,
            wallet.product(),
            guard.product(purses=purses, payments=(pay.Settlement(purses),), book=pay.Ledgerbook()),
            pay.product(purses=purses, watch=guard.Watch(purses), receivers=NoShops()),
        )
    )
    for who in (ALICE, BOB, CAROL, DAVE):
        trial.ok(who, "wallet.open", Open((EUR,), None))
        trial.ok(NODE, "wallet.set_tier", SetTier(who, 2))
        trial.ok(who, "world.fund", Fund(10_000_00))
    trial.ok(NODE, "wallet.appoint", Appoint(DAVE, "operator"))
    trial.ok(ALICE, "wallet.trust", Trust(CAROL))
    return trial


def free(trial: Trial, who: bytes) -> int:
    """What somebody can pay with."""
    view = trial.view("wallet")
    number = Purses().purse(view, who, EUR)
    account = None if number is None else view.account(number)
    assert account is not None
    return account.credits_posted - account.debits_posted - account.debits_held


def test_an_advance_fee_from_beginning_to_end(trial: Trial) -> None:
    """9,900 for a grant of 2,600: held as long as the parameter says, told to the trusted one, recalled."""
    sent = trial.ok(ALICE, "pay.send", Send(BOB, EUR, 9_900_00, "fee_for_money", None))
    assert (sent.state, free(trial, ALICE), free(trial, BOB)) == ("held", 100_00, 10_000_00)
    assert [event.subject for event in trial.events if event.kind == "trusted_told"] == [CAROL]
    trial.wait(hours=23)
    trial.ok(ALICE, "guard.recall", Recall(sent.payment))
    assert free(trial, ALICE) == 10_000_00
    trial.replay()


def test_limits_refuse_before_the_guard_looks(trial: Trial) -> None:
    """A tier's limit is a refusal; a held payment that came back leaves the day's limit as it was."""
    trial.ok(NODE, "wallet.set_tier", SetTier(ALICE, 1))
    assert trial.refused(ALICE, "pay.send", Send(BOB, EUR, 2_500_01, "friend", None)) == "limit_payment"
    for _ in range(3):
        sent = trial.ok(ALICE, "pay.send", Send(BOB, EUR, 2_500_00, "friend", None))
        assert sent.state == "held"
        trial.ok(ALICE, "guard.recall", Recall(sent.payment))
    assert trial.happened("guard.hold_ended")[-1].outcome == "recalled"


def test_the_frozen_pay_and_get_nothing(trial: Trial) -> None:
    """The wallet's freeze is a refusal on both sides, and what is on its way to somebody frozen goes back."""
    sent = trial.ok(ALICE, "pay.send", Send(BOB, EUR, 2_000_00, "friend", None))
    trial.ok(BOB, "wallet.freeze", Freeze())
    assert trial.refused(BOB, "pay.send", Send(ALICE, EUR, 1, "friend", None)) == "person_frozen"
    assert trial.refused(CAROL, "pay.send", Send(BOB, EUR, 1, "friend", None)) == "person_frozen"
    case = trial.happened("guard.payment_held")[0].case
    trial.ok(DAVE, "guard.decide", Decide(case, "release", None))
    assert free(trial, ALICE) == 10_000_00
    assert trial.refused(ALICE, "guard.recall", Recall(sent.payment)) == "held_payment_ended"


def test_a_payment_takes_few_statements(trial: Trial) -> None:
    """To somebody new and to somebody known: of guard and payments seven, of the wallet as many; each reads by key."""
    said: list[str] = []
    connection = trial.machine.rows.connection
    for payee in (DAVE, DAVE, CAROL):  # a statement is looked at when it is first used, which counts as one more
        trial.ok(ALICE, "pay.send", Send(payee, EUR, 5_00, "friend", None))
    for payee in (BOB, BOB):
        said.clear()
        connection.exec_trace = lambda _cursor, sql, _values: not said.append(sql)
        trial._check = False  # invariants read rows too, and are not what is counted
        trial.ok(ALICE, "pay.send", Send(payee, EUR, 5_00, "friend", None))
        connection.exec_trace = None
        own = [sql for sql in said if " guard_" in sql or " pay_" in sql]
        assert len(own) <= OWN_STATEMENTS_MAX, own
        assert len([sql for sql in said if " wallet_" in sql]) <= WALLET_STATEMENTS_MAX, said
