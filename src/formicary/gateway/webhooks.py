"""Webhooks: addresses that are told what happens to a person or a shop; see :mod:`formicary.gateway.delivery`.

The secret of a webhook is derived in the vault and shown to its owner at any time; ``POST …/secret`` renews it. The
address is sealed in the vault, for it may hold whatever its owner wrote into it.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from formicary.gateway.delivery import OFF, ON, Deliveries, Webhook, read_row, secret_text
from formicary.gateway.outgoing import CODES as URL_CODES
from formicary.gateway.outgoing import URL_CHARS_MAX, check_url
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.scopes import party_of
from formicary.gateway.shared import route, shared, time_text

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.machine.events import Outbox

WEBHOOKS_MAX: Final = 20
"""Webhooks of one person."""
KINDS_MAX: Final = 50
"""Kinds of event that one webhook names."""
CODES: Final = {
    **URL_CODES,
    "webhook_not_found": "There is no such webhook of yours.",
    "webhook_limit": "You have as many webhooks as one may have; remove one first.",
    "event_kind_unknown": "There is no such kind of event; name product.kind, or product.* for all of a product.",
    "events_gone": "Events that old are no longer kept.",
}


class NewWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Add a webhook."""

    url: Annotated[str, msgspec.Meta(max_length=URL_CHARS_MAX)]
    events: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=64)], ...], msgspec.Meta(max_length=KINDS_MAX)] = ()
    """Kinds such as ``pay.paid`` or ``shop.*``; none: all that concern the party."""
    shop: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")] = ""
    """The shop whose events it gets; empty: yours."""


class WebhookTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook."""

    webhook: str
    url: str
    events: tuple[str, ...]
    party: str
    state: str
    """``on``, or ``off`` after the last attempt failed."""
    failed_attempts: int = 0
    """Failed attempts at the event that is next."""
    next_attempt: str = ""
    created: str
    secret: str = ""
    """``whsec_…``: shown where it was just made or renewed."""


class WebhookList(msgspec.Struct, frozen=True):
    """Your webhooks, oldest first."""

    items: tuple[WebhookTold, ...]


class Delivery(msgspec.Struct, frozen=True):
    """One attempt."""

    event: int
    """The event's number; 0: a test."""
    type: str
    attempt: int
    at: str
    status: int
    """What the receiver answered; 0: no answer came."""
    error: str
    milliseconds: int


class DeliveryList(msgspec.Struct, frozen=True):
    """The newest attempts first."""

    items: tuple[Delivery, ...]
    next: str = ""


