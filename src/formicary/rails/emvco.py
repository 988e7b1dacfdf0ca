"""EMV QR codes, merchant-presented (EMVCo QRCPS, version 1.1): read and written whole, exactly.

A code is text: data objects of two digits id, two digits length (in characters) and value, some of which hold data
objects themselves; the last is a checksum. Two layers:

- :func:`read_objects` and :func:`write_objects`: ids and values in their order, nothing lost, nothing added;
- :class:`MerchantCode`: what they mean, as :func:`parse` reads and :func:`build` writes it:
  ``parse(build(code)) == code``.

Whatever can't be read is refused with :class:`BadInput`, saying what is wrong and at which character (from 0) of which
object. Reading is as lenient as real codes need (names longer than 25, objects out of order, lengths counted in UTF-8
bytes, payload format 02 as in Malaysia); writing keeps to the letter.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from typing import Final, Literal, NamedTuple

import msgspec

from formicary.base.errors import BadInput
from formicary.base.iso4217 import BY_NUMBER
from formicary.base.money import AMOUNT_MAX, asset_decimals, format_minor, parse_minor

CODE_CHARS_MAX: Final = 512
"""Characters of one code, as the standard has it."""
VALUE_CHARS_MAX: Final = 99
Objects = tuple[tuple[str, str], ...]
"""Ids of two digits, and values, in their order."""

_ID: Final = re.compile(r"[0-9]{2}")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{0,12})?")
_PERCENT: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2})?")
_CRC_OBJECT: Final = "6304"
_FORMATS: Final = ("01", "02")
_ACCOUNTS: Final = tuple(f"{number:02}" for number in range(2, 52))
_TEMPLATES: Final = frozenset(f"{number:02}" for number in range(26, 52))
_UNRESERVED: Final = tuple(f"{number:02}" for number in range(80, 100))
_RESERVED: Final = tuple(f"{number:02}" for number in range(65, 80))
"""For EMVCo's later use: read, kept, and written as they were."""
TIP_PERCENT_MAX: Final = 9999
"""Hundredths of a per cent: 99.99 %."""


class Account(msgspec.Struct, frozen=True):
    """Merchant account information, objects 02 to 51: whose scheme, and who is paid there."""

    id: str
    value: str
    parts: Objects = ()
    """What stands in a template (26 to 51); the first is 00, the scheme's own name. Empty for 02 to 25."""

    @property
    def scheme_id(self) -> str:
        """The globally unique identifier of a template; empty for what has none."""
        return dict(self.parts).get("00", "")


class TipAsk(msgspec.Struct, frozen=True):
    """The payer is asked for a tip (55 is 01)."""


class TipFixed(msgspec.Struct, frozen=True):
    """A fixed convenience fee (55 is 02, 56) in minor units of the currency."""

    amount_minor: int


class TipPercent(msgspec.Struct, frozen=True):
    """A convenience fee of so many hundredths of a per cent (55 is 03, 57): 1 to 9999."""

    hundredths: int


class Language(msgspec.Struct, frozen=True):
    """Name and city in another language (64)."""

    code: str
    """ISO 639-1, such as ``ZH``."""
    name: str
    city: str = ""
    rest: Objects = ()


class MerchantCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code. Texts are empty and numbers None where the code does not say."""

    dynamic: bool | None = None
    """Point of initiation (01): a code for one transaction (12), or for many (11)."""
    accounts: tuple[Account, ...]
    category: str = ""
    """ISO 18245, four digits (52)."""
    currency: int | None = None
    """ISO 4217, numeric (53)."""
    amount_minor: int | None = None
    """In minor units of ``currency`` (54)."""
    tip: TipAsk | TipFixed | TipPercent | None = None
    country: str = ""
    name: str = ""
    city: str = ""
    postcode: str = ""
    additional: Objects = ()
    """Bill number 01, mobile 02, store 03, loyalty 04, reference 05, customer 06, terminal 07, purpose 08, asked data
    09, tax id 10, channel 11, schemes' own templates 50 to 99 (62)."""
    language: Language | None = None
    reserved: Objects = ()
    """65 to 79."""
    templates: Objects = ()
    """Unreserved templates, 80 to 99: each value holds objects, the first of which names whose it is."""
    payload_format: Literal["01", "02"] = "01"


