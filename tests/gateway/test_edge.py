"""Twins: every message of every product reads back what was written, and refuses what it should by name."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect as shapes

from formicary.base.errors import BadInput
from formicary.gateway.edge import Edge, input_error
from formicary.gateway.edge_values import PartyTold, read_time, write_time
from formicary.machine.registry import Registry
from formicary.products.anatomy import Message
from formicary.products.pay import commands as pay
from formicary.stack import standard_products

REGISTRY = Registry(standard_products())
EDGE = Edge(REGISTRY)
COMMANDS = {name: found.type.body for (name, _), found in REGISTRY.commands.items()}
ANSWERS = {name: query.answer for name, query in REGISTRY.queries.items()}


def values(shape: shapes.Type) -> st.SearchStrategy[Any]:
    """Any value of a type, as handlers see it."""
    if isinstance(shape, shapes.Metadata):
        edge = (shape.extra or {}).get("edge")
        return st.sampled_from([978, 840, 392, 961]) if edge == "asset" else values(shape.type)
    if isinstance(shape, shapes.IntType):
        return st.integers(shape.ge if shape.ge is not None else -(2**53), shape.le if shape.le is not None else 2**53)
    if isinstance(shape, shapes.BytesType):
        return st.binary(
            min_size=shape.min_length or 0, max_size=max(min(shape.max_length or 40, 40), shape.min_length or 0)
        )
    if isinstance(shape, shapes.StrType):
        least, most = shape.min_length or 0, min(shape.max_length or 20, 20)
        return st.from_regex(shape.pattern, fullmatch=True) if shape.pattern else st.text(min_size=least, max_size=most)
    if isinstance(shape, shapes.VarTupleType):
        most = min(shape.max_length or 3, max(3, shape.min_length or 0))
        return st.lists(values(shape.item_type), min_size=shape.min_length or 0, max_size=most).map(tuple)
    if isinstance(shape, shapes.UnionType):
        return st.one_of([values(each) for each in shape.types])
    if isinstance(shape, shapes.StructType):
        return messages(shape.cls)
    if isinstance(shape, shapes.LiteralType):
        return st.sampled_from(list(shape.values))
    if isinstance(shape, shapes.BoolType):
        return st.booleans()
    assert isinstance(shape, shapes.NoneType), shape
    return st.none()


@cache
def messages(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Any message of a type."""
    described = shapes.type_info(kind)
    assert isinstance(described, shapes.StructType)
    return st.builds(kind, **{part.name: values(part.type) for part in described.fields})


def plain(value: Any) -> Any:
    """What an answer's JSON looks like when the same thing is said in a command: parties by id, texts themselves."""
    if isinstance(value, dict):
        if set(value) == {"id", "name", "kind"}:
            return value["id"]
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_what_is_written_is_read_back(name: str) -> None:
    """Every command: message → JSON of an answer → JSON of a request → the same message, texts by their numbers."""
    kind = COMMANDS[name]
    reader, writer = EDGE.reader(kind), EDGE.writer(kind)

    @given(messages(kind))
    def check(message: Message) -> None:
        _, refs = writer.collect(message)
        told = writer.write(message, {}, {ref: ref.hex() for ref in refs})
        request = msgspec.json.encode(plain(msgspec.json.decode(msgspec.json.encode(told))))
        twin = msgspec.json.decode(request, type=reader.twin)
        assert reader.read(twin, bytes.fromhex) == message

    check()


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_answer_is_written_as_its_schema_says(name: str) -> None:
    """What is sent decodes as the twin that the documentation describes."""
    writer = EDGE.writer(ANSWERS[name])

    @given(messages(ANSWERS[name]))
    def check(answer: Any) -> None:
        parties, refs = writer.collect(answer)
        names = {party: PartyTold(party.hex(), "Somebody", "person") for party in parties}
        sent = msgspec.json.encode(writer.write(answer, names, dict.fromkeys(refs, "text")))
        msgspec.json.decode(sent, type=writer.twin)

    check()


@given(st.integers(0, 2**63 - 1))
def test_a_time_is_read_as_it_was_written(time_ns: int) -> None:
    """RFC 3339 in UTC, to the nanosecond, and no longer than it has to be."""
    text = write_time(time_ns)
    assert read_time(text) == time_ns
    assert text.endswith("Z")
    assert "." not in text or not text.endswith("0Z")


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.5z", 500_000_000),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600_000_000_000),
        ("2025-12-31T19:30:00.000000001-04:30", 1_767_225_600_000_000_001),
    ],
)
def test_times_with_an_offset_are_read(text: str, time_ns: int) -> None:
    """Any offset; small letters too, as RFC 3339 allows."""
    assert read_time(text) == time_ns


@pytest.mark.parametrize(
    "text",
    ["2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01", "2026-01-01T00:00:00",
     "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00", "٢٠٢٦-01-01T00:00:00Z", ""],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(text: str) -> None:
    """Days that do not exist, times without an offset, other digits."""
    with pytest.raises(BadInput):
        read_time(text)


def test_an_error_names_the_field_to_the_last() -> None:
    """Inside lists and unions too, whether the type or the value is wrong."""
    reader = EDGE.reader(pay.Split)
    share = {"party": "00" * 16, "weight": 1}
    fields: dict[str, Any] = {"asset": "EUR", "total_minor": 5, "shares": [share, share | {"weight": 0}], "note": None}
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(fields, type=reader.twin)
    assert input_error(caught.value).where == "shares[1].weight"
    twin = msgspec.convert(fields | {"shares": [share], "asset": "#99999999999"[:11]}, type=reader.twin)
    with pytest.raises(BadInput) as refused:
        reader.read(twin, bytes.fromhex)
    assert refused.value.where == "asset"


def test_every_twin_has_the_words_of_its_message() -> None:
    """The documentation is the message's own."""
    for kind in (*COMMANDS.values(), *ANSWERS.values()):
        assert inspect.getdoc(EDGE.reader(kind).twin) == inspect.getdoc(kind)
