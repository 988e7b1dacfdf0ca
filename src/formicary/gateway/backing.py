"""The receipt of a day's backing: what the institution said of customers' money on that day, under the signed head.

The courier has each day counted in an entry of the log (``bank.attest``), and the reply to it is a leaf of the ledger's
tree. So anybody can keep the day's figures as a small file, and check them offline, later, without asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from formicary.base.errors import Refusal
from formicary.gateway.courier import attest_id
from formicary.gateway.explorer import ReceiptAsked, qr_svg
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.machine.receipt_forms import write_json, write_text
from formicary.products.anatomy import Access
from formicary.products.bank import rows

if TYPE_CHECKING:
    from formicary.machine.receipts import Receipt
    from formicary.node.ledger import Ledger

PATH: Final = "/v1/bank/backing_days/{day}/receipt"
NOT_FOUND: Final = "The backing of that day is not on record."
FIRST_DAY: Final = 19000101
DAY_DIGITS: Final = 8


def route() -> Route:
    """The one route, for anybody."""
    return Route(
        method="GET",
        path=PATH,
        handle=receipt,
        summary="The receipt of a day's backing (``yyyymmdd``), to keep and check offline; for anybody",
        access=Access.ANYONE,
        query=ReceiptAsked,
        also=("text/plain", "image/svg+xml"),
        codes=("receipt_not_found", "qr_too_long"),
    )


async def receipt(asked: Asked) -> Response:
    """Answer the receipt of one day's record; refuses ``receipt_not_found`` for a day that has none."""
    door, text = asked.door, asked.path["day"]
    readable = len(text) == DAY_DIGITS and text.isascii() and text.isdigit() and int(text) >= FIRST_DAY
    if not readable:
        raise Problem("receipt_not_found", NOT_FOUND)
    try:
        made = await door.aside(_receipt, door.ledger, int(text))
    except Refusal:
        raise Problem("receipt_not_found", NOT_FOUND) from None
    if asked.query.form == "json":
        name = f'attachment; filename="backing-{text}.json"'
        return Response(write_json(made), media_type="application/json", headers={"Content-Disposition": name})
    written = write_text(made)
    if asked.query.form == "text":
        return Response(written, media_type="text/plain")
    return Response(await door.aside(qr_svg, written), media_type="image/svg+xml")


def _receipt(ledger: Ledger, day: int) -> Receipt:
    """Make it under a head of what is sealed by now; blocks until that is durable."""
    seen_ns = ledger.ask("bank", lambda view: rows.seen_for(view, day))
    if seen_ns is None:
        raise Refusal(NOT_FOUND, code="receipt_not_found")
    ledger.head()
    return ledger.notary.receipt_of_reply(attest_id(day, seen_ns))
