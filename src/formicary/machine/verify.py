"""Checking a history by computing it again: from its log alone, in memory, on any machine.

:func:`verify` replays a log and compares the digest with what was written down elsewhere: a node's own digest file, a
signed head, a release's golden log. :func:`compare` runs two logs side by side. Both name the entry where histories
part: the first whose digest differs, for the digest is a chain, and nothing after it can agree by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from formicary.base.entry import Entry
from formicary.base.errors import Diverged
from formicary.machine.machine import Machine
from formicary.products.anatomy import Product


def replay(machine: Machine, entries: Iterable[Entry]) -> Machine:
    """Bring a recovered machine to the end of the log: the entries from ``machine.index + 1`` on."""
    for entry in entries:
        machine.step(entry)
    machine.settle()
    return machine


def verify(
    entries: Iterable[Entry],
    products: Sequence[Product] = (),
    *,
    digests: Mapping[int, bytes] | None = None,
    roots: Mapping[int, bytes] | None = None,
    invariants: bool = False,
) -> Machine:
    """Replay a log from its first entry and answer the machine that it gives.

    ``digests`` are known digests by entry index, ``roots`` known tree roots by tree size; the first that does not match
    raises ``Diverged``, and so does a log that ends before the last entry that a digest is known of. With
    ``invariants`` every product's invariants are checked after every entry, which is slow.
    """
    digests, roots = digests or {}, roots or {}
    machine = Machine(None, products)
    for entry in entries:
        machine.step(entry)
        expected = digests.get(entry.index)
        if expected is not None and expected != machine.digest:
            raise Diverged(f"the digest is {machine.digest.hex()}, not {expected.hex()}", index=entry.index)
        if invariants:
            machine.check()
    if digests and max(digests) > machine.index:
        raise Diverged(f"the log ends here, before entry {max(digests)}", index=machine.index)
    for size, root in sorted(roots.items()):
        _check_root(machine, size, root)
    return machine


def _check_root(machine: Machine, size: int, root: bytes) -> None:
    assert machine.tree is not None, "a log with roots has a first entry"
    if size > machine.tree.size:
        raise Diverged(f"the tree has {machine.tree.size} leaves, and {size} were signed", index=machine.index)
    if machine.tree.root(size) != root:
        raise Diverged(f"the root of the first {size} leaves is not the one that was signed", index=machine.index)


def compare(
    entries_a: Iterable[Entry],
    entries_b: Iterable[Entry],
    products_a: Sequence[Product] = (),
    products_b: Sequence[Product] | None = None,
) -> int:
    """Run two logs side by side, perhaps with two versions of the products; answer how many entries agree.

    Raises ``Diverged`` at the first entry that differs, or whose outcome does; one log may be longer than the other.
    """
    a, b = Machine(None, products_a), Machine(None, products_a if products_b is None else products_b)
    for entry_a, entry_b in zip(entries_a, entries_b, strict=False):
        if entry_a.hash != entry_b.hash:
            raise Diverged("the two logs hold different entries", index=entry_a.index)
        a.step(entry_a)
        b.step(entry_b)
        if a.digest != b.digest:
            raise Diverged("the same entry had different outcomes", index=entry_a.index)
    return a.index
