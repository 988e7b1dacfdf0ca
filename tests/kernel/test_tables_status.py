"""Closing, re-opening, freezing and thawing accounts, as tables."""

from __future__ import annotations

from formicary.testing.tables import check

TWO = "account a EUR ; account b EUR\n"


def test_sweep_and_close_in_one_transfer() -> None:
    """What is there goes to the other account, and the empty account closes."""
    check(
        TWO
        + """
        fund a 25
        pay a b all balancing_debit closing_debit id p
        stored p amount 25 ; status a closed ; balance b 25
        pay b a 1 -> credit_account_closed
    """
    )


def test_reopen_and_pay_in_one_transfer() -> None:
    """Re-opening comes before the checks, so the same transfer may move money."""
    check(
        TWO
        + """
        close a ; pay b a 5 -> credit_account_closed
        pay b a 5 reopening_credit ; status a open ; balance a 5
    """
    )


def test_each_side_needs_its_own_flag() -> None:
    """A status flag lets only its own account pass."""
    check(
        TWO
        + """
        freeze a ; freeze b
        pay a b 1 thawing_debit                 -> credit_account_frozen
        pay a b 1 thawing_credit                -> debit_account_frozen
        pay a b 1 thawing_debit thawing_credit  -> ok
        status a open ; status b open
        close world.EUR -> accounts_must_be_different
    """
    )


def test_both_at_once() -> None:
    """Both accounts may be closed, re-opened, frozen or thawed by one transfer."""
    check(
        TWO
        + """
        pay a b 0 closing_debit closing_credit     ; status a closed ; status b closed
        pay a b 0 reopening_debit reopening_credit ; status a open   ; status b open
        pay a b 0 freezing_debit freezing_credit   ; status a frozen ; status b frozen
        pay a b 0 thawing_debit thawing_credit     ; status a open   ; status b open
    """
    )


def test_freeze_after_the_transfer() -> None:
    """The freezing transfer itself still moves money; the next one doesn't."""
    check(
        TWO
        + """
        pay a b 5 freezing_debit ; status a frozen ; balance b 5
        pay b a 5 -> credit_account_frozen
        pay a b 1 freezing_debit -> debit_account_frozen
    """
    )


def test_frozen_and_closed_are_two_things() -> None:
    """A frozen account closes only when thawed; a closed one re-opens as frozen as it was."""
    check(
        TWO
        + """
        freeze a
        close a                                     -> debit_account_frozen
        close a thawing_debit ; status a closed
        pay a b 0 reopening_debit freezing_debit ; status a frozen
        pay a b 0 thawing_debit closing_debit freezing_debit -> flags_are_exclusive
        thaw a ; pay a b 0 closing_debit freezing_debit ; status a frozen+closed
        reopen a                                    -> debit_account_frozen
        thaw a                                      -> debit_account_closed
        reopen a thawing_debit ; status a open
    """
    )


def test_opening_frozen() -> None:
    """An account may open frozen, to be thawed when its papers are complete."""
    check("""
        account a EUR frozen ; account b EUR
        fund a 5 -> credit_account_frozen
        pay b a 5 thawing_credit ; balance a 5
    """)


def test_a_refused_status_change_changes_no_status() -> None:
    """Thawing is undone with the transfer that the sums refuse."""
    check("""
        account a EUR debits_limited frozen ; account b EUR
        pay a b 5 thawing_debit -> exceeds_credits ; status a frozen
        pay b a 5 thawing_credit closing_credit -> credit_account_not_empty ; status a frozen ; balance a 0
    """)


def test_status_changes_are_idempotent_like_any_transfer() -> None:
    """A retry answers exists and doesn't freeze again what was thawed since."""
    check(
        TWO
        + """
        freeze a id f ; thaw a
        retry f -> exists ; status a open
    """
    )


def test_a_captured_payment_does_not_reach_a_frozen_shop() -> None:
    """The credit side is checked for captures as well."""
    check(
        TWO
        + """
        hold h a b 5 ; freeze b
        capture h 5 -> credit_account_frozen ; release h
    """
    )
