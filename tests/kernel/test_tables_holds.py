"""Holds and their four ends, as tables: capture of the whole or a part, release, expiry."""

from __future__ import annotations

from formicary.testing.tables import check

TWO = "account a EUR ; account b EUR\n"


def test_a_hold_reserves_on_both_sides() -> None:
    """What is held shows on both accounts and is in neither balance."""
    check(
        TWO
        + """
        fund a 100 ; hold h a b 30
        balance a 100 ; held a 30 ; balance b 0 ; incoming b 30 ; outcome h open
    """
    )


def test_capture_the_whole() -> None:
    """All that is held becomes posted, in accounts, asset and code as the hold has them."""
    check(
        TWO
        + """
        hold h a b 30 code 7 user_data 3 ; capture h all id c
        balance b 30 ; held a 0 ; incoming b 0 ; outcome h captured
        stored c amount 30 debit a credit b asset EUR code 7 of h user_data 0
    """
    )


def test_capture_a_part_and_the_rest_is_given_back() -> None:
    """A part is posted once; nothing of the hold remains for another."""
    check(
        TWO
        + """
        hold h a b 30 ; capture h 20
        balance b 20 ; held a 0 ; incoming b 0
        capture h 10 -> hold_already_captured
    """
    )


def test_release() -> None:
    """All goes back; the release's record says how much."""
    check(
        TWO
        + """
        hold h a b 30 ; release h id r
        balance b 0 ; held a 0 ; outcome h released ; stored r amount 30 debit a credit b
    """
    )


def test_a_capture_may_name_what_its_hold_has() -> None:
    """Accounts, asset and code may be said again, if they are the same."""
    check(
        TWO
        + """
        hold h a b 30 code 7
        capture h 30 debit b               -> hold_has_different_debit_account
        capture h 30 debit a credit b asset EUR code 7 user_data 9 id c
        stored c user_data 9
    """
    )


def test_expiry_is_a_transfer_of_the_ledgers_own() -> None:
    """It has an id made from the hold's place, names its hold and gives back what was held."""
    check(
        TWO
        + """
        at +1s ; hold h a b 30 timeout 60 user_data 5
        at +60s ; expire -> 1
        held a 0 ; incoming b 0 ; outcome h expired ; count transfers 2
        stored 0xffff_ffff_ffff_ffff_0000_0000_0000_0001 of h amount 30 debit a credit b user_data 5 time +0ns timeout 0
        retry h -> exists
        release 0xffff_ffff_ffff_ffff_0000_0000_0000_0001 -> transfer_is_not_a_hold
    """
    )


def test_expiry_comes_at_its_instant() -> None:
    """A nanosecond before its time a hold is whole; at its time it has expired."""
    check(
        TWO
        + """
        at +1s ; hold h a b 30 timeout 60
        at +60s ; at -1ns ; expire -> 0 ; mark m ; capture h 30 ; undo m
        at +1ns ; capture h 30 -> hold_expired ; expire -> 1 ; expire -> 0
    """
    )


def test_holds_expire_in_the_order_of_their_times() -> None:
    """The earliest first, the older of two at one time first, and no more at once than asked for."""
    check(
        TWO
        + """
        at +1s ; hold late a b 1 timeout 30 ; at +10s ; hold same a b 2 timeout 20 ; hold soon a b 4 timeout 5
        at +60s
        expire 1 -> 1 ; outcome soon expired ; outcome late open
        expire 1 -> 1 ; outcome late expired ; outcome same open
        expire   -> 1 ; outcome same expired ; held a 0
    """
    )


def test_what_was_resolved_does_not_expire() -> None:
    """A captured or released hold's time passes unnoticed."""
    check(
        TWO
        + """
        hold h a b 1 timeout 10 ; hold g a b 2 timeout 10 ; hold f a b 4 timeout 10 ; hold never a b 8
        capture h all ; release g
        at +60s ; expire -> 1
        outcome h captured ; outcome g released ; outcome f expired ; outcome never open ; held a 8
    """
    )


def test_a_capture_after_its_time_is_refused_before_the_sweep() -> None:
    """Time decides, not the sweep; and a resolved hold says how it ended, even after its time."""
    check(
        TWO
        + """
        hold h a b 1 timeout 10 ; hold g a b 1 timeout 10 ; release g
        at +60s
        capture h 1 -> hold_expired ; capture g 1 -> hold_already_released
        expire ; capture g 1 -> hold_already_released
    """
    )


def test_holding_and_capturing_in_one_batch() -> None:
    """A capture finds a hold of the same batch, linked or not."""
    check(
        TWO
        + """
        batch ; hold h a b 5 ; capture h 5 ; release h -> hold_already_captured ; end
        chain ; hold g a b 5 ; capture g 5 ; end
        balance b 10 ; held a 0
    """
    )


def test_frozen_accounts_give_back_what_they_hold() -> None:
    """Freezing stops captures; releases and expiries go on."""
    check(
        TWO
        + """
        hold h a b 1 ; hold g a b 2 timeout 10 ; hold f a b 4
        freeze a
        capture f 4 -> debit_account_frozen ; release h ; at +60s ; expire -> 1 ; held a 4
        thaw a ; capture f 4
    """
    )


def test_a_hold_of_nothing_outlives_its_account() -> None:
    """A balancing hold may hold nothing; then its account can close, and the hold can only expire."""
    check(
        TWO
        + """
        pay a b all balancing_debit hold timeout 9 id h ; stored h amount 0
        close a
        capture h all -> debit_account_closed ; release h -> debit_account_closed
        at +60s ; expire -> 1 ; outcome h expired
    """
    )
