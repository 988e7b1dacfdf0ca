"""Products in virtual time: say what people do, let hours pass, and see what was answered.

::

    town = Trial(stack)
    reply = town.ok(ALICE, "pay.send", Send(...))        # the decoded reply; fails the test on a refusal
    assert town.refused(ALICE, "pay.send", Send(...)) == "limit_day"
    town.wait(hours=24)                                  # timers run

After every step each product's invariants are checked. :meth:`Trial.replay` applies the same log to another machine and
compares digests, so that a test of a product is one of determinism too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from formicary.base.entry import NO_PARENT, Draft, Entry, EntryKind, seal_draft
from formicary.machine.applied import Applied
from formicary.machine.commands import Command, encode, pack_commands
from formicary.machine.context import View
from formicary.machine.events import Event
from formicary.machine.genesis import new_genesis, write_genesis
from formicary.machine.keys import SigningKey
from formicary.machine.machine import Machine
from formicary.machine.replies import OK, Reply
from formicary.products.anatomy import Answer, Message, Product

SECOND_NS: Final = 1_000_000_000
START_NS: Final = 1_767_225_600 * SECOND_NS
"""2026-01-01 00:00 UTC."""
TICKS_MAX: Final = 10_000
"""Entries that one wait may take; timers that schedule themselves at once would never end."""


def person(name: str) -> bytes:
    """A readable party id of 16 bytes."""
    return name.encode().rjust(16, b".")


class Trial:
    """A machine in memory with some products, and a clock that moves when told."""

    def __init__(self, products: Sequence[Product], *, check: bool = True) -> None:
        self.products = products
        self.machine = Machine(None, products, reverse_unordered=True)
        self.entries: list[Entry] = []
        self.events: list[Event] = []
        self.now_ns = START_NS
        self._check = check
        self._ids = itertools.count(1)
        key = SigningKey(bytes(range(32)))
        genesis = new_genesis(created_ns=START_NS, blinding_key=bytes(16), public_key=key.public_key, note="trial")
        self.step(EntryKind.GENESIS, write_genesis(genesis))

    def say(self, signer: bytes, name: str, body: Message, *, command_id: bytes | None = None) -> Reply:
        """Send one command, a second later; answer the raw reply."""
        chosen = command_id or next(self._ids).to_bytes(16, "big")
        command = encode(Command(chosen, signer, name, 1, encode(body)))
        self.step(EntryKind.COMMANDS, pack_commands([command]))
        return self._answers[0].reply

    def ok(self, signer: bytes, name: str, body: Message) -> Any:  # noqa: ANN401 - the command's own reply type
        """Send a command that must be accepted; answer its decoded reply, None for those without."""
        reply = self.say(signer, name, body)
        assert reply.code == OK, f"{name} was refused: {reply.code}"
        found = self.machine.registry.command(name, 1)
        assert found is not None
        return msgspec.msgpack.decode(reply.body, type=found.type.reply) if found.type.reply is not None else None

    def refused(self, signer: bytes, name: str, body: Message) -> str:
        """Send a command that must be refused; answer the code."""
        reply = self.say(signer, name, body)
        assert reply.code != OK, f"{name} was accepted"
        return reply.code

    def wait(self, *, seconds: int = 0, minutes: int = 0, hours: int = 0, days: int = 0) -> None:
        """Let time pass; every timer that comes due runs at its own time."""
        until = self.now_ns + (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * SECOND_NS
        for _ in range(TICKS_MAX):
            due = self.machine.next_due()
            if due is None or due > until:
                break
            self.now_ns = max(due, self.now_ns + 1) - SECOND_NS
            self.step(EntryKind.TICK, b"")
        else:
            message = "timers never end"
            raise AssertionError(message)
        self.now_ns = max(until, self.now_ns)

    def ask(self, name: str, who: bytes, asked: Answer) -> Any:  # noqa: ANN401 - the query's own answer type
        """Ask a product's query, as a door would."""
        query = self.machine.registry.queries[name]
        return query.question(self.machine.view(name.partition(".")[0]), who, asked)

    def view(self, product: str) -> View:
        """The state of a product, for its own questions."""
        return self.machine.view(product)

    def happened(self, kind: str) -> list[Any]:
        """Payloads of all events ``product.kind`` so far, decoded."""
        product, _, kind_name = kind.partition(".")
        types = {event.kind: event.payload for event in self.machine.registry.products[product].events}
        return [
            msgspec.msgpack.decode(event.payload, type=types[event.kind])
            for event in self.events
            if (event.product, event.kind) == (product, kind_name)
        ]

    def replay(self) -> bytes:
        """Apply the log to a second machine; assert that both have one digest, and answer it."""
        second = Machine(None, self.products)
        for entry in self.entries:
            second.step(entry)
        assert second.digest == self.machine.digest, "two machines disagree on one log"
        second.close()
        return self.machine.digest

    def close(self) -> None:
        """Let go of the machine."""
        self.machine.close()

    def step(self, kind: EntryKind, body: bytes) -> Applied:
        """Apply one entry, a second later."""
        parent = self.entries[-1].hash if self.entries else NO_PARENT
        self.now_ns += SECOND_NS
        entry = seal_draft(Draft(len(self.entries) + 1, self.now_ns, kind, body), epoch=1, parent=parent)
        self.entries.append(entry)
        applied = self.machine.step(entry)
        self._answers = applied.answers
        self.events += applied.events
        if self._check:
            self.machine.check()
        return applied
