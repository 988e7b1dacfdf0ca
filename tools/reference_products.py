"""Writes the reference of the products from their own tables: commands, queries, events, codes, and who may use each.

A command's meaning is the docstring of its message, a query's that of its parameters, a code's its plain words. Fields
are written as the doors write them: JSON, with money as integers and times as text.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import msgspec
from msgspec import inspect as shapes

from tools.reference_api import plain, tidy

ABOUT: Final = """\
A product is a folder of rules that run inside the machine. Each has one page here, written from the same table that
makes the HTTP routes, the OpenAPI document and the tests of who may do what. None knows another: what one needs of the
others it says in its `needs.py`, and `formicary/stack.py` puts them together.

## Who may

| who | meaning |
| --- | --- |
| anyone | without signing in; queries only |
| signed in | a person in a session; a key or token with the scope; the product checks whose things they are |
| operator | a person whom the institution appointed; the product checks the very role |
| door | no route: a door makes it from something that it has checked, such as a passkey, or a rail sends it |

*Fresh* means that a person must have shown passkey or PIN within the last minutes (`confirm_s`). A key never counts as
fresh, so such commands are for people alone. The *scope* is what a key or a third party's token must have been given; a
dash means that only a person in a session may.

## How fields are written

| in the tables | in JSON |
| --- | --- |
| amount | integer of the currency's minor unit, at most 10¹⁵; 500 is five euros |
| currency | its letters, `"EUR"` |
| time | RFC 3339 in UTC, `"2026-11-22T05:00:00Z"`; the field has no `_ns` then |
| party | 32 hexadecimal digits; in an answer an object with `id`, `name`, `kind` |
| sealed text | plain text of at most 1,000 characters; a door seals it in the vault, and the log gets a number |
| n bytes | 2n hexadecimal digits |
| … or null | may be null |
"""
WHO: Final = {"anyone": "anyone", "party": "signed in", "operator": "operator", "door": "door"}
EDGES: Final = {"asset": "currency", "time": "time", "party": "party", "sealed": "sealed text"}
MINOR_MAX: Final = 10**15
CURSORS: Final = ("after", "limit")


def products() -> tuple[Any, ...]:
    """Give the standard products in their order."""
    stack = importlib.import_module("formicary.stack")
    found: tuple[Any, ...] = stack.standard_products()
    return found


def overview(note: str) -> str:
    """Write docs/reference/products.md: the list of products and what their tables mean."""
    rows = [
        f"| [{product.name}](products/{product.name}.md) | {purpose(product)} | {len(product.commands)} |"
        f" {len(product.queries)} |"
        for product in products()
    ]
    table = "\n".join(["| product | what it is for | commands | queries |", "| --- | --- | ---: | ---: |", *rows, ""])
    return f"# Products\n\n{note}\n{ABOUT}\n## The products\n\n{table}"


def purpose(product: Any) -> str:  # noqa: ANN401 - a product, without importing the package at the top
    """Return the first line of a product's own documentation."""
    module = importlib.import_module(f"formicary.products.{product.name}")
    return plain((module.__doc__ or "").partition("\n\n")[0])


def product_page(name: str, note: str) -> str:
    """Write docs/reference/products/NAME.md."""
    (product,) = [each for each in products() if each.name == name]
    module = importlib.import_module(f"formicary.products.{name}")
    parts = [f"# The product {name}\n\n{note}\n{tidy(module.__doc__)}\n"]
    parts.append("What the words in these tables mean stands in [products](../products.md).\n")
    parts.append("## Commands\n\n" + "\n".join(command_section(name, each) for each in product.commands))
    parts.append("## Queries\n\n" + "\n".join(query_section(name, each) for each in product.queries))
    parts += [events(product), timers(product), codes(product)]
    return "\n".join(part for part in parts if part)


def command_section(product: str, command: Any) -> str:  # noqa: ANN401 - a command of a product
    """Write one command: its route, who may, what it does, its fields, what it answers."""
    lines = [f"### `{product}.{command.name}`\n", f"{doc(command.body)}\n", route("POST", product, command)]
    lines.append(fields("field", command.body))
    if command.reply is not None:
        lines.append(f"Answers {listed(command.reply)}.\n")
    return "\n".join(line for line in lines if line)


def query_section(product: str, query: Any) -> str:  # noqa: ANN401 - a query of a product
    """Write one query the same way."""
    lines = [f"### `{product}.{query.name}`\n", f"{doc(query.asked)}\n", route("GET", product, query)]
    lines += [fields("parameter", query.asked), f"Answers {listed(query.answer)}.\n"]
    return "\n".join(line for line in lines if line)


def route(method: str, product: str, declared: Any) -> str:  # noqa: ANN401 - a command or query
    """Write where it is found and who may use it."""
    access = str(declared.access)
    if access == "door":
        return "No route leads here: who may is the *door*.\n"
    path = f"`{method} /v1/{product}/{declared.name}`"
    fresh = ", fresh" if getattr(declared, "confirm", False) else ""
    scope = f"`{declared.scope}`" if declared.scope else "–"
    return f"{path} · {WHO[access]}{fresh} · scope {scope}\n"