class Found(NamedTuple):
    """One data object where it stands."""

    id: str
    value: str
    at: int
    """Character at which the object begins."""


def checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE (ISO/IEC 13239, polynomial 1021, from FFFF) of the UTF-8 bytes: four capital hex digits."""
    return f"{crc_hqx(text.encode(), 0xFFFF):04X}"


def is_emv(text: str) -> bool:
    """Whether a text begins as every EMV code does: a payload format indicator."""
    return text[:6] in {f"0002{number}" for number in _FORMATS}


# ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_objects(text: str, *, where: str = "code", offset: int = 0) -> Objects:
    """Split into ids and values; refuses truncation, letters for digits, and an id that is there twice."""
    return tuple((found.id, found.value) for found in _walk(text, where=where, offset=offset))


def write_objects(objects: Objects) -> str:
    """Put ids and values together; refuses an id that is no two digits, twice there, or a value of 0 or over 99."""
    seen = set()
    pieces = []
    for name, value in objects:
        if not _ID.fullmatch(name) or name in seen:
            raise BadInput("an id has two digits and stands once", where=f"object {name}")
        if not 1 <= len(value) <= VALUE_CHARS_MAX:
            raise BadInput(f"a value has 1 to 99 characters, not {len(value)}", where=f"object {name}")
        seen.add(name)
        pieces.append(f"{name}{len(value):02}{value}")
    return "".join(pieces)


def _walk(text: str, *, where: str, offset: int) -> list[Found]:
    found: list[Found] = []
    seen = set()
    at = 0
    while at < len(text):
        place = f"{where}, character {offset + at}"
        head = text[at : at + 4]
        if len(head) < 4 or not (head.isascii() and head.isdigit()):
            raise BadInput(f"two digits id and two digits length are needed, not {head!r}", where=place)
        name, length = head[:2], int(head[2:])
        value = text[at + 4 : at + 4 + length]
        if len(value) < length:
            left = len(text) - at - 4
            raise BadInput(f"object {name} says {length} characters, and {left} are left", where=place)
        if not length:
            raise BadInput(f"object {name} is empty", where=place)
        if name in seen:
            raise BadInput(f"object {name} is there twice", where=place)
        seen.add(name)
        found.append(Found(name, value, offset + at))
        at += 4 + length
    return found


# ── codes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse(text: str) -> MerchantCode:
    """Read a code; refuses what is not one, what was cut, what was altered (``code_altered``), and what contradicts."""
    found = {each.id: each for each in _objects_of(text)}
    accounts = tuple(_account(found[name]) for name in _ACCOUNTS if name in found)
    if not accounts:
        raise BadInput("there is no merchant account (02 to 51): nobody could be paid", where="code")
    currency = _currency(found.get("53"))
    reserved = tuple((name, found[name].value) for name in _RESERVED if name in found)
    templates = tuple((name, found[name].value) for name in _UNRESERVED if name in found)
    return MerchantCode(
        dynamic=_dynamic(found.get("01")),
        accounts=accounts,
        category=_value(found, "52"),
        currency=currency,
        amount_minor=_amount(found.get("54"), currency),
        tip=_tip(found, currency),
        country=_value(found, "58"),
        name=_value(found, "59"),
        city=_value(found, "60"),
        postcode=_value(found, "61"),
        additional=_inside(found["62"]) if "62" in found else (),
        language=_language(found["64"]) if "64" in found else None,
        reserved=reserved,
        templates=templates,
        payload_format="02" if found["00"].value == "02" else "01",
    )


def build(code: MerchantCode) -> str:
    """Write a code, its checksum last; refuses what the standard does not allow."""
    objects: list[tuple[str, str]] = [("00", code.payload_format)]
    if code.dynamic is not None:
        objects.append(("01", "12" if code.dynamic else "11"))
    accounts = sorted(code.accounts, key=lambda each: each.id)
    objects += [(_checked_id(each.id, _ACCOUNTS), write_objects(each.parts) or each.value) for each in accounts]
    decimals = asset_decimals(code.currency or 0)
    amount = None if code.amount_minor is None else format_minor(code.amount_minor, decimals)
    if amount is not None and (code.currency is None or code.amount_minor is None or code.amount_minor <= 0):
        raise BadInput("an amount is above zero and needs a currency", where="object 54")
    texts = (
        ("52", code.category, 4),
        ("53", "" if code.currency is None else f"{code.currency:03}", 3),
        ("54", amount or "", 13),
        *_tip_objects(code.tip, decimals),
        ("58", code.country, 2),
        ("59", code.name, 25),
        ("60", code.city, 15),
        ("61", code.postcode, 10),
        ("62", write_objects(code.additional), VALUE_CHARS_MAX),
        ("64", _language_text(code.language), VALUE_CHARS_MAX),
    )
    for name, value, most in texts:
        if len(value) > most:
            raise BadInput(f"at most {most} characters, not {len(value)}", where=f"object {name}")
        if value:
            objects.append((name, value))
    objects += [(_checked_id(name, _RESERVED), value) for name, value in code.reserved]
    objects += [(_checked_id(name, _UNRESERVED), value) for name, value in code.templates]
    return sign(write_objects(tuple(objects)))


def sign(body: str) -> str:
    """Put the checksum behind a code's other objects; refuses one that is then too long."""
    text = body + _CRC_OBJECT
    if len(text) + 4 > CODE_CHARS_MAX:
        raise BadInput(f"a code has at most {CODE_CHARS_MAX} characters, not {len(text) + 4}", where="code")
    return text + checksum(text)