class DeliveriesAsked(msgspec.Struct, frozen=True):
    """Which attempts."""

    after: Annotated[str, msgspec.Meta(pattern="^[0-9]{0,18}$")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_number": "from"}):
    """Deliver again from an event on, in order; a webhook that is off is switched on."""

    from_number: Annotated[int, msgspec.Meta(ge=1, le=2**62)]


class ReplayTold(msgspec.Struct, frozen=True, rename={"from_number": "from"}):
    """From where it delivers now."""

    from_number: int


class TestTold(msgspec.Struct, frozen=True):
    """What became of a test."""

    delivered: bool
    status: int
    error: str
    milliseconds: int


class Webhooks:
    """The routes' handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._deliveries = shared(door, Deliveries)
        door.on_erase(self.forget)
        self._kinds = {
            name
            for product in door.registry.products.values()
            for event in product.events
            for name in (f"{product.name}.{event.kind}", f"{product.name}.*")
        }

    async def add(self, asked: Asked) -> WebhookTold:
        """Add a webhook; it gets what happens from now on."""
        body: NewWebhook = asked.body
        check_url(body.url, sandbox=self._door.config.sandbox)
        for kind in body.events:
            if kind not in self._kinds:
                why = f"{CODES['event_kind_unknown']} ({kind})"
                raise Problem("event_kind_unknown", why, status=422, where="events")
        owner = asked.caller.party
        party = await party_of(self._door, owner, body.shop)
        webhook = Webhook(
            webhook=f"wh_{base64.b32encode(secrets.token_bytes(10)).decode().lower()}",
            owner=owner,
            party=party,
            url=await self._door.seal(party, (), body.url),
            events=tuple(sorted(set(body.events))),
            state=ON,
            secret=1,
            attempt=0,
            next_ns=0,
            created_ns=self._door.now_ns(),
        )

        def write(store: Any) -> None:  # noqa: ANN401 - the store's own type
            if store.one("SELECT count(*) FROM gateway_webhooks WHERE owner = ?", owner)[0] >= WEBHOOKS_MAX:
                raise Problem("webhook_limit", CODES["webhook_limit"])
            values = (webhook.webhook, owner, party, webhook.url, " ".join(webhook.events), ON, 1, 0, 0)
            store.run("INSERT INTO gateway_webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *values, webhook.created_ns)

        await self._door.store.do(write)
        await self._place(webhook, None)
        self._deliveries.begin(webhook)
        return await self._told(webhook, with_secret=True)

    async def list(self, asked: Asked) -> WebhookList:
        """List the caller's webhooks."""
        sql = "SELECT * FROM gateway_webhooks WHERE ? IN (owner, party) ORDER BY created_ns, webhook"
        rows: Any = self._door.store.all(sql, asked.caller.party)
        return WebhookList(tuple([await self._told(read_row(row)) for row in rows]))

    async def remove(self, asked: Asked) -> None:
        """Remove a webhook, and forget what was delivered to it."""
        webhook = self._mine(asked)
        await self._forget(webhook)

    async def _forget(self, webhook: Webhook) -> None:
        self._deliveries.end(webhook.webhook)
        await self._door.aside(self._door.ledger.outbox, lambda outbox, _: outbox.unsubscribe(webhook.subscriber))

        def write(connection: Any) -> None:  # noqa: ANN401 - apsw's own type
            connection.execute("DELETE FROM gateway_webhooks WHERE webhook = ?", (webhook.webhook,))
            connection.execute("DELETE FROM gateway_deliveries WHERE webhook = ?", (webhook.webhook,))

        await self._door.store.do(lambda store: store.transaction(write))

    async def forget(self, person: bytes) -> None:
        """Remove every webhook of a person who leaves."""
        rows: Any = self._door.store.all("SELECT * FROM gateway_webhooks WHERE ? IN (owner, party)", person)
        for row in rows:
            await self._forget(read_row(row))

    async def test(self, asked: Asked) -> TestTold:
        """Send a made-up event at once and answer what became of it."""
        sent = await self._deliveries.test(self._mine(asked))
        return TestTold(sent.delivered, sent.status, sent.error, sent.milliseconds)

    async def renew(self, asked: Asked) -> WebhookTold:
        """Make a new secret; what is sent from now on is signed with it."""
        webhook = self._mine(asked)
        webhook.secret += 1
        sql = "UPDATE gateway_webhooks SET secret = ? WHERE webhook = ?"
        await self._door.store.do(lambda store: store.run(sql, webhook.secret, webhook.webhook))
        self._deliveries.begin(webhook)
        return await self._told(webhook, with_secret=True)

    async def attempts(self, asked: Asked) -> DeliveryList:
        """List the newest attempts."""
        webhook, page = self._mine(asked), asked.query
        sql = """SELECT delivery, event, kind, attempt, at_ns, status, error, milliseconds FROM gateway_deliveries
                 WHERE webhook = ? AND delivery < ? ORDER BY delivery DESC LIMIT ?"""
        before = int(page.after) if page.after else 2**62
        rows: Any = self._door.store.all(sql, webhook.webhook, before, page.limit)
        items = tuple(Delivery(row[1], row[2], row[3], time_text(row[4]), *row[5:]) for row in rows)
        return DeliveryList(items, str(rows[-1][0]) if len(rows) == page.limit else "")

    async def replay(self, asked: Asked) -> ReplayTold:
        """Go back (or forward) to an event and deliver from there; a webhook that is off is on again."""
        webhook, first = self._mine(asked), asked.body.from_number
        self._deliveries.end(webhook.webhook)
        try:
            found: int = await self._place(webhook, first - 1)
            if found > first:
                raise Problem("events_gone", f"{CODES['events_gone']} The oldest is {found}.")
            webhook.state, webhook.attempt, webhook.next_ns = ON, 0, 0
            sql = "UPDATE gateway_webhooks SET state = ?, attempt = 0, next_ns = 0 WHERE webhook = ?"
            await self._door.store.do(lambda store: store.run(sql, ON, webhook.webhook))
        finally:
            self._deliveries.begin(webhook)
        return ReplayTold(found)

    async def _place(self, webhook: Webhook, after: int | None) -> int:
        """Put a webhook's cursor behind an event (None: behind the newest); answer the next number that is there."""

        def place(outbox: Outbox, durable: int) -> int:
            newest = _newest(outbox, durable) if after is None else after
            outbox.unsubscribe(webhook.subscriber)
            outbox.subscribe(webhook.subscriber, after=newest)
            page = outbox.pending(webhook.subscriber, through_entry=durable, limit=1)
            return page[0].number if page else newest + 1

        number: int = await self._door.aside(self._door.ledger.outbox, place)
        return number

    def _mine(self, asked: Asked) -> Webhook:
        """The webhook that a path names, as long as it is the caller's."""
        sql = "SELECT * FROM gateway_webhooks WHERE webhook = ? AND ? IN (owner, party)"
        row = self._door.store.one(sql, asked.path["webhook"], asked.caller.party)
        if row is None:
            raise Problem("webhook_not_found", CODES["webhook_not_found"])
        return read_row(row)

    async def _told(self, webhook: Webhook, *, with_secret: bool = False) -> WebhookTold:
        return WebhookTold(
            webhook=webhook.webhook,
            url=await self._door.unseal(webhook.party, webhook.url) or "",
            events=webhook.events,
            party=webhook.party.hex(),
            state=webhook.state,
            failed_attempts=webhook.attempt,
            next_attempt=time_text(webhook.next_ns) if webhook.attempt and webhook.state != OFF else "",
            created=time_text(webhook.created_ns),
            secret=secret_text(await self._deliveries.secret(webhook)) if with_secret else "",
        )


def _newest(outbox: Outbox, durable: int) -> int:
    """Number of the newest durable event."""
    rows = outbox._rows  # noqa: SLF001 - the outbox has no question for its newest number
    found = rows.connection.execute("SELECT max(number) FROM machine_events WHERE entry <= ?", (durable,)).fetchone()
    return int(found[0] or 0) if found else 0


def routes(door: Door) -> list[Route]:
    """Routes of webhooks."""
    hooks = shared(door, Webhooks)
    gone = ("webhook_not_found",)
    refused = ("url_refused", "event_kind_unknown", "webhook_limit", "shop_not_yours")
    every, one = "/v1/webhooks", "/v1/webhooks/{webhook}"
    read: dict[str, Any] = {"scope": "webhook:read"}
    write: dict[str, Any] = {"scope": "webhook:write"}
    told: dict[str, Any] = {"answer": WebhookTold, **write}
    asked: dict[str, Any] = {"query": DeliveriesAsked, "answer": DeliveryList, **read}
    again: dict[str, Any] = {"body": Replay, "answer": ReplayTold, "codes": (*gone, "events_gone"), **write}
    return [
        route(f"GET {every}", hooks.list, "List your webhooks.", answer=WebhookList, **read),
        route(
            f"POST {every}", hooks.add, "Add a webhook: an address that is told what happens.",
            body=NewWebhook, codes=refused, **told,
        ),
        route(f"POST {one}/test", hooks.test, "Send a made-up event now.", answer=TestTold, codes=gone, **write),
        route(f"POST {one}/secret", hooks.renew, "Renew the secret.", codes=gone, **told),
        route(f"GET {one}/deliveries", hooks.attempts, "List attempts, newest first.", codes=gone, **asked),
        route(f"POST {one}/replay", hooks.replay, "Deliver again from an event on.", **again),
        route(f"DELETE {one}", hooks.remove, "Remove a webhook.", codes=gone, **write),
    ]  # fmt: skip
