"""Money in and out through a bank: what people, the courier and operators do, and what each is answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from formicary.products.bank import backing, queries
from formicary.products.bank import commands as bank
from formicary.products.bank.references import is_reference, read_reference, write_reference
from formicary.testing.trial import Trial

from tests.products.bank.fakes import (
    ALICE,
    BOB,
    EUR,
    OPERATOR,
    RAIL,
    Close,
    Mint,
    Open,
    balance,
    book_state,
    products,
    spent,
)

REF = b"account of alice"
NONE = ""


@pytest.fixture
def town() -> Iterator[Trial]:
    """Alice and Bob have purses; Alice has linked a bank account and brought 100.00."""
    trial = Trial(products())
    for person in (ALICE, BOB):
        trial.ok(person, "wallet.open", Open(EUR))
    trial.ok(ALICE, "bank.link_account", bank.LinkAccount(REF, bytes(16), bytes(32)))
    reference = trial.ok(ALICE, "bank.take_reference", bank.TakeReference()).reference
    assert booked(trial, 1, "in", 10_000, reference) == "matched"
    yield trial
    trial.replay()
    trial.close()


def booked(town: Trial, number: int, direction: str, amount_minor: int, reference: str = NONE) -> str:
    """The bank booked something; answer what became of it."""
    command = bank.Booked(EUR, ref(number), direction, amount_minor, reference, 1)  # type: ignore[arg-type]
    return str(town.ok(RAIL, "bank.booked", command).state)


def returned(town: Trial, number: int, withdrawal: bytes, amount_minor: int) -> str:
    """The bank returned something; answer what became of it."""
    command = bank.Returned(withdrawal, ref(number), EUR, amount_minor, "AC04", 1)
    return str(town.ok(RAIL, "bank.returned", command).state)


def ref(number: int) -> bytes:
    """The digest of a booking's reference."""
    return number.to_bytes(32, "big")


def withdraw(town: Trial, amount_minor: int) -> bytes:
    """Alice withdraws, and the bank is asked."""
    name = bytes(town.ok(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, amount_minor)).withdrawal)
    town.ok(RAIL, "bank.instructed", bank.Instructed(name))
    return name


def reconciled(town: Trial) -> queries.Reconciled:
    """The euro's reconciliation."""
    answer: queries.Reconciliation = town.ask("bank.reconciliation", OPERATOR, queries.AskReconciliation())
    return answer.items[0]


def state_of(town: Trial, name: bytes) -> str:
    """How a withdrawal of Alice's stands."""
    shown: queries.WithdrawalsShown = town.ask("bank.withdrawals", ALICE, queries.AskWithdrawals(limit=100))
    return next(item.state for item in shown.items if item.withdrawal == name)


def test_a_transfer_with_a_reference_tops_up_its_person(town: Trial) -> None:
    """Money that came in with Alice's reference is in her wallet, once, however often the bank tells of it."""
    assert balance(town, ALICE) == 10_000
    reference = town.ask("bank.reference", ALICE, queries.AskReference(asset=EUR)).reference
    assert booked(town, 1, "in", 10_000, reference) == "known"
    assert balance(town, ALICE) == 10_000
    assert [event.amount_minor for event in town.happened("bank.topped_up")] == [10_000]


def test_a_booking_told_twice_with_two_amounts_is_refused(town: Trial) -> None:
    """The bank contradicts itself, and somebody has to ask it."""
    command = bank.Booked(EUR, ref(1), "in", 10_001, NONE, 1)
    assert town.refused(RAIL, "bank.booked", command) == "bank_entry_differs"


def test_a_reference_is_given_once(town: Trial) -> None:
    """Whoever asks again gets the same reference, and two people never share one."""
    first = town.ok(ALICE, "bank.take_reference", bank.TakeReference()).reference
    assert first == town.ok(ALICE, "bank.take_reference", bank.TakeReference()).reference
    assert first != town.ok(BOB, "bank.take_reference", bank.TakeReference()).reference
    assert town.refused(RAIL, "bank.take_reference", bank.TakeReference()) == "bank_not_a_person"
    shown = town.ask("bank.reference", ALICE, queries.AskReference(asset=EUR))
    assert shown.reference_spaced.replace(" ", "") == first
    assert shown.iban.startswith("FR76")


