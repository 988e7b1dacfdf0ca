"""Receipts of whatever stands in one's statement: also of what is no payment of the activity list, and for a shop.

``GET /v1/receipts/{transfer}`` (``explorer.py``) gives the receipt of a payment to its two parties. A statement also
has lines that are none: a fee, money that a bank sent back, what the institution booked. Whoever may have the statement
may have the receipt of each of its lines, by the line's ``transfer``; so do the managers of a shop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from starlette.responses import Response

from formicary.base.errors import BadInput, Refusal
from formicary.base.ids import parse_id
from formicary.gateway.edge_values import HEX_PATTERN
from formicary.gateway.explorer import qr_svg
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.statement.subjects import subjects_of
from formicary.machine.receipt_forms import write_json, write_text

if TYPE_CHECKING:
    from formicary.gateway.door import Door

NOT_FOUND: Final = "There is no such movement on an account of yours."


class LineReceiptAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which form: the file (``json``), the text of its QR code (``text``), or a picture of it (``qr``, ``svg``)."""

    form: Literal["json", "text", "qr", "svg"] = "json"
    shop: Annotated[str, msgspec.Meta(pattern=HEX_PATTERN, min_length=32, max_length=32)] | None = None
    """A shop that you own or manage, instead of yourself."""


async def receipt(asked: Asked) -> Response:
    """Answer the receipt of a transfer that touched an account of the caller's, or of the shop's."""
    door = asked.door
    try:
        number = parse_id(asked.path["transfer"])
    except BadInput:
        raise Problem("receipt_not_found", NOT_FOUND) from None
    subjects = await subjects_of(door, asked.caller, asked.query.shop)
    found = await door.aside(door.ledger.transfer, number)
    if found is None or not {found.debit, found.credit} & {subject.account for subject in subjects}:
        raise Problem("receipt_not_found", NOT_FOUND)
    try:
        made = await door.aside(door.ledger.receipt, number)
    except Refusal:
        raise Problem("receipt_not_found", NOT_FOUND) from None
    form = asked.query.form
    if form == "json":
        name = f'attachment; filename="receipt-{number:032x}.json"'
        return Response(write_json(made), media_type="application/json", headers={"Content-Disposition": name})
    text = write_text(made)
    if form == "text":
        return Response(text, media_type="text/plain")
    return Response(await door.aside(qr_svg, text), media_type="image/svg+xml")


def routes(door: Door) -> list[Route]:
    """The route of a line's receipt, where there are statements."""
    if not {"wallet.accounts", "shop.shop"} <= set(door.registry.queries):
        return []
    return [
        Route(
            method="GET",
            path="/v1/statement/receipts/{transfer}",
            handle=receipt,
            summary="The receipt of a line of your statement, or of that of a shop you manage",
            scope="receipt:read",
            query=LineReceiptAsked,
            also=("text/plain", "image/svg+xml"),
            codes=("receipt_not_found", "qr_too_long", "shop_not_found", "shop_not_yours"),
        )
    ]
