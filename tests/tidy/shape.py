"""The rules of shape: who names Numba, who prints, how long a file and a function may be, what has a docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Rule, Source, imported

FILE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 60

Found = Iterator[tuple[ast.AST, str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def numba(source: Source) -> Found:
    """One file names Numba, so that the uncompiled twin is one switch away."""
    if not source.in_package or source.place == "src/formicary/base/compiled.py":
        return
    for node, name in imported(source):
        if name.partition(".")[0] in {"numba", "llvmlite"}:
            yield node, "only base/compiled.py names Numba"


def prints(source: Source) -> Found:
    """A library does not print; the cli does, and the test kit's own programs."""
    if not source.in_package or source.layer in {"cli", "testing"}:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node, "print outside the cli"


def file_length(source: Source) -> Found:
    """A file is read in one sitting."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield source.tree, f"{lines} lines; at most {FILE_LINES_MAX}: split it where the ideas part"


def function_length(source: Source) -> Found:
    """A function fits a screen; a ladder of early refusals, marked ``# ladder:``, may be long."""
    for node in source.nodes:
        if not isinstance(node, Function) or is_ladder(source, node):
            continue
        code = node.body[1:] if ast.get_docstring(node) else node.body
        lines = (code[-1].end_lineno or 0) - code[0].lineno + 1 if code else 0
        if lines > FUNCTION_LINES_MAX:
            yield node, f"{node.name} has {lines} lines; at most {FUNCTION_LINES_MAX}"


def is_ladder(source: Source, node: Function) -> bool:
    """Whether a comment on the lines of a function's signature, or right above its first statement, marks a ladder."""
    first_code = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    lines = range(node.lineno - 1, first_code.lineno)
    return any(source.comments.get(line, "").lstrip("# ").startswith("ladder:") for line in lines)


def docstrings(source: Source) -> Found:
    """Every module, public class and public function says what it is for; so does every test."""
    if source.place.endswith("__main__.py") and not source.text.strip():
        return
    if ast.get_docstring(source.tree) is None:
        yield source.tree, "the module has no docstring: its purpose, and what always holds"
    for node in source.nodes:
        if isinstance(node, ast.ClassDef | Function) and is_public(source, node) and ast.get_docstring(node) is None:
            yield node, f"{node.name} has no docstring"


def is_public(source: Source, node: ast.ClassDef | Function) -> bool:
    """Whether a definition is for others: no underscore, not local, not an overload, a setter or an override."""
    if node.name.startswith("_"):
        return False
    for decorator in node.decorator_list:
        name = ast.unparse(decorator)
        if name.endswith((".setter", "overload", "override")):
            return False
    parent = source.parents.get(node)
    while isinstance(parent, ast.If | ast.Try | ast.With):
        parent = source.parents.get(parent)
    if isinstance(parent, ast.ClassDef):
        return is_public(source, parent)
    return isinstance(parent, ast.Module)


SHAPE: Final[dict[str, Rule]] = {
    "numba": numba,
    "print": prints,
    "file-length": file_length,
    "function-length": function_length,
    "docstring": docstrings,
}
