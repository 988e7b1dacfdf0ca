"""One table for each code: the shortest story that ends in it, on the kernel, its uncompiled twin and the model."""

from __future__ import annotations

from typing import Final

import pytest

from formicary.kernel.codes import AccountCode, TransferCode
from formicary.testing.agreement import three_ledgers
from formicary.testing.tables import check

ACCOUNT_TABLES: Final = {
    AccountCode.OK: "account shop EUR -> ok",
    AccountCode.CHAIN_FAILED: """
        chain
            account shop  EUR        -> chain_failed
            account alice EUR code 0 -> code_must_not_be_zero
        end""",
    AccountCode.CHAIN_OPEN: """
        chain
            account shop  EUR -> chain_failed
            account alice EUR -> chain_open
        end open
        count accounts 0""",
    AccountCode.TIME_MUST_BE_ZERO: "account shop EUR time -5s -> time_must_be_zero",
    AccountCode.RESERVED_FIELD: """
        account shop EUR reserved_32  1 -> reserved_field
        account shop EUR reserved_64  1 -> reserved_field
        account shop EUR reserved_64b 1 -> reserved_field""",
    AccountCode.RESERVED_FLAG: """
        account shop EUR closed   -> reserved_flag
        account shop EUR flags 64 -> reserved_flag   # not defined""",
    AccountCode.ID_MUST_NOT_BE_ZERO: "account nobody EUR -> id_must_not_be_zero",
    AccountCode.ID_RESERVED: "account ledger EUR -> id_reserved",
    AccountCode.EXISTS_WITH_DIFFERENT_FLAGS: """
        account alice EUR
        account alice EUR debits_limited -> exists_with_different_flags
        retry alice linked id alice      -> chain_open""",
    AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA: """
        account alice EUR user_data 0x1_0000_0000_0000_0000
        retry alice user_data 0 -> exists_with_different_user_data""",
    AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA_64: """
        account alice EUR user_data_64 7
        retry alice user_data_64 8 -> exists_with_different_user_data_64""",
    AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA_32: """
        account alice EUR user_data_32 7
        retry alice user_data_32 8 -> exists_with_different_user_data_32""",
    AccountCode.EXISTS_WITH_DIFFERENT_ASSET: """
        account alice EUR
        account alice USD -> exists_with_different_asset""",
    AccountCode.EXISTS_WITH_DIFFERENT_CODE: """
        account alice EUR code 7
        retry alice code 8 -> exists_with_different_code""",
    AccountCode.EXISTS: """
        account alice EUR ; freeze alice
        retry alice        -> exists       # frozen since: still the account that was asked for
        retry alice frozen -> exists
        stored account alice flags 8""",
    AccountCode.FLAGS_ARE_EXCLUSIVE: "account alice EUR debits_limited credits_limited -> flags_are_exclusive",
    AccountCode.BALANCES_MUST_BE_ZERO: """
        account alice EUR debits_held    1 -> balances_must_be_zero
        account alice EUR debits_posted  1 -> balances_must_be_zero
        account alice EUR credits_held   1 -> balances_must_be_zero
        account alice EUR credits_posted 1 -> balances_must_be_zero
        account alice EUR newest         1 -> balances_must_be_zero
        account alice EUR transfers      1 -> balances_must_be_zero""",
    AccountCode.ASSET_MUST_NOT_BE_ZERO: "account alice nobody -> asset_must_not_be_zero",
    AccountCode.CODE_MUST_NOT_BE_ZERO: "account alice EUR code 0 -> code_must_not_be_zero",
    AccountCode.IMPORTED_TIME_OUT_OF_RANGE: """
        account alice EUR imported         -> imported_time_out_of_range
        account alice EUR imported time -1 -> imported_time_out_of_range""",
    AccountCode.IMPORTED_TIME_IN_FUTURE: """
        account alice EUR imported time +1ns -> imported_time_in_future
        account alice EUR imported time +0ns -> imported_time_in_future
        account alice EUR imported time -1ns -> ok""",
    AccountCode.IMPORTED_TIME_REGRESSED: """
        account shop  EUR imported time -5s
        account alice EUR imported time -5s -> imported_time_regressed
        account alice EUR imported time -4s -> ok""",
}