def test_a_withdrawal_leaves_at_once_and_is_booked_later(town: Trial) -> None:
    """Asked, instructed, booked: the money is gone from the wallet at the first step and from the bank at the last."""
    name = town.ok(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, 4_000)).withdrawal
    assert (balance(town, ALICE), spent(town, ALICE), state_of(town, name)) == (6_000, 4_000, "asked")
    town.ok(RAIL, "bank.instructed", bank.Instructed(name))
    town.ok(RAIL, "bank.instructed", bank.Instructed(name))
    assert (state_of(town, name), book_state(town, name)) == ("instructed", "under_way")
    assert reconciled(town).under_way_minor == 4_000
    assert booked(town, 2, "out", 4_000, name.hex()) == "matched"
    assert (state_of(town, name), book_state(town, name)) == ("booked", "paid")
    assert (reconciled(town).nostro_minor, reconciled(town).under_way) == (6_000, 0)
    asked = town.happened("bank.withdrawal_asked")
    assert [(event.withdrawal, event.account_ref, event.amount_minor) for event in asked] == [(name, REF, 4_000)]


def test_a_withdrawal_booked_in_parts_is_under_way_until_the_last(town: Trial) -> None:
    """A part leaves the rest under way, which the bank may still book or reject."""
    name = withdraw(town, 4_000)
    assert booked(town, 2, "out", 1_500, name.hex()) == "matched"
    assert (state_of(town, name), reconciled(town).under_way_minor) == ("partly", 2_500)
    town.ok(RAIL, "bank.rejected", bank.Rejected(name, "MS03"))
    assert (balance(town, ALICE), state_of(town, name), spent(town, ALICE)) == (8_500, "booked", 1_500)
    town.ok(RAIL, "bank.rejected", bank.Rejected(name, "MS03"))
    assert balance(town, ALICE) == 8_500
    assert book_state(town, name) == "paid"


def test_the_parts_of_a_withdrawal_add_up(town: Trial) -> None:
    """Three bookings are one withdrawal, and a fourth is beyond it."""
    name = withdraw(town, 4_000)
    for number, amount_minor, left in ((2, 1_500, 2_500), (3, 1_500, 1_000), (4, 1_000, 0)):
        assert booked(town, number, "out", amount_minor, name.hex()) == "matched"
        assert reconciled(town).under_way_minor == left
    assert state_of(town, name) == "booked"
    assert booked(town, 5, "out", 1, name.hex()) == "open"


def test_a_rejected_withdrawal_is_the_payers_again(town: Trial) -> None:
    """The bank paid nothing: all of it comes back and does not count as spent."""
    name = withdraw(town, 4_000)
    town.ok(RAIL, "bank.rejected", bank.Rejected(name, "AC04"))
    assert (balance(town, ALICE), spent(town, ALICE), state_of(town, name)) == (10_000, 0, "rejected")
    assert book_state(town, name) == "returned"


def test_a_returned_withdrawal_is_the_payers_again(town: Trial) -> None:
    """Booked and sent back by the receiver's bank: in the wallet again, told with the bank's reason."""
    name = withdraw(town, 4_000)
    booked(town, 2, "out", 4_000, name.hex())
    assert returned(town, 3, name, 4_000) == "matched"
    assert returned(town, 3, name, 4_000) == "known"
    assert (balance(town, ALICE), spent(town, ALICE), state_of(town, name)) == (10_000, 0, "returned")
    moved = town.happened("bank.withdrawal_moved")
    assert [(event.state, event.reason) for event in moved][-1] == ("returned", "AC04")
    assert reconciled(town).nostro_minor == 10_000


