"""Twins of messages and answers: the same fields as people and their programs read and write them in JSON.

Each message type has a twin, made once: bytes are hexadecimal digits, assets are letters, times are RFC 3339 under a
name without ``_ns``, sealed texts are plain, parties in answers come with their names. Twins are closed: a field that
is not there is refused by name. Converters are put together once a type, so that a value costs a few calls.

Invariant: ``read`` after ``write`` gives the same message, for messages without texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter, or_
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, UnsetType
from msgspec import inspect as shapes

from formicary.base.errors import BadInput
from formicary.gateway.edge_values import (
    ASSET_PATTERN,
    HEX_PATTERN,
    ID_DIGITS,
    ID_PATTERN,
    NOBODY_TOLD,
    SEALED_CHARS_MAX,
    TIME_CHARS_MAX,
    TIME_PATTERN,
    WORDS,
    PartyId,
    PartyTold,
    read_asset,
    read_hex,
    read_time,
    write_asset,
    write_hex,
    write_time,
)
from formicary.machine.registry import Registry

Number = Callable[[str], bytes]
"""Gives a text that is to be sealed its number."""
Names = Mapping[bytes, PartyTold]
Texts = Mapping[bytes, str]
Read = Callable[[Any, Number], Any]
Write = Callable[[Any, Names, Texts], Any]
Collect = Callable[[Any, list[bytes], list[bytes]], None]
"""Puts the parties and the numbers of texts in a value onto two lists."""

_AT: Final = re.compile(r" - at `\$?\.?(?P<where>.*)`$")
_REGEX: Final = re.compile(r"^Expected `str` matching regex (?P<regex>'.*'|\".*\")$", re.DOTALL)
_PATTERNS: Final = {repr(pattern): words for pattern, words in WORDS.items()}


@dataclass(frozen=True, slots=True)
class _In:
    """How one type is read: what JSON may hold, and what makes the value of it; None when it is that already."""

    annotation: Any
    read: Read | None = None


@dataclass(frozen=True, slots=True)
class _Out:
    """How one type is written."""

    annotation: Any
    write: Write | None = None
    collect: Collect | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the twin of one type."""

    twin: type[msgspec.Struct]
    read: Callable[[msgspec.Struct, Number], msgspec.Struct]
    """``(twin, number of a text) -> message``; raises ``BadInput`` that names the field."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the twin of one type."""

    twin: type[msgspec.Struct]
    write: Callable[[msgspec.Struct, Names, Texts], msgspec.Struct]
    """``(message, parties, texts) -> twin``."""
    gather: Collect | None

    @property
    def needs_people(self) -> bool:
        """Whether the type has parties or sealed texts, which have to be looked up first."""
        return self.gather is not None

    def collect(self, value: msgspec.Struct) -> tuple[list[bytes], list[bytes]]:
        """The parties and the numbers of texts in a value."""
        parties: list[bytes] = []
        refs: list[bytes] = []
        if self.gather is not None:
            self.gather(value, parties, refs)
        return parties, refs


