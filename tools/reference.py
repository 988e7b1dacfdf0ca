"""Writes those pages of docs/reference/ that the code itself knows best: codes, limits, verbs, names, products, routes.

A code's meaning is the string below it in ``kernel/codes.py``; a limit's is the string below it where it is defined; a
verb's, a name's and a command's is its docstring. A page that does not carry the note below is somebody's own, and is
left alone.
``--check`` writes nothing and fails when a page has fallen behind.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
import sys
from collections.abc import Callable
from enum import IntEnum
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.reference_api import cli_page, notes, python_page
from tools.reference_http import http_page, settings_page
from tools.reference_products import overview, product_page, products

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "src"
REFERENCE: Final = ROOT / "docs" / "reference"
NOTE: Final = "<!-- written by tools/reference.py: mend the code's own words, then `make docs` -->\n"

ABOUT_CODES: Final = """\
Every account and every transfer of a batch gets one code. Zero, `OK`, means that it is stored and durable; any other
code means that the record changed nothing. A record that breaks several rules gets the lowest number among them, so
the tables below are also the order in which the rules are looked at. A number never changes its meaning.

`EXISTS` is good news: the same record was stored before, so a retry has arrived. A code that begins with
`EXISTS_WITH_DIFFERENT` is not: the id was used for something else.
"""
ABOUT_LIMITS: Final = """\
Everything has a limit, so that the worst case is known before it comes. What would pass one is refused with a code or
a message that names it; nothing is cut short silently. Most are bounds of a field's width; a few were chosen, and
those can be raised without changing what is stored.
"""


def sentence(name: str) -> str:
    """Say a code's name in words, for a code that needs no more explanation than its name."""
    if name == "OK":
        return "Accepted."
    words = name.lower().replace("_", " ")
    return f"{words[0].upper()}{words[1:]}."


def codes_of(enum: type[IntEnum]) -> str:
    """Write the table of one enumeration of codes, in order of precedence."""
    (node,) = ast.parse(inspect.getsource(enum)).body
    assert isinstance(node, ast.ClassDef)
    meanings = notes(node.body)
    rows = [f"| {code.value} | `{code.name}` | {meanings.get(code.name) or sentence(code.name)} |" for code in enum]
    return "\n".join(["| number | code | when |", "| ---: | --- | --- |", *rows, ""])


def codes_page() -> str:
    """Write docs/reference/codes.md."""
    codes = importlib.import_module("formicary.kernel.codes")
    tables = f"## Transfers\n\n{codes_of(codes.TransferCode)}\n## Accounts\n\n{codes_of(codes.AccountCode)}"
    return f"# Result codes\n\n{NOTE}\n{ABOUT_CODES}\n{tables}"


def limits_page() -> str:
    """Write docs/reference/limits.md."""
    rows = []
    for path in sorted((SOURCE / "formicary").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        meanings = {name: text for name, text in notes(tree.body).items() if re.fullmatch(r"[A-Z][A-Z0-9_]*_MAX", name)}
        if meanings:
            name = path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
            module = importlib.import_module(name)
            rows += [row(module, limit, text) for limit, text in meanings.items()]
    table = "\n".join(["| limit | value | of what | where |", "| --- | ---: | --- | --- |", *rows, ""])
    return f"# Limits\n\n{NOTE}\n{ABOUT_LIMITS}\n{table}"


def row(module: ModuleType, limit: str, text: str) -> str:
    """Write the row of one limit."""
    value = getattr(module, limit)
    shown = f"{value:,}" if isinstance(value, int) and value < 10**12 else power(value)
    return f"| `{limit}` | {shown} | {text or sentence(limit.removesuffix('_MAX'))} | `{module.__name__}` |"


def power(value: object) -> str:
    """Write a bound of a field's width as the power of two that it is next to."""
    if isinstance(value, int):
        for less in (0, 1, 2):
            if (value + less).bit_count() == 1:
                exponent = str((value + less).bit_length() - 1).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
                return f"2{exponent}" + (f" − {less}" if less else "")
        return f"{value:,}"
    return str(value)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "codes.md": codes_page,
    "limits.md": limits_page,
    "cli.md": lambda: cli_page(NOTE),
    "python.md": lambda: python_page(NOTE),
    "products.md": lambda: overview(NOTE),
    "http.md": lambda: http_page(NOTE),
    "gateway-settings.md": lambda: settings_page(NOTE),
    **{f"products/{each.name}.md": partial(product_page, each.name, NOTE) for each in products()},
}


def behind() -> dict[str, str]:
    """Give the pages that the code would write differently now, with what it would write."""
    found = {}
    for name, write in PAGES.items():
        path = REFERENCE / name
        before = path.read_text(encoding="utf-8") if path.exists() else NOTE
        if NOTE in before and (text := write()) != before:
            found[name] = text
    return found


def main() -> int:
    """Write the pages, or with --check say which have fallen behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page has fallen behind")
    checking = parser.parse_args().check
    late = behind()
    for name, text in late.items():
        print(f"docs/reference/{name} {'has fallen behind the code: make docs' if checking else 'written'}")
        if not checking:
            (REFERENCE / name).parent.mkdir(exist_ok=True)
            (REFERENCE / name).write_text(text, encoding="utf-8")
    return 1 if late and checking else 0


if __name__ == "__main__":
    sys.exit(main())