def test_a_return_that_comes_before_its_booking_waits_for_it(town: Trial) -> None:
    """Late files change the order, not the result."""
    name = withdraw(town, 4_000)
    assert returned(town, 3, name, 4_000) == "matched"
    assert (balance(town, ALICE), state_of(town, name)) == (10_000, "instructed")
    assert booked(town, 2, "out", 4_000, name.hex()) == "matched"
    assert (balance(town, ALICE), state_of(town, name)) == (10_000, "returned")
    assert reconciled(town).nostro_minor == 10_000


def test_a_bank_that_returns_and_rejects_gives_back_once(town: Trial) -> None:
    """What contradicts itself is open for a person to look at; nobody is paid twice by the machine."""
    name = withdraw(town, 4_000)
    returned(town, 3, name, 4_000)
    town.ok(RAIL, "bank.rejected", bank.Rejected(name, "AC04"))
    assert balance(town, ALICE) == 10_000
    (item,) = town.ask("bank.open_items", OPERATOR, queries.AskOpenItems(asset=EUR)).items
    assert (item.direction, item.amount_minor) == ("back", 4_000)
    assert town.refused(OPERATOR, "bank.send_back", bank.SendBack(bytes.fromhex(item.ref))) == "bank_entry_not_open"
    town.ok(OPERATOR, "bank.take_own", bank.TakeOwn(bytes.fromhex(item.ref)))
    assert reconciled(town).open_entries == 0


def test_more_returned_than_was_sent_is_open(town: Trial) -> None:
    """The excess belongs to nobody until somebody says so."""
    name = withdraw(town, 4_000)
    booked(town, 2, "out", 4_000, name.hex())
    assert returned(town, 3, name, 5_000) == "open"
    assert balance(town, ALICE) == 6_000
    assert reconciled(town).open_in_minor == 5_000


def test_more_booked_than_was_asked_is_open(town: Trial) -> None:
    """A fee on top, or a payment made twice: the withdrawal is booked, the rest waits and is shown."""
    name = withdraw(town, 4_000)
    assert booked(town, 2, "out", 4_050, name.hex()) == "open"
    assert (state_of(town, name), reconciled(town).open_out_minor) == ("booked", 50)
    assert booked(town, 3, "out", 4_000, name.hex()) == "open"
    assert reconciled(town).open_out_minor == 4_050
    assert town.refused(OPERATOR, "bank.assign", bank.Assign(ref(3), ALICE)) == "bank_entry_not_open"


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        (NONE, "reference_missing"),
        (write_reference(77), "reference_unknown"),
        ("RF00000000000077", "reference_unknown"),
        ("ab" * 16, "reference_unknown"),
    ],
)
def test_money_without_a_reference_of_ours_is_open(town: Trial, reference: str, why: str) -> None:
    """It is in the institution's account and on its books, and an operator finds out whose it is."""
    assert booked(town, 2, "in", 700, reference) == "open"
    (item,) = town.ask("bank.open_items", OPERATOR, queries.AskOpenItems(asset=EUR)).items
    assert (item.ref, item.amount_minor, item.why) == (ref(2).hex(), 700, why)
    town.ok(OPERATOR, "bank.assign", bank.Assign(ref(2), BOB))
    assert balance(town, BOB) == 700
    assert town.refused(OPERATOR, "bank.assign", bank.Assign(ref(2), BOB)) == "bank_entry_not_open"
    assert reconciled(town).open_entries == 0


def test_a_top_up_that_the_wallet_refuses_is_open(town: Trial) -> None:
    """Too much for the person's limit: the money is there, and the wallet's own code says why it waits."""
    reference = town.ok(BOB, "bank.take_reference", bank.TakeReference()).reference
    assert booked(town, 2, "in", 1_000_001, reference) == "open"
    (item,) = town.ask("bank.open_items", OPERATOR, queries.AskOpenItems(asset=EUR)).items
    assert item.why == "balance_limit"
    assert town.refused(OPERATOR, "bank.assign", bank.Assign(ref(2), BOB)) == "balance_limit"


