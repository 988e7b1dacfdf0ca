"""The rules of a product's folder: the anatomy's files, no other product, nothing that must not be known of a person.

The log can't forget. So no column, field or parameter may speak of a body, an origin, a place where somebody was, a
vehicle or who knows whom; and no text on the log is free, unless it stands below with the reason why it can't be about
anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from msgspec import inspect as shapes

from formicary.products.anatomy import Product
from formicary.products.example import PRODUCT
from formicary.stack import standard_products
from formicary.testing import examples

from tests.tidy.source import PACKAGE, Source, files, imported

PRODUCTS: Final = sorted(path.parent for path in (PACKAGE / "products").glob("*/__init__.py"))
STACK: Final = (*standard_products(), PRODUCT)
FILES: Final = (
    "README.md",
    "commands",
    "handlers",
    "schema.sql",
    "codes",
    "queries",
    "invariants",
    "needs",
    "strategies",
)
FORBIDDEN: Final = re.compile(
    r"(?:^|_)(?:"
    r"biometrics?|fingerprints?|faces?|facial|iris|voiceprint|gait|dna|"
    r"ethnic(?:ity)?|race|racial|religio(?:n|us)|tribe|nationality|caste|"
    r"locations?|latitude|longitude|lat|lng|lon|gps|geo(?:hash)?|position_at|whereabouts|"
    r"plates?|licen[cs]e_plates?|vin|"
    r"friends?_of|address_?books?|phone_?books?|contact_graph|social_graph|contacts_of"
    r")(?:_|$)"
)
FREE: Final = {
    "address": "where an institution's door is on the network: public, and about nobody",
    "code": "a refusal's code, one of the table of codes",
    "name": "the name of a parameter of the institution",
    "reasons": "names of the guard's rules",
    "why": "one of the reasons for which a booking stays open",
}
"""Fields of messages that are texts without a pattern, and why they are allowed to be."""
COLUMN: Final = re.compile(r"^\s+([a-z_]+)\s+(?:BLOB|INTEGER|TEXT|REAL|ANY)\b", re.MULTILINE)
Struct = type[msgspec.Struct]


@pytest.mark.parametrize("folder", PRODUCTS, ids=lambda path: path.name)
def test_a_folder_has_the_files_of_the_anatomy(folder: Path) -> None:
    """Know one, know all; what has grown is a package of the same name."""
    missing = [name for name in FILES if not any((folder / each).exists() for each in (name, f"{name}.py"))]
    assert not missing, f"{folder.name} lacks {', '.join(missing)}"
    told = (folder / "README.md").read_text(encoding="utf-8")
    assert len(told) > 300, "a README says what the product is for and what always holds"


@pytest.mark.parametrize("folder", PRODUCTS, ids=lambda path: path.name)
def test_no_product_imports_another(folder: Path) -> None:
    """What one needs of another is a Protocol that it declares; only the stack knows both."""
    others = tuple(f"formicary.products.{path.name}" for path in PRODUCTS if path != folder)
    for path in files(f"src/formicary/products/{folder.name}"):
        source = Source.read(path)
        found = [name for _, name in imported(source) if name.startswith(others) and in_another(name, others)]
        assert not found, f"{source.place} imports {found}"


def in_another(name: str, others: tuple[str, ...]) -> bool:
    """Whether a module is one of some packages or in them: ``pay`` is not ``payroll``."""
    return any(name == other or name.startswith(f"{other}.") for other in others)


def test_nothing_is_kept_that_must_not_be_known() -> None:
    """No biometrics, ethnicity, place, plate or graph of acquaintances: in no column, message, question or answer."""
    found = [f"{where}: {name}" for where, name in names() if FORBIDDEN.search(name)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "name", ["gps_trace", "face_template", "fingerprint", "ethnicity", "plate", "home_location", "contact_graph", "lat"]
)
def test_what_must_not_be_known_is_seen(name: str) -> None:
    """The rule bites."""
    assert FORBIDDEN.search(name)


@pytest.mark.parametrize("name", ["contact", "platform", "latest_ns", "relation", "surface", "places_min", "place"])
def test_honest_names_pass(name: str) -> None:
    """And leaves honest neighbours alone: places of a pool are seats."""
    assert not FORBIDDEN.search(name)


def test_the_rule_sees_columns_and_fields() -> None:
    """A rule that looks at nothing passes for ever."""
    seen = {name for _, name in names()}
    assert {"held_minor", "payee", "spent_day_minor", "until_ns"} <= seen
    assert len(seen) > 200


def test_no_text_on_the_log_is_free() -> None:
    """What people write is sealed in the vault: a text has a pattern, is a choice, or stands in the list."""
    free = {}
    for name, message in examples.messages(STACK).items():
        for field in texts_of(message):
            free[field] = name
    assert not {field: name for field, name in free.items() if field not in FREE}
    assert free.keys() == FREE.keys(), "what nobody uses any more leaves the list"


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def names() -> Iterator[tuple[str, str]]:
    """(where, name) of every column, message field, parameter and answer field of every product."""
    for product in STACK:
        for column in COLUMN.findall(product.schema):
            yield f"{product.name}'s schema", column
        for struct in structs(product):
            for name in struct.__struct_fields__:
                yield f"{product.name}.{struct.__name__}", name


def structs(product: Product) -> list[Struct]:
    """Every struct that a product takes or gives, also those inside others."""
    found: dict[Struct, None] = {}
    outer: list[Struct] = [*examples.messages([product]).values()]
    outer += [kind for query in product.queries for kind in (query.asked, query.answer)]
    for struct in outer:
        for inner in nested(shapes.type_info(struct)):
            found[inner] = None
    return list(found)


def nested(shape: Any) -> Iterator[Struct]:
    """A struct and those in its fields."""
    for part in parts(shape):
        if isinstance(part, shapes.StructType):
            yield part.cls


def texts_of(message: Struct) -> Iterator[str]:
    """Names of a message's fields, at any depth, that hold a text without a pattern."""
    for struct in nested(shapes.type_info(message)):
        described = shapes.type_info(struct)
        assert isinstance(described, shapes.StructType)
        for field in described.fields:
            for part in parts(field.type, into_structs=False):
                if isinstance(part, shapes.StrType) and part.pattern is None:
                    yield field.name


def parts(shape: Any, *, into_structs: bool = True) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield shape
    inner: list[Any] = []
    if isinstance(shape, shapes.Metadata):
        inner = [shape.type]
    elif isinstance(shape, shapes.VarTupleType | shapes.ListType):
        inner = [shape.item_type]
    elif isinstance(shape, shapes.TupleType):
        inner = list(shape.item_types)
    elif isinstance(shape, shapes.UnionType):
        inner = list(shape.types)
    elif isinstance(shape, shapes.StructType) and into_structs:
        inner = [field.type for field in shape.fields]
    for each in inner:
        yield from parts(each, into_structs=into_structs)