class Edge:
    """Makes and keeps the readers and writers of all messages, parameters and answers."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._in: dict[type, Reader] = {}
        self._out: dict[type, Writer] = {}

    def reader(self, message: type[msgspec.Struct]) -> Reader:
        """Reads what comes in: command bodies and parameters of queries."""
        found = self._in.get(message)
        if found is None:
            found = self._in[message] = self._make_reader(message)
        return found

    def writer(self, message: type[msgspec.Struct]) -> Writer:
        """Writes what goes out: replies, answers and events."""
        found = self._out.get(message)
        if found is None:
            found = self._out[message] = self._make_writer(message)
        return found

    # ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_reader(self, message: type[msgspec.Struct]) -> Reader:
        described = shapes.type_info(message)
        assert isinstance(described, shapes.StructType)
        fields: list[Any] = []
        names: list[tuple[str, str, Read | None]] = []
        for part in described.fields:
            shape = self._plan_in(part.type, f"{message.__name__}.{part.name}")
            edge_name = edge_name_of(part)
            fields.append(_in_field(edge_name, part, shape))
            names.append((edge_name, part.name, shape.read))
        twin = msgspec.defstruct(
            f"{twin_name(message)}Input",
            fields,
            kw_only=True,
            frozen=True,
            forbid_unknown_fields=True,
            namespace={"__doc__": message.__doc__},
            module=message.__module__,
            **_tagging(message),
        )
        return Reader(twin, _struct_reader(message, names))

    def _plan_in(self, shape: shapes.Type, where: str) -> _In:  # ladder: one rung for each kind of type
        if isinstance(shape, shapes.Metadata):
            return _EDGE_IN.get((shape.extra or {}).get("edge", "")) or self._plan_in(shape.type, where)
        if isinstance(shape, shapes.BytesType):
            return _In(_hex_annotation(shape), lambda value, _number: read_hex(value))
        if isinstance(shape, shapes.UnionType):
            return self._union_in(shape, where)
        if isinstance(shape, shapes.VarTupleType | shapes.ListType):
            item = self._plan_in(shape.item_type, where)
            annotation = _list_of(item.annotation, shape)
            each = item.read
            if each is None:
                return _In(annotation)
            return _In(annotation, lambda values, number: tuple([each(value, number) for value in values]))
        if isinstance(shape, shapes.TupleType):
            items = [self._plan_in(each, where) for each in shape.item_types]
            reads = [item.read or _same for item in items]
            annotation = _tuple_of([item.annotation for item in items])
            return _In(
                annotation, lambda values, number: tuple([r(v, number) for r, v in zip(reads, values, strict=True)])
            )
        if isinstance(shape, shapes.StructType):
            reader = self.reader(shape.cls)
            return _In(reader.twin, reader.read)
        return _In(_plain(shape, where))

    def _union_in(self, shape: shapes.UnionType, where: str) -> _In:
        plans = [(each, self._plan_in(each, where)) for each in shape.types]
        annotation = reduce(or_, [plan.annotation for _, plan in plans])
        reads = [plan.read for _, plan in plans if plan.read is not None]
        if not reads:
            return _In(annotation)
        structs: dict[type, Read] = {
            plan.annotation: plan.read for each, plan in plans if isinstance(each, shapes.StructType) and plan.read
        }
        if len(structs) > 1:
            return _In(annotation, lambda value, number: structs[type(value)](value, number) if value else None)
        rest = [each for each in shape.types if not isinstance(each, shapes.NoneType)]
        assert len(rest) == 1, f"{where}: a union that JSON can't tell apart"
        only = reads[0]
        return _In(annotation, lambda value, number: None if value is None else only(value, number))

    # ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_writer(self, message: type[msgspec.Struct]) -> Writer:
        described = shapes.type_info(message)
        assert isinstance(described, shapes.StructType)
        plans = [
            (edge_name_of(part), part.name, self._plan_out(part.type, f"{message.__name__}.{part.name}"))
            for part in described.fields
        ]
        twin = msgspec.defstruct(
            twin_name(message),
            [(edge_name, plan.annotation) for edge_name, _, plan in plans],
            frozen=True,
            namespace={"__doc__": message.__doc__},
            module=message.__module__,
            **_tagging(message),
        )
        write = _struct_writer(twin, [(name, plan.write) for _, name, plan in plans])
        return Writer(twin, write, _struct_collector([(name, plan.collect) for _, name, plan in plans]))

    def _plan_out(self, shape: shapes.Type, where: str) -> _Out:  # ladder: one rung for each kind of type
        if isinstance(shape, shapes.Metadata):
            return _EDGE_OUT.get((shape.extra or {}).get("edge", "")) or self._plan_out(shape.type, where)
        if isinstance(shape, shapes.BytesType):
            return _Out(_hex_annotation(shape), lambda value, _names, _texts: write_hex(value))
        if isinstance(shape, shapes.UnionType):
            return self._union_out(shape, where)
        if isinstance(shape, shapes.VarTupleType | shapes.ListType):
            return _sequence_out(shape, self._plan_out(shape.item_type, where))
        if isinstance(shape, shapes.TupleType):
            items = [self._plan_out(each, where) for each in shape.item_types]
            assert all(item.collect is None for item in items), f"{where}: parties and texts stand in named fields"
            writes = [item.write or _same_out for item in items]
            annotation = _tuple_of([item.annotation for item in items])
            return _Out(
                annotation, lambda vs, names, texts: [w(v, names, texts) for w, v in zip(writes, vs, strict=True)]
            )
        if isinstance(shape, shapes.StructType):
            writer = self.writer(shape.cls)
            return _Out(writer.twin, writer.write, writer.gather)
        return _Out(_plain(shape, where))

    def _union_out(self, shape: shapes.UnionType, where: str) -> _Out:
        plans = [(each, self._plan_out(each, where)) for each in shape.types]
        annotation = reduce(or_, [plan.annotation for _, plan in plans])
        if all(plan.write is None for _, plan in plans):
            return _Out(annotation)
        structs = {each.cls: plan for each, plan in plans if isinstance(each, shapes.StructType)}
        if len(structs) > 1:
            return _structs_out(annotation, structs)
        rest = [plan for each, plan in plans if not isinstance(each, shapes.NoneType)]
        assert len(rest) == 1, f"{where}: a union that JSON can't tell apart"
        write, collect = rest[0].write, rest[0].collect
        assert write is not None
        return _Out(
            annotation,
            # a text has no value in the vault's answer when it can't be read: that is its writer's to say
            lambda value, names, texts: None if value is None else write(value, names, texts),
            None
            if collect is None
            else lambda value, parties, refs: None if value is None else collect(value, parties, refs),
        )


# ── names and plain types ───────────────────────────────────────────────────────────────────────────────────────────


def edge_name_of(part: shapes.Field) -> str:
    """The name of a field in JSON: a time's without ``_ns``."""
    if part.name.endswith("_ns") and _is_time(part.type):
        return part.name.removesuffix("_ns")
    return part.name


