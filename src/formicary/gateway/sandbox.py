"""What only a sandbox has: a bank that pays on demand, and links that sign one in as somebody of the town.

A gateway that is no sandbox has none of these routes.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from blake3 import blake3
from starlette.responses import RedirectResponse

from formicary.base.money import AssetId, asset_decimals, format_minor
from formicary.gateway.edge_values import ASSET_PATTERN, read_asset
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.products.anatomy import MINOR_MAX, Access
from formicary.rails.exchange import write_whole

if TYPE_CHECKING:
    from formicary.gateway.door import Door

PAGES: Final = re.compile(r"(till|operator|explorer|pay/[0-9a-f]{32})?")
"""Where a link may lead."""
PAYER_NAME: Final = "Sandbox customer"
PAYER_IBAN: Final = "FR1420041010050500013M02606"
_ALIAS: Final = re.compile(r"[a-z0-9_]{1,30}")


class BankTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money that the sandbox bank is to send to one's wallet."""

    asset: Annotated[str, msgspec.Meta(pattern=ASSET_PATTERN, max_length=11, examples=["EUR"])]
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=MINOR_MAX)]


class BankTransferMade(msgspec.Struct, frozen=True):
    """The bank has the order; the money comes with its next report."""

    reference: str


def routes(door: Door) -> list[Route]:
    """The bank's button and the town's links."""
    if not door.config.sandbox:
        return []
    return [
        Route(
            method="POST",
            path="/v1/sandbox/bank-transfer",
            handle=transfer,
            summary="Let the sandbox bank send play money to one's wallet",
            body=BankTransfer,
            answer=BankTransferMade,
            idempotent=True,
        ),
        Route(
            method="GET",
            path="/enter/{alias}/{token}",
            handle=enter,
            summary="Sign in as somebody of the town, by the link that was printed at the start",
            access=Access.ANYONE,
            media="text/html",
        ),
    ]


async def transfer(asked: Asked) -> BankTransferMade:
    """Drop an order of a customer into the bank's folder, under the person's own reference."""
    door, caller, body = asked.door, asked.caller, asked.body
    taken, _ = await door.run(caller, "bank.take_reference", door.message("bank.take_reference"), "reference")
    reference: str = taken.reference  # type: ignore[union-attr]  # the command's own reply
    order = {
        "name": PAYER_NAME,
        "iban": PAYER_IBAN,
        "currency": body.asset,
        "amount": format_minor(body.amount_minor, asset_decimals(AssetId(read_asset(body.asset)))),
        "reference": reference,
    }
    name = blake3(caller.party + asked.key.encode()).hexdigest(length=16)
    path = door.config.data / "bank" / "customers" / f"{name}.json"
    await door.aside(lambda: write_whole(path, msgspec.json.encode(order)))
    return BankTransferMade(reference)


async def enter(asked: Asked) -> RedirectResponse:
    """Begin a session as somebody of the town."""
    door, alias = asked.door, asked.path["alias"]
    page = asked.request.query_params.get("to", "")
    expected = enter_token(door, alias) if _ALIAS.fullmatch(alias) else ""
    told = asked.path["token"].encode(errors="replace")  # as bytes: of texts, only ASCII can be compared
    if not expected or not hmac.compare_digest(expected.encode(), told) or not PAGES.fullmatch(page):
        raise Problem("route_not_found")
    found: Any = await door.ask("wallet.find", b"", door.asked("wallet.find", digest=door.digest("alias", alias).hex()))
    devices = door.devices.of_person(found.person, "pin")
    secret, _ = await door.store.do(
        lambda _store: door.sessions.begin(found.person, devices[0].device if devices else b"", "town link")
    )
    return RedirectResponse(f"/{page}", status_code=303, headers={"Set-Cookie": door.sessions.set_cookie(secret)})


def enter_token(door: Door, alias: str) -> str:
    """What a link for this alias carries: nobody without this vault can make it."""
    return door.digest("town link", alias).hex()[:24]
