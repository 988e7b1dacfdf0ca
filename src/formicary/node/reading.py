"""What any machine can be asked: the reading half of a ledger, whoever feeds the machine.

A short read runs between two entries and so sees one moment. A walk over history takes that moment with it and goes on
by itself, because stored transfers never change: reading much holds up nobody who writes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from formicary import queries
from formicary.node.surface import Records, Surface, id_records, ids_of

if TYPE_CHECKING:
    from formicary.machine.machine import Machine
    from formicary.queries import (
        AccountFilter,
        AccountPage,
        BalancePage,
        Balances,
        HoldStatus,
        Moment,
        Page,
        TransferFilter,
        TrialBalance,
    )


class MachineReads(Surface):
    """Answers every read of :class:`Surface` from a machine in this process."""

    @abstractmethod
    def _read(self, function: Callable[[Machine], Any]) -> Any:  # noqa: ANN401 - whatever the function returns
        """Run a function between two entries, and answer when all that it could see is durable."""

    def _moment(self, account_id: int = 0) -> Moment:
        moment: Moment = self._read(lambda machine: queries.moment(machine.kernel, account_id))
        return moment

    def lookup_accounts(self, ids: Iterable[int]) -> Records:
        """Return the account records that exist among ``ids`` (up to BATCH_MAX), in the order asked."""
        wanted = ids_of(id_records(ids))
        found: Records = self._read(lambda machine: queries.lookup_account_records(machine.kernel, wanted))
        return found

    def lookup_transfers(self, ids: Iterable[int]) -> Records:
        """Return the transfer records that exist among ``ids`` (up to BATCH_MAX), in the order asked."""
        wanted = ids_of(id_records(ids))
        found: Records = self._read(lambda machine: queries.lookup_transfer_records(machine.kernel, wanted))
        return found

    def query(self, wanted: TransferFilter) -> Page:
        """Return one page of the transfers that pass the filter."""
        queries.check_filter(wanted)
        return queries.transfers(self._moment(wanted.account), wanted)

    def query_accounts(self, wanted: AccountFilter) -> AccountPage:
        """Return one page of the accounts that pass the filter."""
        found: AccountPage = self._read(lambda machine: queries.accounts(machine.kernel, wanted))
        return found

    def balance_history(self, wanted: TransferFilter) -> BalancePage:
        """Return the balances of the filter's account after each of its transfers that pass."""
        queries.check_filter(wanted)
        return queries.balance_history(self._moment(wanted.account), wanted)

    def balance_as_of(self, account_id: int, time_ns: int) -> Balances:
        """Return the four balances of an account as they were at ``time_ns``."""
        return queries.balance_as_of(self._moment(account_id), account_id, time_ns)

    def trial_balance(self) -> TrialBalance:
        """Return the sums of debits and credits of every asset and account code."""
        found: TrialBalance = self._read(lambda machine: queries.trial_balance(machine.kernel))
        return found

    def hold_status(self, hold_id: int) -> HoldStatus | None:
        """Return what became of a hold by the ledger's own time, or None when there is no such transfer."""
        found: HoldStatus | None = self._read(
            lambda machine: queries.hold_status(machine.kernel, hold_id, machine.time_ns)
        )
        return found

    # ── everything, for exports ─────────────────────────────────────────────────────────────────────────────────

    def account_records(self) -> Records:
        """Copy every account as it is at one moment, in the order of opening."""
        found: Records = self._read(
            lambda machine: machine.kernel.stored_accounts(0, machine.kernel.accounts_count).copy()
        )
        return found

    def transfer_records(self, *, chunk: int = 65_536) -> Iterator[Records]:
        """Walk over every transfer stored by now, in order, ``chunk`` at a time."""
        count: int = self._read(lambda machine: machine.kernel.transfers_count)
        for first in range(0, count, chunk):
            yield self._stored_transfers(first, min(first + chunk, count))

    def _stored_transfers(self, first: int, last: int) -> Records:
        found: Records = self._read(lambda machine: machine.kernel.stored_transfers(first, last))
        return found

    def digest_at(self, index: int) -> bytes:
        """Return the digest after entry ``index``, which is sealed."""
        found: bytes = self._read(lambda machine: machine.digests.at(index))
        return found
