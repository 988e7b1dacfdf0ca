"""Top-up references by ISO 11649: ``RF``, two check digits by ISO 7064 mod 97-10, and a number of twelve digits.

A wrong digit or two swapped ones make a reference that fails its check, so a typing mistake tops up nobody else.
"""

from __future__ import annotations

import re
from typing import Final

NUMBERS: Final = 10**12
"""How many numbers a reference has room for."""
REFERENCE_CHARS_MAX: Final = 25
_ANY: Final = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}")
_OURS: Final = re.compile(r"RF[0-9]{14}")


def write_reference(number: int) -> str:
    """The reference of a number, without spaces."""
    assert 0 < number < NUMBERS, "a reference's number has twelve digits"
    digits = f"{number:012}"
    return f"RF{98 - _remainder(digits + 'RF00'):02}{digits}"


def is_reference(text: str) -> bool:
    """Whether a text is a creditor reference of ISO 11649, of whomever; without spaces."""
    return _ANY.fullmatch(text) is not None and _remainder(text[4:] + text[:4]) == 1


def read_reference(text: str) -> int | None:
    """The number in a reference of ours; None for anything else. Spaces and lower case are a person's, and forgiven."""
    plain = "".join(text.split()).upper()
    if len(plain) > REFERENCE_CHARS_MAX or _OURS.fullmatch(plain) is None or not is_reference(plain):
        return None
    return int(plain[4:]) or None


def spaced(reference: str) -> str:
    """A reference in groups of four, as people read it."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def _remainder(text: str) -> int:
    """Letters count as 10 to 35 (ISO 7064)."""
    return int("".join(str(int(character, 36)) for character in text)) % 97