TRANSFER_TABLES: Final = {
    TransferCode.OK: "account a EUR ; account b EUR ; pay a b 5 -> ok ; balance a -5 ; balance b 5",
    TransferCode.CHAIN_FAILED: """
        account a EUR ; account b EUR
        chain ; pay a b 5 -> chain_failed ; pay a b 0 -> amount_must_not_be_zero ; pay a b 5 -> chain_failed ; end
        balance b 0 ; count transfers 0""",
    TransferCode.CHAIN_OPEN: """
        account a EUR ; account b EUR
        chain ; pay a b 5 -> chain_failed ; pay a b 6 -> chain_open ; end open
        pay a b 7 linked -> chain_open ; balance b 0""",
    TransferCode.TIME_MUST_BE_ZERO: "account a EUR ; account b EUR ; pay a b 5 time -5s -> time_must_be_zero",
    TransferCode.RESERVED_FIELD: "account a EUR ; account b EUR ; pay a b 5 reserved_64 1 -> reserved_field",
    TransferCode.RESERVED_FLAG: "account a EUR ; account b EUR ; pay a b 5 expiry -> reserved_flag",
    TransferCode.ID_MUST_NOT_BE_ZERO: "account a EUR ; account b EUR ; pay a b 5 id nobody -> id_must_not_be_zero",
    TransferCode.ID_RESERVED: "account a EUR ; account b EUR ; pay a b 5 id ledger -> id_reserved",
    TransferCode.EXISTS_WITH_DIFFERENT_FLAGS: """
        account a EUR ; account b EUR ; pay a b 5 id p
        retry p hold           -> exists_with_different_flags
        retry p freezing_debit -> exists_with_different_flags ; status a open""",
    TransferCode.EXISTS_WITH_DIFFERENT_HOLD_ID: """
        account a EUR ; account b EUR ; pay a b 5 id p ; hold h a b 5 ; hold g a b 5 ; capture h 5 id c
        retry p of h -> exists_with_different_hold_id
        retry c of g -> exists_with_different_hold_id""",
    TransferCode.EXISTS_WITH_DIFFERENT_TIMEOUT: """
        account a EUR ; account b EUR ; hold h a b 5 timeout 60
        retry h timeout 61 -> exists_with_different_timeout""",
    TransferCode.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT: """
        account a EUR ; account b EUR ; pay a b 5 id p ; hold h a b 5 ; capture h 5 id c
        retry p debit 0x1_0000_0000_0000_0001 -> exists_with_different_debit_account
        retry p debit nobody -> exists_with_different_debit_account
        retry c debit b -> exists_with_different_debit_account
        retry c debit a -> exists""",
    TransferCode.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT: """
        account a EUR ; account b EUR ; pay a b 5 id p ; hold h a b 5 ; release h credit b id r
        retry p credit a -> exists_with_different_credit_account
        retry r credit a -> exists_with_different_credit_account
        retry r credit nobody -> exists""",
    TransferCode.EXISTS_WITH_DIFFERENT_AMOUNT: """
        account a EUR ; account b EUR ; pay a b 5 id p
        retry p amount 6 -> exists_with_different_amount
        hold h a b 9 ; capture h 5 id c ; hold g a b 9 ; capture g 9 id d ; hold i a b 9 ; release i id r
        retry c amount all -> exists_with_different_amount   # it was not the whole hold
        retry d amount all -> exists
        retry r amount 8 -> exists_with_different_amount
        retry r amount 9 -> exists ; retry r amount all -> exists
        account w EUR debits_limited ; fund w 4 ; pay w b 10 balancing_debit id s ; stored s amount 4
        retry s amount 3 -> exists_with_different_amount
        retry s amount 4 -> exists ; retry s amount all -> exists""",
    TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA: """
        account a EUR ; account b EUR ; pay a b 5 id p user_data 7
        retry p user_data 0x1_0000_0000_0000_0007 -> exists_with_different_user_data""",
    TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA_64: """
        account a EUR ; account b EUR ; pay a b 5 id p user_data_64 7
        retry p user_data_64 8 -> exists_with_different_user_data_64""",
    TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA_32: """
        account a EUR ; account b EUR ; pay a b 5 id p user_data_32 7
        retry p user_data_32 8 -> exists_with_different_user_data_32""",
    TransferCode.EXISTS_WITH_DIFFERENT_ASSET: """
        account a EUR ; account b EUR ; pay a b 5 id p ; hold h a b 5 ; capture h 5 id c
        retry p asset USD -> exists_with_different_asset
        retry c asset USD -> exists_with_different_asset
        retry c asset EUR -> exists""",
    TransferCode.EXISTS_WITH_DIFFERENT_CODE: """
        account a EUR ; account b EUR ; pay a b 5 id p ; hold h a b 5 code 3 ; capture h 5 id c
        retry p code 2 -> exists_with_different_code
        retry c code 2 -> exists_with_different_code
        retry c code 3 -> exists""",
    TransferCode.EXISTS: """
        account a EUR ; account b EUR ; pay a b 5 id p
        retry p -> exists ; balance b 5""",
    TransferCode.FLAGS_ARE_EXCLUSIVE: """
        account a EUR ; account b EUR ; hold h a b 5
        pay a b 5 hold capture                    -> flags_are_exclusive
        pay a b 5 hold release                    -> flags_are_exclusive
        capture h 5 release                       -> flags_are_exclusive
        capture h 5 balancing_debit               -> flags_are_exclusive
        release h   balancing_credit              -> flags_are_exclusive
        capture h 5 closing_debit                 -> flags_are_exclusive
        release h   thawing_credit                -> flags_are_exclusive
        pay a b 5 hold freezing_credit            -> flags_are_exclusive
        pay a b 5 closing_debit reopening_debit   -> flags_are_exclusive
        pay a b 5 closing_credit reopening_credit -> flags_are_exclusive
        pay a b 5 freezing_debit thawing_debit    -> flags_are_exclusive
        pay a b 5 freezing_credit thawing_credit  -> flags_are_exclusive
        capture h 5 imported                      -> flags_are_exclusive
        release h   imported                      -> flags_are_exclusive""",
    TransferCode.HOLD_ID_MUST_BE_ZERO: """
        account a EUR ; account b EUR ; hold h a b 5
        pay a b 5 of h      -> hold_id_must_be_zero
        pay a b 5 hold of h -> hold_id_must_be_zero""",
    TransferCode.HOLD_ID_MUST_NOT_BE_ZERO: """
        capture nobody 5 -> hold_id_must_not_be_zero
        release nobody   -> hold_id_must_not_be_zero""",
    TransferCode.HOLD_ID_MUST_BE_DIFFERENT: """
        capture h 5 id h -> hold_id_must_be_different
        release h   id h -> hold_id_must_be_different""",
    TransferCode.TIMEOUT_RESERVED_FOR_HOLD: """
        account a EUR ; account b EUR ; hold h a b 5
        pay a b 5 timeout 1                        -> timeout_reserved_for_hold
        capture h 5 timeout 1                      -> timeout_reserved_for_hold
        pay a b 5 hold imported time -5s timeout 1 -> timeout_reserved_for_hold""",
    TransferCode.DEBIT_ACCOUNT_MUST_NOT_BE_ZERO: "account b EUR ; pay nobody b 5 -> debit_account_must_not_be_zero",
    TransferCode.CREDIT_ACCOUNT_MUST_NOT_BE_ZERO: "account a EUR ; pay a nobody 5 -> credit_account_must_not_be_zero",
    TransferCode.ACCOUNTS_MUST_BE_DIFFERENT: """
        account a EUR ; account b EUR ; hold h a b 5
        pay a a 5                   -> accounts_must_be_different
        capture h 5 debit a credit a -> accounts_must_be_different""",
    TransferCode.AMOUNT_MUST_NOT_BE_NEGATIVE: """
        account a EUR ; account b EUR ; hold h a b 5
        pay a b -1          -> amount_must_not_be_negative
        capture h -1        -> amount_must_not_be_negative
        release h amount -1 -> amount_must_not_be_negative""",
    TransferCode.AMOUNT_MUST_NOT_BE_ZERO: """
        account a EUR ; account b EUR ; hold h a b 5
        pay a b 0                 -> amount_must_not_be_zero
        pay a b 0 hold            -> amount_must_not_be_zero
        pay a b 0 balancing_debit -> amount_must_not_be_zero
        capture h 0               -> amount_must_not_be_zero""",
    TransferCode.ASSET_MUST_NOT_BE_ZERO: "account a EUR ; account b EUR ; pay a b 5 asset 0 -> asset_must_not_be_zero",
    TransferCode.CODE_MUST_NOT_BE_ZERO: "account a EUR ; account b EUR ; pay a b 5 code 0 -> code_must_not_be_zero",
    TransferCode.IMPORTED_TIME_OUT_OF_RANGE: """
        account a EUR ; account b EUR
        pay a b 5 imported         -> imported_time_out_of_range
        pay a b 5 imported time -1 -> imported_time_out_of_range""",
    TransferCode.IMPORTED_TIME_IN_FUTURE: """
        account a EUR ; account b EUR
        pay a b 5 imported time +0ns -> imported_time_in_future
        pay a b 5 imported time -1ns -> ok""",
    TransferCode.IMPORTED_TIME_REGRESSED: """
        account a EUR ; account b EUR ; pay a b 5 imported time -5s
        pay a b 5 imported time -5s -> imported_time_regressed
        pay a b 5 imported time -4s -> ok""",
    TransferCode.HOLD_NOT_FOUND: "capture h 5 -> hold_not_found ; release h -> hold_not_found",
    TransferCode.TRANSFER_IS_NOT_A_HOLD: """
        account a EUR ; account b EUR ; pay a b 5 id p ; hold h a b 5 ; capture h 5 id c
        capture p 5 -> transfer_is_not_a_hold
        release c   -> transfer_is_not_a_hold""",
    TransferCode.HOLD_HAS_DIFFERENT_DEBIT_ACCOUNT: """
        account a EUR ; account b EUR ; hold h a b 5
        capture h 5 debit c -> hold_has_different_debit_account""",
    TransferCode.HOLD_HAS_DIFFERENT_CREDIT_ACCOUNT: """
        account a EUR ; account b EUR ; hold h a b 5
        release h credit c -> hold_has_different_credit_account""",
    TransferCode.HOLD_HAS_DIFFERENT_ASSET: """
        account a EUR ; account b EUR ; hold h a b 5
        capture h 5 asset USD -> hold_has_different_asset""",
    TransferCode.HOLD_HAS_DIFFERENT_CODE: """
        account a EUR ; account b EUR ; hold h a b 5 code 3
        release h code 4 -> hold_has_different_code
        release h code 3 -> ok""",
    TransferCode.EXCEEDS_HOLD: """
        account a EUR ; account b EUR ; hold h a b 5
        capture h 6 -> exceeds_hold ; capture h 5 -> ok""",
    TransferCode.HOLD_HAS_DIFFERENT_AMOUNT: """
        account a EUR ; account b EUR ; hold h a b 5
        release h amount 4 -> hold_has_different_amount
        release h amount 6 -> hold_has_different_amount
        release h amount 5 -> ok""",
    TransferCode.HOLD_ALREADY_CAPTURED: """
        account a EUR ; account b EUR ; hold h a b 5 ; capture h 2
        capture h 3 -> hold_already_captured ; release h -> hold_already_captured ; held a 0""",
    TransferCode.HOLD_ALREADY_RELEASED: """
        account a EUR ; account b EUR ; hold h a b 5 ; release h
        capture h 3 -> hold_already_released ; release h -> hold_already_released ; held a 0""",
    TransferCode.HOLD_EXPIRED: """
        account a EUR ; account b EUR ; at +1s ; hold h a b 5 timeout 60 ; at +59s
        mark m ; capture h 5 -> ok ; undo m
        at +1s
        capture h 5 -> hold_expired ; release h -> hold_expired ; held a 5   # its time has come, not its record
        expire -> 1
        capture h 5 -> hold_expired ; release h -> hold_expired ; held a 0""",
    TransferCode.DEBIT_ACCOUNT_NOT_FOUND: "account b EUR ; pay a b 5 -> debit_account_not_found",
    TransferCode.CREDIT_ACCOUNT_NOT_FOUND: "account a EUR ; pay a b 5 -> credit_account_not_found",
    TransferCode.ACCOUNTS_HAVE_DIFFERENT_ASSETS: """
        account a EUR ; account b USD ; pay a b 5 -> accounts_have_different_assets""",
    TransferCode.ASSET_DIFFERS_FROM_ACCOUNTS: """
        account a EUR ; account b EUR ; pay a b 5 asset USD -> asset_differs_from_accounts""",
    TransferCode.DEBIT_ACCOUNT_NOT_CLOSED: "account a EUR ; reopen a -> debit_account_not_closed",
    TransferCode.CREDIT_ACCOUNT_NOT_CLOSED: """
        account a EUR ; account b EUR ; pay a b 5 reopening_credit -> credit_account_not_closed""",
    TransferCode.DEBIT_ACCOUNT_CLOSED: """
        account a EUR ; account b EUR ; close a
        pay a b 5     -> debit_account_closed ; hold h a b 5 -> debit_account_closed
        close a       -> debit_account_closed ; freeze a     -> debit_account_closed""",
    TransferCode.CREDIT_ACCOUNT_CLOSED: """
        account a EUR ; account b EUR ; close b
        pay a b 5 -> credit_account_closed ; hold h a b 5 -> credit_account_closed""",
    TransferCode.DEBIT_ACCOUNT_NOT_FROZEN: "account a EUR ; thaw a -> debit_account_not_frozen",
    TransferCode.CREDIT_ACCOUNT_NOT_FROZEN: """
        account a EUR ; account b EUR ; pay a b 5 thawing_credit -> credit_account_not_frozen""",
    TransferCode.DEBIT_ACCOUNT_FROZEN: """
        account a EUR ; account b EUR ; hold h a b 5 ; freeze a
        pay a b 5   -> debit_account_frozen ; hold g a b 5 -> debit_account_frozen
        capture h 5 -> debit_account_frozen ; close a      -> debit_account_frozen
        freeze a    -> debit_account_frozen ; release h    -> ok""",
    TransferCode.CREDIT_ACCOUNT_FROZEN: """
        account a EUR ; account b EUR frozen
        pay a b 5 -> credit_account_frozen ; hold g a b 5 -> credit_account_frozen""",
    TransferCode.OVERFLOWS_DEBITS: """
        account a EUR ; account b EUR ; account c EUR ; pay a b all ; mark m
        pay a c 1     -> overflows_debits ; hold h a c 1 -> overflows_debits
        hold h b c 1  -> ok
        pay b c all   -> overflows_debits            # what is held counts""",
    TransferCode.OVERFLOWS_CREDITS: """
        account a EUR ; account b EUR ; account c EUR ; pay a b all
        pay c b 1 -> overflows_credits ; hold h c b 1 -> overflows_credits""",
    TransferCode.EXCEEDS_CREDITS: """
        account a EUR debits_limited ; account b EUR ; fund a 10 ; hold h a b 4
        pay a b 7 -> exceeds_credits ; hold g a b 7 -> exceeds_credits ; pay a b 6 -> ok""",
    TransferCode.EXCEEDS_DEBITS: """
        account a EUR credits_limited ; account b EUR ; pay a b 10 ; hold h b a 4
        pay b a 7 -> exceeds_debits ; hold g b a 7 -> exceeds_debits ; pay b a 6 -> ok""",
    TransferCode.DEBIT_ACCOUNT_NOT_EMPTY: """
        account a EUR ; account b EUR ; pay a b 5
        close a -> debit_account_not_empty
        pay b a 5 ; hold h a b 1
        close a -> debit_account_not_empty ; release h ; hold h2 b a 1
        close a -> debit_account_not_empty ; release h2
        close a -> ok""",
    TransferCode.CREDIT_ACCOUNT_NOT_EMPTY: """
        account a EUR ; account b EUR ; pay a b 5 closing_credit -> credit_account_not_empty
        pay b a 5 ; pay a b 5 closing_credit -> ok ; status b closed""",
}


