"""What passes through the pipeline: work that was submitted, and what to tell whom once it is durable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
    answers: list[tuple[Future[Any], Any]]
    size: int
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class Driver:
    """An event loop on whose thread its own commands are applied."""

    thread: int
    call_later: Callable[[float, Callable[[], None]], Any]
    waiting: deque[Work] = field(default_factory=deque)


def bytes_of(batch: np.ndarray) -> memoryview:
    """Records as they lie in memory."""
    return memoryview(np.ascontiguousarray(batch).view(np.uint8).reshape(-1))


def ends_in_open_chain(work: Work) -> bool:
    """Whether a record of the next submission would be drawn into this one's chain."""
    records = work.kind in (EntryKind.ACCOUNTS, EntryKind.TRANSFERS)
    return records and bool(int(work.body[-1]["flags"]) & TransferFlag.LINKED)


def answers_of(kind: EntryKind, group: list[Work], applied: Applied) -> list[tuple[Future[Any], Any]]:
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