def test_open_money_is_sent_back_where_it_came_from(town: Trial) -> None:
    """The courier finds the sender by the booking's own reference."""
    booked(town, 2, "in", 700)
    town.ok(OPERATOR, "bank.send_back", bank.SendBack(ref(2)))
    asked = town.happened("bank.withdrawal_asked")[-1]
    assert (asked.account_ref, asked.amount_minor) == (ref(2)[:16], 700)
    assert booked(town, 3, "out", 700, asked.withdrawal.hex()) == "matched"
    assert (reconciled(town).nostro_minor, reconciled(town).open_entries) == (10_000, 0)


def test_a_send_back_that_returns_is_open_again(town: Trial) -> None:
    """The sender's account is gone too: the money waits once more."""
    booked(town, 2, "in", 700)
    town.ok(OPERATOR, "bank.send_back", bank.SendBack(ref(2)))
    name = town.happened("bank.withdrawal_asked")[-1].withdrawal
    booked(town, 3, "out", 700, name.hex())
    assert returned(town, 4, name, 700) == "open"
    assert reconciled(town).open_in_minor == 700


def test_fees_are_paid_by_the_institution(town: Trial) -> None:
    """A booking that nobody asked for is settled from the institution's own money, also before it brought any."""
    assert booked(town, 2, "out", 50) == "open"
    assert not backed(town).backed
    town.ok(OPERATOR, "bank.take_own", bank.TakeOwn(ref(2)))
    assert (backed(town).own_minor, backed(town).backed) == (-50, False)
    booked(town, 3, "in", 1_000)
    town.ok(OPERATOR, "bank.take_own", bank.TakeOwn(ref(3)))
    assert (backed(town).own_minor, backed(town).backed) == (950, True)


def test_only_an_operator_settles(town: Trial) -> None:
    """The role is checked by the handler, whatever the door thought."""
    booked(town, 2, "in", 700)
    for command in (bank.Assign(ref(2), ALICE), bank.SendBack(ref(2)), bank.TakeOwn(ref(2))):
        name = {"Assign": "assign", "SendBack": "send_back", "TakeOwn": "take_own"}[type(command).__name__]
        assert town.refused(ALICE, f"bank.{name}", command) == "bank_role_missing"
    assert town.refused(OPERATOR, "bank.assign", bank.Assign(ref(9), ALICE)) == "bank_entry_not_found"


def test_only_the_courier_tells_of_bookings(town: Trial) -> None:
    """Nobody tops up by saying so."""
    name = withdraw(town, 100)
    for verb, command in {
        "booked": bank.Booked(EUR, ref(9), "in", 1, NONE, 1),
        "returned": bank.Returned(name, ref(9), EUR, 1, "", 1),
        "rejected": bank.Rejected(name, ""),
        "instructed": bank.Instructed(name),
        "statement": bank.Statement(EUR, 1, 20260101, 0, 0, 0),
        "listed": bank.Listed(EUR, 1, ()),
    }.items():
        assert town.refused(ALICE, f"bank.{verb}", command) == "bank_rail_only"


def test_linked_accounts(town: Trial) -> None:
    """One links up to eight, each once; only who linked one withdraws to it or unlinks it."""
    link, unlink = "bank.link_account", "bank.unlink_account"
    assert town.refused(ALICE, link, bank.LinkAccount(REF, bytes(16), ref(1))) == "bank_account_linked"
    assert town.refused(ALICE, link, bank.LinkAccount(bytes(16), bytes(16), bytes(32))) == "bank_account_linked"
    assert town.refused(RAIL, link, bank.LinkAccount(bytes(16), bytes(16), bytes(32))) == "bank_not_a_person"
    assert town.refused(BOB, "bank.withdraw", bank.Withdraw(REF, EUR, 1)) == "bank_account_not_yours"
    assert town.refused(BOB, unlink, bank.UnlinkAccount(REF)) == "bank_account_not_yours"
    assert town.refused(BOB, unlink, bank.UnlinkAccount(bytes(16))) == "bank_account_not_found"
    for number in range(7):
        town.ok(ALICE, link, bank.LinkAccount(ref(number + 1)[16:], bytes(16), ref(number + 1)))
    assert town.refused(ALICE, link, bank.LinkAccount(ref(9)[16:], bytes(16), ref(9))) == "bank_accounts_too_many"
    town.ok(ALICE, unlink, bank.UnlinkAccount(REF))
    assert town.refused(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, 1)) == "bank_account_not_found"
    assert len(town.ask("bank.accounts", ALICE, queries.AskAccounts()).items) == 7


