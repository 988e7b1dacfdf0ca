"""What a product is to the machine: a name, tables, commands, timers, events, codes and invariants.

A product is a value, built once and handed to the machine; importing a product has no side effect. Its parts are plain
functions and frozen message types, so the same table serves the machine, the doors and the documentation.

Invariant: every message type is closed (``Message``), has one byte form and a limit on each field, and holds nothing
whose bytes or order could differ between two nodes: no float, no set, no dict, no ``Any``. :func:`check_message`
refuses the rest at start-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Final, NewType

import msgspec
from msgspec import inspect as shapes

if TYPE_CHECKING:  # the machine is a layer above: a product knows the shape of what it is given, and imports none of it
    from formicary.machine.context import Context, View
    from formicary.machine.genesis import Genesis

TimerId = NewType("TimerId", int)
"""A scheduled timer, to cancel it by."""

PRODUCT_NAME: Final = re.compile(r"[a-z]{2,16}")
COMMAND_NAME: Final = re.compile(r"[a-z]{2,16}(_[a-z]+)*")


class Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Base of command bodies, reply bodies, timer payloads and events: fields in fixed order, msgpack array."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what queries answer: fields of the types that rows have; a door writes them for people."""


class Access(StrEnum):
    """Who may use a command or a query; the doors enforce it, and a test tries every role on every route."""

    ANYONE = "anyone"
    """Without signing in. Queries only."""
    PARTY = "party"
    """Whoever has signed in as a person, or as a shop with its key. Whose things they are is the handler's to check."""
    OPERATOR = "operator"
    """A person whom the institution appointed; the handler checks the very role."""
    DOOR = "door"
    """No route leads here: a door of ours puts it together from something it has checked, or a rail sends it."""


Handler = Callable[["Context", Any], Message | None]
"""``(context, command) -> reply body``; raises ``Refusal`` with a code of its product, and then has done nothing."""
TimerHandler = Callable[["Context", Any], None]
Question = Callable[["View", bytes, Any], Answer]
"""``(view, who asks, parameters) -> answer``; raises ``Refusal`` with a code of its product."""
Invariant = Callable[["View"], None]
"""Raises ``AssertionError`` when the state of the product can't be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandType:
    """One command of a product; on the wire it is called ``product.name``."""

    name: str
    body: type[Message]
    handler: Handler
    reply: type[Message] | None = None
    version: int = 1
    access: Access = Access.PARTY
    scope: str = ""
    """What a key or a third party's token must have been given, such as ``pay:write``; empty: the person only."""
    confirm: bool = False
    """Whether a person has to have shown passkey or PIN within the last minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryType:
    """One question to a product; it changes nothing. At a door it is called ``product.name`` too."""

    name: str
    asked: type[Answer]
    """Its parameters: a flat struct, each with a default or required."""
    answer: type[Answer]
    question: Question
    access: Access = Access.PARTY
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerType:
    """Something that happens at a time; a refusal in it undoes it and is told as the event ``timer_refused``."""

    name: str
    payload: type[Message]
    handler: TimerHandler


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """Something that the outside sees."""

    kind: str
    payload: type[Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """All that the machine knows of a product."""

    name: str
    schema: str = ""
    """CREATE TABLE and CREATE INDEX statements; every name begins with ``<product>_``."""
    steady: frozenset[str] = frozenset()
    """Tables that most commands read and few write: what was read of them is kept in memory until one is written."""
    commands: tuple[CommandType, ...] = ()
    timers: tuple[TimerType, ...] = ()
    events: tuple[EventType, ...] = ()
    queries: tuple[QueryType, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    """Each code that a handler may refuse with, and what it means in plain words."""
    invariants: tuple[Invariant, ...] = ()
    on_genesis: Callable[[Context, Genesis], None] | None = None
    """Runs once, at the first entry of a ledger."""

    @property
    def prefix(self) -> str:
        """What the names of all its tables begin with."""
        return f"{self.name}_"


def schema_of(package: str) -> str:
    """The ``schema.sql`` of a product's folder."""
    return resources.files(package).joinpath("schema.sql").read_text(encoding="utf-8")


Amount = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""Minor units of money, at least one."""
TimeNs = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""Nanoseconds since 1970 UTC."""
Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
"""An id, or who a person is on the log: 16 bytes, big-endian where it is a number."""
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
"""A digest or a public key. What people call themselves is on the log only as a keyed digest."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""How many."""
Flag = bool
"""Yes or no."""

# What a door writes in another way for people: "edge" names the way (formicary.gateway.edge).
MINOR_MAX: Final = 10**15
"""Most minor units in one amount of a product: below 2⁵³, so that JavaScript counts it exactly."""
Minor = Annotated[int, msgspec.Meta(ge=1, le=MINOR_MAX)]
"""Minor units of money in a product's command, at least one."""
MinorOrNone = Annotated[int, msgspec.Meta(ge=0, le=MINOR_MAX)]
"""Minor units of money, perhaps zero."""
Asset = Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1, extra={"edge": "asset"})]
"""ISO 4217's numeric code of a currency; people read and write its letters."""
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, extra={"edge": "time"})]
"""Nanoseconds since 1970 UTC, in a field called ``…_ns``; people see RFC 3339, in a field without ``_ns``."""
Party = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16, extra={"edge": "party"})]
"""A person, shop or institution. In an answer people see the name too, as far as they may."""
Sealed = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16, extra={"edge": "sealed"})]
"""A text that stands in the vault, sealed for who wrote it and for whom the command names; the log has its number."""

assert MINOR_MAX < 2**53

_ARRAYS: Final = (shapes.ListType, shapes.VarTupleType)
_TEXTS: Final = (shapes.StrType, shapes.BytesType)
_CLOSED: Final = (shapes.BoolType, shapes.NoneType, shapes.EnumType, shapes.LiteralType)


@cache
def check_message(message: type[msgspec.Struct]) -> None:
    """Assert that a message type has one byte form on every node, and a limit on every field."""
    assert issubclass(message, Message), f"{message.__name__} is not a Message"
    config = message.__struct_config__
    assert config.frozen, f"{message.__name__} must be frozen"
    assert config.array_like, f"{message.__name__} must be array_like"
    assert config.forbid_unknown_fields, f"{message.__name__} must forbid unknown fields"
    described = shapes.type_info(message)
    assert isinstance(described, shapes.StructType)
    for part in described.fields:
        assert part.required, f"{message.__name__}.{part.name}: a default makes two byte forms of one message"
        _check_type(part.type, f"{message.__name__}.{part.name}")


def _check_type(described: shapes.Type, where: str) -> None:
    if isinstance(described, shapes.Metadata):
        _check_type(described.type, where)
    elif isinstance(described, shapes.IntType):
        assert described.ge is not None, f"{where} has no least value (msgspec.Meta(ge=…))"
        assert described.le is not None, f"{where} has no greatest value (msgspec.Meta(le=…))"
    elif isinstance(described, _TEXTS + _ARRAYS):
        assert described.max_length is not None, f"{where} has no greatest length (msgspec.Meta(max_length=…))"
        if isinstance(described, _ARRAYS):
            _check_type(described.item_type, where)
    elif isinstance(described, shapes.TupleType):
        for item in described.item_types:
            _check_type(item, where)
    elif isinstance(described, shapes.UnionType):
        for item in described.types:
            _check_type(item, where)
    elif isinstance(described, shapes.StructType):
        check_message(described.cls)
    else:
        assert isinstance(described, _CLOSED), f"{where}: {type(described).__name__} has no one byte form"
