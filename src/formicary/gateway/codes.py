"""Reading whatever a camera saw, and drawing codes: orders, tills, links, and any text.

What is ours is checked before it is paid: an altered code is refused, an old or used one is told with its reason. Codes
of other schemes are read and named, and are not payable here unless their institution is connected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from starlette.responses import Response

from formicary.base.errors import BadInput, Refusal
from formicary.base.money import asset_code, parse_asset
from formicary.gateway.charging import Currency, Positive
from formicary.gateway.edge_values import PartyTold
from formicary.gateway.naming import read_alias
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.shared import time_text
from formicary.gateway.shop_codes import Label, ShopCode, is_unaltered, read_shop_code, write_shop_code
from formicary.gateway.signing_up import find
from formicary.products.anatomy import Access
from formicary.rails import emvco, schemes
from formicary.rails.emvco import MerchantCode, TipAsk, TipFixed, TipPercent
from formicary.rails.qr_image import qr_svg
from formicary.vault import INSTITUTION

if TYPE_CHECKING:
    from formicary.gateway.door import Door

TEXT_CHARS_MAX: Final = 4096
SECOND_NS: Final = 1_000_000_000
PAYER_DIGITS: Final = re.compile(r"[0-9]{18}")
ALIAS: Final = re.compile(r"@[A-Za-z][A-Za-z0-9._]{1,29}")
LINK: Final = re.compile(r"(?:/#)?/(pay|send|packet|request|stay|till)/([^/?#\s]{1,64})(?:/([0-9a-f]{32}))?/?(?:\?.*)?")
ID: Final = re.compile(r"[0-9a-f]{32}")
CODES: Final = {
    "code_altered": "This code was changed since it was made, or was read wrongly. Don't pay it; ask the shop.",
    "code_not_routable": "This code belongs to a payment scheme that is not connected here.",
    "code_is_a_payers": "This is the code of somebody who wants to pay: a till scans it.",
    "code_not_payable": "The shop or till of this code takes no payments now.",
}
"""``code_expired`` and ``code_used`` are the shop product's own."""
IMAGE: Final = "image/svg+xml"


class ReadCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was scanned, as text."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARS_MAX)]


class CodeTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a code is. ``kind``: shop_order, shop_till, person, packet, request, stay, payer or other_scheme."""

    kind: str
    payable: bool
    code: str = ""
    """Why it can't be paid; one of the reference's codes."""
    why: str = ""
    """The same in plain words."""
    shop: PartyTold | None = None
    order: str | None = None
    till: str | None = None
    person: PartyTold | None = None
    packet: str | None = None
    request: str | None = None
    stay: str | None = None
    asset: str | None = None
    amount_minor: int | None = None
    tip: str | None = None
    """none, ask, fixed or percent."""
    number: str | None = None
    until: str | None = None
    institution: str | None = None
    """Where the payee is, when elsewhere: 32 hexadecimal digits."""
    name: str | None = None
    """How the code itself calls the payee."""
    schemes: tuple[str, ...] = ()
    """Names of the schemes that the code is for."""


class TillCodeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A printed code; with an amount if it is always the same."""

    asset: Currency | None = None
    amount_minor: Positive | None = None


class CodeDrawn(msgspec.Struct, frozen=True):
    """A code to show or print."""

    text: str
    """What the QR code holds."""
    link: str
    """The same as an address of our pages."""
    qr: str
    """A picture, as SVG."""
    until: str = ""


class DrawAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to draw."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1200)]


def routes(_door: Door) -> list[Route]:
    """Reading and drawing codes."""
    return [
        Route(
            method="POST", path="/v1/codes:read", handle=read_code, summary="Tell what a scanned code is",
            body=ReadCode,
            answer=CodeTold, scope="pay:read", body_bytes_max=32 << 10,
            codes=("code_altered", "code_not_understood", "bad_input"),
        ),
        Route(
            method="GET", path="/v1/shop/{shop}/tills/{till}/code", handle=till_code,
            summary="Draw a till's code to print",
            scope="shop:read", query=TillCodeAsked, answer=CodeDrawn, codes=("shop_not_found", "till_not_found"),
        ),
        Route(
            method="GET", path="/v1/orders/{order}/code", handle=order_code, summary="Draw the code of an order",
            access=Access.ANYONE, answer=CodeDrawn, codes=("shop_order_not_found",),
        ),
        Route(
            method="GET", path="/v1/qr", handle=draw, summary="Draw any text as a QR code", access=Access.ANYONE,
            query=DrawAsked, media=IMAGE,
        ),
    ]  # fmt: skip


# ── drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def draw(asked: Asked) -> Response:
    """Draw a text; the picture holds nothing that runs."""
    svg = await asked.door.aside(qr_svg, asked.query.text)
    headers = {"Cache-Control": "private, max-age=3600", "Content-Security-Policy": "default-src 'none'"}
    return Response(svg, media_type=IMAGE, headers=headers)


