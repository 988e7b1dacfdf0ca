"""The ledger's whole state as arrays: what compiled code is given, and its owner, which makes room in them.

``Tables`` is a plain tuple of arrays. It is handed to every compiled function, and readers may keep one as a snapshot:
arrays in it are never resized, rows below a count that was read before never change, but for the live account
records, and ``partner`` in trails, which a later transfer may set.

Invariant: before a batch starts there is room for all of it in every array, so the loop never allocates.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.kernel.idtable import IdSlots, IdTable, Words, insert_range, seeds_from
from formicary.kernel.records import ACCOUNT, ACCOUNTS_MAX, TRAIL, TRANSFER, TRANSFERS_MAX
from formicary.kernel.settling import SettlingArray
from formicary.kernel.storage import GrowingArray, Records

Ints = npt.NDArray[np.int64]

ACCOUNTS: Final = 0
TRANSFERS: Final = 1
DUE: Final = 2
DUE_DROPPED: Final = 3
ACCOUNTS_LIMIT: Final = 4
TRANSFERS_LIMIT: Final = 5
STATE_FIELDS: Final = 6
"""Places in ``Tables.state``: how many accounts, transfers and due holds there are, how many due holds were dropped
because something else had ended them, and how many accounts and transfers there may be at most."""

CHUNK: Final = 512
"""Records that are looked up together before they are posted: enough to overlap waiting for memory, few enough to stay
in the processor's cache."""


class Tables(NamedTuple):
    """Every array of the kernel."""

    state: Ints
    accounts: Records
    """ACCOUNT: as they are now."""
    openings: Records
    """ACCOUNT: as they were opened; what the file keeps."""
    account_ids: IdSlots
    transfers: Records
    """TRANSFER, in the order in which they were accepted."""
    trails: Records
    """TRAIL, one for each transfer."""
    transfer_ids: IdSlots
    due_times: Ints
    due_holds: Ints
    """A binary heap of (when a hold expires, its index), least first."""
    hashes: Words
    debit_hashes: Words
    credit_hashes: Words
    debit_rows: Ints
    credit_rows: Ints
    """Scratch for one chunk of a batch."""
    touched: Words
    """Written after touching memory ahead of its use, so that the compiler can't leave the touching out."""


class Stores:
    """Owns the arrays behind ``tables``: backs them, grows them, syncs and closes them."""

    def __init__(
        self,
        folder: Path | None,
        *,
        accounts: int = 0,
        transfers: int = 0,
        accounts_max: int = ACCOUNTS_MAX,
        transfers_max: int = TRANSFERS_MAX,
    ) -> None:
        """Open the files of ``folder``, or memory; the id tables begin with room for what is there."""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.openings, self.transfers, self.trails = (GrowingArray(dtype) for dtype in (ACCOUNT, TRANSFER, TRAIL))
        if folder is not None:
            self.openings = SettlingArray(ACCOUNT, folder / "accounts")
            self.transfers = SettlingArray(TRANSFER, folder / "transfers")
            self.trails = SettlingArray(TRAIL, folder / "trails", touched_later=True)
        self.accounts = GrowingArray(ACCOUNT)
        self.due_times = GrowingArray(np.dtype(np.int64))
        self.due_holds = GrowingArray(np.dtype(np.int64))
        seeds = seeds_from(os.urandom(16))  # det-ok: places in a table, never seen in a result
        self.account_ids = IdTable(seeds, accounts)
        self.transfer_ids = IdTable(seeds, transfers)
        self.state = np.array([0, 0, 0, 0, accounts_max, transfers_max], np.int64)
        self._prepare()
        self._scratch = (
            np.zeros(CHUNK, np.uint64),
            np.zeros(CHUNK, np.uint64),
            np.zeros(CHUNK, np.uint64),
            np.zeros(CHUNK, np.int64),
            np.zeros(CHUNK, np.int64),
            np.zeros(1, np.uint64),
        )
        self.tables = self._make_tables()

    @property
    def durable(self) -> tuple[GrowingArray, GrowingArray, GrowingArray]:
        """The arrays over files, in the order in which they are synced."""
        return self.openings, self.transfers, self.trails

    def make_room(self, *, accounts: int = 0, transfers: int = 0) -> Tables:
        """Make sure that so many more records fit; returns the tables to use from here on.

        Raises :class:`formicary.base.errors.StorageFull`, with nothing changed, when there is no room.
        """
        state = self.state
        changed = False
        for array in self.durable:
            array.settle()
        if accounts:
            count = int(state[ACCOUNTS])
            changed |= self._ensure((self.openings, self.accounts), count + accounts)
            self.account_ids.make_room(self.accounts.view, count, accounts)
        if transfers:
            count = int(state[TRANSFERS])
            changed |= self._ensure((self.transfers, self.trails), count + transfers)
            changed |= self._ensure((self.due_times, self.due_holds), int(state[DUE]) + transfers)
            self.transfer_ids.make_room(self.transfers.view, count, transfers)
        if changed or not self._is_current():
            self.tables = self._make_tables()
        return self.tables

    def make_room_due(self, holds: int) -> Tables:
        """Make sure that so many more holds fit into the heap of due ones."""
        if self._ensure((self.due_times, self.due_holds), int(self.state[DUE]) + holds):
            self.tables = self._make_tables()
        return self.tables

    def close(self) -> None:
        """Cut the files to what is in them and close them."""
        self.openings.close(int(self.state[ACCOUNTS]))
        self.transfers.close(int(self.state[TRANSFERS]))
        self.trails.close(int(self.state[TRANSFERS]))
        self.tables = self._make_tables()

    def _prepare(self) -> None:
        """Back the first account, which looking ahead may touch, and load what growth runs before it is in a hurry."""
        self.accounts.ensure(1)
        for table, array in ((self.account_ids, self.accounts), (self.transfer_ids, self.transfers)):
            insert_range(table.ids.slots, table.ids.seeds, array.view, 0, 0)

    def _ensure(self, arrays: tuple[GrowingArray, ...], count: int) -> bool:
        grown = [array.ensure(count) for array in arrays]  # a list: every one of them, whatever the first says
        return any(grown)

    def _is_current(self) -> bool:
        tables = self.tables
        return tables.account_ids is self.account_ids.ids and tables.transfer_ids is self.transfer_ids.ids

    def _make_tables(self) -> Tables:
        return Tables(
            self.state,
            self.accounts.view,
            self.openings.view,
            self.account_ids.ids,
            self.transfers.view,
            self.trails.view,
            self.transfer_ids.ids,
            self.due_times.view,
            self.due_holds.view,
            *self._scratch,
        )
