"""The digest: a chain over every entry and all that it changed.

``digest' = BLAKE3(digest ‖ entry hash ‖ codes ‖ replies ‖ stored transfers ‖ opened accounts ‖ row changes ‖ dropped)``

Each variable part is preceded by its length in bytes, 8 bytes little-endian, so that no two outcomes have the same
input. Two nodes with the same index and digest have therefore computed the same from the same log, since the start.

The digest of every entry is kept, 32 bytes each, so that two nodes find the entry where they part by bisection.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from formicary.base.errors import Corrupt
from formicary.machine.appendfile import open_append_file
from formicary.machine.applied import Applied

DIGEST_BYTES: Final = 32
NO_DIGEST: Final = bytes(DIGEST_BYTES)
"""Before the first entry."""
_LENGTH_BYTES: Final = 8

Records = npt.NDArray[Any]


def advance(digest: bytes, entry_hash: bytes, applied: Applied, *, transfers: Records, accounts: Records) -> bytes:
    """The digest after an entry, given the transfer records that it stored and the accounts as it opened them."""
    hasher = blake3(digest + entry_hash)
    codes = b"" if applied.codes is None else _bytes_of(applied.codes.astype("<u2", copy=False))
    replies = b"".join(_framed(answer.data) for answer in applied.answers)
    for part in (
        codes,
        replies,
        _bytes_of(transfers),
        _bytes_of(accounts),
        applied.rows_digest,
        applied.dropped.encode(),
    ):
        size = part.nbytes if isinstance(part, memoryview) else len(part)
        hasher.update(size.to_bytes(_LENGTH_BYTES, "little"))
        hasher.update(part)
    return hasher.digest()


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(_LENGTH_BYTES, "little") + data


def _bytes_of(records: Records) -> memoryview | bytes:
    return np.ascontiguousarray(records).view(np.uint8).data if len(records) else b""


class DigestFile:
    """The digest after each entry, by index; in memory when there is no path."""

    def __init__(self, path: Path | None) -> None:
        self._file = open_append_file(path)

    def put(self, index: int, digest: bytes) -> None:
        """Keep the digest after entry ``index``, the next one or one that a failed step had left."""
        assert len(digest) == DIGEST_BYTES
        self._file.write((index - 1) * DIGEST_BYTES, digest)

    def at(self, index: int) -> bytes:
        """The digest after entry ``index``; before the first it is all zeros."""
        return NO_DIGEST if index == 0 else self._file.read((index - 1) * DIGEST_BYTES, DIGEST_BYTES)

    def truncate(self, index: int) -> None:
        """Forget all after entry ``index``; a file that ends before it is Corrupt."""
        if len(self._file) < index * DIGEST_BYTES:
            raise Corrupt(f"the digests end before entry {index}", file="digests", record=index, offset=len(self._file))
        self._file.truncate(index * DIGEST_BYTES)

    def sync(self) -> None:
        """Make what was put durable."""
        self._file.sync()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
