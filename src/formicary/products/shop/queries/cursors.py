"""Cursors of lists: a time and an id, or an id alone, as opaque text."""

from __future__ import annotations

from typing import Final

from formicary.base.errors import BadInput

TIME_MAX: Final = 2**63 - 1
NEWEST: Final = (TIME_MAX, b"\xff" * 16)
OLDEST: Final = (-1, b"")


def write_place(at_ns: int, name: bytes) -> str:
    """Where a list stopped."""
    return f"{at_ns:x}.{name.hex()}"


def read_place(text: str, *, start: tuple[int, bytes]) -> tuple[int, bytes]:
    """Where a list goes on; ``start`` when nothing is given. Refuses what no list of ours answered."""
    if not text:
        return start
    time_text, _, name = text.partition(".")
    try:
        at_ns, value = int(time_text, 16), bytes.fromhex(name)
    except ValueError:
        raise BadInput("this is not a cursor of this list", where="after") from None
    if not 0 <= at_ns <= TIME_MAX:
        raise BadInput("this is not a cursor of this list", where="after")
    return at_ns, value


def read_name(text: str) -> bytes:
    """An id where a list goes on; empty from the beginning."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadInput("this is not a cursor of this list", where="after") from None
