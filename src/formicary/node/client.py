"""A ledger that another process serves: the same methods as one that is open here, through a socket.

::

    with formicary.connect("unix:shop.ledger/serve.sock") as ledger:
        codes = ledger.post(batch)                            # waits
        tickets = [ledger.submit_transfers(b) for b in many]  # several in flight, in this order

When the connection is lost, whether the last requests were done is not known. Sending the same ids again is exactly
safe: what was done answers ``EXISTS``. Nothing is sent again unless asked for: without a :class:`Retry` every call
that was waiting raises :class:`Closed`, and so does every later one; with one the client connects anew by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from formicary.base.errors import Fault
from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.node import bodies, pages, wire
from formicary.node.address import parse_address, read_token
from formicary.node.asynchronous import AsyncLedger, AsyncOpening
from formicary.node.bodies import Bytes
from formicary.node.channel import Buffer
from formicary.node.line import Line, Retry
from formicary.node.surface import Codes, Records, Surface, Ticket, answered, check_batch, id_records
from formicary.node.wire import Kind

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

Answer = TypeVar("Answer")
TIMEOUT_S: Final = 30.0


class RemoteLedger(Surface):
    """A ledger behind a socket; made by :func:`connect`. Threads may share it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def ledger_id(self) -> bytes:
        """The 16 bytes that name the ledger, as the server said at hello."""
        return self._line.welcome.ledger_id

    @property
    def window(self) -> int:
        """How many requests may be without an answer; one more waits."""
        return self._line.welcome.window

    def submit_accounts(self, batch: Records) -> Ticket:
        """Send a batch of accounts; the ticket's result is their codes."""
        return self._submit(Kind.OPEN_ACCOUNTS, check_batch(batch, ACCOUNT))

    def submit_transfers(self, batch: Records) -> Ticket:
        """Send a batch of transfers; the ticket's result is their codes. The batch may not change until then."""
        return self._submit(Kind.POST_TRANSFERS, check_batch(batch, TRANSFER))

    def _submit(self, kind: Kind, batch: Records) -> Ticket:
        if not len(batch):
            return answered([])
        return self._line.ask(kind, batch.view(np.uint8), lambda body: _codes(body, len(batch)))

    def lookup_accounts(self, ids: Iterable[int]) -> Records:
        """Return the account records that exist among ``ids`` (up to BATCH_MAX), in the order asked."""
        return self._lookup(Kind.LOOKUP_ACCOUNTS, ids, ACCOUNT)

    def lookup_transfers(self, ids: Iterable[int]) -> Records:
        """Return the transfer records that exist among ``ids`` (up to BATCH_MAX), in the order asked."""
        return self._lookup(Kind.LOOKUP_TRANSFERS, ids, TRANSFER)

    def _lookup(self, kind: Kind, ids: Iterable[int], record: np.dtype[np.void]) -> Records:
        wanted = id_records(ids)
        if not len(wanted):
            return np.zeros(0, record)
        return self._ask(kind, wanted.view(np.uint8), lambda body: body.view(record))

    def query(self, wanted: TransferFilter) -> Page:
        """Return one page of the transfers that pass the filter."""
        return self._ask(Kind.QUERY_TRANSFERS, pages.pack_filter(wanted), pages.read_page)

    def query_accounts(self, wanted: AccountFilter) -> AccountPage:
        """Return one page of the accounts that pass the filter."""
        return self._ask(Kind.QUERY_ACCOUNTS, pages.pack_account_filter(wanted), pages.read_account_page)

    def balance_history(self, wanted: TransferFilter) -> BalancePage:
        """Return the balances of the filter's account after each of its transfers that pass."""
        return self._ask(Kind.BALANCE_HISTORY, pages.pack_filter(wanted), pages.read_balance_page)

    def balance_as_of(self, account_id: int, time_ns: int) -> Balances:
        """Return the four balances of an account as they were at ``time_ns``."""
        return self._ask(Kind.BALANCE_AS_OF, bodies.pack_moment(account_id, time_ns), pages.read_balances)

    def hold_status(self, hold_id: int) -> HoldStatus | None:
        """Return what became of a hold by the ledger's own time, or None when there is no such hold."""
        return self._ask(Kind.HOLD_STATUS, id_records([hold_id]).view(np.uint8), pages.read_hold_status)

    def trial_balance(self) -> TrialBalance:
        """Return the sums of debits and credits of every asset and account code."""
        return self._ask(Kind.TRIAL_BALANCE, b"", pages.read_trial_balance)

    def info(self) -> dict[str, Any]:
        """Return what the ledger is and how far it has come, as plain values."""
        return self._ask(Kind.INFO, b"", bodies.read_info)

    def head(self) -> SignedHead:
        """Return the signed head of the tree over everything posted so far."""
        return self._ask(Kind.HEAD, b"", bodies.read_head)

    def consistency(self, old_size: int) -> HeadStatement:
        """Prove that nothing was rewritten since the tree had ``old_size`` leaves."""
        return self._ask(Kind.CONSISTENCY, bodies.pack_size(old_size), bodies.read_statement)

    def receipt(self, transfer_id: int) -> Receipt:
        """Return the receipt of a stored transfer: a small file that its holder checks offline."""
        return self._ask(Kind.RECEIPT, id_records([transfer_id]).view(np.uint8), bodies.read_receipt)

    def command(self, command: bytes) -> bytes:
        """Run one encoded command and return its encoded reply."""
        return self._ask(Kind.COMMAND, command, bytes)

    def ping(self) -> None:
        """Wait until the server has answered everything asked before, and this."""
        self._ask(Kind.PING, b"", bytes)

    def _ask(self, kind: Kind, body: Buffer, decode: Callable[[Bytes], Answer]) -> Answer:
        return cast("Answer", self._line.ask(kind, body, decode).result())

    def close(self) -> None:
        """Wait for what was asked, then hang up."""
        self._line.close()


def _codes(body: Bytes, count: int) -> Codes:
    if len(body) != 2 * count:
        raise Fault(f"{count:,} records were answered with {len(body):,} bytes of codes", code="bad_answer")
    return body.view("<u2")


def connect(
    address: str | Path, *, token: bytes | Path | None = None, timeout_s: float = TIMEOUT_S, retry: Retry | None = None
) -> RemoteLedger:
    """Connect to a ledger that ``formicary ledger serve`` has opened.

    ``address`` is ``unix:/path`` or ``tcp:127.0.0.1:PORT``; TCP needs the token, or the path of its file. ``timeout_s``
    is how long a request may go unanswered before the connection counts as lost. Raises :class:`Closed` when nobody
    serves there, :class:`Refusal` when the server does not let this client in.
    """
    shown = read_token(token) if isinstance(token, Path) else token or wire.NO_TOKEN
    return RemoteLedger(Line(parse_address(address), token=shown, timeout_s=timeout_s, retry=retry))


class AsyncConnecting(AsyncOpening):
    """What :func:`connect_async` returns: awaited or used with ``async with``, it becomes an :class:`AsyncLedger`."""

    def __init__(self, address: str | Path, options: dict[str, Any]) -> None:
        super().__init__(None, options)
        self._address = address

    async def __aenter__(self) -> AsyncLedger:
        """Connect in a thread, so that a server that is slow to answer does not block the loop."""
        self._opened = AsyncLedger(await asyncio.to_thread(connect, self._address, **self._options))
        return self._opened


def connect_async(address: str | Path, **options: Any) -> AsyncConnecting:  # noqa: ANN401 - as connect takes
    """Connect for ``asyncio``; takes what :func:`connect` takes. What its tasks ask for travels in groups."""
    return AsyncConnecting(address, options)
