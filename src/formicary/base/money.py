"""Money: an int of minor units and the asset it counts. No float is ever made, and nothing is ever rounded.

An asset is a number, kept in every account and transfer. Three kinds share the numbers:

- 1 to 999: a currency, by its ISO 4217 numeric code (978 is EUR), with the standard's decimals;
- 1,001 and up: any other code of one to six characters A–Z and 0–9 with at least one letter (``POINTS``, ``BTC``,
  ``GOLD24``), read as a bijective base-36 number and added to 1,000, so that the code can be read back; no decimals;
- whatever is left has no name and is written ``#`` and its number; no decimals.

Text is parsed at the door, exactly, or refused with a message that says what was wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NewType, Self

import msgspec

from formicary.base import iso4217
from formicary.base.errors import BadInput

AssetId = NewType("AssetId", int)
"""An asset's number, 1 … 2³²-1."""

AMOUNT_MAX: Final = 2**63 - 1
"""Minor units; the same bound as the kernel's."""
ASSET_MAX: Final = 2**32 - 1
OTHER_ASSETS: Final = 1000
"""Codes that are not in ISO 4217 are numbered from here."""

_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODE: Final = re.compile(r"(?=.*[A-Z])[0-9A-Z]{1,6}")
_AMOUNT: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_OTHER_ASSET_LAST: Final = OTHER_ASSETS + sum(36**length for length in range(1, 7))

assert max(iso4217.BY_NUMBER) < OTHER_ASSETS
assert _OTHER_ASSET_LAST <= ASSET_MAX, "six characters must fit the number"


def parse_asset(text: str) -> AssetId:
    """Read an asset's code (``EUR``, ``POINTS``; capitals or not) or its number as ``#978``."""
    code = text.strip().upper()
    currency = iso4217.BY_CODE.get(code)
    if currency is not None:
        return AssetId(currency.number)
    if code.startswith("#"):
        return _parse_asset_number(code)
    if not _CODE.fullmatch(code):
        raise BadInput(f"{text!r} is not an asset: 1 to 6 of A-Z and 0-9 with a letter among them, or # and a number")
    number = 0
    for character in code:
        number = number * 36 + _LETTERS.index(character) + 1
    return AssetId(OTHER_ASSETS + number)


def asset_code(asset: int) -> str:
    """Write an asset's code, so that :func:`parse_asset` reads the same number back."""
    currency = iso4217.BY_NUMBER.get(asset)
    if currency is not None:
        return currency.code
    number, code = asset - OTHER_ASSETS, ""
    while number > 0:
        number, digit = divmod(number - 1, 36)
        code = _LETTERS[digit] + code
    return code if _CODE.fullmatch(code) and code not in iso4217.BY_CODE else f"#{asset}"


def asset_decimals(asset: int) -> int:
    """Tell how many decimals the asset's minor unit has: 2 for EUR, 0 for JPY and for every code of one's own."""
    currency = iso4217.BY_NUMBER.get(asset)
    return 0 if currency is None else currency.decimals


def parse_minor(text: str, decimals: int, *, signed: bool = False) -> int:
    """Read a decimal string such as ``1234.5`` as minor units, exactly.

    Refuses what would need rounding or guessing: more decimals than the asset has (even zeros), a comma, an exponent,
    a bare point, other scripts' digits, a minus unless ``signed``, and anything beyond ``AMOUNT_MAX``.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise BadInput(_why_no_amount(text))
    minus, whole, fraction = match[1], match[2], match[3] or ""
    if minus and not signed:
        raise BadInput(f"{text!r} is negative")
    if len(fraction) > decimals:
        raise BadInput(f"{text!r} has {len(fraction)} decimals, more than the {decimals} of its asset")
    digits = (whole + fraction.ljust(decimals, "0")).lstrip("0")
    if len(digits) > len(str(AMOUNT_MAX)) or int(digits or "0") > AMOUNT_MAX:
        raise BadInput(f"{text!r} is more than a ledger can hold, {format_minor(AMOUNT_MAX, decimals)}")
    return -int(digits or "0") if minus else int(digits or "0")


def format_minor(amount_minor: int, decimals: int, *, grouped: bool = False) -> str:
    """Write minor units as a decimal string with all its decimals; ``grouped`` puts commas, for people only."""
    whole, fraction = divmod(abs(amount_minor), 10**decimals)
    sign = "-" if amount_minor < 0 else ""
    text = f"{sign}{whole:,}" if grouped else f"{sign}{whole}"
    return f"{text}.{fraction:0{decimals}}" if decimals else text


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Divide minor units by weight; the earliest shares take the remainder, one unit each.

    The shares add up to ``total`` exactly and a share of weight zero is zero. Refuses a negative total or weight, and
    weights that are all zero.
    """
    weight_total = sum(weights)
    if total < 0 or weight_total <= 0 or min(weights) < 0:
        raise BadInput("a split needs a total and weights that are not negative, and one weight above zero")
    shares = [total * weight // weight_total for weight in weights]
    rest = total - sum(shares)
    for place, weight in enumerate(weights):
        if rest and weight:
            shares[place] += 1
            rest -= 1
    assert rest == 0, "the remainder is smaller than the number of shares that have weight"
    return shares


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount of one asset. ``str(money)`` is ``12.50 EUR``; sums of two assets are refused."""

    amount_minor: int
    asset: AssetId

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``12.50 EUR``: an amount, a space, an asset."""
        amount, _, code = text.strip().partition(" ")
        asset = parse_asset(code)
        return cls(parse_minor(amount, asset_decimals(asset), signed=True), asset)

    def __str__(self) -> str:
        return f"{format_minor(self.amount_minor, asset_decimals(self.asset))} {asset_code(self.asset)}"

    def __add__(self, other: Money) -> Money:
        self._same_asset(other)
        return Money(self.amount_minor + other.amount_minor, self.asset)

    def __sub__(self, other: Money) -> Money:
        self._same_asset(other)
        return Money(self.amount_minor - other.amount_minor, self.asset)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Divide by weight as :func:`split` does."""
        return [Money(share, self.asset) for share in split(self.amount_minor, weights)]

    def _same_asset(self, other: Money) -> None:
        if self.asset != other.asset:
            raise BadInput(f"{asset_code(self.asset)} and {asset_code(other.asset)} do not add up")


def _parse_asset_number(code: str) -> AssetId:
    digits = code[1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(ASSET_MAX))):
        raise BadInput(f"{code!r} is not an asset: after # comes a number")
    number = int(digits)
    if not 0 < number <= ASSET_MAX:
        raise BadInput(f"{code!r} is not an asset: the number is 1 to {ASSET_MAX}")
    return AssetId(number)


def _why_no_amount(text: str) -> str:
    """Say what keeps ``text`` from being an amount, so that the reader need not guess which rule it broke."""
    if not text.strip():
        return "the amount is missing"
    if "," in text or "'" in text or any(character.isspace() for character in text.strip()):
        return f"{text!r} has a separator; write digits and one point, as 1234.50"
    if text.startswith("+"):
        return f"{text!r} has a plus sign; leave it out"
    if re.fullmatch(r"-?[0-9.]+[eE][-+]?[0-9]+", text):
        return f"{text!r} is in exponent form; write all its digits"
    return f"{text!r} is not an amount; write digits and one point, as 1234.50"
