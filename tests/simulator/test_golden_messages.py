"""Golden bytes of the products' messages: what a release wrote, every later version reads and writes the same."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from formicary.machine.commands import encode
from formicary.stack import standard_products
from formicary.testing import examples, golden

FOLDER = Path(__file__).parent.parent / "golden"
RECORDED = sorted(FOLDER.glob(f"{golden.MESSAGES}*.json"))
TYPES = examples.messages(standard_products())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_old_bytes_are_read_and_written_the_same(path: Path) -> None:
    """A message never loses, moves or retypes a field: its bytes stand on logs that nobody can change."""
    for name, recorded in json.loads(path.read_text(encoding="utf-8")).items():
        assert name in TYPES, f"{name} is gone, but its bytes are on logs"
        data = bytes.fromhex(recorded)
        message = msgspec.msgpack.decode(data, type=TYPES[name])
        assert encode(message) == data, f"{name} is written otherwise than it was"


def test_every_message_is_recorded() -> None:
    """A message without golden bytes could change unseen: ``make golden ARGS=tests/golden`` adds the new ones."""
    recorded = {name for path in RECORDED for name in json.loads(path.read_text(encoding="utf-8"))}
    assert not TYPES.keys() - recorded


def test_an_example_has_a_value_in_every_field() -> None:
    """What is None or empty in an example would prove nothing of its field."""
    for name, message in TYPES.items():
        example = examples.canonical(message)
        for field in message.__struct_fields__:
            assert getattr(example, field) is not None, f"{name}.{field}"


def test_a_swapped_field_shows() -> None:
    """The bytes of an example tell fields of one type apart; a type that is changed does not give the same bytes."""
    before = msgspec.defstruct("Paid", [("payer", bytes), ("payee", bytes)], frozen=True, array_like=True)
    after = msgspec.defstruct("Paid", [("payee", bytes), ("payer", bytes)], frozen=True, array_like=True)
    one, other = examples.Maker(None).struct(before), examples.Maker(None).struct(after)
    assert one.payer != one.payee
    assert one.payer != other.payer
