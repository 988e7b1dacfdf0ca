"""Prints the digest of the busy history: run by other Pythons and under other hash seeds, which must print the same.

``python -m tests.machine.digest_of [reverse]`` from the root of the repository.
"""

from __future__ import annotations

import sys

from formicary.machine.machine import Machine
from formicary.products.example import PRODUCT

from tests.machine.scripts import busy_history


def digest_of_history(*, reverse: bool) -> str:
    """The digest and the root at the end of the busy history."""
    machine = Machine(None, [PRODUCT], reverse_unordered=reverse)
    for entry in busy_history():
        machine.step(entry)
        machine.check()
    assert machine.tree is not None
    return f"{machine.digest.hex()} {machine.tree.root().hex()}"


if __name__ == "__main__":
    print(digest_of_history(reverse="reverse" in sys.argv[1:]))
