"""Examples of messages, made from their types alone: one that is always the same, and others drawn from a seed.

The first is for golden bytes: it depends on the type and nothing else. The others are for random programs: valid by
their type, small in their numbers, and mostly refused by whoever knows what they would have to name.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect as shapes

from formicary.products.anatomy import Message, Product

LETTERS: Final = "abcdefgh"
TEXTS: Final = ("RF18539007547034", "a" * 32, "abc", "ABCD", "AB", "A1", "1", "a.b", "http://a.example", "")
"""What a text that has to look like something is taken from; one of them fits every pattern that messages have."""
M = TypeVar("M", bound=msgspec.Struct)
SMALL: Final = 1_000
"""Most numbers that are drawn are no larger."""


def messages(products: Sequence[Product]) -> dict[str, type[Message]]:
    """Every message type of some products, by ``product.role.Name``: commands, replies, timers' payloads and events."""
    found: dict[str, type[Message]] = {}
    for product in products:
        for command in product.commands:
            found[f"{product.name}.command.{command.body.__name__}"] = command.body
            if command.reply is not None:
                found[f"{product.name}.reply.{command.reply.__name__}"] = command.reply
        for timer in product.timers:
            found[f"{product.name}.timer.{timer.payload.__name__}"] = timer.payload
        for event in product.events:
            found[f"{product.name}.event.{event.payload.__name__}"] = event.payload
    return dict(sorted(found.items()))


def canonical(message: type[M]) -> M:
    """The one example of a type: small numbers, each text and list as short as it may be but not empty.

    What may be None is not; of several choices it is the last.
    """
    return Maker(None).struct(message)


def drawn(message: type[M], chance: random.Random) -> M:
    """An example of a type by chance, within its limits."""
    return Maker(chance).struct(message)


class Maker:
    """Makes values of types; without a chance, always the same ones."""

    def __init__(self, chance: random.Random | None) -> None:
        self._chance = chance

    def struct(self, kind: type[M]) -> M:
        """A message of a type."""
        return kind(*(self._value(part, number) for number, part in enumerate(_fields(kind), 1)))

    def _value(self, shape: shapes.Type, number: int) -> Any:  # noqa: ANN401 - of any type
        """One value; ``number`` tells the fields of a message apart, so that swapped fields show."""
        if isinstance(shape, shapes.Metadata):
            return self._value(shape.type, number)
        if isinstance(shape, shapes.StructType):
            return self.struct(shape.cls)
        if isinstance(shape, shapes.UnionType):
            return self._value(self._choice([each for each in shape.types if self._is_wanted(each)]), number)
        if isinstance(shape, shapes.VarTupleType | shapes.ListType):
            count = self._length(shape.min_length, shape.max_length, most=4)
            return tuple(self._value(shape.item_type, number + place) for place in range(count))
        if isinstance(shape, shapes.TupleType):
            return tuple(self._value(item, number + place) for place, item in enumerate(shape.item_types))
        return self._plain(shape, number)

    def _plain(self, shape: shapes.Type, number: int) -> Any:  # noqa: ANN401 - of any type
        if isinstance(shape, shapes.IntType):
            least, most = shape.ge or 0, shape.le if shape.le is not None else SMALL
            return min(least + number, most) if self._chance is None else self._number(least, most)
        if isinstance(shape, shapes.BytesType):
            count = self._length(shape.min_length, shape.max_length, most=16)
            return bytes([number % 256]) * count if self._chance is None else self._chance.randbytes(count)
        if isinstance(shape, shapes.StrType):
            if shape.pattern is not None:
                fitting = [text for text in TEXTS if re.search(shape.pattern, text) and self._fits(shape, text)]
                assert fitting, f"no example text fits {shape.pattern}"
                return fitting[0] if self._chance is None else self._chance.choice(fitting)
            count = self._length(shape.min_length, shape.max_length, most=8)
            return "".join(self._choice(LETTERS) if self._chance else LETTERS[number % 8] for _ in range(count))
        if isinstance(shape, shapes.LiteralType):
            return self._choice(list(shape.values))
        if isinstance(shape, shapes.BoolType):
            return self._choice([False, True])
        if isinstance(shape, shapes.EnumType):
            return self._choice(list(shape.cls))
        assert isinstance(shape, shapes.NoneType), f"no example of {type(shape).__name__}"
        return None

    def _is_wanted(self, shape: shapes.Type) -> bool:
        return self._chance is not None or not isinstance(shape, shapes.NoneType)

    def _fits(self, shape: shapes.StrType, text: str) -> bool:
        most = len(text) if shape.max_length is None else shape.max_length
        return (shape.min_length or 0) <= len(text) <= most

    def _choice(self, options: Sequence[Any]) -> Any:  # noqa: ANN401 - one of them
        return options[-1] if self._chance is None else self._chance.choice(options)

    def _number(self, least: int, most: int) -> int:
        assert self._chance is not None
        if self._chance.random() < 0.05:
            return self._chance.choice((least, most))
        return self._chance.randint(least, min(least + SMALL, most))

    def _length(self, least: int | None, most_allowed: int | None, *, most: int) -> int:
        least = least or 0
        longest = min(most_allowed if most_allowed is not None else most, max(most, least))
        return max(least, min(1, longest)) if self._chance is None else self._chance.randint(least, longest)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[shapes.Type, ...]:
    described = shapes.type_info(kind)
    assert isinstance(described, shapes.StructType)
    return tuple(part.type for part in described.fields)
