"""Trust, but replay: read the whole log, apply it to an empty machine, and compare with the state at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from formicary.base.errors import Corrupt
from formicary.machine.machine import Machine
from formicary.machine.system import SYSTEM
from formicary.queries import trial_balance

if TYPE_CHECKING:
    from formicary.log import LogReader


@dataclass(frozen=True, slots=True)
class Report:
    """What verifying found; ``problems`` is empty when all is well."""

    entries: int
    accounts: int
    transfers: int
    digest: bytes
    root: bytes
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether log, state and sums agree."""
        return not self.problems


def verify_ledger(log: LogReader, machine: Machine, *, progress: Callable[[int, int], None] | None = None) -> Report:
    """Replay ``log`` up to what ``machine`` has sealed and say everything in which the two differ."""
    sealed, problems = machine.sealed, []
    products = [product for product in machine.registry.products.values() if product is not SYSTEM]
    fresh = Machine(None, products)
    try:
        for entry in log.read(1):
            if entry.index > sealed.index:
                break
            fresh.step(entry)
            if progress is not None:
                progress(entry.index, sealed.index)
            if fresh.digest != machine.digests.at(entry.index):
                problems.append(f"entry {entry.index}: the state's digest is not the one that the log gives")
                break
        fresh.check()
    except Corrupt as found:
        problems.append(str(found))
    if fresh.index < sealed.index and not problems:
        problems.append(f"the log ends at entry {fresh.index}, the state at {sealed.index}")
    if not problems:
        problems += _differences(fresh, machine)
    assert fresh.tree is not None, "a log begins with its genesis"
    report = Report(
        entries=fresh.index,
        accounts=fresh.kernel.accounts_count,
        transfers=fresh.kernel.transfers_count,
        digest=fresh.digest,
        root=fresh.tree.root(),
        problems=tuple(problems),
    )
    fresh.close()
    return report


def _differences(fresh: Machine, machine: Machine) -> list[str]:
    """Compare two machines at one entry beyond their digests: the receipt tree, and the sums."""
    assert fresh.tree is not None
    assert machine.tree is not None
    differences = []
    if fresh.tree.root() != machine.tree.root(fresh.tree.size):
        differences.append("the receipt tree is not the one that the log gives")
    if not trial_balance(fresh.kernel).balanced:
        differences.append("debits and credits are not equal")
    return differences
