"""The one table of commands, timers and events, built from the products that a machine is given.

Everything that could be wrong with a product's declarations is found here, at start-up and not at the first use: an
open message type, a name used twice, a code that means two things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from formicary.kernel.codes import AccountCode, TransferCode
from formicary.machine.commands import encode
from formicary.machine.replies import MACHINE_CODES, OK
from formicary.products.anatomy import (
    COMMAND_NAME,
    PRODUCT_NAME,
    Access,
    CommandType,
    EventType,
    Message,
    Product,
    QueryType,
    TimerType,
    check_message,
)

KERNEL_CODES: Final = frozenset(code.name.lower() for codes in (AccountCode, TransferCode) for code in codes if code)
"""A handler whose transfer or account is refused is refused with the kernel's own code, in lower case."""
TIMER_REFUSED: Final = "timer_refused"
"""Kind of the event that tells of a timer whose handler refused; every product has it."""


Name = Annotated[str, msgspec.Meta(max_length=64)]


class TimerRefused(Message, frozen=True):
    """A timer came due, but its handler refused to do anything, and it will not run again."""

    timer: Name
    code: Name


@dataclass(frozen=True, slots=True)
class Registered:
    """One command, ready to run."""

    product: Product
    type: CommandType
    decoder: msgspec.msgpack.Decoder[Message]

    def read(self, body: bytes) -> Message | None:
        """Decode a body; None when it is not in the one byte form of this command."""
        try:
            message = self.decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return message if encode(message) == body else None


@dataclass(frozen=True, slots=True)
class RegisteredTimer:
    """One kind of timer, ready to run."""

    product: Product
    type: TimerType
    decoder: msgspec.msgpack.Decoder[Message]


class Registry:
    """Looks commands, timers, events and codes up by name."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.products: dict[str, Product] = {}
        self._commands: dict[tuple[str, int], Registered] = {}
        self._timers: dict[tuple[str, str], RegisteredTimer] = {}
        self._events: dict[tuple[str, type[Message]], str] = {}
        self._queries: dict[str, QueryType] = {}
        self._codes: dict[str, str] = dict(MACHINE_CODES)
        for product in products:
            self._add(product)

    def _add(self, product: Product) -> None:
        assert PRODUCT_NAME.fullmatch(product.name), f"{product.name!r} is not a product's name"
        assert product.name not in {"machine", *self.products}, f"{product.name} is taken"
        self.products[product.name] = product
        for command in product.commands:
            self._add_command(product, command)
        for timer in product.timers:
            check_message(timer.payload)
            assert (product.name, timer.name) not in self._timers, f"{product.name}.{timer.name} is there twice"
            decoder = msgspec.msgpack.Decoder(timer.payload)
            self._timers[product.name, timer.name] = RegisteredTimer(product, timer, decoder)
        for event in (*product.events, EventType(kind=TIMER_REFUSED, payload=TimerRefused)):
            check_message(event.payload)
            assert (product.name, event.payload) not in self._events, f"{event.payload.__name__} is two kinds of event"
            self._events[product.name, event.payload] = event.kind
        for query in product.queries:
            name = f"{product.name}.{query.name}"
            assert COMMAND_NAME.fullmatch(query.name), f"{query.name!r} is not a query's name"
            assert name not in self._queries, f"{name} is there twice"
            self._queries[name] = query
        self._add_codes(product)

    def _add_command(self, product: Product, command: CommandType) -> None:
        key = (f"{product.name}.{command.name}", command.version)
        assert COMMAND_NAME.fullmatch(command.name), f"{command.name!r} is not a command's name"
        assert command.version >= 1, f"{key[0]}: versions begin at 1"
        assert key not in self._commands, f"{key[0]} version {command.version} is there twice"
        assert command.access is not Access.ANYONE, f"{key[0]}: somebody has to sign a command"
        check_message(command.body)
        if command.reply is not None:
            check_message(command.reply)
        self._commands[key] = Registered(product, command, msgspec.msgpack.Decoder(command.body))

    def _add_codes(self, product: Product) -> None:
        for code, meaning in sorted(product.codes.items()):
            assert code != OK, f"{OK} is not a refusal"
            assert code not in KERNEL_CODES, f"{code} is the kernel's"
            assert self._codes.setdefault(code, meaning) == meaning, f"{code} means two things"

    @property
    def commands(self) -> Mapping[tuple[str, int], Registered]:
        """All commands by (``product.command``, version), in the order of their products: for doors and documents."""
        return self._commands

    @property
    def queries(self) -> Mapping[str, QueryType]:
        """All queries by ``product.query``, in the order of their products."""
        return self._queries

    @property
    def codes(self) -> Mapping[str, str]:
        """What each refusal by the machine or a product means, in plain words."""
        return self._codes

    def command(self, name: str, version: int) -> Registered | None:
        """The command of this name and version, if there is one."""
        return self._commands.get((name, version))

    def timer(self, product: str, name: str) -> RegisteredTimer:
        """A kind of timer; that it exists was checked when the timer was scheduled."""
        return self._timers[product, name]

    def timer_of(self, product: str, name: str, payload: Message) -> TimerType:
        """The kind of timer that a handler schedules; anything else than its payload is a bug."""
        found = self._timers.get((product, name))
        assert found is not None, f"{product} has no timer {name}"
        assert type(payload) is found.type.payload, f"{product}.{name} takes {found.type.payload.__name__}"
        return found.type

    def kind_of_event(self, product: str, event: Message) -> str:
        """The kind under which a product's event is known; an undeclared one is a bug."""
        kind = self._events.get((product, type(event)))
        assert kind is not None, f"{product} has no event {type(event).__name__}"
        return kind

    def is_refusal(self, code: str) -> bool:
        """Whether a handler may refuse with this code: some product's, for products call on one another, or ours."""
        return code in self._codes or code in KERNEL_CODES
