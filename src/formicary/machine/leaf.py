"""What a leaf of the tree is: one accepted transfer or one reply, blinded.

The bytes of a leaf are ``tag ‖ blind ‖ data``. The blind is SipHash of the leaf's index under a key that only the
ledger's keepers have. Without it a leaf's hash could be tested against a guess at the neighbour's record, which has few
unknown bits; with it each guess would have to be right in 128 bits more.
"""

from __future__ import annotations

from typing import Final

from formicary.machine.siphash import siphash128

TRANSFER_TAG: Final = 1
"""The data is a stored transfer record of 128 bytes."""
REPLY_TAG: Final = 2
"""The data is the bytes of a reply to a command."""
BLIND_BYTES: Final = 16


def blind_of(key: bytes, leaf: int) -> bytes:
    """The blind of the leaf at this index."""
    return siphash128(key, leaf.to_bytes(8, "little"))


def leaf_data(tag: int, blind: bytes, data: bytes) -> bytes:
    """Put together the bytes of a leaf."""
    assert len(blind) == BLIND_BYTES
    return bytes([tag]) + blind + data
