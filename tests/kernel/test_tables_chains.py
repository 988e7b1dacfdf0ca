"""Linked chains and savepoints, as tables: all or none, and back exactly to where it was."""

from __future__ import annotations

from formicary.testing.tables import check

THREE = "account a EUR debits_limited ; account b EUR ; account c EUR ; fund a 10\n"


def test_a_chain_succeeds_as_one() -> None:
    """Each record sees what those before it did."""
    check(
        THREE
        + """
        chain ; pay a b 10 ; pay b c 10 ; pay c a 10 ; pay a c 4 ; end
        balance a 6 ; balance b 0 ; balance c 4
    """
    )


def test_a_chain_fails_as_one() -> None:
    """The first that is refused says why; the others, before and after it, say that they went with it."""
    check(
        THREE
        + """
        chain
            pay a b 6 id p -> chain_failed
            pay a b 6      -> exceeds_credits
            pay a b 0      -> chain_failed      # not tried
        end
        balance a 10 ; count transfers 1
        retry p plain -> ok                       # its id is free, and its time as well
        stored p time +1ns
    """
    )


def test_chains_beside_one_another() -> None:
    """A failed chain takes neither its neighbours nor the single records with it."""
    check(
        THREE
        + """
        batch
            pay a b 1 linked ; pay a b 1
            pay a b 1 linked -> chain_failed ; pay a nowhere 1 -> credit_account_not_found
            pay a b 1
            pay a b 9 linked -> exceeds_credits ; pay b a 9 -> chain_failed
            pay a b 1 linked ; pay a b 1
        end
        balance a 5 ; count transfers 6
    """
    )


def test_an_open_chain_fails_at_its_end() -> None:
    """The batch's last record may not promise another; what stands before the chain is done."""
    check(
        THREE
        + """
        batch ; pay a b 1 ; pay a b 1 linked -> chain_failed ; pay a b 0 linked -> chain_open ; end
        balance a 9
    """
    )


def test_a_chain_that_failed_before_its_open_end() -> None:
    """The first refusal counts; the open end only went with it."""
    check(
        THREE
        + """
        chain
            pay a b 1 -> chain_failed ; pay a b 0 -> amount_must_not_be_zero ; pay a b 1 -> chain_failed
        end open
        balance a 10
    """
    )


def test_a_failed_chain_gives_back_holds_and_status() -> None:
    """Holds made or resolved in a chain, and accounts closed or frozen by it, are as before."""
    check(
        THREE
        + """
        hold h a b 5 timeout 60 ; hold g a b 1 ; account d EUR frozen
        chain
            capture h 5                                               -> chain_failed
            release g                                                 -> chain_failed
            hold i a c 1 timeout 5                                    -> chain_failed
            pay b d 5 thawing_credit freezing_debit                   -> chain_failed
            pay d c 5 closing_debit                                   -> chain_failed
            pay c d 1 reopening_credit                                -> chain_failed
            pay c b 1                                                 -> credit_account_frozen
        end
        outcome h open ; outcome g open ; held a 6 ; status b open ; status d frozen ; balance c 0
    """
    )


def test_a_chain_of_accounts() -> None:
    """Accounts open together, or not at all."""
    check("""
        chain ; account a EUR ; account b EUR ; end
        chain ; account c EUR -> chain_failed ; account d EUR code 0 -> code_must_not_be_zero ; end
        batch ; account e EUR ; account e USD -> exists_with_different_asset ; end
        count accounts 3
    """)


def test_the_same_id_within_a_chain() -> None:
    """A chain that repeats an id of its own refuses itself; one that repeats an older id does, too."""
    check(
        THREE
        + """
        chain ; pay a b 1 id p -> chain_failed ; pay a b 1 id p -> exists_with_different_flags ; end
        pay a b 1 id p
        chain ; pay a b 1 -> chain_failed ; pay a b 1 id p -> exists ; end
        balance b 1
    """
    )


def test_a_savepoint_takes_everything_back() -> None:
    """Balances, holds, status, ids and times are exactly as at the mark."""
    check(
        THREE
        + """
        hold h a b 2 timeout 60
        mark m
            pay a b 3 id p ; capture h 1 ; account d EUR ; pay b d 3 ; freeze a ; hold g b d 1 timeout 5
            mark n ; at +61s ; thaw a ; release g -> hold_expired ; expire -> 1 ; undo n
            outcome g open ; status a frozen
        undo m
        balance a 10 ; held a 2 ; outcome h open ; status a open ; count accounts 4 ; count transfers 2
        at -61s ; retry p -> ok ; stored p time +2ns
    """
    )


def test_an_expiry_is_taken_back_too() -> None:
    """After undo the hold is open and due again."""
    check(
        THREE
        + """
        hold h a b 2 timeout 60 ; at +61s
        mark m ; expire -> 1 ; undo m ; held a 2 ; outcome h open
        expire -> 1 ; held a 0
    """
    )
