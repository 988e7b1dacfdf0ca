"""Writes the reference of the command line and of the Python interface from the docstrings of what they consist of."""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

ABOUT_CLI: Final = """\
One verb for each thing that a person does to a ledger. Each prints for people, or with `--json` one JSON value for
programs. The exit status is 0 when all went well, 1 when something was refused or found wrong, 2 when the command line
makes no sense, and 3 when the environment failed. An error is one line on standard error, `error[code]: message`, with
a code of [errors](errors.md).
"""
ABOUT_PYTHON: Final = """\
What `import formicary` offers. Everything else is an inner part, and may change without notice. Ids are integers of
128 bits, amounts are integers of minor units, times are nanoseconds since 1970 UTC.
"""


OWN_PARAMETERS: Final = frozenset({"help", "install_completion", "show_completion"})
"""What typer adds by itself."""


def notes(body: list[ast.stmt]) -> dict[str, str]:
    """Give the string that stands below each assignment, as one line, by the name that is assigned."""
    found: dict[str, str] = {}
    for node, below in zip(body, [*body[1:], None], strict=True):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = plain(str(text))
    return found


def plain(text: str) -> str:
    """Write a docstring as one line of Markdown."""
    line = " ".join(text.replace("``", "`").split())
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", line).replace("|", "\\|")


def tidy(text: str | None) -> str:
    """Write a docstring as Markdown: one paragraph stays one paragraph, and roles become names."""
    plain = inspect.cleandoc(text or "").replace("\b\n", "").replace("``", "`")
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", plain).strip()


def cli_page(note: str) -> str:
    """Write docs/reference/cli.md: each verb with its arguments and options."""
    cli = importlib.import_module("formicary.cli")
    groups = cli.GROUPS
    parts = [f"# Command line\n\n{note}\n{ABOUT_CLI}"]
    for verb, (module, summary) in cli.VERBS.items():
        parts.append(f"## formicary {verb}\n\n{summary}\n")
        parts.append(verb_section(f"formicary {verb}", alone(getattr(importlib.import_module(module), verb))))
    for group, (module, summary) in groups.items():
        command = importlib.import_module("typer.main").get_command(importlib.import_module(module).app)
        parts.append(f"## formicary {group}\n\n{summary}\n")
        verbs = getattr(command, "commands", None) or {"": command}
        parts += [verb_section(f"formicary {group} {name}".strip(), verb) for name, verb in verbs.items()]
    return "\n".join(parts)


def alone(function: Any) -> Any:  # noqa: ANN401 - typer gives its commands no public type
    """Make a command of a verb that stands alone."""
    typer = importlib.import_module("typer")
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return typer.main.get_command(app)


def verb_section(name: str, verb: Any) -> str:  # noqa: ANN401 - typer gives its commands no public type
    """Write one verb: what it does, its examples, its parameters."""
    text, _, examples = tidy(verb.help).partition("\nExample")
    parts = [f"### `{name}`\n", f"{text.strip()}\n"]
    lines = examples.partition("\n")[2]
    if lines.strip():
        parts.append(f"```sh\n{inspect.cleandoc(lines)}\n```\n")
    rows = [parameter_row(each) for each in verb.params if each.name not in OWN_PARAMETERS]
    parts.append("\n".join(["| parameter | meaning |", "| --- | --- |", *rows, ""]))
    return "\n".join(parts)


def parameter_row(parameter: Any) -> str:  # noqa: ANN401 - the same
    """Write one argument or option with its default."""
    is_argument = parameter.param_type_name == "argument"
    names = (
        [parameter.metavar or parameter.name.upper()] if is_argument else [*parameter.opts, *parameter.secondary_opts]
    )
    takes = "" if is_argument or getattr(parameter, "is_flag", False) else f" {parameter.metavar or ''}".rstrip()
    shown = ", ".join(f"`{each}{takes}`" for each in names)
    meaning = (parameter.help or "").replace("|", "\\|")
    default = parameter.default
    if isinstance(default, enum.Enum):
        default = default.value
    if isinstance(default, int | float | str) and not isinstance(default, bool) and str(default):
        meaning += f" Default: `{default}`."
    return f"| {shown} | {meaning.strip()} |"


def python_page(note: str) -> str:
    """Write docs/reference/python.md: each public name, in the order of ``formicary.__all__``."""
    package = importlib.import_module("formicary")
    names = [name for name in getattr(package, "__all__", []) if not name.startswith("_")]
    parts = [name_section(f"formicary.{name}", getattr(package, name)) for name in names]
    return "\n".join([f"# Python\n\n{note}\n{ABOUT_PYTHON}", *parts])


def name_section(name: str, value: object) -> str:
    """Write one public name."""
    if isinstance(value, type):
        return f"## `{name}`\n\n{class_text(value)}"
    if callable(value):
        return f"## `{name}`\n\n```\n{name.partition('.')[2]}{signature(value)}\n```\n\n{tidy(value.__doc__)}\n"
    if isinstance(value, np.dtype):
        rows = [f"| `{field}` | {value[field].name} | {value.fields[field][1]} |" for field in value.names or ()]
        lines = ["| field | type | offset |", "| --- | --- | ---: |", *rows, ""]
        return f"## `{name}`\n\nA numpy record of {value.itemsize} bytes, little-endian.\n\n" + "\n".join(lines)
    shown = repr(value)
    return f"## `{name}`\n\n" + (f"`{shown}`\n" if "\n" not in shown and len(shown) < 100 else "A constant.\n")


def class_text(kind: type) -> str:
    """Write a class: its purpose, then the members of an enumeration, or the fields and methods of anything else."""
    parts = [f"{tidy(kind.__doc__)}\n"]
    if issubclass(kind, enum.IntEnum):
        return "\n".join([*parts, "Its members are the [result codes](codes.md).\n"])
    if issubclass(kind, enum.Enum):
        (node,) = ast.parse(inspect.getsource(kind)).body
        assert isinstance(node, ast.ClassDef)
        meanings = notes(node.body)
        members = [f"| `{each.name}` | {each.value} | {meanings.get(str(each.name), '')} |" for each in kind]
        return "\n".join([*parts, "| name | value | meaning |", "| --- | ---: | --- |", *members, ""])
    fields = getattr(kind, "__struct_fields__", ())
    if dataclasses.is_dataclass(kind):
        fields = tuple(field.name for field in dataclasses.fields(kind) if not field.name.startswith("_"))
    if fields:
        parts.append("Fields: " + ", ".join(f"`{field}`" for field in fields) + ".\n")
    rows = [f"| `{method}{signature(function)}` | {first_line(function)} |" for method, function in methods(kind)]
    if rows:
        parts.append("\n".join(["| method | |", "| --- | --- |", *rows, ""]))
    return "\n".join(parts)


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """Give the public methods of a class that are ours, inherited ones too, in alphabetical order."""
    for name, function in inspect.getmembers(
        kind, lambda member: inspect.isfunction(member) or inspect.ismethod(member)
    ):
        if not name.startswith("_") and str(function.__module__).startswith("formicary"):
            yield name, function


def signature(function: Any) -> str:  # noqa: ANN401 - any callable
    """Write the parameters of a callable without ``self``, as they stand in the source."""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return "(…)"
    kept = [each for name, each in found.parameters.items() if name not in {"self", "cls"}]
    return str(found.replace(parameters=kept)).replace("'", "").replace("|", "\\|")


def first_line(function: Any) -> str:  # noqa: ANN401 - any callable
    """Return the first paragraph of a docstring as one line."""
    return " ".join(tidy(function.__doc__).partition("\n\n")[0].split()).replace("|", "\\|")
