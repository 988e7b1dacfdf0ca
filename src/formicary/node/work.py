"""What passes through the pipeline: work that was submitted, and what to tell whom once it is durable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from formicary.base.entry import EntryKind
from formicary.kernel.records import TransferFlag

if TYPE_CHECKING:
    from formicary.machine.applied import Applied
    from formicary.machine.events import Event


@dataclass(slots=True)
class Work:
    """One submission: records or commands to append, or a function to run on the sequencer."""

    kind: EntryKind | None
    body: Any
    size: int
    hashed: bytes = b""
    """Hash of the body, where the submitting thread has computed it: the sequencer's time is dearer."""
    ticket: Future[Any] = field(default_factory=Future)

    def __post_init__(self) -> None:
        """What is submitted can not be cancelled any more: it may be on its way to the disk."""
        self.ticket.set_running_or_notify_cancel()


@dataclass(slots=True)
class Outcome:
    """What to tell whom as soon as entry ``index`` is durable."""

    index: int
    answers: list[tuple[Any, Any]]
    """(ticket, value): the tickets are futures of threads, or all of ``driver``'s event loop."""
    size: int
    events: tuple[Event, ...] = ()
    driver: Driver | None = None

    def tell(self) -> None:
        """Give every ticket its value; an event loop is woken once for all of its own."""
        if self.driver is not None:
            self.driver.soon(give, self.answers)
            return
        for ticket, value in self.answers:
            ticket.set_result(value)

    def fail(self, fault: BaseException) -> None:
        """Give every ticket a fault instead."""
        fail_all([ticket for ticket, _ in self.answers], fault)


@dataclass(slots=True)
class Driver:
    """An event loop on whose thread its own commands are applied."""

    loop: asyncio.AbstractEventLoop
    waiting: deque[Asked] = field(default_factory=deque)

    def soon(self, work: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401 - the work's own arguments
        """Have the loop do something; when it has ended nobody waits for that any more."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(work, *arguments)


@dataclass(slots=True)
class Asked:
    """A command that an event loop waits for."""

    body: Any
    ticket: asyncio.Future[Any]
    size: ClassVar[int] = 1
    hashed: ClassVar[bytes] = b""


def give(answers: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    """Answer an event loop's tickets, in that loop; whoever has stopped waiting for one gets nothing."""
    for ticket, value in answers:
        if not ticket.done():
            ticket.set_result(value)


def fail_all(tickets: Sequence[Any], fault: BaseException) -> None:
    """Let tickets of either kind that have no value yet raise a fault."""
    for ticket in tickets:
        if isinstance(ticket, asyncio.Future):
            with suppress(RuntimeError):  # its loop has ended, and so has whoever waited
                ticket.get_loop().call_soon_threadsafe(_fail, ticket, fault)
        else:
            _fail(ticket, fault)


def _fail(ticket: Any, fault: BaseException) -> None:  # noqa: ANN401 - a future of either kind
    if not ticket.done():
        ticket.set_exception(fault)


def bytes_of(batch: np.ndarray) -> memoryview:
    """Records as they lie in memory."""
    return memoryview(np.ascontiguousarray(batch).view(np.uint8).reshape(-1))


def ends_in_open_chain(work: Work) -> bool:
    """Whether a record of the next submission would be drawn into this one's chain."""
    records = work.kind in (EntryKind.ACCOUNTS, EntryKind.TRANSFERS)
    return records and bool(int(work.body[-1]["flags"]) & TransferFlag.LINKED)


def answers_of(kind: EntryKind, group: Sequence[Work | Asked], applied: Applied) -> list[tuple[Any, Any]]:
    """Pair each submission with its slice of what the entry answered."""
    if kind == EntryKind.COMMANDS:
        return [(work.ticket, answer.data) for work, answer in zip(group, applied.answers, strict=True)]
    if applied.codes is None:
        assert not group, "the pipeline appends whole records"
        return []
    answers, start = [], 0
    for work in group:
        answers.append((work.ticket, applied.codes[start : start + work.size]))
        start += work.size
    return answers
