"""Names, own limits, counted spending, and what people are told of their own wallets."""

from __future__ import annotations

import pytest

from formicary.base.errors import Refusal
from formicary.base.iso4217 import CURRENT
from formicary.products.wallet import product
from formicary.products.wallet.answers import Find, Nothing, OfAsset
from formicary.products.wallet.commands import (
    AddContact,
    ClaimAlias,
    Close,
    Freeze,
    Open,
    OpenCurrency,
    ReleaseAlias,
    RemoveContact,
    SetOwnLimit,
    Trust,
    Unfreeze,
)
from formicary.products.wallet.limits import Limits, Spent, rule_limits, year_of
from formicary.products.wallet.offers import Purses
from formicary.testing.trial import Trial, person

from tests.products.wallet.probe import Hold, Pay, Release
from tests.products.wallet.town import ALICE, APRIL, BOB, CAROL, CZK, EUR, JPY, NOBODY, OPERA, town

ROSE, MAIL, PHONE = b"r" * 32, b"m" * 32, b"t" * 32


def found(trial: Trial, digest: bytes) -> object:
    """Who is found, or the code."""
    try:
        answer = trial.ask("wallet.find", b"", Find(digest=digest.hex()))
    except Refusal as refusal:
        return refusal.code
    return answer.person, answer.kind


def test_an_alias_is_one_persons() -> None:
    """Claimed, taken, given up, resting, and then another's; its own person gets it back at any time."""
    trial = town()
    trial.ok(ALICE, "wallet.claim_alias", ClaimAlias(ROSE))
    assert found(trial, ROSE) == (ALICE, "alias")
    assert not Purses().alias_free(trial.view("wallet"), ROSE)
    assert trial.refused(ALICE, "wallet.claim_alias", ClaimAlias(ROSE)) == "alias_taken"
    assert trial.refused(NOBODY, "wallet.open", Open((EUR,), ROSE)) == "alias_taken"
    assert trial.refused(BOB, "wallet.release_alias", ReleaseAlias(ROSE)) == "alias_not_found"
    trial.ok(ALICE, "wallet.release_alias", ReleaseAlias(ROSE))
    assert found(trial, ROSE) == "nobody_found"
    assert trial.refused(BOB, "wallet.claim_alias", ClaimAlias(ROSE)) == "alias_resting"
    assert not Purses().alias_free(trial.view("wallet"), ROSE)
    trial.ok(ALICE, "wallet.claim_alias", ClaimAlias(ROSE))
    trial.ok(ALICE, "wallet.close", Close(None))
    trial.wait(days=31)
    trial.ok(BOB, "wallet.freeze", Freeze())  # a view sees the time of the newest entry
    trial.ok(BOB, "wallet.unfreeze", Unfreeze())
    assert Purses().alias_free(trial.view("wallet"), ROSE)
    trial.ok(BOB, "wallet.claim_alias", ClaimAlias(ROSE))
    for number in range(2):
        trial.ok(BOB, "wallet.claim_alias", ClaimAlias(bytes([number]) * 32))
    assert trial.refused(BOB, "wallet.claim_alias", ClaimAlias(MAIL)) == "aliases_too_many"
    trial.replay()


def test_a_contact_point_is_found_with_consent() -> None:
    """Not before its person agrees, and not after."""
    trial = town()
    trial.ok(ALICE, "wallet.add_contact", AddContact(MAIL, "mail", findable=False))
    assert found(trial, MAIL) == "nobody_found"
    trial.ok(ALICE, "wallet.add_contact", AddContact(MAIL, "mail", findable=True))
    assert found(trial, MAIL) == (ALICE, "mail")
    assert trial.refused(BOB, "wallet.add_contact", AddContact(MAIL, "mail", findable=True)) == "contact_taken"
    assert trial.refused(BOB, "wallet.remove_contact", RemoveContact(MAIL)) == "contact_not_found"
    for number in range(3):
        trial.ok(ALICE, "wallet.add_contact", AddContact(bytes([number]) * 32, "phone", findable=True))
    assert trial.refused(ALICE, "wallet.add_contact", AddContact(PHONE, "phone", findable=True)) == "contacts_too_many"
    trial.ok(ALICE, "wallet.remove_contact", RemoveContact(MAIL))
    assert found(trial, MAIL) == "nobody_found"
    names = trial.ask("wallet.names", ALICE, Nothing())
    assert [item.contact for item in names.contacts] == [bytes([number]) * 32 for number in range(3)]
    for digest in ("", "zz" * 32, "AB" * 32, " " + "ab" * 31 + "a"):
        with pytest.raises(Refusal, match="64 hexadecimal"):
            trial.ask("wallet.find", b"", Find(digest=digest))


