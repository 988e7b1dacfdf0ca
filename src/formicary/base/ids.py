"""Ids: 128-bit integers, never zero. How they are made, read, written, and kept as the two halves of a record.

The written form of an id is its decimal digits while they fit 64 bits, and the grouped hexadecimal of a UUID beyond, so
that a database or a spreadsheet takes it as it is. Reading accepts more forms than writing makes.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from typing import Final, NewType

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from formicary.base.errors import BadInput

AccountId = NewType("AccountId", int)
TransferId = NewType("TransferId", int)
CommandId = NewType("CommandId", int)

ID_MAX: Final = 2**128 - 1
KEY_BYTES: Final = 32
_HALF: Final = 2**64
_RANDOM_BITS: Final = 80
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX: Final = re.compile(r"0x[0-9a-f]{1,32}|[0-9a-f]{32}")
_DECIMAL: Final = re.compile(r"[0-9]{1,39}")


def new_id() -> int:
    """Make a fresh id: milliseconds since 1970 in the upper 48 bits, then 80 random bits.

    For the edge only. Ids that sort by time keep tables compact; inside the machine every id comes from the entry.
    """
    milliseconds = time.time_ns() // 1_000_000  # det-ok: a door makes the id, before the log
    return milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)  # det-ok: a door makes the id, before the log


def parse_id(text: str) -> int:
    """Read an id: decimal digits, ``0x`` and hexadecimal, 32 hexadecimal digits, or a UUID. Zero is refused.

    Thirty-two digits without a prefix are always hexadecimal.
    """
    lowered = text.strip().lower()
    if _HEX.fullmatch(lowered) or _UUID.fullmatch(lowered):
        number = int(lowered.replace("-", ""), 16)
    elif _DECIMAL.fullmatch(lowered):
        number = int(lowered)
    else:
        raise BadInput(f"{text!r} is not an id: write decimal digits, 0x and hexadecimal digits, or a UUID")
    if not 0 < number <= ID_MAX:
        raise BadInput(f"{text!r} is not an id: it must be 1 to 2^128-1")
    return number


def format_id(number: int) -> str:
    """Write an id so that :func:`parse_id` reads it back: decimal below 2⁶⁴, else as a UUID."""
    if number < _HALF:
        return str(number)
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def id_from_name(name: str, key: bytes) -> int:
    """Derive an id from a name with a secret key: keyed BLAKE3, 127 bits, never zero.

    Without the key nobody can test a guessed name against an id. The top bit stays clear, so that no such id falls in
    the range that the ledger keeps for itself.
    """
    digest = blake3(name.encode(), key=key).digest(length=16)
    number = int.from_bytes(digest, "little") >> 1
    assert number, "a hash of 127 zero bits"
    return number


def split_id(number: int) -> tuple[int, int]:
    """Give the two halves of an id as a record keeps them: low, high."""
    return number & (_HALF - 1), number >> 64


def join_id(low: int, high: int) -> int:
    """Put the two halves of a record's id together."""
    return int(high) << 64 | int(low)


def split_ids(numbers: Sequence[int]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Give the halves of many ids as two arrays: low, high."""
    if max(numbers, default=0) < _HALF:
        return np.array(numbers, np.uint64), np.zeros(len(numbers), np.uint64)
    raw = np.frombuffer(b"".join([number.to_bytes(16, "little") for number in numbers]), dtype="<u8").reshape(-1, 2)
    return raw[:, 0], raw[:, 1]


def join_ids(low: npt.NDArray[np.uint64], high: npt.NDArray[np.uint64]) -> list[int]:
    """Put many pairs of halves together."""
    if not np.any(high):
        return [int(number) for number in low.tolist()]
    return [(upper << 64) | lower for lower, upper in zip(low.tolist(), high.tolist(), strict=True)]
