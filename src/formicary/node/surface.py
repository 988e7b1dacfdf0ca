"""The methods that every ledger has, whether it is open in this process or behind a socket.

A subclass answers arrays: raw records in, codes or raw records out. Everything with typed objects is written once,
here, on top of those, so that :func:`formicary.open` and :func:`formicary.connect` can't drift apart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import BadInput, Refusal
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.objects import (
    Account,
    Transfer,
    account_records,
    accounts_from,
    transfer_records,
    transfers_from,
)
from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER

if TYPE_CHECKING:
    from formicary.machine.heads import SignedHead
    from formicary.machine.receipts import HeadStatement, Receipt
    from formicary.queries import (
        AccountFilter,
        AccountPage,
        BalancePage,
        Balances,
        HoldStatus,
        Page,
        TransferFilter,
        TrialBalance,
    )

Records: TypeAlias = npt.NDArray[np.void]
"""A structured array of :data:`ACCOUNT` or :data:`TRANSFER` records."""
Codes: TypeAlias = npt.NDArray[np.uint16]
Ticket: TypeAlias = Future[Codes]
"""A submitted batch: ``result()`` waits for its codes, ``add_done_callback`` does not wait."""
ID: Final = np.dtype([("lo", "<u8"), ("hi", "<u8")])
"""A 128-bit id as its two halves, the way it lies in records and on the wire."""
HALF: Final = (1 << 64) - 1


class Surface(ABC):
    """A ledger's public methods; ``with`` closes it at the end."""

    # ── arrays: what a subclass provides ────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def submit_accounts(self, batch: Records) -> Ticket:
        """Queue up to BATCH_MAX accounts and return at once; the batch may not change before its ticket is done."""

    @abstractmethod
    def submit_transfers(self, batch: Records) -> Ticket:
        """Queue up to BATCH_MAX transfer records and return at once; batches are applied in the order submitted."""

    @abstractmethod
    def lookup_accounts(self, ids: Iterable[int]) -> Records:
        """Return the account records that exist among ``ids`` (up to BATCH_MAX), in the order asked."""

    @abstractmethod
    def lookup_transfers(self, ids: Iterable[int]) -> Records:
        """Return the transfer records that exist among ``ids`` (up to BATCH_MAX), in the order asked."""

    @abstractmethod
    def query(self, wanted: TransferFilter) -> Page:
        """Return one page of the transfers that pass the filter."""

    @abstractmethod
    def query_accounts(self, wanted: AccountFilter) -> AccountPage:
        """Return one page of the accounts that pass the filter."""

    @abstractmethod
    def balance_history(self, wanted: TransferFilter) -> BalancePage:
        """Return the balances of the filter's account after each of its transfers that pass."""

    @abstractmethod
    def balance_as_of(self, account_id: int, time_ns: int) -> Balances:
        """Return the four balances of an account as they were at ``time_ns``."""

    @abstractmethod
    def hold_status(self, hold_id: int) -> HoldStatus | None:
        """Return what became of a hold by the ledger's own time, or None when there is no such hold."""

    @abstractmethod
    def trial_balance(self) -> TrialBalance:
        """Return the sums of debits and credits of every asset and account code."""

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """Return what the ledger is and how far it has come, as plain values."""

    @abstractmethod
    def head(self) -> SignedHead:
        """Return the signed head of the tree over everything posted so far."""

    @abstractmethod
    def receipt(self, transfer_id: int) -> Receipt:
        """Return the receipt of a stored transfer: a small file that its holder checks offline."""

    @abstractmethod
    def consistency(self, old_size: int) -> HeadStatement:
        """Prove that nothing was rewritten since the tree had ``old_size`` leaves."""

    @abstractmethod
    def command(self, command: bytes) -> bytes:
        """Run one encoded command and return its encoded reply."""

    @abstractmethod
    def close(self) -> None:
        """Finish what was submitted and let go of the ledger; closing twice is harmless."""

    # ── arrays: the waiting twins ───────────────────────────────────────────────────────────────────────────────

    def open_accounts(self, batch: Records) -> Codes:
        """Open up to BATCH_MAX accounts; return one :class:`AccountCode` a record once they are durable."""
        return self.submit_accounts(batch).result()

    def post(self, batch: Records) -> Codes:
        """Post up to BATCH_MAX transfers; return one :class:`TransferCode` a record once they are durable."""
        return self.submit_transfers(batch).result()

    # ── typed objects ───────────────────────────────────────────────────────────────────────────────────────────

    def accounts(self, accounts: Sequence[Account]) -> list[AccountCode]:
        """Open accounts and return their codes, in order."""
        return [AccountCode(code) for code in self.open_accounts(account_records(accounts)).tolist()]

    def transfers(self, transfers: Sequence[Transfer]) -> list[TransferCode]:
        """Post transfers and return their codes, in order."""
        return [TransferCode(code) for code in self.post(transfer_records(transfers)).tolist()]

    def account(self, account_id: int) -> Account | None:
        """Return an account with its balances now, or None."""
        return next(iter(accounts_from(self.lookup_accounts([account_id]))), None)

    def transfer(self, transfer_id: int) -> Transfer | None:
        """Return a transfer as it was stored, or None."""
        return next(iter(transfers_from(self.lookup_transfers([transfer_id]))), None)

    def balance(self, account_id: int) -> int:
        """Return posted credits less posted debits, in minor units; refuse an unknown account."""
        account = self.account(account_id)
        if account is None:
            raise Refusal(f"there is no account {account_id}", code="account_not_found")
        return account.credits_posted - account.debits_posted

    def history(self, account_id: int, *, limit: int = 50, newest_first: bool = True, cursor: int = 0) -> Page:
        """Return an account's transfers, newest first; pass a page's ``cursor`` to get the next one."""
        from formicary.queries import TransferFilter  # noqa: PLC0415 - a client that only posts need not load it

        return self.query(TransferFilter(account=account_id, limit=limit, newest_first=newest_first, cursor=cursor))

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        """Use the ledger in a ``with`` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def check_batch(batch: Records, record: np.dtype[np.void]) -> Records:
    """Return the batch, contiguous; refuse another record type, more than one dimension, or more than BATCH_MAX."""
    if batch.dtype != record or batch.ndim != 1:
        name = "ACCOUNT" if record == ACCOUNT else "TRANSFER"
        raise BadInput(
            f"a batch is a one-dimensional array of formicary.{name}, not {batch.ndim} dimensions of {batch.dtype}",
            code="wrong_records",
        )
    if len(batch) > BATCH_MAX:
        raise BadInput(f"{len(batch):,} records are more than the {BATCH_MAX:,} of one batch", code="batch_too_long")
    return np.ascontiguousarray(batch)


def id_records(ids: Iterable[int]) -> npt.NDArray[np.void]:
    """Write ids as :data:`ID` records; refuse more than BATCH_MAX, or an integer that is not of 128 bits."""
    wanted = list(ids)
    if len(wanted) > BATCH_MAX:
        raise BadInput(f"{len(wanted):,} ids are more than the {BATCH_MAX:,} of one lookup", code="batch_too_long")
    if any(not 0 <= each < 1 << 128 for each in wanted):
        raise BadInput("an id is an integer of 128 bits, zero or more", code="wrong_id")
    return np.array([(each & HALF, each >> 64) for each in wanted], dtype=ID)


def ids_of(records: npt.NDArray[np.void]) -> list[int]:
    """Read :data:`ID` records back as integers."""
    return [low | high << 64 for low, high in zip(records["lo"].tolist(), records["hi"].tolist(), strict=True)]


def answered(codes: Iterable[int]) -> Ticket:
    """Return a ticket that is done: what an empty batch gets."""
    ticket: Ticket = Future()
    ticket.set_result(np.array(list(codes), dtype=np.uint16))
    return ticket


assert TRANSFER.itemsize == ACCOUNT.itemsize
