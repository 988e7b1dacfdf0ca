"""Plain transfers, limits, balancing and history from elsewhere, as tables."""

from __future__ import annotations

from formicary.testing.tables import check


def test_a_wallet_and_a_shop() -> None:
    """The first story: a wallet pays until it is empty, and then is refused."""
    check("""
        account shop EUR ; account alice EUR debits_limited
        fund    alice 100
        pay     alice shop 60
        pay     alice shop 50 -> exceeds_credits
        pay     alice shop 40
        balance alice 0 ; balance shop 100 ; balance world.EUR -100
    """)


def test_each_account_counts_in_its_own_asset() -> None:
    """Euros and dollars never meet, and each has a world of its own."""
    check("""
        account alice EUR ; account bob USD
        fund    alice 10  ; fund    bob 20
        pay     alice bob 5 -> accounts_have_different_assets
        balance world.EUR -10 ; balance world.USD -20
    """)


def test_a_nostro_gives_back_no_more_than_it_holds() -> None:
    """CREDITS_LIMITED is DEBITS_LIMITED seen from the other side."""
    check("""
        account nostro EUR credits_limited ; account alice EUR
        pay     nostro alice 10
        pay     alice nostro 11 -> exceeds_debits
        pay     alice nostro 10
        balance nostro 0
    """)


def test_held_money_counts_against_limits() -> None:
    """What is held can't be spent twice, and what is still to come can't be spent at all."""
    check("""
        account shop EUR debits_limited ; account alice EUR debits_limited
        fund    alice 100
        hold    h alice shop 70
        pay     alice shop 31 -> exceeds_credits
        pay     shop alice 1  -> exceeds_credits
        capture h 70
        pay     shop alice 70
    """)


def test_both_limits_in_one_transfer() -> None:
    """When both accounts refuse, the debit account answers first."""
    check("""
        account a EUR debits_limited ; account b EUR credits_limited
        pay a b 1 -> exceeds_credits
        fund a 1
        pay a b 1 -> exceeds_debits
    """)


def test_balancing_moves_what_is_there() -> None:
    """A balancing debit sweeps an account, limited or not, and moves nothing from an empty one."""
    check("""
        account a EUR ; account b EUR
        fund a 30 ; hold h a b 10
        pay a b 100 balancing_debit id p ; stored p amount 20
        pay a b 100 balancing_debit id q ; stored q amount 0
        pay a b 5 ; pay a b all balancing_debit id r ; stored r amount 0   # overdrawn: nothing, not less
        balance a 5 ; held a 10
    """)


def test_balancing_stops_at_the_amount() -> None:
    """Where there is more than was asked for, what was asked for moves."""
    check("""
        account a EUR ; account b EUR ; fund a 30
        pay a b 20 balancing_debit id p ; stored p amount 20
        balance a 10
    """)


def test_balancing_credit_fills_up() -> None:
    """A balancing credit pays a debt off, and no more; both together move the lesser."""
    check("""
        account debt EUR ; account a EUR ; account b EUR
        pay debt b 50
        pay a debt all balancing_credit id p ; stored p amount 50
        pay debt b 50 ; fund a 60                                      # a has 10, debt lacks 50
        pay a debt all balancing_debit balancing_credit id q ; stored q amount 10
        balance debt -40 ; balance a 0
    """)


def test_a_balancing_hold_holds_what_is_there() -> None:
    """Balancing works with holds, even to a hold of nothing, which can be captured or released."""
    check("""
        account a EUR ; account b EUR ; fund a 30
        pay a b all balancing_debit hold id h ; stored h amount 30 ; held a 30
        pay a b all balancing_debit hold id g ; stored g amount 0
        pay a b all balancing_debit hold id f timeout 5
        capture g 1 -> exceeds_hold ; capture g all id c ; stored c amount 0 ; outcome g captured
        release f ; outcome f released
    """)