def doc(kind: type) -> str:
    """Return a message's documentation, or what its name says where it has none."""
    text = tidy(kind.__doc__)
    return "" if text.startswith(("The fields of", kind.__name__ + "(")) else text


def fields(what: str, kind: type) -> str:
    """Write the table of a message's fields; nothing when it has none."""
    described = shapes.type_info(kind)
    assert isinstance(described, shapes.StructType)
    rows = [
        f"| `{name_of(each)}` | {words(each.type)} | {default_of(each)} |"
        for each in described.fields
        if each.name != "after"
    ]
    if not rows:
        return ""
    return "\n".join([f"| {what} | what | default |", "| --- | --- | --- |", *rows, ""])


def default_of(each: Any) -> str:  # noqa: ANN401 - msgspec's description of a field
    """Write a parameter's default, where it has one."""
    value = each.default
    return "" if value is msgspec.NODEFAULT or value is None or value == "" else f"`{value}`"


def name_of(each: Any) -> str:  # noqa: ANN401 - msgspec's description of a field
    """Write a field's name as the doors do: a time loses its unit."""
    name: str = each.encode_name
    return name.removesuffix("_ns") if "time" in words(each.type) else name


def listed(kind: type) -> str:
    """Write the fields of an answer in one sentence."""
    described = shapes.type_info(kind)
    assert isinstance(described, shapes.StructType)
    names = [f"`{name_of(each)}`{items(each.type)}" for each in described.fields]
    return ", ".join(names) if names else "nothing more"


def items(described: shapes.Type) -> str:
    """Write what a list in an answer holds, one level deep."""
    if isinstance(described, shapes.VarTupleType | shapes.ListType):
        inner = described.item_type
        if isinstance(inner, shapes.StructType):
            return " (each: " + ", ".join(f"`{name_of(each)}`" for each in inner.fields) + ")"
    return ""


def words(described: shapes.Type) -> str:
    """Write a field's type for people."""
    if isinstance(described, shapes.Metadata):
        edge = (described.extra or {}).get("edge")
        return EDGES.get(str(edge)) or words(described.type)
    if isinstance(described, shapes.UnionType):
        parts = [words(each) for each in described.types if not isinstance(each, shapes.NoneType)]
        some = " or ".join(parts)
        return f"{some} or null" if len(parts) < len(described.types) else some
    if isinstance(described, shapes.LiteralType):
        return ", ".join(f"`{value}`" for value in described.values)
    if isinstance(described, shapes.VarTupleType | shapes.ListType):
        most = f"at most {described.max_length}" if described.max_length else "a list"
        return f"{most} of: {words(described.item_type)}"
    if isinstance(described, shapes.StructType):
        inner = ", ".join(f"`{name_of(each)}` ({words(each.type)})" for each in described.fields)
        tag = f"`type` `{described.tag}`, " if described.tag else ""
        return f"{{{tag}{inner}}}"
    return simple(described)


def simple(described: shapes.Type) -> str:
    """Write a number, text or truth."""
    if isinstance(described, shapes.IntType):
        if described.le == MINOR_MAX:
            return "amount" if described.ge else "amount, or 0"
        return f"{described.ge:,} to {described.le:,}" if described.le and described.le < 2**31 - 1 else "integer"
    if isinstance(described, shapes.BytesType):
        least, most = described.min_length, described.max_length
        return f"{most} bytes" if least == most else f"at most {most:,} bytes"
    if isinstance(described, shapes.StrType):
        return f"text, at most {described.max_length} characters" if described.max_length else "text"
    return "true or false" if isinstance(described, shapes.BoolType) else "value"


def events(product: Any) -> str:  # noqa: ANN401 - a product
    """Write the table of what the outside is told."""
    rows = [f"| `{product.name}.{each.kind}` | {plain(each.payload.__doc__ or '')} |" for each in product.events]
    return "\n".join(["## Events\n", "| event | when |", "| --- | --- |", *rows, ""]) if rows else ""


def timers(product: Any) -> str:  # noqa: ANN401 - a product
    """Write the table of what happens by itself."""
    rows = [f"| `{each.name}` | {plain(each.payload.__doc__ or '')} |" for each in product.timers]
    about = "What happens by itself, at a time that is on the log.\n"
    return "\n".join(["## Timers\n", about, "| timer | what it does |", "| --- | --- |", *rows, ""]) if rows else ""


def codes(product: Any) -> str:  # noqa: ANN401 - a product
    """Write the table of why the product refuses, with the status that a door answers with."""
    status_of = importlib.import_module("formicary.gateway.problems").status_of
    rows = [f"| `{code}` | {status_of(code)} | {plain(text)} |" for code, text in product.codes.items()]
    return "\n".join(["## Refusals\n", "| code | status | when |", "| --- | ---: | --- |", *rows, ""]) if rows else ""