def _objects_of(text: str) -> list[Found]:
    """The objects of a code whose frame is right: format first, checksum last and true."""
    if len(text) > CODE_CHARS_MAX:
        raise BadInput(f"a code has at most {CODE_CHARS_MAX} characters, not {len(text)}", where="code")
    if not is_emv(text):
        raise BadInput("a code begins with its payload format, 000201", where="code, character 0")
    found = _walk_any(text, where="code", offset=0, last="63")
    if found[-1].id != "63" or len(found[-1].value) != 4:
        raise BadInput("the checksum (63, four hex digits) has to be last", where="code")
    if any(each.id == "63" for each in found[:-1]):
        raise BadInput("the checksum (63) has to be last", where="code")
    given, right = found[-1].value.upper(), checksum(text[:-4])
    if given != right:
        message = f"the checksum is {given} and should be {right}: the code was altered or read wrongly"
        raise BadInput(message, where=f"code, character {found[-1].at}", code="code_altered")
    return found[:-1]


def _walk_any(text: str, *, where: str, offset: int, last: str = "") -> list[Found]:
    """Objects whose lengths count characters, as the standard has it, or else UTF-8 bytes, as some banks write them."""
    try:
        found = _walk(text, where=where, offset=offset)
    except BadInput:
        if text.isascii():
            raise
    else:
        if text.isascii() or last in {"", found[-1].id}:
            return found
    try:
        raw = text.encode().decode("latin-1")
        walked = _walk(raw, where=where, offset=offset)
        return [Found(each.id, each.value.encode("latin-1").decode(), each.at) for each in walked]
    except UnicodeError:
        raise BadInput("a length cuts a character in two", where=where) from None


def _value(found: dict[str, Found], name: str) -> str:
    return found[name].value if name in found else ""


def _inside(found: Found) -> Objects:
    walked = _walk_any(found.value, where=f"object {found.id}", offset=found.at + 4)
    return tuple((each.id, each.value) for each in walked)


def _account(found: Found) -> Account:
    """One account; a template is read into its parts."""
    if found.id not in _TEMPLATES:
        return Account(found.id, found.value)
    parts = _inside(found)
    if not parts or parts[0][0] != "00":
        message = "a merchant account template begins with whose it is (00)"
        raise BadInput(message, where=f"object {found.id}, character {found.at + 4}")
    return Account(found.id, found.value, parts)


def _dynamic(found: Found | None) -> bool | None:
    """Point of initiation; its first digit says how it is shown (1 QR), which does not matter here."""
    if found is None:
        return None
    if found.value not in {"11", "12"}:
        raise BadInput(f"the point of initiation is 11 or 12, not {found.value!r}", where=_place(found))
    return found.value == "12"


