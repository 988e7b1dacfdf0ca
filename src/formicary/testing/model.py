"""The slow, obvious ledger: what the kernel must do, said in plain dicts, Python ints and dataclasses.

This is the specification in code, and the oracle of every random test of the kernel. It shares with the kernel only
the two records and the codes; where the kernel is fast, this is short. Each ladder of checks below is a table of
(what is wrong, the answer), read from the top: the first line that is true is the answer.

Invariants: a refused record, and every record of a failed chain, leaves no trace; a transfer once stored is never
changed; an account's balances are the sum of its stored transfers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.records import (
    ACCOUNT,
    ACCOUNTS_MAX,
    AMOUNT_ALL,
    AMOUNT_MAX,
    RESERVED_HALF,
    TRANSFER,
    TRANSFERS_MAX,
)
from formicary.testing.model_books import (
    HALF,
    Books,
    ModelAccount,
    ModelTransfer,
    Records,
    account_from,
    account_row,
    transfer_from,
    transfer_row,
)
from formicary.testing.model_rules import (
    BALANCES,
    RESOLVES,
    STATUS_OF_ACCOUNT,
    A,
    T,
    first,
    malformed_account,
    malformed_transfer,
    misshapen,
)

Codes = NDArray[np.uint16]

Request = TypeVar("Request", ModelAccount, ModelTransfer)


class Model:
    """A ledger with the kernel's methods, in memory. ``accounts_max`` and ``transfers_max`` make it full sooner."""

    def __init__(self, *, accounts_max: int = ACCOUNTS_MAX, transfers_max: int = TRANSFERS_MAX) -> None:
        self.books = Books()
        self.accounts_max = accounts_max
        self.transfers_max = transfers_max

    # ------------------------------------------------------------------ writing

    def open_accounts(self, batch: Records, time_ns: int) -> Codes:
        """Open each account of ``batch`` (ACCOUNT records) and answer an :class:`AccountCode` for each."""
        requests = [account_from(record) for record in batch]
        return self._in_chains(requests, lambda request: self._open(request, time_ns))

    def post(self, batch: Records, time_ns: int) -> Codes:
        """Post each transfer of ``batch`` (TRANSFER records) and answer a :class:`TransferCode` for each."""
        requests = [transfer_from(record) for record in batch]
        return self._in_chains(requests, lambda request: self._post(request, time_ns))

    def expire(self, time_ns: int, limit: int) -> int:
        """Record the expiry of at most ``limit`` holds whose time has come, earliest first; answer how many."""
        room = self.transfers_max - self.transfers_count
        due = [(when, index) for when, index in self._open_timeouts() if when <= time_ns][: min(limit, room)]
        for _, index in due:
            hold = self.books.transfers[index]
            expiry = replace(
                hold,
                id=RESERVED_HALF * HALF + 1 + index,
                hold_id=hold.id,
                timeout=0,
                flags=int(T.EXPIRY),
                time=self._next_transfer_time(time_ns),
            )
            self._store(expiry)
        return len(due)

    def mark(self) -> Books:
        """Remember everything as it is now."""
        return self.books.copy()

    def undo(self, mark: Books) -> None:
        """Be again as at ``mark``."""
        self.books = mark.copy()

    # ------------------------------------------------------------------ reading

    @property
    def accounts_count(self) -> int:
        """How many accounts are open, closed ones included."""
        return len(self.books.accounts)

    @property
    def transfers_count(self) -> int:
        """How many transfers are stored, expiries included."""
        return len(self.books.transfers)

    def next_expiry(self) -> int | None:
        """When the next hold expires, in nanoseconds; None when no open hold has a timeout."""
        return min((when for when, _ in self._open_timeouts()), default=None)

    def stored_accounts(self, first: int = 0, last: int | None = None) -> Records:
        """Accounts ``first`` … ``last``-1 in the order of opening, with their balances of now."""
        return np.array([account_row(account) for account in self.books.accounts.values()][first:last], ACCOUNT)

    def stored_transfers(self, first: int = 0, last: int | None = None) -> Records:
        """Transfers ``first`` … ``last``-1 in the order of posting."""
        return np.array([transfer_row(transfer) for transfer in self.books.transfers[first:last]], TRANSFER)

    # ------------------------------------------------------------------ chains

    def _in_chains(self, requests: Sequence[Request], act: Callable[[Request], int]) -> Codes:
        """Take the batch chain by chain: a chain is all consecutive LINKED records and the next one."""
        codes: list[int] = []
        chain: list[Request] = []
        for place, request in enumerate(requests, start=1):
            chain.append(request)
            if not request.flags & T.LINKED or place == len(requests):
                codes += self._all_or_none(chain, act)
                chain = []
        return np.array(codes, np.uint16)

    def _all_or_none(self, chain: list[Request], act: Callable[[Request], int]) -> list[int]:
        before = self.books.copy() if len(chain) > 1 else self.books
        for place, request in enumerate(chain):
            is_open = place + 1 == len(chain) and request.flags & T.LINKED
            code = TransferCode.CHAIN_OPEN if is_open else act(request)
            if code:
                self.books = before
                answers: list[int] = [TransferCode.CHAIN_FAILED] * len(chain)
                answers[place] = code
                return answers
        return [0] * len(chain)

    # ------------------------------------------------------------------ opening an account

    def _open(self, a: ModelAccount, now: int) -> AccountCode:
        code = malformed_account(a) or self._known_account(a) or self._new_account(a, now)
        if code == AccountCode.OK:
            time = a.time if a.flags & A.IMPORTED else max(now, self._newest_account_time() + 1)
            self.books.accounts[a.id] = replace(a, time=time)
        return code

    def _known_account(self, a: ModelAccount) -> AccountCode:
        old = self.books.accounts.get(a.id)
        if old is None:
            return AccountCode.OK
        return first(
            ((a.flags ^ old.flags) & ~STATUS_OF_ACCOUNT != 0, AccountCode.EXISTS_WITH_DIFFERENT_FLAGS),
            (a.user_data != old.user_data, AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA),
            (a.user_data_64 != old.user_data_64, AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA_64),
            (a.user_data_32 != old.user_data_32, AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA_32),
            (a.asset != old.asset, AccountCode.EXISTS_WITH_DIFFERENT_ASSET),
            (a.code != old.code, AccountCode.EXISTS_WITH_DIFFERENT_CODE),
            (True, AccountCode.EXISTS),
        )

    def _new_account(self, a: ModelAccount, now: int) -> AccountCode:
        imported = bool(a.flags & A.IMPORTED)
        limits = A.DEBITS_LIMITED | A.CREDITS_LIMITED
        sums = (a.debits_held, a.debits_posted, a.credits_held, a.credits_posted, a.newest, a.transfers)
        return first(
            (a.flags & limits == limits, AccountCode.FLAGS_ARE_EXCLUSIVE),
            (any(sums), AccountCode.BALANCES_MUST_BE_ZERO),
            (a.asset == 0, AccountCode.ASSET_MUST_NOT_BE_ZERO),
            (a.code == 0, AccountCode.CODE_MUST_NOT_BE_ZERO),
            (imported and a.time <= 0, AccountCode.IMPORTED_TIME_OUT_OF_RANGE),
            (imported and a.time >= now, AccountCode.IMPORTED_TIME_IN_FUTURE),
            (imported and a.time <= self._newest_account_time(), AccountCode.IMPORTED_TIME_REGRESSED),
            (self.accounts_count >= self.accounts_max, AccountCode.LEDGER_FULL),
        )

    def _newest_account_time(self) -> int:
        return max((account.time for account in self.books.accounts.values()), default=0)

    # ------------------------------------------------------------------ posting a transfer

    def _post(self, t: ModelTransfer, now: int) -> TransferCode:
        code = (
            malformed_transfer(t) or self._known_transfer(t) or misshapen(t) or self._wrong_import(t, now)
        ) or self._wrong_hold(t, now)
        if code:
            return code
        t = self._filled(t)
        code = self._wrong_accounts(t)
        if code:
            return code
        t = self._balanced(t)
        code = self._wrong_sums(t)
        if code == TransferCode.OK:
            self._store(t if t.has(T.IMPORTED) else replace(t, time=self._next_transfer_time(now)))
        return code

    def _known_transfer(self, t: ModelTransfer) -> TransferCode:
        old = self.books.find(t.id)
        if old is None:
            return TransferCode.OK
        # A field that a capture or release left to its hold counts as equal when it leaves it again.
        left = (0,) if t.has(RESOLVES) else ()
        return first(
            (t.flags != old.flags, TransferCode.EXISTS_WITH_DIFFERENT_FLAGS),
            (t.hold_id != old.hold_id, TransferCode.EXISTS_WITH_DIFFERENT_HOLD_ID),
            (t.timeout != old.timeout, TransferCode.EXISTS_WITH_DIFFERENT_TIMEOUT),
            (t.debit not in (old.debit, *left), TransferCode.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT),
            (t.credit not in (old.credit, *left), TransferCode.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT),
            (not self._same_amount(t, old), TransferCode.EXISTS_WITH_DIFFERENT_AMOUNT),
            (t.user_data != old.user_data, TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA),
            (t.user_data_64 != old.user_data_64, TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA_64),
            (t.user_data_32 != old.user_data_32, TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA_32),
            (t.asset not in (old.asset, *left), TransferCode.EXISTS_WITH_DIFFERENT_ASSET),
            (t.code not in (old.code, *left), TransferCode.EXISTS_WITH_DIFFERENT_CODE),
            (True, TransferCode.EXISTS),
        )

    def _same_amount(self, t: ModelTransfer, old: ModelTransfer) -> bool:
        """Whether the amount asked could have become the amount stored; the flags are equal and so is the hold."""
        if old.has(BALANCES):
            return t.amount >= old.amount
        if old.has(T.CAPTURE) and t.amount == AMOUNT_ALL:
            hold = self.books.find(old.hold_id)
            return hold is not None and old.amount == hold.amount
        if old.has(T.RELEASE) and t.amount in (0, AMOUNT_ALL):
            return True
        return t.amount == old.amount

    def _wrong_import(self, t: ModelTransfer, now: int) -> TransferCode:
        imported = t.has(T.IMPORTED)
        return first(
            (imported and t.time <= 0, TransferCode.IMPORTED_TIME_OUT_OF_RANGE),
            (imported and t.time >= now, TransferCode.IMPORTED_TIME_IN_FUTURE),
            (imported and t.time <= self._newest_transfer_time(), TransferCode.IMPORTED_TIME_REGRESSED),
        )

    def _wrong_hold(self, t: ModelTransfer, now: int) -> TransferCode:
        if not t.has(RESOLVES):
            return TransferCode.OK
        hold = self.books.find(t.hold_id)
        if hold is None:
            return TransferCode.HOLD_NOT_FOUND
        capture = t.has(T.CAPTURE)
        whole = (AMOUNT_ALL, hold.amount) if capture else (0, AMOUNT_ALL, hold.amount)
        done = self.books.resolved_by.get(hold.id, 0)
        expires_at = hold.expires_at()
        expired = bool(done & T.EXPIRY) or (expires_at is not None and expires_at <= now)
        return first(
            (not hold.has(T.HOLD), TransferCode.TRANSFER_IS_NOT_A_HOLD),
            (t.debit not in (0, hold.debit), TransferCode.HOLD_HAS_DIFFERENT_DEBIT_ACCOUNT),
            (t.credit not in (0, hold.credit), TransferCode.HOLD_HAS_DIFFERENT_CREDIT_ACCOUNT),
            (t.asset not in (0, hold.asset), TransferCode.HOLD_HAS_DIFFERENT_ASSET),
            (t.code not in (0, hold.code), TransferCode.HOLD_HAS_DIFFERENT_CODE),
            (capture and t.amount not in whole and t.amount > hold.amount, TransferCode.EXCEEDS_HOLD),
            (not capture and t.amount not in whole, TransferCode.HOLD_HAS_DIFFERENT_AMOUNT),
            (bool(done & T.CAPTURE), TransferCode.HOLD_ALREADY_CAPTURED),
            (bool(done & T.RELEASE), TransferCode.HOLD_ALREADY_RELEASED),
            (expired, TransferCode.HOLD_EXPIRED),
        )

    def _filled(self, t: ModelTransfer) -> ModelTransfer:
        """Give a capture or release what it left to its hold."""
        hold = self.books.find(t.hold_id) if t.has(RESOLVES) else None
        if hold is None:
            return t
        whole = t.has(T.RELEASE) or t.amount == AMOUNT_ALL
        amount = hold.amount if whole else t.amount
        return replace(t, debit=hold.debit, credit=hold.credit, asset=hold.asset, code=hold.code, amount=amount)

    def _wrong_accounts(self, t: ModelTransfer) -> TransferCode:
        debit, credit = self.books.accounts.get(t.debit), self.books.accounts.get(t.credit)
        if debit is None:
            return TransferCode.DEBIT_ACCOUNT_NOT_FOUND
        if credit is None:
            return TransferCode.CREDIT_ACCOUNT_NOT_FOUND
        debit_closed, credit_closed = bool(debit.flags & A.CLOSED), bool(credit.flags & A.CLOSED)
        debit_frozen, credit_frozen = bool(debit.flags & A.FROZEN), bool(credit.flags & A.FROZEN)
        reopening_debit, reopening_credit = t.has(T.REOPENING_DEBIT), t.has(T.REOPENING_CREDIT)
        thawing_debit, thawing_credit = t.has(T.THAWING_DEBIT), t.has(T.THAWING_CREDIT)
        moves = not t.has(T.RELEASE)  # what was held goes back even on a frozen account
        return first(
            (debit.asset != credit.asset, TransferCode.ACCOUNTS_HAVE_DIFFERENT_ASSETS),
            (t.asset != debit.asset, TransferCode.ASSET_DIFFERS_FROM_ACCOUNTS),
            (reopening_debit and not debit_closed, TransferCode.DEBIT_ACCOUNT_NOT_CLOSED),
            (reopening_credit and not credit_closed, TransferCode.CREDIT_ACCOUNT_NOT_CLOSED),
            (debit_closed and not reopening_debit, TransferCode.DEBIT_ACCOUNT_CLOSED),
            (credit_closed and not reopening_credit, TransferCode.CREDIT_ACCOUNT_CLOSED),
            (thawing_debit and not debit_frozen, TransferCode.DEBIT_ACCOUNT_NOT_FROZEN),
            (thawing_credit and not credit_frozen, TransferCode.CREDIT_ACCOUNT_NOT_FROZEN),
            (moves and debit_frozen and not thawing_debit, TransferCode.DEBIT_ACCOUNT_FROZEN),
            (moves and credit_frozen and not thawing_credit, TransferCode.CREDIT_ACCOUNT_FROZEN),
        )

    def _balanced(self, t: ModelTransfer) -> ModelTransfer:
        """Cut the amount of a balancing transfer to what is there; it may end as nothing."""
        amount = t.amount
        if t.has(T.BALANCING_DEBIT):
            amount = min(amount, max(0, self.books.accounts[t.debit].available_for_debit()))
        if t.has(T.BALANCING_CREDIT):
            amount = min(amount, max(0, self.books.accounts[t.credit].available_for_credit()))
        return replace(t, amount=amount)

    def _wrong_sums(self, t: ModelTransfer) -> TransferCode:
        debit, credit = replace(self.books.accounts[t.debit]), replace(self.books.accounts[t.credit])
        self._move(t, debit, credit)
        new = not t.has(RESOLVES)  # a capture or release moves what its hold was checked for
        short = debit.flags & A.DEBITS_LIMITED and debit.available_for_debit() < 0
        crowded = credit.flags & A.CREDITS_LIMITED and credit.available_for_credit() < 0
        return first(
            (debit.debits_held + debit.debits_posted > AMOUNT_MAX, TransferCode.OVERFLOWS_DEBITS),
            (credit.credits_held + credit.credits_posted > AMOUNT_MAX, TransferCode.OVERFLOWS_CREDITS),
            (new and bool(short), TransferCode.EXCEEDS_CREDITS),
            (new and bool(crowded), TransferCode.EXCEEDS_DEBITS),
            (t.has(T.CLOSING_DEBIT) and not debit.is_empty(), TransferCode.DEBIT_ACCOUNT_NOT_EMPTY),
            (t.has(T.CLOSING_CREDIT) and not credit.is_empty(), TransferCode.CREDIT_ACCOUNT_NOT_EMPTY),
            (self.transfers_count >= self.transfers_max, TransferCode.LEDGER_FULL),
        )

    # ------------------------------------------------------------------ storing

    def _store(self, t: ModelTransfer) -> None:
        debit, credit = self.books.accounts[t.debit], self.books.accounts[t.credit]
        self._move(t, debit, credit)
        _set_status(t, debit, credit)
        self.books.index_of[t.id] = len(self.books.transfers)
        self.books.transfers.append(t)
        for account in (debit, credit):
            account.newest = len(self.books.transfers)
            account.transfers += 1
        if t.has(RESOLVES | T.EXPIRY):
            self.books.resolved_by[t.hold_id] = t.flags

    def _move(self, t: ModelTransfer, debit: ModelAccount, credit: ModelAccount) -> None:
        """Change the two accounts' sums as ``t`` does."""
        if t.has(RESOLVES | T.EXPIRY):
            held = self.books.transfers[self.books.index_of[t.hold_id]].amount
            debit.debits_held -= held
            credit.credits_held -= held
        if t.has(T.HOLD):
            debit.debits_held += t.amount
            credit.credits_held += t.amount
        elif not t.has(T.RELEASE | T.EXPIRY):
            debit.debits_posted += t.amount
            credit.credits_posted += t.amount

    def _newest_transfer_time(self) -> int:
        return self.books.transfers[-1].time if self.books.transfers else 0

    def _next_transfer_time(self, now: int) -> int:
        return max(now, self._newest_transfer_time() + 1)

    def _open_timeouts(self) -> list[tuple[int, int]]:
        """(When it expires, its index) for each open hold with a timeout, earliest first."""
        return sorted(
            (when, index)
            for index, transfer in enumerate(self.books.transfers)
            if transfer.has(T.HOLD) and transfer.id not in self.books.resolved_by
            if (when := transfer.expires_at()) is not None
        )


def _set_status(t: ModelTransfer, debit: ModelAccount, credit: ModelAccount) -> None:
    """Re-open and thaw (before the transfer), then close and freeze (after it); the sums don't mind the order."""
    for account, reopening, thawing, closing, freezing in (
        (debit, T.REOPENING_DEBIT, T.THAWING_DEBIT, T.CLOSING_DEBIT, T.FREEZING_DEBIT),
        (credit, T.REOPENING_CREDIT, T.THAWING_CREDIT, T.CLOSING_CREDIT, T.FREEZING_CREDIT),
    ):
        cleared = (A.CLOSED if t.has(reopening) else 0) | (A.FROZEN if t.has(thawing) else 0)
        added = (A.CLOSED if t.has(closing) else 0) | (A.FROZEN if t.has(freezing) else 0)
        account.flags = account.flags & ~int(cleared) | added
