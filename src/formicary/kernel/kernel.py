"""The kernel: accounts and transfers behind one class. Arrays in, codes out; everything it does is a stored record.

One thread at a time may call what changes something. Other threads may read a :class:`Tables` snapshot, below the
counts they took with it, and may call :meth:`Kernel.sync`.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from formicary.base.errors import Fault
from formicary.kernel.expiry import expire_due, next_due
from formicary.kernel.idtable import find_record
from formicary.kernel.opening import open_batch
from formicary.kernel.posting import Codes, post_batch
from formicary.kernel.records import (
    ACCOUNT,
    ACCOUNTS_MAX,
    BATCH_MAX,
    TRANSFER,
    TRANSFERS_MAX,
    TransferFlag,
)
from formicary.kernel.recovery import recover_stores
from formicary.kernel.storage import Records
from formicary.kernel.tables import ACCOUNTS, DUE, DUE_DROPPED, TRANSFERS, Stores, Tables
from formicary.kernel.undo import restore_due, undo_accounts, undo_transfers

TIME_MAX: Final = 2**63 - 1 - TRANSFERS_MAX
"""The latest time of an entry, in ns since 1970: a record may get a time later than its entry's, but never a wrapped
one. It lies in the year 2262."""
HALF: Final = 64
HALF_MASK: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class KernelCheckpoint:
    """How much of the stored files counts: everything beyond it is replayed from the log."""

    accounts: int
    transfers: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to undo to. Good until something before it is undone."""

    accounts: int
    transfers: int
    due_dropped: int


class Kernel:
    """Accounts and transfers, their rules and their history."""

    def __init__(
        self, folder: Path | None, *, accounts_max: int = ACCOUNTS_MAX, transfers_max: int = TRANSFERS_MAX
    ) -> None:
        """Begin an empty ledger in ``folder``, over whatever lies there; in memory only when it is None."""
        self._stores = Stores(folder, accounts_max=accounts_max, transfers_max=transfers_max)
        self._written = KernelCheckpoint(0, 0)

    @classmethod
    def recover(cls, folder: Path, checkpoint: KernelCheckpoint) -> Kernel:
        """Rebuild the state as of ``checkpoint`` from the files of ``folder``; what lies beyond it is overwritten.

        Raises :class:`formicary.base.errors.Corrupt` when the files are shorter, or do not agree with one another.
        """
        stores = recover_stores(folder, accounts=checkpoint.accounts, transfers=checkpoint.transfers)
        return cls._over(stores, checkpoint)

    @classmethod
    def _over(cls, stores: Stores, written: KernelCheckpoint) -> Kernel:
        kernel = cls.__new__(cls)
        kernel._stores = stores  # noqa: SLF001 - it is our own
        kernel._written = written  # noqa: SLF001 - the same
        return kernel

    @property
    def tables(self) -> Tables:
        """The arrays as they are now; see :class:`Tables` for what a reader may rely on."""
        return self._stores.tables

    @property
    def accounts_count(self) -> int:
        """How many accounts there are."""
        return int(self._stores.state[ACCOUNTS])

    @property
    def transfers_count(self) -> int:
        """How many transfers are stored."""
        return int(self._stores.state[TRANSFERS])

    def open_accounts(self, batch: Records, time_ns: int) -> Codes:
        """Open the accounts of a batch (ACCOUNT records, at most BATCH_MAX) and return an AccountCode for each."""
        batch = _checked(batch, ACCOUNT, time_ns)
        codes = np.zeros(len(batch), np.uint16)
        open_batch(self._stores.make_room(accounts=len(batch)), batch, codes, time_ns)
        return codes

    def post(self, batch: Records, time_ns: int) -> Codes:
        """Post the transfers of a batch (TRANSFER records, at most BATCH_MAX) and return a TransferCode for each."""
        batch = _checked(batch, TRANSFER, time_ns)
        codes = np.zeros(len(batch), np.uint16)
        post_batch(self._stores.make_room(transfers=len(batch)), batch, codes, time_ns)
        return codes

    def expire(self, time_ns: int, limit: int) -> int:
        """Record the expiry of holds due at ``time_ns``, first due first, ``limit`` at most; returns how many."""
        _check_time(time_ns)
        done = 0
        while done < limit:
            step = min(limit - done, BATCH_MAX)
            expired = int(expire_due(self._stores.make_room(transfers=step), time_ns, step))
            done += expired
            if expired < step:
                break
        return done

    def next_expiry(self) -> int | None:
        """When the next open hold is due, in ns since 1970, or None."""
        if not self._stores.state[DUE]:
            return None
        due = int(next_due(self.tables))
        return None if due < 0 else due

    def mark(self) -> Mark:
        """Remember this point, to :meth:`undo` to."""
        state = self._stores.state.tolist()
        return Mark(state[ACCOUNTS], state[TRANSFERS], state[DUE_DROPPED])

    def undo(self, mark: Mark) -> None:
        """Take back every transfer and account since ``mark``, exactly."""
        undone = self.transfers_count - mark.transfers
        assert undone >= 0, "undo reaches back only"
        assert self.accounts_count >= mark.accounts, "undo reaches back only"
        tables = self._stores.make_room_due(2 * undone)
        if self._stores.state[DUE_DROPPED] != mark.due_dropped:
            restore_due(tables, mark.transfers)
        undo_transfers(tables, mark.transfers)
        undo_accounts(tables, mark.accounts)

    def find_account(self, account_id: int) -> int:
        """Return the row of an account, or -1."""
        tables = self.tables
        return int(find_record(tables.account_ids, tables.accounts, *_halves(account_id)))

    def find_transfer(self, transfer_id: int) -> int:
        """Return the index of a stored transfer, or -1."""
        tables = self.tables
        return int(find_record(tables.transfer_ids, tables.transfers, *_halves(transfer_id)))

    def stored_accounts(self, first: int, last: int) -> Records:
        """View the accounts in rows ``first … last - 1`` as they are now (read only, and changing)."""
        return _read_only(self.tables.accounts, first, last, self.accounts_count)

    def stored_openings(self, first: int, last: int) -> Records:
        """View the accounts in rows ``first … last - 1`` as they were opened (read only, and never changing)."""
        return _read_only(self.tables.openings, first, last, self.accounts_count)

    def stored_transfers(self, first: int, last: int) -> Records:
        """View the transfers ``first … last - 1`` (read only, and never changing)."""
        return _read_only(self.tables.transfers, first, last, self.transfers_count)

    def stored_trails(self, first: int, last: int) -> Records:
        """View the trails of transfers ``first … last - 1`` (read only; ``partner`` of a hold may yet be set)."""
        return _read_only(self.tables.trails, first, last, self.transfers_count)

    def checkpoint(self) -> KernelCheckpoint:
        """Name the present state, to be made durable by :meth:`sync` and come back to by :meth:`recover`."""
        return KernelCheckpoint(self.accounts_count, self.transfers_count)

    def sync(self, checkpoint: KernelCheckpoint) -> None:
        """Make the files durable up to ``checkpoint``. Another thread may call this while posting goes on."""
        assert checkpoint.transfers <= self.transfers_count, "a checkpoint of what was undone"
        self.write_out(checkpoint)
        for array in self._stores.durable:
            array.sync()

    def write_out(self, checkpoint: KernelCheckpoint) -> None:
        """Put the records up to ``checkpoint``, which will not be undone any more, into their files.

        From another thread while posting goes on, so that the writer is spared it; the sooner, the less memory is held.
        """
        stores, written = self._stores, self._written
        accounts = max(checkpoint.accounts, written.accounts)
        transfers = max(checkpoint.transfers, written.transfers)
        stores.openings.write_out(written.accounts, accounts)
        stores.transfers.write_out(written.transfers, transfers)
        stores.trails.write_out(written.transfers, transfers)
        self._written = KernelCheckpoint(accounts, transfers)

    def begin_flush(self, first: KernelCheckpoint, last: KernelCheckpoint) -> None:
        """Let the disk start on what was written out between two checkpoints: :meth:`sync` has less to wait for."""
        self._stores.openings.begin_flush(first.accounts, last.accounts)
        for array in (self._stores.transfers, self._stores.trails):
            array.begin_flush(first.transfers, last.transfers)

    def close(self) -> None:
        """Write out what is not in the files yet, cut them to it and close them. Views stay readable."""
        with suppress(Fault):  # no room: what was not synced was promised to nobody, and comes back from the log
            self.write_out(self.checkpoint())
        self._stores.close()


