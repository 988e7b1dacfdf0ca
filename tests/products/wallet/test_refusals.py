"""The ladders of refusals, each in its documented order: a request that breaks two rules gets the first one's code."""

from __future__ import annotations

from formicary.products.wallet import product
from formicary.products.wallet.codes import NODE
from formicary.products.wallet.commands import (
    Approve,
    Close,
    Freeze,
    FreezePerson,
    Open,
    OpenCurrency,
    Propose,
    SetLimit,
    SetOwnLimit,
    SetTier,
    Unfreeze,
    UnfreezePerson,
)
from formicary.testing.trial import Trial

from tests.products.wallet.probe import PROBE, Fund, Hold, Pay, Receive
from tests.products.wallet.town import ALICE, APRIL, BOB, CAROL, CZK, EUR, JPY, NOBODY, OPERA, town


def set_limit(trial: Trial, change: SetLimit) -> None:
    """Change a limit as two people do."""
    proposal = trial.ok(OPERA, "wallet.propose", Propose(change)).proposal
    trial.ok(APRIL, "wallet.approve", Approve(proposal))


def test_opening() -> None:
    """Who signs, who is there, then the currencies."""
    trial = town()
    assert trial.refused(b"short", "wallet.open", Open((1, 1), None)) == "signer_not_a_person"
    assert trial.refused(ALICE, "wallet.open", Open((1, 1), None)) == "person_exists"
    assert trial.refused(NOBODY, "wallet.open", Open((1, 1), None)) == "currency_unknown"
    assert trial.refused(NOBODY, "wallet.open", Open((EUR, EUR), None)) == "currency_twice"
    assert trial.refused(NOBODY, "wallet.open_currency", OpenCurrency(1)) == "person_unknown"
    assert trial.refused(ALICE, "wallet.open_currency", OpenCurrency(1)) == "currency_unknown"
    assert trial.refused(ALICE, "wallet.open_currency", OpenCurrency(EUR)) == "currency_open"
    trial.ok(ALICE, "wallet.open_currency", OpenCurrency(JPY))


def test_paying() -> None:
    """person_unknown, person_frozen, person_closed, currency, payment, day, year, own payment, own day."""
    trial = town(money=40_000)
    trial.ok(CAROL, "wallet.close", Close(bytes(16)))
    pay = "probe.pay"
    huge = Pay(BOB, JPY, 10**9)
    assert trial.refused(NOBODY, pay, huge) == "person_unknown"
    assert trial.refused(CAROL, pay, huge) == "person_closed"
    assert trial.refused(ALICE, pay, huge) == "currency_not_open"
    trial.ok(ALICE, "wallet.freeze", Freeze())
    assert trial.refused(ALICE, pay, huge) == "person_frozen"
    trial.ok(ALICE, "wallet.unfreeze", Unfreeze())
    set_limit(trial, SetLimit(0, EUR, 15_000, 25_000, 30_000, 0))
    trial.ok(ALICE, "wallet.set_own_limit", SetOwnLimit(EUR, 9_000, 12_000))
    assert trial.refused(ALICE, pay, Pay(BOB, EUR, 30_001)) == "limit_payment"
    assert trial.refused(ALICE, pay, Pay(BOB, EUR, 15_000)) == "own_limit_payment"
    trial.ok(ALICE, pay, Pay(BOB, EUR, 9_000))
    assert trial.refused(ALICE, pay, Pay(BOB, EUR, 3_001)) == "own_limit_day"
    trial.ok(ALICE, "wallet.set_own_limit", SetOwnLimit(EUR, 0, 0))
    assert trial.refused(ALICE, pay, Pay(BOB, EUR, 3_001)) == "own_limit_day", "higher only after a day"
    trial.wait(days=1)
    trial.ok(ALICE, pay, Pay(BOB, EUR, 15_000))
    assert trial.refused(ALICE, pay, Pay(BOB, EUR, 10_001)) == "limit_day"
    assert trial.refused(ALICE, pay, Pay(BOB, EUR, 6_001)) == "limit_year"
    trial.ok(ALICE, pay, Pay(BOB, EUR, 6_000))
    trial.wait(days=365)
    assert trial.refused(ALICE, pay, Pay(BOB, EUR, 10_001)) == "exceeds_credits", "enough or not is for the kernel"
    trial.ok(ALICE, pay, Pay(BOB, EUR, 10_000))
    trial.replay()


