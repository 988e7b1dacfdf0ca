"""Signed tree heads: the ledger's word that its tree has this size and this root, as of an entry and a time.

Two heads of one size with different roots, both signed, prove that the ledger told two stories. Heads are kept in a
file of fixed-size records that only grows, so that a receipt can be made for an earlier size too.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formicary.machine.appendfile import open_append_file
from formicary.machine.keys import (
    KEY_ID_BYTES,
    LEDGER_ID_BYTES,
    SIGNATURE_BYTES,
    KeyId,
    LedgerId,
    PublicKey,
    SigningKey,
    key_id,
    verify_signature,
)
from formicary.machine.proofs import HASH_BYTES

_DOMAIN: Final = b"formicary tree head v1\n"
_NUMBERS_BYTES: Final = 24
HEAD_BYTES: Final = LEDGER_ID_BYTES + _NUMBERS_BYTES + HASH_BYTES + KEY_ID_BYTES + SIGNATURE_BYTES
assert HEAD_BYTES == 144


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The root of the tree of ``size`` leaves, as of entry ``entry`` and ``time_ns``, signed by key ``key_id``."""

    ledger_id: LedgerId
    size: int
    root: bytes
    time_ns: int
    entry: int
    key_id: KeyId
    signature: bytes

    def _fields(self) -> bytes:
        size, time_ns, entry = (number.to_bytes(8, "little") for number in (self.size, self.time_ns, self.entry))
        return self.ledger_id + size + self.root + time_ns + entry + self.key_id

    def signed_bytes(self) -> bytes:
        """Domain, ledger id, size, root, time, entry, key id; numbers in 8 bytes, little-endian."""
        return _DOMAIN + self._fields()

    def to_bytes(self) -> bytes:
        """The signed fields without their domain, then the signature: 144 bytes."""
        return self._fields() + self.signature

    @classmethod
    def from_bytes(cls, raw: bytes) -> SignedHead:
        """Read what :meth:`to_bytes` wrote."""
        assert len(raw) == HEAD_BYTES
        return cls(
            ledger_id=LedgerId(raw[:16]),
            size=int.from_bytes(raw[16:24], "little"),
            root=raw[24:56],
            time_ns=int.from_bytes(raw[56:64], "little"),
            entry=int.from_bytes(raw[64:72], "little"),
            key_id=KeyId(raw[72:80]),
            signature=raw[80:],
        )

    def signed_by(self, public_key: PublicKey) -> bool:
        """Whether this key signed it."""
        return self.key_id == key_id(public_key) and verify_signature(public_key, self.signed_bytes(), self.signature)


def sign_head(key: SigningKey, *, ledger_id: LedgerId, size: int, root: bytes, time_ns: int, entry: int) -> SignedHead:
    """Sign a head; the same input gives the same bytes."""
    assert len(root) == HASH_BYTES
    unsigned = SignedHead(ledger_id, size, root, time_ns, entry, key.key_id, b"")
    return SignedHead(ledger_id, size, root, time_ns, entry, key.key_id, key.sign(unsigned.signed_bytes()))


class HeadFile:
    """The heads of one ledger in order of size, in a file, or in memory when there is no path."""

    def __init__(self, path: Path | None, ledger_id: LedgerId) -> None:
        self._ledger_id = ledger_id
        self._file = open_append_file(path)
        self._count = len(self._file) // HEAD_BYTES
        while self._count and self[self._count - 1].ledger_id != ledger_id:
            self._count -= 1  # a crash left room where no head was written

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> SignedHead:
        if not 0 <= number < self._count:
            raise IndexError(number)
        return SignedHead.from_bytes(self._file.read(number * HEAD_BYTES, HEAD_BYTES))

    def append(self, head: SignedHead) -> None:
        """Keep a head; the tree only grows, and so do its heads."""
        newest = self.newest()
        assert head.ledger_id == self._ledger_id, "a head of another ledger"
        assert newest is None or (newest.size <= head.size and newest.entry <= head.entry), "a head of an earlier tree"
        self._file.write(self._count * HEAD_BYTES, head.to_bytes())
        self._count += 1

    def newest(self) -> SignedHead | None:
        """The last head, if there is one."""
        return self[self._count - 1] if self._count else None

    def covering(self, leaf: int) -> SignedHead | None:
        """The first head whose tree has this leaf, if there is one yet."""
        number = bisect_left(range(self._count), leaf + 1, key=lambda at: self[at].size)
        return self[number] if number < self._count else None

    def truncate(self, size: int) -> None:
        """Forget the heads of trees larger than ``size``."""
        self._count = bisect_left(range(self._count), size + 1, key=lambda at: self[at].size)
        self._file.truncate(self._count * HEAD_BYTES)

    def sync(self) -> None:
        """Make the heads durable; any thread may ask."""
        self._file.sync()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