def _currency(found: Found | None) -> int | None:
    if found is None:
        return None
    if not (len(found.value) == 3 and found.value.isascii() and found.value.isdigit()):
        raise BadInput(f"a currency has three digits, not {found.value!r}", where=_place(found))
    if int(found.value) not in BY_NUMBER:
        raise BadInput(f"{found.value} is no currency of ISO 4217", where=_place(found))
    return int(found.value)


def _amount(found: Found | None, currency: int | None) -> int | None:
    """Minor units; decimals that the currency does not have may only be zeros."""
    if found is None:
        return None
    if currency is None:
        raise BadInput("an amount needs a currency (53)", where=_place(found))
    if not _AMOUNT.fullmatch(found.value):
        raise BadInput(f"{found.value!r} is not an amount", where=_place(found))
    decimals = asset_decimals(currency)
    whole, _, fraction = found.value.partition(".")
    if fraction[decimals:].strip("0"):
        raise BadInput(f"{found.value} has more than the {decimals} decimals of its currency", where=_place(found))
    kept = fraction[:decimals]
    minor = parse_minor(f"{whole}.{kept}" if kept else whole, decimals)
    assert minor <= AMOUNT_MAX, "twelve digits fit"
    return minor


def _tip(found: dict[str, Found], currency: int | None) -> TipAsk | TipFixed | TipPercent | None:
    indicator = found.get("55")
    if indicator is None:
        for name in ("56", "57"):
            if name in found:
                raise BadInput("a convenience fee needs its indicator (55)", where=_place(found[name]))
        return None
    if indicator.value == "01":
        return TipAsk()
    if indicator.value == "02":
        fee = _amount(found.get("56"), currency)
        if fee is None:
            raise BadInput("indicator 02 needs the fee (56)", where=_place(indicator))
        return TipFixed(fee)
    if indicator.value == "03" and "57" in found:
        return TipPercent(_percent(found["57"]))
    raise BadInput(
        f"the tip indicator is 01, 02 with 56, or 03 with 57, not {indicator.value!r}", where=_place(indicator)
    )


def _percent(found: Found) -> int:
    if not _PERCENT.fullmatch(found.value):
        raise BadInput(f"{found.value!r} is not a percentage from 00.01 to 99.99", where=_place(found))
    whole, _, fraction = found.value.partition(".")
    hundredths = int(whole) * 100 + int(fraction.ljust(2, "0") or "0")
    if not 0 < hundredths <= TIP_PERCENT_MAX:
        raise BadInput(f"{found.value!r} is not a percentage from 00.01 to 99.99", where=_place(found))
    return hundredths


def _language(found: Found) -> Language:
    parts = dict(_inside(found))
    if "00" not in parts or "01" not in parts:
        raise BadInput("a language (00) and a name (01) are needed", where=_place(found))
    rest = tuple((name, value) for name, value in parts.items() if name not in {"00", "01", "02"})
    return Language(parts["00"], parts["01"], parts.get("02", ""), rest)


def _language_text(language: Language | None) -> str:
    if language is None:
        return ""
    city = (("02", language.city),) if language.city else ()
    return write_objects((("00", language.code), ("01", language.name), *city, *language.rest))


def _tip_objects(tip: TipAsk | TipFixed | TipPercent | None, decimals: int) -> tuple[tuple[str, str, int], ...]:
    if tip is None:
        return ()
    if isinstance(tip, TipAsk):
        return (("55", "01", 2),)
    if isinstance(tip, TipFixed):
        return (("55", "02", 2), ("56", format_minor(tip.amount_minor, decimals), 13))
    if not 0 < tip.hundredths <= TIP_PERCENT_MAX:
        raise BadInput("a percentage is from 00.01 to 99.99", where="object 57")
    return (("55", "03", 2), ("57", f"{tip.hundredths // 100:02}.{tip.hundredths % 100:02}", 5))


def _checked_id(name: str, allowed: tuple[str, ...]) -> str:
    if name not in allowed:
        raise BadInput(f"an id from {allowed[0]} to {allowed[-1]} is needed", where=f"object {name}")
    return name


def _place(found: Found) -> str:
    return f"object {found.id}, character {found.at}"