@pytest.mark.parametrize("code", ACCOUNT_TABLES, ids=lambda code: code.name.lower())
def test_each_account_code(code: AccountCode) -> None:
    """The table answers as it says, and the code is among its answers."""
    assert code in check(ACCOUNT_TABLES[code]).codes


@pytest.mark.parametrize("code", TRANSFER_TABLES, ids=lambda code: code.name.lower())
def test_each_transfer_code(code: TransferCode) -> None:
    """The table answers as it says, and the code is among its answers."""
    assert code in check(TRANSFER_TABLES[code]).codes


def test_a_full_ledger_takes_no_more_accounts() -> None:
    """With room for two accounts the third is refused, and a retry of the first is still known."""
    table = "account a EUR ; account b EUR ; account c EUR -> ledger_full ; retry a -> exists"
    assert AccountCode.LEDGER_FULL in check(table, three_ledgers(accounts_max=2)).codes


def test_a_full_ledger_takes_no_more_transfers() -> None:
    """With room for two transfers the third is refused, after every other rule, and so is an expiry's record."""
    table = """
        account a EUR ; account b EUR ; pay a b 1 ; hold h a b 5 timeout 60
        pay a b 1 -> ledger_full ; pay a c 1 -> credit_account_not_found ; capture h 5 -> ledger_full
        at +61s ; expire -> 0 ; held a 5
    """
    assert TransferCode.LEDGER_FULL in check(table, three_ledgers(transfers_max=2)).codes


def test_every_code_has_its_table() -> None:
    """A new code without a table fails here; a full ledger has tests of its own, above."""
    assert set(ACCOUNT_TABLES) | {AccountCode.LEDGER_FULL} == set(AccountCode)
    assert set(TRANSFER_TABLES) | {TransferCode.LEDGER_FULL} == set(TransferCode)