def test_nobody_withdraws_more_than_there_is(town: Trial) -> None:
    """The kernel refuses, and nothing is left behind."""
    assert town.refused(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, 10_001)) == "exceeds_credits"
    assert spent(town, ALICE) == 0
    assert town.refused(ALICE, "bank.withdraw", bank.Withdraw(REF, 392, 1)) == "person_unknown"


def test_withdrawals_are_listed_newest_first_page_by_page(town: Trial) -> None:
    """Each is on one page, whatever was asked between."""
    names = [withdraw(town, 10) for _ in range(5)]
    shown, after = [], ""
    for _ in range(3):
        page = town.ask("bank.withdrawals", ALICE, queries.AskWithdrawals(after=after, limit=2))
        shown += [item.withdrawal for item in page.items]
        after = page.next
    assert shown == names[::-1]
    assert after == ""
    assert town.ask("bank.withdrawals", ALICE, queries.AskWithdrawals(after="none-zz")).items


def test_a_closed_wallet_is_paid_out_and_its_return_is_open(town: Trial) -> None:
    """Another product pays out to the linked account; when that comes back there is no wallet to put it in."""
    town.ok(ALICE, "wallet.close", Close(EUR, REF))
    name = town.happened("bank.withdrawal_asked")[-1].withdrawal
    assert balance(town, ALICE) == 0
    booked(town, 2, "out", 10_000, name.hex())
    assert returned(town, 3, name, 10_000) == "open"
    assert reconciled(town).open_in_minor == 10_000


def test_a_payout_that_is_rejected_after_closing_is_open(town: Trial) -> None:
    """The bank never saw the money, so it is open without a booking, and the bank's balance is as before."""
    town.ok(ALICE, "wallet.close", Close(EUR, REF))
    name = town.happened("bank.withdrawal_asked")[-1].withdrawal
    town.ok(RAIL, "bank.rejected", bank.Rejected(name, "AC01"))
    assert (reconciled(town).open_in_minor, reconciled(town).nostro_minor) == (10_000, 10_000)


def test_a_payout_goes_to_an_account_of_ones_own(town: Trial) -> None:
    """Also when another product asks for it."""
    town.ok(BOB, "bank.link_account", bank.LinkAccount(b"account of bob!!", bytes(16), bytes(32)))
    assert town.refused(ALICE, "wallet.close", Close(EUR, b"account of bob!!")) == "bank_account_not_yours"
    assert town.refused(ALICE, "wallet.close", Close(EUR, bytes(16))) == "bank_account_not_found"


def test_statements_reconcile(town: Trial) -> None:
    """Closing balance and what was booked since explain the ledger's account to the cent."""
    town.ok(RAIL, "bank.statement", bank.Statement(EUR, 1, 20260101, 0, 10_000, 1))
    town.ok(RAIL, "bank.listed", bank.Listed(EUR, 1, (ref(1),)))
    name = withdraw(town, 4_000)
    booked(town, 2, "out", 4_000, name.hex())
    found = reconciled(town)
    assert (found.closing_minor, found.unlisted_minor, found.difference_minor) == (10_000, -4_000, 0)
    assert found.problems == ()
    assert (found.matched, found.statement, found.statement_date) == (2, 1, 20260101)
    unlisted = town.ask("bank.open_items", OPERATOR, queries.AskOpenItems(asset=EUR, kind="unlisted")).items
    assert [item.ref for item in unlisted] == [ref(2).hex()]
    assert town.refused(RAIL, "bank.listed", bank.Listed(EUR, 2, (ref(1),))) == "bank_statement_differs"
    assert town.refused(RAIL, "bank.listed", bank.Listed(EUR, 2, (ref(9),))) == "bank_entry_not_found"
    town.ok(RAIL, "bank.statement", bank.Statement(EUR, 1, 20260101, 0, 10_000, 1))
    changed = bank.Statement(EUR, 1, 20260101, 0, 10_001, 1)
    assert town.refused(RAIL, "bank.statement", changed) == "bank_statement_differs"


