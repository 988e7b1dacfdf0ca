"""One transfer at a time from many tasks: callers wait together, and go into one entry together.

While a group is on its way to the disk the next one gathers, so the slower the disk, the larger the groups; nobody
waits for a timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import numpy as np

from formicary.base.errors import BadInput
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.objects import Account, Transfer, account_records, transfer_records
from formicary.kernel.records import BATCH_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from formicary.node.surface import Records, Surface, Ticket

GROUPS_IN_FLIGHT: Final = 2
"""One being made durable and one being applied; more would only make the groups smaller."""

Record = TypeVar("Record", Account, Transfer)
Code = TypeVar("Code", AccountCode, TransferCode)
Submit: TypeAlias = "Callable[[Records], Ticket]"
"""A ledger's own method of the same name."""


class _Grouper(Generic[Record, Code]):
    """Gathers what tasks ask for and submits it in groups, in the order asked."""

    def __init__(self, to_records: Callable[[Sequence[Record]], Records], code: type[Code], submit: Submit) -> None:
        self._to_records: Callable[[Sequence[Record]], Records] = to_records
        self._codes: dict[int, Code] = {int(member): member for member in code}
        self._submit = submit
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Sequence[Record], asyncio.Future[list[Code]]]] = []
        self._in_flight = 0
        self._scheduled = False

    def ask(self, records: Sequence[Record]) -> asyncio.Future[list[Code]]:
        if len(records) > BATCH_MAX:
            message = f"{len(records):,} records are more than the {BATCH_MAX:,} of one batch"
            raise BadInput(message, code="batch_too_long")
        answer: asyncio.Future[list[Code]] = self._loop.create_future()
        self._waiting.append((records, answer))
        if not self._scheduled and self._in_flight < GROUPS_IN_FLIGHT:
            self._scheduled = True
            self._loop.call_soon(self._flush)
        return answer

    def _flush(self) -> None:
        """Submit what waits, as far as one batch holds; a list that its caller asked for together stays together."""
        self._scheduled = False
        group, size = [], 0
        for records, answer in self._waiting:
            if size + len(records) > BATCH_MAX:
                break
            group.append((records, answer))
            size += len(records)
        del self._waiting[: len(group)]
        try:
            batch = self._to_records([record for records, _ in group for record in records])
            ticket: Ticket = self._submit(batch)
        except Exception as error:  # noqa: BLE001 - every caller of the group hears of it
            self._fail(group, error)
            return
        self._in_flight += 1
        ticket.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._answer, group, done))

    def _answer(self, group: list[tuple[Sequence[Record], asyncio.Future[list[Code]]]], ticket: Ticket) -> None:
        self._in_flight -= 1
        error = ticket.exception()
        if error is not None:
            self._fail(group, error)
        else:
            self._hand_out(group, ticket.result())
        if self._waiting and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _hand_out(
        self, group: list[tuple[Sequence[Record], asyncio.Future[list[Code]]]], codes: np.ndarray[Any, Any]
    ) -> None:
        start, numbers, meaning = 0, codes.tolist(), self._codes
        for records, answer in group:
            end = start + len(records)
            if not answer.done():  # its task may have been cancelled; the transfer stands all the same
                answer.set_result([meaning[number] for number in numbers[start:end]])
            start = end

    def _fail(self, group: list[tuple[Sequence[Record], asyncio.Future[list[Code]]]], error: BaseException) -> None:
        for _, answer in group:
            if not answer.done():
                answer.set_exception(error)


class AsyncLedger:
    """A ledger for ``asyncio``: ``async with formicary.open_async(path) as ledger: await ledger.transfer(...)``.

    Every method of :class:`~formicary.node.surface.Surface` that reads is here too, awaited; it runs in a thread.
    """

    def __init__(self, ledger: Surface) -> None:
        self.ledger = ledger
        self._transfers: _Grouper[Transfer, TransferCode] = _Grouper(
            transfer_records, TransferCode, ledger.submit_transfers
        )
        self._accounts: _Grouper[Account, AccountCode] = _Grouper(account_records, AccountCode, ledger.submit_accounts)

    async def transfer(self, transfer: Transfer) -> TransferCode:
        """Post one transfer; return its code once it is durable. Refuses a lone LINKED record: use ``transfers``."""
        return (await self.transfers([transfer]))[0]

    async def transfers(self, transfers: Sequence[Transfer]) -> list[TransferCode]:
        """Post transfers together, so that a linked chain stays whole; return their codes, in order."""
        _refuse_open_chain(transfers)
        return await self._transfers.ask(transfers)

    async def account(self, account: Account) -> AccountCode:
        """Open one account; return its code once it is durable."""
        return (await self.accounts([account]))[0]

    async def accounts(self, accounts: Sequence[Account]) -> list[AccountCode]:
        """Open accounts together; return their codes, in order."""
        _refuse_open_chain(accounts)
        return await self._accounts.ask(accounts)

    async def read(self, method: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - any reading method
        """Call a reading method of the ledger by name, such as ``read("history", account_id, limit=50)``."""
        return await asyncio.to_thread(getattr(self.ledger, method), *arguments, **options)

    async def balance(self, account_id: int) -> int:
        """Return posted credits less posted debits, in minor units."""
        return await asyncio.to_thread(self.ledger.balance, account_id)

    async def close(self) -> None:
        """Finish what was submitted and close the ledger."""
        await asyncio.to_thread(self.ledger.close)


class AsyncOpening:
    """What :func:`open_async` returns: awaited or used with ``async with``, it becomes an :class:`AsyncLedger`."""

    def __init__(self, path: str | Path | None, options: dict[str, Any]) -> None:
        self._path = path
        self._options = options
        self._opened: AsyncLedger | None = None

    async def __aenter__(self) -> AsyncLedger:
        """Open the ledger in a thread, so that recovery does not block the loop."""
        from formicary.node.ledger import open_ledger  # noqa: PLC0415 - it is the heavier half of the package

        ledger = await asyncio.to_thread(lambda: open_ledger(self._path, **self._options))
        self._opened = AsyncLedger(ledger)
        return self._opened

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        assert self._opened is not None
        await self._opened.close()

    def __await__(self) -> Any:  # noqa: ANN401 - a generator, as the protocol has it
        """Open without a block; the caller closes."""
        return self.__aenter__().__await__()


def open_async(path: str | Path | None = None, **options: Any) -> AsyncOpening:  # noqa: ANN401 - as open_ledger takes
    """Open a ledger for ``asyncio``; takes what :func:`formicary.open` takes."""
    return AsyncOpening(path, options)


def _refuse_open_chain(records: Sequence[Account] | Sequence[Transfer]) -> None:
    """Groups join what different tasks asked for: a chain left open would draw in a stranger's record."""
    if records and int(records[-1].flags) & 1:
        message = "the last record is LINKED: pass the whole chain in one call"
        raise BadInput(message, code="chain_open")
