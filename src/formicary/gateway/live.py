"""What happens, as it happens: server-sent events for live pages (WHATWG HTML §9.2).

One ``EventSource`` gets the events of one party: ``id`` is the event's number, ``event`` is ``product.kind``, and
``data`` is the payload as JSON. A browser that comes back sends ``Last-Event-ID`` and gets first what it missed, out of
the outbox. Each client has a queue of a fixed length; one that reads too slowly is sent ``door.dropped``, is closed and
comes back by itself. Nobody waits for anybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from starlette.responses import StreamingResponse

from formicary.gateway.entries import events_after
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Caller, Route
from formicary.gateway.scopes import CODES as SCOPE_CODES
from formicary.gateway.scopes import shops_of
from formicary.gateway.shared import shared

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.machine.events import Event

QUEUE_MAX: Final = 256
"""Events that one client may be behind."""
CLIENTS_MAX: Final = 2_000
CLIENTS_OF_ONE_MAX: Final = 10
"""Streams of one party at once."""
HEARTBEAT_S: Final = 15.0
LIFE_S: Final = 3_600.0
"""A stream ends after this and the client comes back, so that an ended session does not listen on."""
PAGE_MAX: Final = 500
RESUME_MAX: Final = 20_000
"""Events of the whole ledger that are gone through for one client that comes back; beyond, it loads its page anew."""
CODES: Final = {
    "too_many_streams": "Too many streams are open; close one first.",
}
DROPPED: Final = b'event: door.dropped\ndata: {"why":"too slow"}\n\n'
TOO_OLD: Final = b'event: door.reload\ndata: {"why":"too long ago"}\n\n'
HELLO: Final = b"retry: 2000\n: hello\n\n"


class EventsAsked(msgspec.Struct, frozen=True):
    """Whose events."""

    shop: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")] = ""
    """A shop that you work for; empty: your own."""


class Client:
    """One open stream: its party's events wait here until it takes them."""

    def __init__(self, party: bytes) -> None:
        self.party = party
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE_MAX)
        self.dropped = False

    def offer(self, event: Event) -> None:
        """Queue an event, or note that the client is too slow for them."""
        if self.dropped:
            return
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped = True

    def end(self) -> None:
        """Close the stream: the door closes."""
        if not self.queue.full():
            self.queue.put_nowait(None)
        self.dropped = True


class Live:
    """All open streams of one door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._clients: dict[bytes, set[Client]] = {}
        self._stopping = asyncio.Event()
        self.count = 0
        door.listen(self._heard)
        door.on_stop(self.close)

    async def close(self) -> None:
        """End every stream; a server that stops calls this before it waits for requests under way."""
        self._stopping.set()
        for clients in self._clients.values():
            for client in clients:
                client.end()

    def _heard(self, events: tuple[Event, ...]) -> None:
        for event in events:
            for client in self._clients.get(event.subject, ()):
                client.offer(event)

    async def stream(self, asked: Asked) -> StreamingResponse:
        """Open a stream of the caller's events, or of a shop that they work for."""
        party = await self._party(asked)
        mine = self._clients.get(party, set())
        if self.count >= CLIENTS_MAX or len(mine) >= CLIENTS_OF_ONE_MAX:
            raise Problem("too_many_streams", CODES["too_many_streams"], status=429, headers={"Retry-After": "5"})
        last = asked.request.headers.get("last-event-id", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) <= 18 else None
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        body = self._body(Caller(kind=asked.caller.kind, party=party), after)
        return StreamingResponse(body, media_type="text/event-stream", headers=headers)

    async def _party(self, asked: Asked) -> bytes:
        caller, shop = asked.caller, bytes.fromhex(asked.query.shop)
        if not shop or shop == caller.party:
            return caller.party
        if shop in [each for each, _ in await shops_of(self._door, caller.party)]:
            return shop
        raise Problem("shop_not_yours", SCOPE_CODES["shop_not_yours"], status=403)

    async def _body(self, caller: Caller, after: int | None) -> AsyncIterator[bytes]:
        client = Client(caller.party)
        self._clients.setdefault(caller.party, set()).add(client)  # listens before it looks back: nothing falls between
        self.count += 1
        try:
            yield HELLO
            newest = 0
            async for event in self._missed(caller.party, after):
                if event is None:
                    yield TOO_OLD
                    continue
                newest = event.number
                yield await self._written(caller, event)
            async for part in self._present(client, caller, newest):
                yield part
        finally:
            self.count -= 1
            clients = self._clients[caller.party]
            clients.discard(client)
            if not clients:
                del self._clients[caller.party]

    async def _missed(self, party: bytes, after: int | None) -> AsyncIterator[Event | None]:
        """Go through the outbox behind an event; None where that would be too much."""
        looked = 0
        while after is not None:
            page: list[Event] = await self._door.aside(events_after, self._door.ledger, after, PAGE_MAX)
            looked += len(page)
            for event in page:
                if event.subject == party:
                    yield event
            if len(page) < PAGE_MAX:
                return
            after = page[-1].number
            if looked >= RESUME_MAX:
                yield None
                return

    async def _present(self, client: Client, caller: Caller, newest: int) -> AsyncIterator[bytes]:
        """Tell what happens from now on, until the client is too slow, its time is over, or the door closes."""
        ends = asyncio.get_running_loop().time() + LIFE_S
        while asyncio.get_running_loop().time() < ends:
            if client.dropped:
                yield DROPPED if not self._stopping.is_set() else b""
                return
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    event = await client.queue.get()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if event is None:
                return
            if event.number > newest:
                yield await self._written(caller, event)

    async def _written(self, caller: Caller, event: Event) -> bytes:
        payload = self._door.payload_of(event)
        told: Any = {} if payload is None else await self._door.tell(caller, payload)
        name = f"{event.product}.{event.kind}".encode()
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number, name, msgspec.json.encode(told))


def routes(door: Door) -> list[Route]:
    """The one route of live events."""
    live = shared(door, Live)
    return [
        Route(
            method="GET",
            path="/v1/events",
            handle=live.stream,
            summary="Server-sent events: what happens to you or your shop, as it happens.",
            scope="events:read",
            query=EventsAsked,
            media="text/event-stream",
            codes=("too_many_streams", "shop_not_yours"),
        )
    ]