def test_own_limits_fall_at_once_and_rise_after_a_day() -> None:
    """Each of the two by itself; a newer wish takes the place of one that waits."""
    trial = town()
    assert trial.refused(NOBODY, "wallet.set_own_limit", SetOwnLimit(JPY, 1, 1)) == "person_unknown"
    assert trial.refused(ALICE, "wallet.set_own_limit", SetOwnLimit(JPY, 1, 1)) == "currency_not_open"
    trial.ok(ALICE, "wallet.set_own_limit", SetOwnLimit(EUR, 100, 200))
    trial.ok(ALICE, "wallet.set_own_limit", SetOwnLimit(EUR, 50, 0))
    now = trial.ask("wallet.limits", ALICE, OfAsset(asset=EUR))
    assert (now.own_payment_minor, now.own_day_minor) == (50, 200)
    assert (now.raise_payment_minor, now.raise_day_minor) == (50, 0)
    trial.wait(hours=20)
    trial.ok(ALICE, "wallet.set_own_limit", SetOwnLimit(EUR, 70, 300))
    trial.wait(hours=20)
    now = trial.ask("wallet.limits", ALICE, OfAsset(asset=EUR))
    assert (now.own_payment_minor, now.own_day_minor) == (50, 200), "the first wish was taken back"
    trial.wait(hours=5)
    now = trial.ask("wallet.limits", ALICE, OfAsset(asset=EUR))
    assert (now.own_payment_minor, now.own_day_minor, now.raise_ns) == (70, 300, None)
    assert trial.happened("wallet.own_limit_changed")[-1].raised_ns is None
    trial.replay()


def test_spending_is_counted_by_utc_day_and_year() -> None:
    """A refused payment counts nothing, a released hold is taken back, and a new day begins at zero."""
    trial = town(money=40_000)

    def spent() -> tuple[int, int]:
        answer = trial.ask("wallet.limits", ALICE, OfAsset(asset=EUR))
        return answer.spent_day_minor, answer.spent_year_minor

    trial.ok(ALICE, "probe.pay", Pay(BOB, EUR, 1_000))
    assert trial.refused(ALICE, "probe.pay", Pay(BOB, EUR, 15_000)) == "balance_limit"
    assert spent() == (1_000, 1_000)
    held = trial.ok(ALICE, "probe.hold", Hold(BOB, EUR, 500)).hold
    paid_ns = trial.now_ns
    assert spent() == (1_500, 1_500)
    trial.wait(days=1)
    assert spent() == (1_500, 1_500), "a query sees the time of the newest entry"
    trial.ok(ALICE, "probe.pay", Pay(BOB, EUR, 10))
    assert spent() == (10, 1_510)
    trial.ok(ALICE, "probe.release", Release(held, EUR, 500, paid_ns))
    assert spent() == (10, 1_010), "yesterday's is not today's"
    trial.wait(days=365)
    trial.ok(ALICE, "probe.pay", Pay(BOB, EUR, 20))
    assert spent() == (20, 20)
    trial.replay()


def test_what_people_see_of_themselves() -> None:
    """Balances with what is held and what is coming, the state, and who froze it."""
    trial = town(money=1_000)
    trial.ok(ALICE, "probe.hold", Hold(BOB, EUR, 300))
    alice, bob = (trial.ask("wallet.accounts", who, Nothing()).items for who in (ALICE, BOB))
    assert [item.asset for item in alice] == [CZK, EUR]
    euros = alice[1]
    assert (euros.balance_minor, euros.available_minor, euros.held_minor, euros.coming_minor) == (1_000, 700, 300, 0)
    assert (bob[1].balance_minor, bob[1].available_minor, bob[1].coming_minor) == (1_000, 1_000, 300)
    trial.ok(ALICE, "wallet.freeze", Freeze())
    me = trial.ask("wallet.me", ALICE, Nothing())
    assert (me.person, me.tier, me.state, me.frozen_by, me.roles) == (ALICE, 0, "frozen", "person", ())
    assert trial.ask("wallet.me", OPERA, Nothing()).roles == ("operator",)
    with pytest.raises(Refusal, match="no such person"):
        trial.ask("wallet.me", NOBODY, Nothing())
    trial.ok(BOB, "wallet.trust", Trust(CAROL))
    trusted = trial.ask("wallet.trusted", CAROL, Nothing())
    assert ([item.person for item in trusted.items], [item.person for item in trusted.trusted_by]) == ([], [BOB])