async def till_code(asked: Asked) -> CodeDrawn:
    """Write a till's static code."""
    door, query = asked.door, asked.query
    shop, till = _path_id(asked, "shop"), _path_id(asked, "till")
    found = await door.ask("shop.till", asked.caller.party, door.asked("shop.till", shop=shop, till=till))
    if (query.asset is None) != (query.amount_minor is None):
        raise BadInput("a currency and an amount come together", where="asset")
    content = MerchantCode(
        accounts=(),
        currency=found.assets[0] if query.asset is None else parse_asset(query.asset),
        amount_minor=query.amount_minor,
        tip=TipAsk() if found.tip == "ask" else None,
    )
    whom = ShopCode(door.config.institution, shop, till, None, None, content)
    link = f"{door.config.public_origin}/#/till/{shop.hex()}/{till.hex()}"
    return await _drawn(door, whom, found.country, found.category, link)


async def order_code(asked: Asked) -> CodeDrawn:
    """Write an order's code, which ends with the order."""
    door, name = asked.door, _path_id(asked, "order")
    order = await door.ask("shop.order", asked.caller.party, door.asked("shop.order", order=name))
    shop = await door.ask("shop.shop", b"", door.asked("shop.shop", shop=order.shop))
    tips: dict[str, TipAsk | TipFixed | TipPercent] = {
        "ask": TipAsk(),
        "fixed": TipFixed(order.tip_value),
        "percent": TipPercent(min(order.tip_value, emvco.TIP_PERCENT_MAX)),
    }
    content = MerchantCode(
        accounts=(),
        currency=order.asset,
        amount_minor=order.amount_minor,
        tip=tips.get(order.tip),
        additional=(("01", order.number),) if order.number else (),
    )
    until_s = order.until_ns // SECOND_NS
    whom = ShopCode(door.config.institution, order.shop, order.till, name, until_s, content)
    link = f"{door.config.public_origin}/pay/{name.hex()}"
    drawn = await _drawn(door, whom, shop.country, shop.category, link)
    return msgspec.structs.replace(drawn, until=time_text(order.until_ns))


async def _drawn(door: Door, whom: ShopCode, country: str, category: int, link: str) -> CodeDrawn:
    fields = await door.aside(door.vault.get, whom.shop)
    label = Label(fields.get("name", ""), fields.get("city", ""), country, category)
    text = write_shop_code(whom, label, await _key(door))
    return CodeDrawn(text, link, await door.aside(qr_svg, text))


async def _key(door: Door) -> bytes:
    return await door.aside(door.vault.secret, INSTITUTION, "codes")


def _path_id(asked: Asked, name: str) -> bytes:
    text = asked.path[name]
    if not ID.fullmatch(text):
        raise BadInput("32 lower-case hexadecimal digits are needed", where=name)
    return bytes.fromhex(text)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def read_code(asked: Asked) -> CodeTold:
    """Tell what was scanned; refuses what is broken, altered or no code at all, with what and where."""
    door, text = asked.door, asked.body.text.strip()
    if emvco.is_emv(text):
        return await _emv(asked, text)
    if PAYER_DIGITS.fullmatch(text):
        return _no(door, "payer", "code_is_a_payers")
    if ALIAS.fullmatch(text):
        return await _person(asked, await find(door, "alias", read_alias(text)))
    path = text.removeprefix(door.config.public_origin) if "://" in text else text
    link = LINK.fullmatch(path)
    if link is not None:
        return await _link(asked, link[1], link[2], link[3])
    scheme = schemes.scheme_of_text(text)
    if scheme is not None:
        return _no(door, "other_scheme", "code_not_routable", schemes=(scheme.title,))
    raise BadInput("this is neither a payment code nor one of our links", where="text", code="code_not_understood")


async def _emv(asked: Asked, text: str) -> CodeTold:
    door = asked.door
    code = emvco.parse(text)
    ours = read_shop_code(code)
    if ours is None:
        titles = tuple(scheme.title for scheme in schemes.schemes_of(code))
        return _no(door, "other_scheme", "code_not_routable", schemes=titles, **_shown(code))
    if ours.institution != door.config.institution:
        return await _elsewhere(asked, ours)
    if not is_unaltered(text, await _key(door)):
        raise BadInput(CODES["code_altered"], where="text", code="code_altered")
    if ours.order is not None:
        return await _order(asked, ours.order)
    if ours.till is not None:
        return await _till(asked, ours.shop, ours.till, **_shown(code))
    raise BadInput("the code names neither order nor till", where="object 26")


