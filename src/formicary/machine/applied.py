"""What applying one entry gave: all that its caller is told, and all that sealing needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.machine.events import Event
from formicary.machine.replies import Answer

Codes = npt.NDArray[np.uint16]
Range = tuple[int, int]
"""First and one past the last, of stored transfers or accounts."""

STALE_EPOCH: Final = "stale_epoch"
"""Dropped: a writer that had been replaced wrote this entry. It changes nothing, not even the time."""
MALFORMED_BODY: Final = "malformed_body"
"""Dropped: the body is not one of its kind. Timers that were due have run."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of an entry."""

    index: int
    time_ns: int
    codes: Codes | None
    """Of a batch of accounts or transfers: what the kernel answered for each record."""
    transfers: Range
    """Transfers stored by this entry, expiries and those of handlers included."""
    accounts: Range
    answers: tuple[Answer, ...] = ()
    """Of a list of commands: one for each, in their order."""
    events: tuple[Event, ...] = ()
    rows_digest: bytes = b""
    """Digest of the rows it changed; empty when it touched none."""
    dropped: str = ""
    """Why the entry did nothing, or nothing but timers."""