@functools.cache
def warm_up() -> None:
    """Load, or compile, all that a ledger runs while it works, so that no request waits for that later."""
    kernel = Kernel(None)
    accounts, transfers = np.zeros(2, ACCOUNT), np.zeros(1, TRANSFER)
    accounts["id_lo"] = 1, 2
    accounts["asset"] = accounts["code"] = 1
    for field in ("id_lo", "debit_lo", "amount", "asset", "code", "timeout"):
        transfers[field] = 1
    transfers["credit_lo"], transfers["flags"] = 2, TransferFlag.HOLD
    mark = kernel.mark()
    codes = [*kernel.open_accounts(accounts, 1), *kernel.post(transfers, 1)]
    assert not any(codes), "a small ledger works"
    assert kernel.expire(TIME_MAX, 1) == 1, "and so does time"
    assert kernel.next_expiry() is None, "nothing is due any more"
    kernel.undo(mark)
    assert kernel.find_account(1) == kernel.find_transfer(1) == -1, "nothing is left of it"


def _checked(batch: Records, dtype: np.dtype[np.void], time_ns: int) -> Records:
    """Make sure of a batch's form, and see it read-only, so that compiled code meets one type of array."""
    assert batch.dtype is dtype or batch.dtype == dtype, f"a batch of {dtype.itemsize}-byte records is needed"
    assert batch.ndim == 1, "a batch is a list of records"
    assert len(batch) <= BATCH_MAX, f"a batch has {BATCH_MAX} records at most"
    _check_time(time_ns)
    view = np.ascontiguousarray(batch).view(dtype)
    view.flags.writeable = False
    return view


def _check_time(time_ns: int) -> None:
    assert 0 < time_ns <= TIME_MAX, "an entry's time is after 1970 and before 2262"


def _halves(whole: int) -> tuple[np.uint64, np.uint64]:
    assert 0 <= whole < 1 << 2 * HALF, "an id has 128 bits"
    return np.uint64(whole & HALF_MASK), np.uint64(whole >> HALF)


def _read_only(records: Records, first: int, last: int, count: int) -> Records:
    assert 0 <= first <= last <= count, f"records {first} to {last} of {count}"
    view = records[first:last]
    view.flags.writeable = False
    return view