def test_what_others_may_ask() -> None:
    """Who is a person, since when, frozen or not, and whom they trust."""
    trial = town()
    trial.ok(ALICE, "wallet.trust", Trust(CAROL))
    trial.ok(ALICE, "wallet.trust", Trust(BOB))
    trial.ok(ALICE, "wallet.freeze", Freeze())
    trial.ok(APRIL, "wallet.close", Close(None))
    view, purses = trial.view("probe"), Purses()
    assert [purses.is_person(view, who) for who in (ALICE, BOB, APRIL, NOBODY)] == [True, True, False, False]
    assert [purses.is_frozen(view, who) for who in (ALICE, BOB, APRIL, NOBODY)] == [True, False, False, False]
    assert purses.opened_ns(view, NOBODY) == 0 < purses.opened_ns(view, ALICE) < purses.opened_ns(view, BOB)
    assert purses.trusted_of(view, ALICE) == tuple(sorted((BOB, CAROL)))
    assert purses.purse(view, ALICE, EUR) is not None
    assert [purses.purse(view, who, asset) for who, asset in ((APRIL, EUR), (ALICE, JPY), (NOBODY, EUR))] == [None] * 3
    assert not purses.has_role(view, APRIL, "approver"), "a role goes with its person"
    assert purses.alias_free(view, ROSE)
    with pytest.raises(Refusal, match="not opened this currency"):
        trial.ask("wallet.limits", ALICE, OfAsset(asset=JPY))
    with pytest.raises(AssertionError, match="no parameter"):
        purses.parameter(view, "nonsense")


def test_there_is_a_limit_on_every_list() -> None:
    """32 currencies, five trusted contacts, and a hundred people who name the same one."""
    trial = Trial([product()], check=False)
    crowd = [person(f"p{number}") for number in range(102)]
    for who in crowd:
        trial.ok(who, "wallet.open", Open((EUR,), None))
    for asset in [row.number for row in CURRENT if row.number != EUR][:31]:
        trial.ok(crowd[0], "wallet.open_currency", OpenCurrency(asset))
    left = next(asset for asset in (CZK, JPY, 710) if Purses().purse(trial.view("wallet"), crowd[0], asset) is None)
    assert trial.refused(crowd[0], "wallet.open_currency", OpenCurrency(left)) == "currencies_too_many"
    for who in crowd[1:101]:
        trial.ok(who, "wallet.trust", Trust(crowd[0]))
    assert trial.refused(crowd[101], "wallet.trust", Trust(crowd[0])) == "trusting_too_many"
    for who in crowd[2:6]:
        trial.ok(crowd[1], "wallet.trust", Trust(who))
    assert trial.refused(crowd[1], "wallet.trust", Trust(crowd[7])) == "trusted_too_many"
    trial.ok(crowd[0], "wallet.close", Close(None))
    assert Purses().trusted_of(trial.view("wallet"), crowd[50]) == ()
    trial.machine.check()
    trial.replay()


def test_the_calendar_and_the_rule() -> None:
    """Leap years, and currencies with no, two, three and four decimals."""
    assert [year_of(day) for day in (0, 364, 365, 789, 790, 1095, 1096)] == [1970, 1970, 1971, 1972, 1972, 1972, 1973]
    assert year_of(20_453) == 2025
    assert year_of(20_454) == 2026
    payments = [rule_limits(0, asset).payment_minor for asset in (392, 978, 48, 990, 5_000_000)]
    assert payments == [15_000, 15_000, 150_000, 1_500_000, 15_000]
    assert Limits(5, 0, 0, 1).in_order
    assert not Limits(0, 5, 0, 1).in_order
    newest = Spent(20_453, 10, 2025, 30)
    assert newest.at(20_454) == (20_454, 0, 2026, 0)
    assert newest.minus(20, day=20_453) == (20_453, 0, 2025, 10)
    assert newest.minus(20, day=20_000) == (20_453, 10, 2025, 30)
