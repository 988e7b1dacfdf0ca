"""What every log is: one durable, ordered, hash-chained sequence of entries, with one writer and any number of readers.

The guarantees, tested alike for each log by ``tests/log/conformance.py``:

- **Order.** Indexes run 1, 2, 3 … without a gap, times rise strictly, epochs never fall.
- **Chain.** Each entry holds its parent's hash; nothing is handed out whose hash, parent or epoch is wrong.
- **Durability.** Once ``sync`` returns, every appended entry survives a crash. Only such entries are ever read.
- **One writer.** A second one is refused (``Locked``); a superseded one is stopped (``Fenced``)
  before it writes.
- **No half work.** A failed ``append`` leaves no trace; after a failed ``sync`` the log refuses all work (``Closed``),
  because what memory and disk hold may differ: it must be opened again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from formicary.base.entry import ENTRY_BODY_MAX, NO_PARENT, Draft, Entry, seal_draft


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry, without its body. Index 0 is the empty log."""

    index: int
    time_ns: int
    hash: bytes


EMPTY: Final = Head(index=0, time_ns=0, hash=NO_PARENT)


class LogReader(Protocol):
    """The reading side. Reading again sees what was made durable meanwhile, so a loop over ``read`` tails the log."""

    @property
    def head(self) -> Head:
        """The newest durable entry (for a writer: the newest appended one)."""

    def read(self, first: int) -> Iterator[Entry]:
        """Yield the durable entries from index ``first`` to the end as of now, each checked as it is read."""

    def close(self) -> None:
        """Give back files and connections. Closing twice is allowed."""


class Log(LogReader, Protocol):
    """The writing side. ``append`` and ``sync`` belong to one thread; ``read`` and ``head`` may be used from others."""

    @property
    def epoch(self) -> int:
        """The writer's epoch: greater than that of every writer before it."""

    @property
    def recovered(self) -> str:
        """What opening had to cut or repair, in words; empty when nothing."""

    def append(self, draft: Draft | Entry) -> Entry:
        """Chain ``draft`` to the head and write it. It is durable, and readable, only after ``sync``.

        A caller that needs the hash earlier may chain it itself and pass the entry; it must fit head and epoch.
        """

    def sync(self) -> None:
        """Make everything appended durable, or raise a ``Fault`` and refuse all further work."""


def chained(draft: Draft | Entry, *, epoch: int, parent: bytes) -> Entry:
    """Give a draft its place in the chain; an entry must be in its place already."""
    if isinstance(draft, Draft):
        return seal_draft(draft, epoch=epoch, parent=parent)
    assert draft.epoch == epoch, f"entry {draft.index} is of epoch {draft.epoch}, not {epoch}"
    assert draft.parent == parent, f"entry {draft.index} is not the child of the head"
    return draft


def check_draft(draft: Draft | Entry, head: Head) -> None:
    """Assert what only a bug in the writer can break: the next index, a later time, a body of bytes within bounds."""
    assert draft.index == head.index + 1, f"entry {draft.index} can't follow entry {head.index}"
    assert draft.time_ns > head.time_ns, f"entry {draft.index} is not later than its parent"
    body_bytes = draft.body.nbytes if isinstance(draft.body, memoryview) else len(draft.body)
    assert body_bytes == len(draft.body), "a body is bytes, or a memoryview cast to bytes"
    assert body_bytes <= ENTRY_BODY_MAX, f"a body of {body_bytes} bytes is over {ENTRY_BODY_MAX}"


def head_of(entry: Entry) -> Head:
    """The head of a log whose newest entry this is."""
    return Head(index=entry.index, time_ns=entry.time_ns, hash=entry.hash)