def test_the_largest_amount() -> None:
    """AMOUNT_MAX is an amount like others; one more overflows and says so."""
    check("""
        account a EUR ; account b EUR ; account c EUR
        pay a b all ; balance b all
        pay a b 1 -> overflows_debits
        pay c b 1 -> overflows_credits
        pay b c all ; pay c a all ; balance a 0
        pay a b all -> overflows_debits
    """)


def test_a_retry_changes_nothing() -> None:
    """The same request again answers that it was done, whatever has happened to the accounts since."""
    check("""
        account a EUR debits_limited ; account b EUR ; fund a 10
        pay a b 10 id p user_data 7
        retry p -> exists
        freeze a
        retry p -> exists
        retry p amount 11 user_data 8 -> exists_with_different_amount
        balance b 10
    """)


def test_a_refused_id_may_be_used_again() -> None:
    """A refusal leaves no trace, so its id is free."""
    check("""
        account a EUR debits_limited ; account b EUR
        pay a b 10 id p -> exceeds_credits
        fund a 10
        retry p -> ok
        retry p -> exists
    """)


def test_the_same_id_twice_in_a_batch() -> None:
    """Idempotency doesn't wait for the end of a batch."""
    check("""
        account a EUR ; account b EUR
        batch
            pay a b 5 id p
            pay a b 5 id p -> exists
            pay a b 6 id p -> exists_with_different_amount
        end
        balance b 5
    """)


def test_ids_differ_in_either_half() -> None:
    """An id is all of its 128 bits."""
    check("""
        account 1 EUR ; account 0x1_0000_0000_0000_0000 EUR ; account 0x1_0000_0000_0000_0001 EUR
        pay 1 0x1_0000_0000_0000_0001 5 id 7
        pay 1 0x1_0000_0000_0000_0000 5 id 0x7_0000_0000_0000_0000
        pay 1 0x1_0000_0000_0000_0000 5 id 0x7_0000_0000_0000_0007
        balance 1 -15 ; balance 0x1_0000_0000_0000_0000 10 ; balance 0x1_0000_0000_0000_0001 5
        count transfers 3
    """)


def test_time_never_stands_still() -> None:
    """Transfers of one batch get times a nanosecond apart; the clock may not outrun them."""
    check("""
        account a EUR ; account b EUR
        batch ; pay a b 1 id p ; pay a b 1 id q ; pay a b 1 id r ; end
        stored p time +0ns ; stored q time +1ns ; stored r time +2ns
        at +1ns ; pay a b 1 id s ; stored s time +2ns
        at +1s  ; pay a b 1 id t ; stored t time +0ns
        stored account a time -1000000001ns ; stored account b time -1s transfers 5 newest 5
    """)


def test_imported_history_keeps_its_times() -> None:
    """History from elsewhere comes first, in its own order, and the ledger's own time follows it."""
    check("""
        account a EUR imported time -100s ; account b EUR imported time -99s
        pay a b 5 imported time -50s id p ; stored p time -50s
        pay a b 5 imported time -50s id q -> imported_time_regressed
        hold h a b 5 imported time -49s ; capture h all
        pay a b 5 imported time -48s -> imported_time_regressed        # the capture is of now
        retry p time -70s -> exists                                   # the time is not compared
        account c EUR imported time -1s ; account d EUR ; account e EUR imported time -1ns -> imported_time_regressed
    """)


def test_imported_time_of_a_future_entry_is_refused_even_after_a_busy_instant() -> None:
    """When more was posted in one instant than it has nanoseconds, the newest time is ahead of the entry's."""
    check("""
        account a EUR ; account b EUR
        batch ; pay a b 1 ; pay a b 1 ; pay a b 1 ; end
        pay a b 1 imported time +5ns -> imported_time_in_future
        at +3ns ; pay a b 1 imported time -1ns -> imported_time_regressed
        at +1ns ; pay a b 1 imported time -1ns -> ok
    """)
