"""Try batches on a machine's kernel and take them back: what an entry would answer, without an entry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from formicary.machine.timers import EXPIRIES_PER_ENTRY
from formicary.node.surface import Codes, Records

if TYPE_CHECKING:
    from formicary.machine.machine import Machine


def rehearse(
    machine: Machine, accounts: Iterable[Records], transfers: Iterable[Records], *, now_ns: int
) -> list[Codes]:
    """Open accounts, post transfers, and undo both exactly; runs between entries, where nobody reads."""
    kernel, time_ns = machine.kernel, max(now_ns, machine.time_ns + 1)
    mark = kernel.mark()
    try:
        kernel.expire(time_ns, EXPIRIES_PER_ENTRY)
        codes = [kernel.open_accounts(batch, time_ns) for batch in accounts]
        return codes + [kernel.post(batch, time_ns) for batch in transfers]
    finally:
        kernel.undo(mark)
