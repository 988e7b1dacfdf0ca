"""The record of each day: customers' money against the banks, counted once, kept for ever, listed for anybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from formicary.products.bank import backing
from formicary.products.bank import commands as bank
from formicary.testing.trial import START_NS, Trial

from tests.products.bank.fakes import ALICE, EUR, JPY, OPERATOR, RAIL, Mint, Open, products

REF = b"account of alice"
FIRST, SECOND = 20260101, 20260102


@pytest.fixture
def town() -> Iterator[Trial]:
    """Alice has a purse with 100.00 from the bank, on the first of January."""
    trial = Trial(products())
    trial.ok(ALICE, "wallet.open", Open(EUR))
    trial.ok(ALICE, "bank.link_account", bank.LinkAccount(REF, bytes(16), bytes(32)))
    reference = trial.ok(ALICE, "bank.take_reference", bank.TakeReference()).reference
    trial.ok(RAIL, "bank.booked", bank.Booked(EUR, entry_ref(1), "in", 10_000, reference, 1))
    yield trial
    trial.replay()
    trial.close()


def entry_ref(number: int) -> bytes:
    """The digest of a booking's reference."""
    return number.to_bytes(32, "big")


def attest(town: Trial, day: int) -> bank.BackedOn:
    """Have a day counted; answer the euro's line."""
    reply: bank.Attested = town.ok(RAIL, "bank.attest", bank.Attest(day, 1))
    assert reply.day == day
    return reply.items[0]


def days(town: Trial, **asked: object) -> backing.BackingDays:
    """What anybody is told of the days."""
    found: backing.BackingDays = town.ask("bank.backing_days", b"", backing.AskBackingDays(**asked))  # type: ignore[arg-type]
    return found


def test_a_day_is_counted_and_kept(town: Trial) -> None:
    """The reply, the event and the list say the same: what is owed, at the bank, on its way, and under which entry."""
    town.ok(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, 2_500))
    told = attest(town, FIRST)
    assert (told.customers_minor, told.nostro_minor, told.transit_minor) == (10_000, 10_000, 2_500)
    assert (told.claims_minor, told.own_minor, told.verdict) == (0, 0, "backed")
    assert (told.statement, told.closing_minor, told.unlisted_minor, told.difference_minor) == (-1, 0, 10_000, 0)
    (shown,) = days(town).items
    assert (shown.day, shown.entry, shown.at_ns) == (FIRST, len(town.entries), town.now_ns)
    assert all(getattr(shown, name) == getattr(told, name) for name in bank.BackedOn.__struct_fields__)
    assert town.happened("bank.backing_attested") == [bank.BackingAttested(FIRST, True)]


def test_a_day_is_counted_against_the_newest_statement(town: Trial) -> None:
    """What it closed with, what was booked since, and nothing unexplained; else the verdict says so."""
    town.ok(RAIL, "bank.statement", bank.Statement(EUR, 7, FIRST, 0, 10_000, 1))
    town.ok(RAIL, "bank.listed", bank.Listed(EUR, 7, (entry_ref(1),)))
    town.ok(RAIL, "bank.listed", bank.Listed(EUR, 7, (entry_ref(1),)))  # told again changes nothing
    town.ok(RAIL, "bank.booked", bank.Booked(EUR, entry_ref(2), "in", 300, "", 1))
    told = attest(town, FIRST)
    assert (told.statement, told.closing_minor, told.unlisted_minor, told.difference_minor) == (7, 10_000, 300, 0)
    assert told.verdict == "backed"
    town.wait(days=1)
    town.ok(RAIL, "bank.statement", bank.Statement(EUR, 8, SECOND, 10_000, 10_350, 1))
    told = attest(town, SECOND)
    assert (told.difference_minor, told.verdict) == (-350, "unexplained")
    assert town.happened("bank.backing_attested")[-1] == bank.BackingAttested(SECOND, False)


def test_a_day_on_which_money_was_missing_stays_on_record(town: Trial) -> None:
    """Money made from nothing shows on its day, also after it was put right."""
    town.ok(ALICE, "wallet.mint", Mint(ALICE, EUR, 5_000))
    told = attest(town, FIRST)
    assert (told.customers_minor, told.nostro_minor, told.claims_minor, told.verdict) == (
        15_000,
        10_000,
        5_000,
        "short",
    )
    town.ok(RAIL, "bank.booked", bank.Booked(EUR, entry_ref(2), "in", 5_000, "", 1))
    town.ok(OPERATOR, "bank.take_own", bank.TakeOwn(entry_ref(2)))
    town.wait(days=1)
    assert attest(town, SECOND).verdict == "backed"
    assert [(item.day, item.verdict) for item in days(town).items] == [(SECOND, "backed"), (FIRST, "short")]


def test_a_day_is_counted_on_that_day_and_once(town: Trial) -> None:
    """By the courier alone; neither tomorrow nor a day that is long over; until an hour after midnight; never twice."""
    assert town.refused(OPERATOR, "bank.attest", bank.Attest(FIRST, 1)) == "bank_rail_only"
    assert town.refused(RAIL, "bank.attest", bank.Attest(SECOND, 1)) == "bank_day_differs"
    assert town.refused(RAIL, "bank.attest", bank.Attest(20251230, 1)) == "bank_day_differs"
    town.wait(hours=24, minutes=30)
    attest(town, FIRST)
    assert town.refused(RAIL, "bank.attest", bank.Attest(FIRST, 1)) == "bank_day_attested"
    attest(town, SECOND)
    assert town.refused(RAIL, "bank.attest", bank.Attest(FIRST, 1)) == "bank_day_attested"
    town.wait(hours=1)
    assert town.refused(RAIL, "bank.attest", bank.Attest(FIRST, 1)) == "bank_day_differs"


def test_there_is_nothing_to_count_without_a_bank() -> None:
    """Before the first money came, no record is made that would say that nothing is backed by nothing."""
    empty = Trial(products())
    assert empty.refused(RAIL, "bank.attest", bank.Attest(FIRST, 1)) == "bank_books_missing"
    assert empty.ask("bank.backing_days", b"", backing.AskBackingDays()).items == ()
    empty.close()


def test_days_are_listed_page_by_page(town: Trial) -> None:
    """Newest first, by currency within a day, all or one of them; a cursor that nobody was given begins again."""
    town.ok(ALICE, "wallet.open", Open(JPY))
    town.ok(RAIL, "bank.booked", bank.Booked(JPY, entry_ref(9), "in", 700, "", 1))
    for day in (FIRST, SECOND, 20260103):
        attest(town, day)
        town.wait(days=1)
    everything = [(item.day, item.asset) for item in days(town).items]
    assert everything == [(day, asset) for day in (20260103, SECOND, FIRST) for asset in (JPY, EUR)]
    found: list[tuple[int, int]] = []
    page = days(town, limit=4)
    found += [(item.day, item.asset) for item in page.items]
    found += [(item.day, item.asset) for item in days(town, limit=4, after=page.next).items]
    assert found == everything
    assert [item.day for item in days(town, asset=EUR, limit=2).items] == [20260103, SECOND]
    second = days(town, asset=EUR, limit=2).next
    assert [item.day for item in days(town, asset=EUR, after=second).items] == [FIRST]
    assert len(days(town, after="nonsense").items) == 6


def test_days_are_utc() -> None:
    """A day begins at midnight UTC, also the last of a leap year's February."""
    assert backing.day_of(START_NS) == FIRST
    assert backing.day_of(START_NS - 1) == 20251231
    assert backing.day_of(1_709_164_800 * 10**9) == 20240229
    assert backing.day_of(0) == 19700101