def test_statements_that_do_not_add_up_are_shown(town: Trial) -> None:
    """A statement that is missing, one that opens where the last did not close, one whose bookings are not its sum."""
    town.ok(RAIL, "bank.statement", bank.Statement(EUR, 1, 20260101, 0, 10_000, 1))
    town.ok(RAIL, "bank.statement", bank.Statement(EUR, 3, 20260103, 10_000, 10_000, 0))
    town.ok(RAIL, "bank.statement", bank.Statement(EUR, 4, 20260104, 9_000, 9_000, 0))
    kinds = {(problem.kind, problem.statement) for problem in reconciled(town).problems}
    assert kinds == {
        ("count_differs", 1),
        ("sum_differs", 1),
        ("statement_missing", 3),
        ("opening_differs", 4),
    }
    assert reconciled(town).difference_minor == 10_000 - 9_000 - 10_000


def test_only_operators_see_the_reconciliation(town: Trial) -> None:
    """It names withdrawals of everybody."""
    from formicary.base.errors import Refusal

    for name, asked in (
        ("bank.reconciliation", queries.AskReconciliation()),
        ("bank.open_items", queries.AskOpenItems(asset=EUR)),
    ):
        with pytest.raises(Refusal) as refused:
            town.ask(name, ALICE, asked)
        assert refused.value.code == "bank_role_missing"


def backed(town: Trial) -> backing.Backed:
    """The euro's proof of backing, as anybody sees it."""
    answer: backing.Backing = town.ask("bank.backing", b"", backing.AskBacking())
    return answer.items[0]


def test_customers_money_is_backed_to_the_cent(town: Trial) -> None:
    """Also while money is under way, and when it is open."""
    withdraw(town, 2_500)
    booked(town, 2, "in", 300)
    found = backed(town)
    assert (found.customers_minor, found.nostro_minor, found.backed) == (10_300, 10_300, True)
    assert (found.ratio_of, found.ratio_to) == (1, 1)


def test_money_made_from_nothing_shows(town: Trial) -> None:
    """A product that credits a wallet from no bank breaks the backing, by exactly so much."""
    town.ok(ALICE, "wallet.mint", Mint(ALICE, EUR, 5_000))
    found = backed(town)
    assert (found.customers_minor, found.nostro_minor, found.claims_minor) == (15_000, 10_000, 5_000)
    assert (found.backed, found.ratio_of, found.ratio_to) == (False, 2, 3)


@pytest.mark.parametrize("number", [1, 42, 539_007_547_034, 10**12 - 1])
def test_references_survive_a_round_trip(number: int) -> None:
    """Written as ISO 11649 has it, read back with spaces and in lower case."""
    text = write_reference(number)
    assert is_reference(text)
    assert read_reference(f" {text[:4].lower()} {text[4:]} ") == number


def test_references_are_iso_11649() -> None:
    """The standard's own example passes, a changed digit or two swapped ones do not."""
    assert is_reference("RF18539007547034")
    assert read_reference("RF18539007547034") == 539_007_547_034
    assert not is_reference("RF18539007547035")
    assert not is_reference("RF18539007547043")
    assert read_reference("RF18000000000000") is None
    assert read_reference("RF18" * 20) is None
    assert is_reference("RF471234567890") is False or read_reference("RF471234567890") is None
