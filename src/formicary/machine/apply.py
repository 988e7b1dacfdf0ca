"""What handlers do in one entry: timers first, then the commands in their order, each whole or not at all.

Invariants: a refused handler leaves its reply and nothing else; a command id is answered once, and every retry gets
those very bytes; an exception that is not a refusal is a bug or a fault and goes on to the node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from formicary.base.entry import Entry
from formicary.base.errors import Refusal
from formicary.kernel.kernel import Kernel
from formicary.machine.applied import Codes
from formicary.machine.commands import Command, command_hash, encode, read_command
from formicary.machine.context import Context, Shared
from formicary.machine.events import Event
from formicary.machine.genesis import Genesis
from formicary.machine.registry import Registered, Registry, TimerRefused
from formicary.machine.replies import OK, Answer, Reply, new_answer, read_reply
from formicary.machine.rows import Effect, Rows
from formicary.machine.timers import TIMERS_PER_ENTRY, Timer
from formicary.products.anatomy import Message, Product

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an entry's body did."""

    codes: Codes | None = None
    answers: tuple[Answer, ...] = ()
    events: tuple[Event, ...] = ()
    rows_digest: bytes = b""
    dropped: str = ""


class EntryRun:
    """Runs the handlers of one entry, inside a transaction of the rows."""

    def __init__(self, entry: Entry, kernel: Kernel, rows: Rows, registry: Registry) -> None:
        self._entry = entry
        self._kernel = kernel
        self._rows = rows
        self._registry = registry
        self._shared = Shared(entry, kernel, rows, registry)
        self.answers: list[Answer] = []

    @property
    def events(self) -> list[Event]:
        """What the handlers told the outside."""
        return self._shared.events

    def effect(self, rows_digest: bytes) -> Effect:
        """What must be stored to repeat this entry without its handlers."""
        replies = [(answer.data, answer.is_leaf, answer.replayed) for answer in self.answers]
        return Effect(self._entry.hash, rows_digest, self._shared.posted.batches(), replies)

    def _attempt(self, work: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - the work's own arguments
        """Do some work, but undo everything that it did when it raises a refusal, and let the refusal go on.

        Any other exception ends the whole entry.
        """
        mark, posted, told = self._kernel.mark(), self._shared.posted.length, len(self._shared.events)
        rows_mark = self._rows.mark()
        try:
            done = work(*arguments)
        except Refusal:
            self._rows.undo(rows_mark)
            self._kernel.undo(mark)
            self._shared.posted.cut(posted)
            del self._shared.events[told:]
            raise
        self._rows.keep()
        return done

    # ── genesis and timers ──────────────────────────────────────────────────────────────────────────────────────────

    def genesis(self, genesis: Genesis) -> None:
        """Let each product begin."""
        for product in self._registry.products.values():
            if product.on_genesis is not None:
                product.on_genesis(Context(self._shared, product, source=b"genesis"), genesis)

    def timers(self) -> None:
        """Run the timers that are due, earliest first, but none that was scheduled in this very entry."""
        before = self._rows.counter("timers") + 1
        for _ in range(TIMERS_PER_ENTRY):
            timer = self._rows.timers.first_due(time_ns=self._entry.time_ns, before=before)
            if timer is None:
                return
            self._rows.timers.remove(timer.number, product=timer.product)
            self._run_timer(timer)

    def _run_timer(self, timer: Timer) -> None:
        found = self._registry.timer(timer.product, timer.name)
        source = b"timer %d" % timer.number
        context = Context(self._shared, found.product, source=source)
        try:
            self._attempt(found.type.handler, context, found.decoder.decode(timer.payload))
        except Refusal as refusal:
            self._check_code(found.product, refusal)
            context.emit(TimerRefused(timer.name, refusal.code))

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    def commands(self, commands: Sequence[bytes]) -> None:
        """Answer each command, in order."""
        self.answers += [self._answer(data) for data in commands]

    def _answer(self, data: bytes) -> Answer:
        command = read_command(data)
        if command is None:
            return new_answer(self._reply(b"", "command_malformed"), is_leaf=False)
        digest = command_hash(data)
        known = self._rows.replies.find(command.id)
        if known is None:
            return self._first_answer(command, digest)
        known_digest, reply = known
        if known_digest != digest:
            return new_answer(self._reply(command.id, "command_id_reused"), is_leaf=False)
        return Answer(read_reply(reply), reply, is_leaf=False, replayed=True)

    def _first_answer(self, command: Command, digest: bytes) -> Answer:
        code, body = self._handle(command)
        answer = new_answer(self._reply(command.id, code, body), is_leaf=True)
        number = self._rows.count("replies") - 1
        self._rows.replies.remember(command_id=command.id, command_hash=digest, number=number, reply=answer.data)
        return answer

    def _reply(self, command_id: bytes, code: str, body: bytes = b"") -> Reply:
        return Reply(command_id, self._entry.index, self._entry.time_ns, code, body)

    def _handle(self, command: Command) -> tuple[str, bytes]:
        """Run the handler of a command: (code, body of the reply)."""
        found = self._registry.command(command.name, command.version)
        if found is None:
            return "command_unknown", b""
        message = found.read(command.body)
        if message is None:
            return "command_body_malformed", b""
        context = Context(self._shared, found.product, source=command.id, signer=command.signer)
        try:
            return OK, self._attempt(self._call, found, context, message)
        except Refusal as refusal:
            self._check_code(found.product, refusal)
            return refusal.code, b""

    def _call(self, found: Registered, context: Context, message: Message) -> bytes:
        reply = found.type.handler(context, message)
        assert type(reply) is (found.type.reply or type(None)), f"{found.type.name} answers {type(reply).__name__}"
        return b"" if reply is None else encode(reply)

    def _check_code(self, product: Product, refusal: Refusal) -> None:
        declared = self._registry.is_refusal(refusal.code)
        assert declared, f"{product.name} refuses with {refusal.code!r}, which nobody declares"