def twin_name(message: type) -> str:
    """A name for the documentation that no other product's type has: ``PaySend``."""
    parts = message.__module__.split(".")
    product = parts[parts.index("products") + 1] if "products" in parts[:-1] else ""
    return f"{product.capitalize()}{message.__name__}"


def kind_name(name: str) -> str:
    """A type's name as it stands in a union's ``type`` field: ``SetLimit`` is ``set_limit``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _tagging(message: type[msgspec.Struct]) -> dict[str, Any]:
    config = message.__struct_config__
    if config.tag is None:
        return {}
    tag = config.tag if isinstance(config.tag, str) and config.tag != message.__name__ else kind_name(message.__name__)
    return {"tag": tag, "tag_field": "type"}


def _is_time(shape: shapes.Type) -> bool:
    if isinstance(shape, shapes.UnionType):
        return any(_is_time(each) for each in shape.types)
    return isinstance(shape, shapes.Metadata) and (shape.extra or {}).get("edge") == "time"


def _hex_annotation(shape: shapes.BytesType) -> Any:  # noqa: ANN401 - a type
    least = None if shape.min_length is None else 2 * shape.min_length
    most = None if shape.max_length is None else 2 * shape.max_length
    pattern = ID_PATTERN if least == most == ID_DIGITS else HEX_PATTERN
    return Annotated[str, Meta(pattern=pattern, min_length=least, max_length=most)]


def _list_of(item: Any, shape: shapes.VarTupleType | shapes.ListType) -> Any:  # noqa: ANN401 - types
    made: Any = tuple[item, ...]
    return Annotated[made, Meta(min_length=shape.min_length, max_length=shape.max_length)]


def _tuple_of(items: list[Any]) -> Any:  # noqa: ANN401 - types
    made: Any = tuple
    return made[tuple(items)]


def _plain(shape: shapes.Type, where: str) -> Any:  # noqa: ANN401 - a type
    """The annotation of a type that JSON holds as it is."""
    if isinstance(shape, shapes.IntType):
        bounds: Any = {name: getattr(shape, name) for name in ("ge", "gt", "le", "lt", "multiple_of")}
        return Annotated[int, Meta(**bounds)]
    if isinstance(shape, shapes.StrType):
        return Annotated[str, Meta(min_length=shape.min_length, max_length=shape.max_length, pattern=shape.pattern)]
    if isinstance(shape, shapes.BoolType):
        return bool
    if isinstance(shape, shapes.NoneType):
        return None
    if isinstance(shape, shapes.LiteralType):
        return Literal[tuple(shape.values)]
    if isinstance(shape, shapes.EnumType):
        return shape.cls
    message = f"{where}: {type(shape).__name__} has no form at the edge"
    raise AssertionError(message)


def _same(value: Any, _number: Number) -> Any:  # noqa: ANN401 - any JSON value
    return value


def _same_out(value: Any, _names: Names, _texts: Texts) -> Any:  # noqa: ANN401 - any JSON value
    return value


# ── values with a form of their own ─────────────────────────────────────────────────────────────────────────────────

_ASSET: Final = Annotated[
    str, Meta(pattern=ASSET_PATTERN, max_length=11, description="Letters of a currency", examples=["EUR"])
]
_TIME: Final = Annotated[
    str,
    Meta(
        pattern=TIME_PATTERN,
        max_length=TIME_CHARS_MAX,
        description="RFC 3339",
        examples=["2026-01-31T12:00:00Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
_TEXT: Final = Annotated[
    str, Meta(max_length=SEALED_CHARS_MAX, description="Kept in the vault, readable only for whom it concerns")
]
_EDGE_IN: Final = {
    "asset": _In(_ASSET, lambda value, _number: read_asset(value)),
    "time": _In(_TIME, lambda value, _number: read_time(value)),
    "party": _In(PartyId, lambda value, _number: read_hex(value)),
    "sealed": _In(_TEXT, lambda value, number: number(value)),
}
_EDGE_OUT: Final = {
    "asset": _Out(_ASSET, lambda value, _names, _texts: write_asset(value)),
    "time": _Out(_TIME, lambda value, _names, _texts: write_time(value)),
    "party": _Out(
        PartyTold,
        lambda value, names, _texts: (names.get(value) or PartyTold(value.hex(), "", "")) if value else NOBODY_TOLD,
        lambda value, parties, _refs: parties.append(value),
    ),
    "sealed": _Out(
        _TEXT | None,
        lambda value, _names, texts: texts.get(value),
        lambda value, _parties, refs: refs.append(value),
    ),
}


# ── structs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _in_field(edge_name: str, part: shapes.Field, shape: _In) -> tuple[str, Any] | tuple[str, Any, Any]:
    """A field of a twin that comes in; what may be None may be left out."""
    if part.required:
        optional = isinstance(part.type, shapes.UnionType) and part.type.includes_none
        return (edge_name, shape.annotation, None) if optional else (edge_name, shape.annotation)
    if part.default is not msgspec.NODEFAULT and (shape.read is None or part.default is None):
        return (edge_name, shape.annotation, part.default)
    return (edge_name, shape.annotation | UnsetType, msgspec.UNSET)


def _struct_reader(
    message: type[msgspec.Struct], names: list[tuple[str, str, Read | None]]
) -> Callable[[Any, Number], msgspec.Struct]:
    def read(twin: Any, number: Number) -> msgspec.Struct:  # noqa: ANN401 - the twin was made at run time
        values: dict[str, Any] = {}
        for edge_name, name, convert in names:
            value = getattr(twin, edge_name)
            if value is msgspec.UNSET:
                continue
            if convert is not None and value is not None:
                try:
                    value = convert(value, number)
                except BadInput as error:
                    raise _deeper(error, edge_name) from None
            values[name] = value
        return message(**values)

    return read


def _deeper(error: BadInput, field: str) -> BadInput:
    """Say which field an error is in, from the outside in."""
    words = str(error).removeprefix(f"{error.where}: ") if error.where else str(error)
    return BadInput(words, where=f"{field}.{error.where}" if error.where else field)


def _struct_writer(
    twin: type[msgspec.Struct], fields: list[tuple[str, Write | None]]
) -> Callable[[Any, Names, Texts], msgspec.Struct]:
    if not fields:
        return lambda _value, _names, _texts: twin()
    if len(fields) == 1:
        name, only = fields[0]
        write_only = only or _same_out
        return lambda value, names, texts: twin(write_only(getattr(value, name), names, texts))
    take = attrgetter(*[name for name, _ in fields])
    writes = [write for _, write in fields]

    def write(value: Any, names: Names, texts: Texts) -> msgspec.Struct:  # noqa: ANN401 - any message
        taken = zip(writes, take(value), strict=True)
        return twin(*[each if convert is None else convert(each, names, texts) for convert, each in taken])

    return write


def _struct_collector(fields: list[tuple[str, Collect | None]]) -> Collect | None:
    wanted = [(name, collect) for name, collect in fields if collect is not None]
    if not wanted:
        return None

    def gather(value: Any, parties: list[bytes], refs: list[bytes]) -> None:  # noqa: ANN401 - any message
        for name, collect in wanted:
            collect(getattr(value, name), parties, refs)

    return gather


def _sequence_out(shape: shapes.VarTupleType | shapes.ListType, item: _Out) -> _Out:
    annotation = _list_of(item.annotation, shape)
    write, collect = item.write, item.collect
    if write is None:
        return _Out(annotation)

    def gather(values: Any, parties: list[bytes], refs: list[bytes]) -> None:  # noqa: ANN401 - any sequence
        assert collect is not None
        for value in values:
            collect(value, parties, refs)

    return _Out(
        annotation,
        lambda values, names, texts: [write(value, names, texts) for value in values],
        None if collect is None else gather,
    )


def _structs_out(annotation: Any, structs: Mapping[type, _Out]) -> _Out:  # noqa: ANN401 - a type
    """One of several structs, perhaps none."""

    def write(value: Any, names: Names, texts: Texts) -> Any:  # noqa: ANN401 - any of them
        convert = None if value is None else structs[type(value)].write
        return None if convert is None else convert(value, names, texts)

    def gather(value: Any, parties: list[bytes], refs: list[bytes]) -> None:  # noqa: ANN401 - any of them
        collect = None if value is None else structs[type(value)].collect
        if collect is not None:
            collect(value, parties, refs)

    return _Out(annotation, write, gather if any(plan.collect for plan in structs.values()) else None)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def input_error(error: Exception) -> BadInput:
    """Say what msgspec found wrong, and where, in words for people."""
    text = str(error)
    found = _AT.search(text)
    where = found["where"] if found else ""
    words = text[: found.start()] if found else text
    regex = _REGEX.match(words)
    if regex:
        words = "Expected " + _PATTERNS.get(regex["regex"], f"text matching {regex['regex']}")
    return BadInput(words.replace("`", ""), where=where.removeprefix("."))