def test_being_paid() -> None:
    """person_unknown, person_closed, person_frozen, currency_not_open, balance_limit; held money counts."""
    trial = town(money=40_000)
    trial.ok(CAROL, "wallet.close", Close(bytes(16)))
    receive = "probe.receive"
    assert trial.refused(NODE, receive, Receive(NOBODY, JPY, 1)) == "person_unknown"
    assert trial.refused(NODE, receive, Receive(CAROL, JPY, 1)) == "person_closed"
    trial.ok(OPERA, "wallet.freeze_person", FreezePerson(BOB, "court"))
    assert trial.refused(NODE, receive, Receive(BOB, JPY, 1)) == "person_frozen"
    trial.ok(OPERA, "wallet.unfreeze_person", UnfreezePerson(BOB))
    assert trial.refused(NODE, receive, Receive(BOB, JPY, 1)) == "currency_not_open"
    assert trial.refused(NODE, receive, Receive(BOB, EUR, 10_001)) == "balance_limit"
    trial.ok(ALICE, "probe.hold", Hold(BOB, EUR, 6_000))
    assert trial.refused(NODE, receive, Receive(BOB, EUR, 4_001)) == "balance_limit"
    trial.ok(NODE, receive, Receive(BOB, EUR, 4_000))


def test_freezing() -> None:
    """A person's freeze and an operator's are two; both must go."""
    trial = town()
    assert trial.refused(NOBODY, "wallet.freeze", Freeze()) == "person_unknown"
    assert trial.refused(ALICE, "wallet.unfreeze", Unfreeze()) == "not_frozen"
    trial.ok(ALICE, "wallet.freeze", Freeze())
    assert trial.refused(ALICE, "wallet.freeze", Freeze()) == "already_frozen"
    assert trial.refused(BOB, "wallet.freeze_person", FreezePerson(ALICE, "lost")) == "role_missing"
    assert trial.refused(OPERA, "wallet.unfreeze_person", UnfreezePerson(ALICE)) == "not_frozen"
    trial.ok(OPERA, "wallet.freeze_person", FreezePerson(ALICE, "lost"))
    assert trial.refused(OPERA, "wallet.freeze_person", FreezePerson(ALICE, "fraud")) == "already_frozen"
    trial.ok(ALICE, "wallet.unfreeze", Unfreeze())
    assert trial.happened("wallet.unfrozen")[-1].still_frozen
    assert trial.refused(ALICE, "wallet.unfreeze", Unfreeze()) == "frozen_by_operator"
    trial.ok(OPERA, "wallet.unfreeze_person", UnfreezePerson(ALICE))
    assert not trial.happened("wallet.unfrozen")[-1].still_frozen


def test_closing() -> None:
    """Frozen, held, not empty; then everything is paid out and nothing personal stays."""
    trial = town(money=40_000)
    assert trial.refused(NOBODY, "wallet.close", Close(None)) == "person_unknown"
    trial.ok(ALICE, "wallet.freeze", Freeze())
    assert trial.refused(ALICE, "wallet.close", Close(None)) == "person_frozen"
    trial.ok(ALICE, "wallet.unfreeze", Unfreeze())
    trial.ok(ALICE, "probe.hold", Hold(BOB, EUR, 100))
    assert trial.refused(ALICE, "wallet.close", Close(None)) == "money_held"
    assert trial.refused(BOB, "wallet.close", Close(bytes(16))) == "money_held", "held for the payee too"
    assert trial.refused(CAROL, "wallet.close", Close(None)) == "balance_not_zero"
    trial.ok(CAROL, "wallet.close", Close(bytes(16)))
    assert trial.refused(CAROL, "wallet.close", Close(None)) == "person_closed"
    assert trial.refused(CAROL, "wallet.open", Open((EUR,), None)) == "person_exists"
    assert trial.refused(NODE, "wallet.set_tier", SetTier(CAROL, 2)) == "person_closed"
    trial.replay()


def test_without_a_bank_only_an_empty_wallet_closes() -> None:
    """An institution that was wired without a bank refuses to pay out, and says why."""
    trial = Trial([product(), PROBE])
    for who in (ALICE, BOB):
        trial.ok(who, "wallet.open", Open((EUR,), None))
    trial.ok(NODE, "probe.fund", Fund(ALICE, EUR, 5))
    assert trial.refused(ALICE, "wallet.close", Close(bytes(16))) == "payout_unavailable"
    trial.ok(BOB, "wallet.close", Close(None))


def test_crowns_have_their_own_limits() -> None:
    """A currency with a row has its own numbers, one without those of the rule."""
    trial = town()
    trial.ok(ALICE, "wallet.open_currency", OpenCurrency(JPY))
    assert trial.refused(ALICE, "probe.pay", Pay(BOB, CZK, 15_000 * 25 + 1)) == "limit_payment"
    assert trial.refused(ALICE, "probe.pay", Pay(BOB, CZK, 15_000 * 25)) == "exceeds_credits"
    assert trial.refused(ALICE, "probe.pay", Pay(BOB, JPY, 15_001)) == "limit_payment"
