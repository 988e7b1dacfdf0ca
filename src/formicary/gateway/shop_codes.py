"""Our own codes of shops: EMV merchant codes that carry who is paid, and a mark that only this institution can make.

Account template 26 holds our name, the institution, the shop and perhaps the till; unreserved template 80 the order
and its end, and a truncated HMAC over all the rest of the code. So a code whose amount, name or payee was changed,
with a new checksum, is still found out. Ids stand as 22 characters of base64url.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Final, NamedTuple

from formicary.base.errors import BadInput
from formicary.rails import emvco
from formicary.rails.emvco import Account, Language, MerchantCode, Objects

OURS: Final = "org.formicary"
"""The globally unique identifier of our templates, a domain name reversed."""
ACCOUNT_ID: Final = "26"
MARK_ID: Final = "80"
_INSTITUTION, _SHOP, _TILL = "01", "02", "03"
_ORDER, _UNTIL, _MARK = "01", "02", "03"
MARK_BYTES: Final = 12
"""96 bits: nobody guesses it, and it is checked here alone."""
NAME_CHARS_MAX: Final = 25
CITY_CHARS_MAX: Final = 15
_DIGITS: Final = re.compile(r"[0-9]{1,10}")
_DOMAIN: Final = b"formicary code v1\n"


class ShopCode(NamedTuple):
    """Whom one of our codes pays, and for what."""

    institution: bytes
    shop: bytes
    till: bytes | None
    order: bytes | None
    until_s: int | None
    """End of the order, seconds since 1970; None for a printed code."""
    code: MerchantCode


class Label(NamedTuple):
    """How a shop is called on its codes."""

    name: str
    city: str
    country: str
    category: int


def write_shop_code(whom: ShopCode, label: Label, key: bytes, *, language: str = "ZH") -> str:
    """Write a code; ``whom.code`` gives amount, tip and additional data, and has no accounts of its own."""
    parts = [("00", OURS), (_INSTITUTION, _text(whom.institution)), (_SHOP, _text(whom.shop))]
    if whom.till is not None:
        parts.append((_TILL, _text(whom.till)))
    account = Account(ACCOUNT_ID, emvco.write_objects(tuple(parts)), tuple(parts))
    marked: list[tuple[str, str]] = [("00", OURS)]
    if whom.order is not None:
        marked.append((_ORDER, _text(whom.order)))
    if whom.until_s is not None:
        marked.append((_UNTIL, str(whom.until_s)))
    name, city = _plain(label.name)[:NAME_CHARS_MAX].strip(), _plain(label.city)[:CITY_CHARS_MAX].strip()
    other = None
    if not label.name.isascii():
        other = Language(language, label.name[:NAME_CHARS_MAX], label.city[:CITY_CHARS_MAX])
    code = MerchantCode(
        dynamic=whom.order is not None,
        accounts=(account,),
        category=f"{label.category:04}",
        currency=whom.code.currency,
        amount_minor=whom.code.amount_minor,
        tip=whom.code.tip,
        country=label.country,
        name=name or f"Shop {whom.shop.hex()[:6]}",
        city=city or label.country,
        additional=whom.code.additional,
        language=other,
        templates=((MARK_ID, emvco.write_objects(tuple(marked))),),
    )
    objects = emvco.read_objects(emvco.build(code))[:-1]
    mark = urlsafe_b64encode(_mark(objects, key)).decode()
    whole = tuple((name, _marked(value, mark) if name == MARK_ID else value) for name, value in objects)
    return emvco.sign(emvco.write_objects(whole))


def read_shop_code(code: MerchantCode) -> ShopCode | None:
    """Whom a code of ours pays, at whatever institution; None when it is not one of ours."""
    account = next((each for each in code.accounts if each.scheme_id.lower() == OURS), None)
    if account is None:
        return None
    parts = dict(account.parts)
    marked = dict(_mark_objects(code))
    until = marked.get(_UNTIL)
    if until is not None and not _DIGITS.fullmatch(until):
        raise BadInput("the end of the order is not a number of seconds", where=f"object {MARK_ID}")
    return ShopCode(
        institution=_id(parts, _INSTITUTION, ACCOUNT_ID) or b"",
        shop=_id(parts, _SHOP, ACCOUNT_ID) or b"",
        till=_id(parts, _TILL, ACCOUNT_ID, needed=False),
        order=_id(marked, _ORDER, MARK_ID, needed=False),
        until_s=None if until is None else int(until),
        code=code,
    )


def is_unaltered(text: str, key: bytes) -> bool:
    """Whether a code of this institution is as it was written, checked over the text itself."""
    objects = emvco.read_objects(text)[:-1]
    given = dict(_mark_objects(emvco.parse(text))).get(_MARK, "")
    right = urlsafe_b64encode(_mark(objects, key)).decode()
    return hmac.compare_digest(given.encode(), right.encode())


def _mark(objects: Objects, key: bytes) -> bytes:
    """HMAC-SHA256, its first 96 bits, over all objects but the mark itself and the checksum."""
    bare = tuple(
        (name, emvco.write_objects(tuple(each for each in emvco.read_objects(value) if each[0] != _MARK)))
        if name == MARK_ID
        else (name, value)
        for name, value in objects
    )
    return hmac.digest(key, _DOMAIN + emvco.write_objects(bare).encode(), "sha256")[:MARK_BYTES]


def _marked(value: str, mark: str) -> str:
    return emvco.write_objects((*emvco.read_objects(value), (_MARK, mark)))


def _mark_objects(code: MerchantCode) -> Objects:
    value = dict(code.templates).get(MARK_ID, "")
    parts = emvco.read_objects(value, where=f"object {MARK_ID}")
    return parts if dict(parts).get("00", "").lower() == OURS else ()


def _text(name: bytes) -> str:
    return urlsafe_b64encode(name).decode().rstrip("=")


def _id(parts: dict[str, str], name: str, where: str, *, needed: bool = True) -> bytes | None:
    text = parts.get(name)
    if text is None:
        if needed:
            raise BadInput(f"part {name} is missing", where=f"object {where}")
        return None
    try:
        found = urlsafe_b64decode(text + "==") if text.isascii() and len(text) == 22 else b""
    except NotBase64:
        found = b""
    if len(found) != 16 or _text(found) != text:
        raise BadInput(f"part {name} is not an id", where=f"object {where}")
    return found


def _plain(text: str) -> str:
    """The ASCII letters of a name, accents taken off; nothing of other scripts."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
