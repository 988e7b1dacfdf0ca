"""How single values look to people and their programs: hexadecimal ids, letters of currencies, RFC 3339 times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from formicary.base.errors import BadInput
from formicary.base.money import asset_code, parse_asset

TIME_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$"
ASSET_PATTERN: Final = r"^([A-Z0-9]{1,6}|#[0-9]{1,10})$"
HEX_PATTERN: Final = r"^([0-9a-f]{2})*$"
ID_DIGITS: Final = 32
ID_PATTERN: Final = r"^[0-9a-f]{32}$"
"""16 bytes, as all parties' ids are: the same as above at that length, and found out in a third of the time."""
TIME_CHARS_MAX: Final = 35
SEALED_CHARS_MAX: Final = 1000
_TIME: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|([+-])(\d{2}):(\d{2}))", re.ASCII
)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000_000
_TIME_MAX: Final = 2**63 - 1
WORDS: Final = {
    TIME_PATTERN: "a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z",
    ASSET_PATTERN: "the letters of a currency, such as EUR",
    HEX_PATTERN: "lower-case hexadecimal digits, two for each byte",
    ID_PATTERN: "32 lower-case hexadecimal digits",
}
"""What a pattern asks for, in plain words."""


PartyId = Annotated[
    str,
    Meta(
        pattern=ID_PATTERN,
        min_length=ID_DIGITS,
        max_length=ID_DIGITS,
        description="A person's, shop's or institution's id",
    ),
]
"""A party as it comes in."""


class PartyTold(msgspec.Struct, frozen=True):
    """A person, shop or institution, as far as the reader may know it."""

    id: str
    """32 hexadecimal digits; empty for nobody."""
    name: str
    """Empty when unknown or erased."""
    kind: str
    """``person``, ``shop``, ``institution``, or empty."""


NOBODY_TOLD: Final = PartyTold("", "", "")


def write_time(time_ns: int) -> str:
    """Write nanoseconds since 1970 as RFC 3339 in UTC, with only the decimals that it needs."""
    seconds, rest = divmod(time_ns, _SECOND)
    text = _write_seconds(seconds)
    return f"{text}Z" if not rest else f"{text}.{rest:09d}".rstrip("0") + "Z"


@lru_cache(maxsize=4096)
def _write_seconds(seconds: int) -> str:
    return (_START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def read_time(text: str) -> int:
    """Read RFC 3339, with any offset and up to nine decimals, as nanoseconds since 1970 UTC.

    Refuses days and hours that do not exist, leap seconds, and what lies before 1970 or after 2262.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadInput(f"{text!r} is not {WORDS[TIME_PATTERN]}")
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    fraction, zone, sign, ahead_hours, ahead_minutes = match.group(7, 8, 9, 10, 11)
    try:
        offset = UTC
        if zone not in {"Z", "z"}:
            ahead = timedelta(hours=int(ahead_hours), minutes=int(ahead_minutes))
            offset = timezone(ahead if sign == "+" else -ahead)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=offset)
    except ValueError as error:
        raise BadInput(f"{text!r} is no time: {error}") from error
    since = moment - _START
    time_ns = (since.days * 86_400 + since.seconds) * _SECOND + int((fraction or "0").ljust(9, "0"))
    if not 0 <= time_ns <= _TIME_MAX:
        raise BadInput(f"{text!r} does not lie between 1970 and 2262")
    return time_ns


write_asset = lru_cache(maxsize=1024)(asset_code)
"""Write an asset as its letters."""


@lru_cache(maxsize=1024)
def read_asset(text: str) -> int:
    """Read an asset's letters, or ``#`` and its number."""
    return int(parse_asset(text))


def read_hex(text: str) -> bytes:
    """Read lower-case hexadecimal digits; the twin's pattern has checked them."""
    return bytes.fromhex(text)


def write_hex(data: bytes) -> str:
    """Write bytes as lower-case hexadecimal digits."""
    return data.hex()
