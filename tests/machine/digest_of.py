"""Prints the digest of the busy history: run by other Pythons and under other hash seeds, which must print the same.

``python -m tests.machine.digest_of [reverse] [golden]`` from the root of the repository; ``golden`` adds a line for
each golden log, which must also give what it gave at its release.
"""

from __future__ import annotations

import sys
from pathlib import Path

from formicary.machine.machine import Machine
from formicary.products.example import PRODUCT
from formicary.testing.golden import replay

from tests.machine.scripts import busy_history

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def digest_of_history(*, reverse: bool) -> str:
    """The digest and the root at the end of the busy history."""
    machine = Machine(None, [PRODUCT], reverse_unordered=reverse)
    for entry in busy_history():
        machine.step(entry)
        machine.check()
    assert machine.tree is not None
    return f"{machine.digest.hex()} {machine.tree.root().hex()}"


def digests_of_golden_logs(*, reverse: bool) -> list[str]:
    """For each release, what its golden log gives here."""
    lines = []
    for path in sorted(GOLDEN.glob("*.jsonl.gz")):
        recorded, now = replay(path, reverse_unordered=reverse)
        assert now == recorded, f"{path.name} gives {now}, and gave {recorded}"
        lines.append(f"{path.name} {now['digest']} {now['root']}")
    return lines


if __name__ == "__main__":
    turned = "reverse" in sys.argv[1:]
    print(digest_of_history(reverse=turned))
    if "golden" in sys.argv[1:]:
        print("\n".join(digests_of_golden_logs(reverse=turned)))
