"""Undocumented is failing: each code, error, verb, public name, setting and limit stands in docs/reference/.

Names are taken from the code itself, so that what is added without its line in the reference is found at once.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

import typer

import formicary
from formicary import cli
from formicary.base import errors
from formicary.gateway.config import SETTINGS
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.stack import standard_products

from tests.tidy.source import ROOT, Source, files, limits
from tools.reference_http import door_of_nothing

REFERENCE = sorted((ROOT / "docs" / "reference").rglob("*.md"))
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in REFERENCE)
WORDS = set(re.findall(r"`([^`\n]+)`", TEXT))
"""Whatever stands in backquotes somewhere in the reference."""


def missing(names: Iterator[str] | list[str]) -> list[str]:
    """Return the names that no page of the reference has in backquotes."""
    return sorted({name for name in names if name not in WORDS})


def error_codes() -> Iterator[str]:
    """Give each stable code of an exception: those of the classes, and those given where one is raised."""
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, errors.FormicaryError):
            yield value.code
    for path in files("src"):
        for node in Source.read(path).nodes:
            if isinstance(node, ast.Call):
                yield from (
                    word.value.value
                    for word in node.keywords
                    if word.arg == "code"
                    and isinstance(word.value, ast.Constant)
                    and isinstance(word.value.value, str)
                    and word.value.value
                )


def product_names() -> Iterator[str]:
    """Give each command, query, event and refusal of the standard products, as a caller would write it."""
    for product in standard_products():
        yield from (f"{product.name}.{each.name}" for each in (*product.commands, *product.queries))
        yield from (f"{product.name}.{each.kind}" for each in product.events)
        yield from product.codes


def settings() -> Iterator[str]:
    """Give each environment variable of ours that the package or its tools read."""
    for path in files("src", "tests", "bench", "examples", "tools"):
        for node in Source.read(path).nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"\bFORMICARY_[A-Z_]*[A-Z]\b", node.value)
    yield from re.findall(r"\bFORMICARY_[A-Z_]*[A-Z]\b", (ROOT / "tools" / "setup.sh").read_text(encoding="utf-8"))


def test_every_result_code_is_in_the_reference() -> None:
    """The codes of accounts and transfers, by name."""
    assert missing([code.name for code in [*AccountCode, *TransferCode]]) == []


def test_every_error_is_in_the_reference() -> None:
    """The exceptions by class, and every code that one is raised with."""
    classes = [
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    assert missing(classes) == []
    assert missing(error_codes()) == []


def test_every_public_name_is_in_the_reference() -> None:
    """What ``import formicary`` offers, written as a program would: ``formicary.open``."""
    names = [name for name in getattr(formicary, "__all__", []) if not name.startswith("_")]
    assert missing([f"formicary.{name}" for name in names]) == []


def verbs() -> Iterator[str]:
    """Give each verb of the command line, written whole: ``formicary ledger init``."""
    for group, (module, _) in cli.GROUPS.items():
        command = typer.main.get_command(importlib.import_module(module).app)
        yield from (f"formicary {group} {verb}" for verb in getattr(command, "commands", {}))
    yield from (f"formicary {verb}" for verb in cli.VERBS)


def test_every_verb_is_in_the_reference() -> None:
    """Each command of the cli, found by asking the cli itself."""
    assert len(list(verbs())) > 10
    assert missing(verbs()) == []


def test_every_setting_is_in_the_reference() -> None:
    """The environment variables, by name."""
    assert missing(settings()) == []


def test_every_setting_of_the_gateway_is_in_the_reference() -> None:
    """Each by its name in the file and by its variable."""
    assert missing([name for each in SETTINGS for name in (each.name, each.variable)]) == []


def test_everything_of_the_products_is_in_the_reference() -> None:
    """Commands, queries, events and the codes that they refuse with."""
    assert missing(product_names()) == []


def test_every_route_is_in_the_reference() -> None:
    """Method and path, of the whole gateway but its built pages."""
    _, routes = door_of_nothing()
    assert missing([f"{each.method} {each.path}" for each in routes]) == []


def test_every_limit_is_in_the_reference() -> None:
    """Everything has a limit; a limit that only the code knows is a trap."""
    assert missing([name for _, _, name in limits()]) == []


def test_what_is_not_documented_is_found() -> None:
    """The check itself bites: a name that stands nowhere is missing."""
    assert missing(["no_such_code", "OK"]) == ["no_such_code"]
