"""Delivering events to webhooks by the Standard Webhooks scheme: signed, in order, retried for days, replayable.

Each webhook has a task of its own and a cursor in the ledger's outbox. It sends one event at a time and goes on to the
next only when the receiver has answered with a 2xx, so order is kept whatever fails; the same event may arrive twice
(after a crash, or when an answer was lost) under the same ``webhook-id``. After the last attempt, or when the receiver
answers 410 Gone, the webhook is switched off and says so; switching it on again or replaying from an event resumes.

Invariant: the cursor moves only behind an event that was delivered or is not for this webhook.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from formicary.gateway.entries import entry_time_ns
from formicary.gateway.outgoing import Outgoing
from formicary.gateway.routes import Caller
from formicary.gateway.shared import NANOSECONDS, time_text
from formicary.machine.events import Event

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.machine.events import Outbox

T = TypeVar("T")
RETRY_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long to wait after each failed attempt: ten attempts within three days and four hours."""
PAGE_MAX: Final = 200
"""Events read from the outbox at once."""
ACKNOWLEDGE_EVERY: Final = 20
LOOK_EVERY_S: Final = 60.0
"""How often a webhook looks at the outbox though nothing told it to: its cursor must not stay behind for ever."""
DELIVERIES_KEPT_MAX: Final = 500
"""Attempts remembered for one webhook."""
GONE: Final = 410
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS gateway_webhooks (
        webhook TEXT NOT NULL PRIMARY KEY,
        owner BLOB NOT NULL,
        party BLOB NOT NULL,
        url BLOB NOT NULL,
        events TEXT NOT NULL,
        state TEXT NOT NULL,
        secret INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        next_ns INTEGER NOT NULL,
        created_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS gateway_webhooks_by_owner ON gateway_webhooks (owner, created_ns);
    CREATE TABLE IF NOT EXISTS gateway_deliveries (
        delivery INTEGER PRIMARY KEY AUTOINCREMENT,
        webhook TEXT NOT NULL,
        event INTEGER NOT NULL,
        kind TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        at_ns INTEGER NOT NULL,
        status INTEGER NOT NULL,
        error TEXT NOT NULL,
        milliseconds INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS gateway_deliveries_of ON gateway_deliveries (webhook, delivery);
"""
ON: Final = "on"
OFF: Final = "off"


@dataclass(slots=True)
class Webhook:
    """A webhook as its row says."""

    webhook: str
    owner: bytes
    party: bytes
    url: bytes
    """Number of the sealed address."""
    events: tuple[str, ...]
    state: str
    secret: int
    """How often the secret was renewed."""
    attempt: int
    """Failed attempts at the event that is next."""
    next_ns: int
    """When that is tried again."""
    created_ns: int

    @property
    def subscriber(self) -> str:
        """Its name in the outbox."""
        return f"webhook/{self.webhook}"

    def wants(self, event: Event) -> bool:
        """Whether an event is for this webhook: its party's, and of a kind asked for."""
        name = f"{event.product}.{event.kind}"
        return event.subject == self.party and (
            not self.events or any(each in (name, f"{event.product}.*") for each in self.events)
        )


class Sent(msgspec.Struct, frozen=True):
    """What one attempt came to."""

    delivered: bool
    status: int
    error: str
    milliseconds: int
    retry_after: str = ""


class Body(msgspec.Struct, frozen=True):
    """What is posted: the payload of Standard Webhooks."""

    type: str
    timestamp: str
    """When it happened."""
    data: Any
    entry: int = 0
    """The entry of the log in which it happened."""
    number: int = 0
    """The event's number: replay from here."""


def sign(secret: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Write ``webhook-signature``: ``v1,`` and the Base64 of HMAC-SHA256 over id, time (seconds) and body."""
    signed = hmac.digest(secret, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def secret_text(secret: bytes) -> str:
    """Write a secret as receivers are given it."""
    return "whsec_" + base64.b64encode(secret).decode()


def read_row(row: Any) -> Webhook:  # noqa: ANN401 - a row of the table
    """Read a row of ``gateway_webhooks``."""
    webhook, owner, party, url, events, *rest = row
    return Webhook(webhook, owner, party, url, tuple(events.split()), *rest)


class Deliveries:
    """The tasks that deliver, one a webhook."""

    def __init__(self, door: Door) -> None:
        self._door = door
        door.store.ensure(SCHEMA)
        self._outgoing = Outgoing(sandbox=door.config.sandbox)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wakes: dict[str, asyncio.Event] = {}
        self._webhooks: dict[str, Webhook] = {}
        self._ledger_id = ""
        door.on_start(self._start)
        door.on_stop(self._stop)
        door.listen(self._heard)

    async def _start(self) -> None:
        self._ledger_id = (await self._door.aside(self._door.ledger.info))["ledger_id"]
        rows: Any = self._door.store.all("SELECT * FROM gateway_webhooks ORDER BY created_ns, webhook")
        for row in rows:
            self.begin(read_row(row))

    async def _stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._outgoing.close()

    def _heard(self, events: tuple[Event, ...]) -> None:
        for name, webhook in self._webhooks.items():
            if any(webhook.wants(event) for event in events):
                self._wakes[name].set()

    def begin(self, webhook: Webhook) -> None:
        """Deliver to a webhook from now on, in place of what was done for it before."""
        self.end(webhook.webhook)
        self._webhooks[webhook.webhook] = webhook
        self._wakes[webhook.webhook] = asyncio.Event()
        if webhook.state == ON:
            self._tasks[webhook.webhook] = self._door.spawn(self._run(webhook))

    def end(self, name: str) -> None:
        """Deliver no more to a webhook."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        self._webhooks.pop(name, None)
        self._wakes.pop(name, None)

    # ── one webhook ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, webhook: Webhook) -> None:
        """Deliver one event after the other until the webhook is switched off."""
        wake, ready, unacknowledged = self._wakes[webhook.webhook], deque[Event](), 0
        while webhook.state == ON:
            if not ready:
                wake.clear()
                ready, last = await self._read(webhook)
                if not ready and not last:
                    await _either(wake, LOOK_EVERY_S)
                continue
            await self._wait(webhook)
            event = ready[0]
            sent = await self.send(webhook, event, attempt=webhook.attempt + 1)
            await self._note(webhook, sent)
            if not sent.delivered:
                continue
            ready.popleft()
            unacknowledged += 1
            if not ready or unacknowledged >= ACKNOWLEDGE_EVERY:
                await self._acknowledge(webhook, event.number)
                unacknowledged = 0

    async def _read(self, webhook: Webhook) -> tuple[deque[Event], int]:
        """Read the next page; what is not for this webhook is passed over. Answer the rest, and the last number."""

        def read(outbox: Outbox, durable: int) -> tuple[list[Event], int]:
            outbox.subscribe(webhook.subscriber)
            page = outbox.pending(webhook.subscriber, through_entry=durable, limit=PAGE_MAX)
            wanted = [event for event in page if webhook.wants(event)]
            if page and not wanted:
                outbox.acknowledge(webhook.subscriber, page[-1].number)
            return wanted, page[-1].number if page else 0

        wanted, last = await self._outbox(read)
        return deque(wanted), last

    async def _acknowledge(self, webhook: Webhook, number: int) -> None:
        await self._outbox(lambda outbox, _: outbox.acknowledge(webhook.subscriber, number))

    async def _outbox(self, work: Any) -> Any:  # noqa: ANN401 - whatever the work returns
        return await self._door.aside(self._door.ledger.outbox, work)

    async def _wait(self, webhook: Webhook) -> None:
        """Wait until the next attempt is due."""
        while (left_ns := webhook.next_ns - self._door.now_ns()) > 0:  # noqa: ASYNC110 - the clock may be moved
            await asyncio.sleep(min(left_ns / NANOSECONDS, LOOK_EVERY_S))

    async def _note(self, webhook: Webhook, sent: Sent) -> None:
        """Remember how an attempt went: go on, wait longer, or switch off."""
        if sent.delivered and not webhook.attempt:
            return
        webhook.attempt = 0 if sent.delivered else webhook.attempt + 1
        if not sent.delivered:
            if webhook.attempt > len(RETRY_S) or sent.status == GONE:
                webhook.state = OFF
                webhook.attempt = 0
            else:
                webhook.next_ns = self._door.now_ns() + _pause_ns(webhook.attempt, sent.retry_after)
        values = (webhook.state, webhook.attempt, webhook.next_ns, webhook.webhook)
        sql = "UPDATE gateway_webhooks SET state = ?, attempt = ?, next_ns = ? WHERE webhook = ?"
        await self._door.store.do(lambda store: store.run(sql, *values))

    # ── one attempt ─────────────────────────────────────────────────────────────────────────────────────────────

    async def send(self, webhook: Webhook, event: Event, *, attempt: int) -> Sent:
        """Post one event to a webhook, and remember the attempt."""
        payload = self._door.payload_of(event)
        data = None if payload is None else await self._door.tell(Caller(party=webhook.party), payload)
        time_ns = await self._door.aside(entry_time_ns, self._door.ledger, event.entry)
        body = Body(f"{event.product}.{event.kind}", time_text(time_ns), data, event.entry, event.number)
        return await self._post(webhook, body, message_id=self._message_id(event), attempt=attempt)

    async def test(self, webhook: Webhook) -> Sent:
        """Post a made-up event at once, beside the order of the real ones."""
        now = self._door.now_ns()
        body = Body("webhook.test", time_text(now), {"webhook": webhook.webhook})
        return await self._post(webhook, body, message_id=f"test_{webhook.webhook}_{now}", attempt=1)

    async def _post(self, webhook: Webhook, body: Body, *, message_id: str, attempt: int) -> Sent:
        url = await self._door.unseal(webhook.party, webhook.url)
        begun_ns = self._door.now_ns()
        if url is None:
            sent = Sent(delivered=False, status=GONE, error="erased", milliseconds=0)
        else:
            raw, timestamp = msgspec.json.encode(body), begun_ns // NANOSECONDS
            secret = await self.secret(webhook)
            headers = {
                "Host": url.split("/")[2],
                "Content-Type": "application/json",
                "Content-Length": str(len(raw)),
                "User-Agent": "Formicary-Webhook/1",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": sign(secret, message_id=message_id, timestamp=timestamp, body=raw),
            }
            status, retry_after, error = await self._outgoing.post(url, headers, raw)
            delivered = 200 <= status < 300
            took_ms = (self._door.now_ns() - begun_ns) // 1_000_000
            sent = Sent(delivered, status, error or ("" if delivered else "status"), took_ms, retry_after)
        await self._remember(webhook, body, sent, attempt=attempt, at_ns=begun_ns)
        return sent

    async def _remember(self, webhook: Webhook, body: Body, sent: Sent, *, attempt: int, at_ns: int) -> None:
        row = (webhook.webhook, body.number, body.type, attempt, at_ns, sent.status, sent.error, sent.milliseconds)
        add = """INSERT INTO gateway_deliveries (webhook, event, kind, attempt, at_ns, status, error, milliseconds)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
        cut = """DELETE FROM gateway_deliveries WHERE webhook = ? AND delivery <= (SELECT delivery FROM
                 gateway_deliveries WHERE webhook = ? ORDER BY delivery DESC LIMIT 1 OFFSET ?)"""

        def write(connection: Any) -> None:  # noqa: ANN401 - apsw's own type
            connection.execute(add, row)
            connection.execute(cut, (webhook.webhook, webhook.webhook, DELIVERIES_KEPT_MAX))

        await self._door.store.do(lambda store: store.transaction(write))

    async def secret(self, webhook: Webhook) -> bytes:
        """The secret of a webhook; it is derived in the vault and stands nowhere."""
        purpose = f"webhook/{webhook.webhook}/{webhook.secret}"
        return await self._door.aside(self._door.vault.secret, webhook.party, purpose)

    def _message_id(self, event: Event) -> str:
        return f"evt_{self._ledger_id[:12]}_{event.number}"


def _pause_ns(attempt: int, retry_after: str) -> int:
    """How long to wait after the failed attempt; as long as the receiver asks, within the schedule, a little spread."""
    planned = RETRY_S[attempt - 1]
    asked = int(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6 else 0
    seconds = min(max(planned, asked), RETRY_S[-1])
    return seconds * NANOSECONDS + random.randrange(seconds * NANOSECONDS // 10)  # noqa: S311 - spreads load


async def _either(wake: asyncio.Event, seconds: float) -> None:
    """Wait for the event, or for the time."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        pass


assert sum(RETRY_S) > 3 * 24 * 3600