async def _elsewhere(asked: Asked, ours: ShopCode) -> CodeTold:
    """A shop of another institution: payable when it is connected, whatever it is called."""
    door = asked.door
    connected = False
    if "clearing.institutions" in door.registry.queries:
        query = door.asked("clearing.institutions", limit=100)
        known = await door.ask("clearing.institutions", asked.caller.party, query)
        connected = any(each.institution == ours.institution and not each.own for each in known.items)
    told: dict[str, Any] = {
        **_shown(ours.code),
        "kind": "shop_order" if ours.order is not None else "shop_till",
        "institution": ours.institution.hex(),
        "shop": PartyTold(ours.shop.hex(), ours.code.name, "shop"),
        "order": None if ours.order is None else ours.order.hex(),
        "till": None if ours.till is None else ours.till.hex(),
    }
    if ours.until_s is not None and ours.until_s * SECOND_NS <= door.now_ns():
        return _no(door, code="code_expired", **told)
    return CodeTold(payable=True, **told) if connected else _no(door, code="code_not_routable", **told)


async def _order(asked: Asked, name: bytes) -> CodeTold:
    door = asked.door
    try:
        order = await door.ask("shop.order", asked.caller.party, door.asked("shop.order", order=name))
    except Refusal as refusal:
        return _no(door, "shop_order", refusal.code, order=name.hex())
    shop = await door.ask("shop.shop", b"", door.asked("shop.shop", shop=order.shop))
    told: dict[str, Any] = {
        "kind": "shop_order",
        "order": name.hex(),
        "shop": (await door.people.told(asked.caller.party, (order.shop,)))[order.shop],
        "till": None if order.till is None else order.till.hex(),
        "asset": asset_code(order.asset),
        "amount_minor": order.amount_minor,
        "tip": order.tip,
        "number": order.number or None,
        "until": time_text(order.until_ns),
    }
    # An idle ledger's newest entry may be old: our own clock says better whether the order's time is over.
    late = order.state == "open" and order.until_ns <= door.now_ns()
    why = {
        "paid": "code_used",
        "expired": "code_expired",
        "withdrawn": "shop_order_withdrawn",
        "held": "shop_order_held",
    }.get("expired" if late else order.state, "" if shop.state == "open" else "code_not_payable")
    return _no(door, code=why, **told) if why else CodeTold(payable=True, **told)


async def _till(asked: Asked, shop: bytes, till: bytes, **shown: Any) -> CodeTold:  # noqa: ANN401 - fields of the answer
    door = asked.door
    told: dict[str, Any] = {"asset": None, **shown, "kind": "shop_till", "till": till.hex()}
    try:
        found = await door.ask("shop.till", asked.caller.party, door.asked("shop.till", shop=shop, till=till))
    except Refusal as refusal:
        return _no(door, code=refusal.code, **told)
    told["shop"] = (await door.people.told(asked.caller.party, (shop,)))[shop]
    told["asset"] = told["asset"] or asset_code(found.assets[0])
    told["tip"] = found.tip
    if found.state != "open":
        return _no(door, code="till_removed" if found.state == "removed" else "code_not_payable", **told)
    return CodeTold(payable=True, **told)


async def _person(asked: Asked, party: bytes) -> CodeTold:
    told = (await asked.door.people.told(asked.caller.party, (party,)))[party] if party else None
    if told is None or not told.kind:
        raise Problem("person_not_found")
    return CodeTold(kind="person", payable=True, person=told)


async def _link(asked: Asked, what: str, name: str, rest: str | None) -> CodeTold:
    """One of our own links."""
    if what == "send" and ALIAS.fullmatch(name):
        return await _person(asked, await find(asked.door, "alias", read_alias(name)))
    if not ID.fullmatch(name):
        raise BadInput("the link's id has 32 lower-case hexadecimal digits", where="text")
    if what == "till":
        if rest is None:
            raise BadInput("the link names a shop and a till", where="text")
        return await _till(asked, bytes.fromhex(name), bytes.fromhex(rest))
    if what == "pay":
        return await _order(asked, bytes.fromhex(name))
    if what == "send":
        return await _person(asked, bytes.fromhex(name))
    named: dict[str, Any] = {what: name}
    return CodeTold(kind=what, payable=True, **named)


def _shown(code: MerchantCode) -> dict[str, Any]:
    """What the code itself says, which people should see whatever becomes of it."""
    return {
        "name": (code.language.name if code.language is not None else code.name) or None,
        "asset": None if code.currency is None else asset_code(code.currency),
        "amount_minor": code.amount_minor,
        "number": dict(code.additional).get("01"),
    }


def _no(door: Door, kind: str, code: str, **told: Any) -> CodeTold:  # noqa: ANN401 - fields of the answer
    """Not payable, and why."""
    return CodeTold(kind=kind, payable=False, code=code, why=door.codes.get(code, code), **told)
