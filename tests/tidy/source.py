"""How the rules of this folder see the code: a parsed file, where it belongs, and what a rule found in it.

A rule is a function from a :class:`Source` to findings. The one inline escape is a comment ``# det-ok: reason`` on a
line of the statement that was found; it needs its reason, and an escape that excuses nothing is itself a finding, so
that none outlives what it was for.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "src" / "formicary"
DETERMINISTIC: Final = ("base", "kernel", "machine", "products")
"""What runs inside apply: given the same log it must do the same, on every machine and for ever."""

ESCAPE: Final = re.compile(r"#\s*det-ok\b:?\s*(?P<reason>.*)")


@dataclass(frozen=True)
class Finding:
    """One breach: which rule, where, and in what words to tell the author."""

    rule: str
    place: str
    line: int
    message: str

    def __str__(self) -> str:
        """Read like a compiler's complaint, so that an editor can jump to it."""
        return f"{self.place}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Source:
    """One Python file. ``place`` is its path from the root of the repository, with forward slashes."""

    place: str
    text: str
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a file of this repository."""
        return cls(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; ``parents`` is filled on the way."""
        tree = ast.parse(self.text, filename=self.place)
        self.parents.update({child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)})
        return tree

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree, outer ones first."""
        return list(ast.walk(self.tree))

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The path inside ``src/formicary`` without its ending, or nothing for a file elsewhere."""
        prefix = "src/formicary/"
        return tuple(self.place.removeprefix(prefix).removesuffix(".py").split("/")) if self.in_package else ()

    @property
    def in_package(self) -> bool:
        """Whether the file ships."""
        return self.place.startswith("src/formicary/")

    @property
    def layer(self) -> str:
        """The package of Formicary that the file belongs to, or nothing."""
        return self.parts[0] if len(self.parts) > 1 else ""

    @property
    def deterministic(self) -> bool:
        """Whether the file runs inside apply."""
        return self.layer in DETERMINISTIC

    @cached_property
    def comments(self) -> dict[int, str]:
        """The comment on each line that has one."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}

    @cached_property
    def escapes(self) -> dict[int, str]:
        """The reason given on each line that has an escape; the reason may be missing."""
        found = {line: ESCAPE.search(comment) for line, comment in self.comments.items()}
        return {line: match["reason"].strip() for line, match in found.items() if match}

    def statement(self, node: ast.AST) -> ast.AST:
        """Return the innermost statement that a node belongs to."""
        while not isinstance(node, ast.stmt) and node in self.parents:
            node = self.parents[node]
        return node

    def lines_of(self, node: ast.AST) -> range:
        """Return the lines of a node's statement; of a compound one, those before its body."""
        statement = self.statement(node)
        first = getattr(statement, "lineno", 1)
        last = getattr(statement, "end_lineno", first)
        body = getattr(statement, "body", None)
        if isinstance(body, list) and body and node not in body:
            last = max(first, body[0].lineno - 1)
        return range(first, last + 1)

    def imports(self, module: str) -> bool:
        """Whether the file imports a module by its own name, rather than having a variable that is called so."""
        plain = (node for node in self.nodes if isinstance(node, ast.Import))
        return any(alias.name.partition(".")[0] == module for node in plain for alias in node.names)

    def is_part(self, node: ast.AST) -> bool:
        """Whether a string is documentation, or a piece of an f-string, rather than a text of its own."""
        return isinstance(self.parents.get(node), ast.Expr | ast.JoinedStr)

    def found(self, rule: str, node: ast.AST, message: str) -> Finding:
        """Make a finding at a node."""
        return Finding(rule, self.place, getattr(node, "lineno", 1), message)


Rule = Callable[[Source], Iterator[tuple[ast.AST, str]]]


def judge(source: Source, rules: dict[str, Rule], *, escapable: bool) -> list[Finding]:
    """Run rules over one file. With ``escapable``, honour its escapes and report those that are idle or unexplained."""
    findings, used = [], set()
    for name, rule in rules.items():
        for node, message in rule(source):
            excused = [line for line in source.lines_of(node) if source.escapes.get(line)] if escapable else []
            used.update(excused)
            if not excused:
                findings.append(source.found(name, node, message))
    if escapable:
        for line, reason in source.escapes.items():
            if not reason:
                findings.append(Finding("escape", source.place, line, "give the reason: '# det-ok: reason'"))
            elif line not in used:
                findings.append(Finding("escape", source.place, line, "this escape excuses nothing: remove it"))
    return findings


def files(*folders: str) -> list[Path]:
    """List the Python files below some folders of the repository, in order; caches and hidden folders left out."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not any(part.startswith((".", "__pycache__")) for part in path.parts))


def limits() -> list[tuple[Source, ast.stmt, str]]:
    """List every public constant ``…_MAX`` at the top of a module of the package, with its file and statement."""
    found = []
    for source in map(Source.read, files("src")):
        for node in source.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            found += [(source, node, name) for name in names if re.fullmatch(r"[A-Z][A-Z0-9_]*_MAX", name)]
    return found


def dotted(node: ast.AST) -> str:
    """Write ``a.b.c`` for a chain of names, and nothing for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def imported(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Give each module, and each ``module.name``, that a file imports anywhere in it."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield node, base
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)
