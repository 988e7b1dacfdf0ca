"""Whether a state on disk and a log are of one history: asked before the one is brought up to date with the other."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from formicary.base.errors import Diverged

if TYPE_CHECKING:
    from formicary.log.port import LogReader
    from formicary.machine.machine import Machine


def check_same_history(machine: Machine, log: LogReader) -> None:
    """Refuse a log that the state did not come from, or one that has lost entries which the state still has."""
    if machine.index > log.head.index:
        raise Diverged(
            f"the log ends at entry {log.head.index}, yet the state is further: entries were lost. To go on with the "
            "log as it is, delete the state folder",
            index=machine.index,
        )
    for entry in islice(log.read(machine.index), 1 if machine.index else 0):
        if entry.hash != machine.entry_hash:
            raise Diverged("the state is of another log; delete the state folder to rebuild it", index=machine.index)
