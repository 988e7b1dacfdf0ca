"""The door: what every route needs of the ledger, the vault and the store, in one object.

A door holds no business rule. It turns a caller's wish into a command on the log or a question to a product, and what
people may read (names, notes) back out of the vault. All its asynchronous methods belong to one event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from blake3 import blake3

from formicary.base.errors import Refusal
from formicary.gateway.devices import Devices
from formicary.gateway.edge import Edge
from formicary.gateway.passkeys import Passkeys
from formicary.gateway.people import People
from formicary.gateway.pins import Pins
from formicary.gateway.problems import DOOR_CODES
from formicary.gateway.readers import readers_of
from formicary.gateway.routes import Caller
from formicary.gateway.sessions import Sessions
from formicary.gateway.tickets import Tickets
from formicary.machine.commands import COMMAND_ID_BYTES, Command, encode
from formicary.machine.replies import OK, read_reply
from formicary.products.anatomy import Answer, Message

if TYPE_CHECKING:
    from formicary.gateway.config import Config
    from formicary.gateway.routes import Route
    from formicary.gateway.store import Store
    from formicary.machine.context import View
    from formicary.machine.events import Event
    from formicary.machine.registry import Registry
    from formicary.node.ledger import Ledger
    from formicary.vault import Vault

T = TypeVar("T")
DOOR: Final = b"door"
"""Signer of what the gateway itself says."""
NODE: Final = b"node"
"""Signer of what the operator says at the machine itself."""
NOBODY: Final = Caller()
ASKING_THREADS: Final = 4
SEEN_NOTED_S: Final = 10


class Empty(msgspec.Struct, frozen=True):
    """Nothing to say besides that it was done."""


EMPTY: Final = Empty()


def _no_text(_text: str) -> bytes:
    raise AssertionError("a question has no text to seal")


class Door:
    """Gives route modules the ledger, the vault and the store."""

    def __init__(
        self,
        ledger: Ledger,
        config: Config,
        *,
        vault: Vault,
        store: Store,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.ledger = ledger
        self.registry: Registry = ledger.registry
        self.config = config
        self.vault = vault
        self.store = store
        self.edge = Edge(self.registry)
        self.people = People(vault)
        self.sessions = Sessions(store, config, now_ns)
        self.devices = Devices(store)
        self.passkeys = Passkeys(config)
        self.pins = Pins(store, config, now_ns)
        self.tickets = Tickets(store, ticket_s=config.ticket_s)
        self.routes: tuple[Route, ...] = ()
        """All routes of the server, once it is put together: for the documentation."""
        self.codes = {**DOOR_CODES, **self.registry.codes}
        """Words of every code that a door may answer with."""
        self.now_ns = now_ns
        """Nanoseconds since 1970; tests move it."""
        self._asking = ThreadPoolExecutor(ASKING_THREADS, thread_name_prefix="formicary-ask")
        self._bodies = {name: found for (name, version), found in self.registry.commands.items() if version == 1}
        self._replies = {
            name: msgspec.msgpack.Decoder(found.type.reply)
            for name, found in self._bodies.items()
            if found.type.reply is not None
        }
        self._payloads = {
            (product.name, event.kind): msgspec.msgpack.Decoder(event.payload)
            for product in self.registry.products.values()
            for event in product.events
        }
        self._staff: dict[bytes, frozenset[str]] | None = None
        self._staff_changes = 0
        self._listeners: list[Callable[[tuple[Event, ...]], None]] = [self._forget_staff]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening = False
        self._starts: list[Callable[[], Awaitable[None]]] = []
        self._stops: list[Callable[[], Awaitable[None]]] = []
        self._erasures: list[Callable[[bytes], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────

    def message(self, name: str, **fields: Any) -> Message:  # noqa: ANN401 - whatever the command's fields are
        """Make the body of a command by its name: ``message("wallet.claim_alias", alias=digest)``."""
        return self._bodies[name].type.body(**fields)

    async def run(self, caller: Caller, name: str, body: Message, key: str | bytes) -> tuple[Message | None, int]:
        """Put a command of the caller on the log; answer its reply and the entry that holds it, once durable.

        ``key`` is the caller's idempotency key: the same caller and key are the same command. Raises the refusal.
        """
        return await self.run_as(caller.party, name, body, key)

    async def run_as(self, signer: bytes, name: str, body: Message, key: str | bytes) -> tuple[Message | None, int]:
        """Put a command of any signer on the log: for what a door or a rail has checked itself."""
        chosen = key.encode() if isinstance(key, str) else key
        command_id = blake3(signer + b"\0" + chosen).digest(length=COMMAND_ID_BYTES)
        data = encode(Command(command_id, signer, name, 1, encode(body)))
        reply = read_reply(await self.ledger.ask_in_loop(data))
        if reply.code != OK:
            raise Refusal(self.codes.get(reply.code, reply.code), code=reply.code)
        decoder = self._replies.get(name)
        return (decoder.decode(reply.body) if decoder is not None else None), reply.entry

    # ── questions ───────────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, name: str, who: bytes, asked: Answer) -> Any:  # noqa: ANN401 - the query's own answer type
        """Ask a product's query for a party (or for nobody: empty); raises its refusal."""
        question = self.registry.queries[name].question
        return await self.look(name.partition(".")[0], lambda view: question(view, who, asked))

    def asked(self, name: str, **fields: Any) -> Answer:  # noqa: ANN401 - whatever the query's parameters are
        """Make the parameters of a query by its name."""
        return self.registry.queries[name].asked(**fields)

    async def look(self, product: str, question: Callable[[View], T]) -> T:
        """Answer any quick question about a product's state: for offers and for what is no query."""
        return await self.aside(self.ledger.ask, product, question)

    async def aside(self, work: Callable[..., T], *arguments: object) -> T:
        """Run blocking work off the event loop; the ledger's reads, a receipt, a file."""
        return await asyncio.get_running_loop().run_in_executor(self._asking, work, *arguments)

    async def roles_of(self, party: bytes) -> frozenset[str]:
        """The roles that the institution gave a person; empty for anybody else.

        Few people have one, so all of them are in memory, and are read again when one changes: that almost everybody
        has none costs no look at the ledger.
        """
        staff = self._staff
        while staff is None:
            change = self._staff_changes
            staff = await self._read_staff()
            if change == self._staff_changes:
                self._staff = staff
        return staff.get(party, frozenset())

    async def _read_staff(self) -> dict[bytes, frozenset[str]]:
        if "wallet.roles" not in self.registry.queries:
            return {}
        given = await self.ask("wallet.roles", NODE, self.asked("wallet.roles"))
        staff: dict[bytes, frozenset[str]] = {}
        for each in given.items:
            staff[each.person] = staff.get(each.person, frozenset()) | {each.role}
        return staff

    # ── what people read ────────────────────────────────────────────────────────────────────────────────────────

    async def seal(self, owner: bytes, readers: Iterable[bytes], text: str, *, ref: bytes = b"") -> bytes:
        """Keep a text in the vault for its owner and readers; answer its 16-byte number, which may go on the log."""
        return await self.aside(self.vault.seal, owner, tuple(readers), text, ref)

    async def unseal(self, reader: bytes, ref: bytes) -> str | None:
        """The text with this number, if it was sealed for the reader and nobody was erased."""
        return await self.aside(self.vault.unseal, reader, ref)

    def digest(self, kind: str, text: str) -> bytes:
        """Keyed digest of what identifies a person (``alias``, ``phone``, ``mail`` …): 32 bytes for the log."""
        return self.vault.digest(kind, text)

    async def name_of(self, viewer: bytes, party: bytes) -> str:
        """The name that a viewer may see for a party; empty when none. Nobody sees only shops and institutions."""
        return (await self.people.told(viewer, (party,)))[party].name

    async def tell(self, caller: Caller, told: Message | Answer) -> msgspec.Struct:
        """Put a reply, an answer or an event's payload as people read it: names, letters, dates, unsealed texts."""
        writer = self.edge.writer(type(told))
        if not writer.needs_people:
            return writer.write(told, {}, {})
        parties, refs = writer.collect(told)
        names = await self.people.told(caller.party, parties)
        texts = await self.people.texts(caller, refs) if refs else {}
        return writer.write(told, names, texts)

    async def command(self, caller: Caller, name: str, body: msgspec.Struct, key: str) -> tuple[msgspec.Struct, int]:
        """Run a command as people write it, and put its reply as people read it, with the entry that holds it.

        Its texts are sealed first, for whom it concerns, under numbers that follow from caller, key and text, so that a
        retry is the same command. When the command is refused they are dropped again, unless the very key was used
        before: then they belong to that command.
        """
        texts: dict[bytes, str] = {}

        def number(text: str) -> bytes:
            ref = self.vault.number(caller.party, f"{key}\0{len(texts)}\0{text}")
            texts[ref] = text
            return ref

        message = self.edge.reader(self._bodies[name].type.body).read(body, number)
        assert isinstance(message, Message)
        if texts:
            readers = await readers_of(self, caller, name, message)
            for ref, text in texts.items():
                await self.seal(caller.party, readers, text, ref=ref)
        try:
            reply, entry = await self.run(caller, name, message, key)
        except Refusal as refusal:
            if refusal.code != "command_id_reused":
                for ref in texts:
                    await self.aside(self.vault.drop, ref)
            raise
        return (EMPTY if reply is None else await self.tell(caller, reply)), entry

    async def question(self, caller: Caller, name: str, asked: msgspec.Struct) -> msgspec.Struct:
        """Ask a query as people write its parameters, and put its answer as people read it."""
        parameters = self.edge.reader(self.registry.queries[name].asked).read(asked, _no_text)
        assert isinstance(parameters, Answer)
        return await self.tell(caller, await self.ask(name, caller.party, parameters))

    # ── events and work beside requests ─────────────────────────────────────────────────────────────────────────

    def payload_of(self, event: Event) -> Message | None:
        """Decode an event's payload; None for a kind of event that no product declares."""
        decoder = self._payloads.get((event.product, event.kind))
        return None if decoder is None else decoder.decode(event.payload)

    def listen(self, listener: Callable[[tuple[Event, ...]], None]) -> None:
        """Call ``listener`` on the event loop with the events of each durable entry; it must be quick."""
        self._listeners.append(listener)

    def on_start(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have ``work`` awaited when the server starts."""
        self._starts.append(work)

    def on_stop(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have ``work`` awaited when the server stops, newest first."""
        self._stops.append(work)

    def on_erase(self, work: Callable[[bytes], Awaitable[None]]) -> None:
        """Have ``work(party)`` awaited when a person is erased, to forget what a module keeps of them."""
        self._erasures.append(work)

    async def forget(self, party: bytes) -> None:
        """Erase a party everywhere outside the log; doing it again finishes what broke off."""
        for work in self._erasures:
            await work(party)
        await self.store.do(lambda _store: self._forget_access(party))
        await self.aside(self.vault.erase, party)
        self.people.forget(party)

    def _forget_access(self, party: bytes) -> None:
        self.sessions.end_all(party)
        self.devices.remove_all(party)
        self.pins.forget(party)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a task until it ends or the server stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def start(self) -> None:
        """Begin: hear the ledger's events, and start what modules asked for."""
        self._loop = asyncio.get_running_loop()
        if not self._listening:
            self._listening = True
            self.ledger.listen(self._heard)
        self.spawn(self._note_seen())
        self.ledger.drive(self._loop)
        for work in self._starts:
            await work()

    async def stop(self) -> None:
        """End what was started, newest first; the ledger, the vault and the store stay open. Twice is harmless."""
        if self._loop is None:
            return
        self._loop = None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stop in reversed(self._stops):
            await stop()
        await self.aside(self.people.note_seen)
        self.ledger.drive(None)

    def close(self) -> None:
        """Let go of threads, vault and store; the ledger is its opener's to close."""
        self._asking.shutdown()
        self.store.close()
        self.vault.close()

    async def _note_seen(self) -> None:
        """Write down every few seconds who saw whose name."""
        while True:
            await asyncio.sleep(SEEN_NOTED_S)
            await self.aside(self.people.note_seen)

    def _heard(self, events: tuple[Event, ...]) -> None:
        """Called by a thread of the ledger; a loop that is closing no longer listens."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._spread, events)

    def _spread(self, events: tuple[Event, ...]) -> None:
        for listener in self._listeners:
            listener(events)

    def _forget_staff(self, events: tuple[Event, ...]) -> None:
        if any(event.kind == "role_changed" for event in events):
            self._staff = None
            self._staff_changes += 1
