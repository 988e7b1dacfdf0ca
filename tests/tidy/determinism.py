"""The rules of what runs inside apply: no clock, no chance, no float, no order that Python does not promise.

Two nodes that apply the same log must hold the same digest, on any machine and any version of Python. Each rule here
stands for one way in which that has gone wrong in other systems.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import PACKAGE, Rule, Source, dotted, imported

Found = Iterator[tuple[ast.AST, str]]


def top(module: str) -> str:
    """Return the first name of a dotted one."""
    return module.partition(".")[0]


CALENDAR: Final = re.compile(r"\b(datetime|date)\.(now|utcnow|today)$")


def clock(source: Source) -> Found:
    """Time arrives inside the entry."""
    for node, name in imported(source):
        if name.startswith("time."):
            yield node, f"{name} reads the clock: time arrives inside the entry"
    for node in source.nodes:
        whole = dotted(node) if isinstance(node, ast.Attribute) else ""
        if (whole.startswith("time.") and source.imports("time")) or re.search(
            r"\b(datetime|date)\.(now|utcnow|today)$", whole
        ):
            yield node, f"{whole} reads the clock: time arrives inside the entry"


CHANCE: Final = re.compile(
    r"^(random|secrets|numpy\.random|np\.random)\.|^os\.(urandom|getrandom)$|^uuid\.uuid[1467]$|^(numpy|np)\.random$"
)


def chance(source: Source) -> Found:
    """Chance and identity arrive inside the entry, or are drawn from a seed that does."""
    for node, name in imported(source):
        if CHANCE.search(name) and isinstance(node, ast.ImportFrom):
            yield node, f"{name} draws by chance: identity arrives inside the entry"
    for node in source.nodes:
        whole = dotted(node) if isinstance(node, ast.Attribute) else ""
        if CHANCE.search(whole) and source.imports(top(whole).replace("np", "numpy")):
            yield node, f"{whole} draws by chance: identity arrives inside the entry"


FLOATS: Final = ("float", "complex")
FLOAT_TYPES: Final = re.compile(
    r"^(np|numpy)\.(float|complex|half|single|double|longdouble|mean|average|std|sqrt|true_divide)"
)
PATHS: Final = re.compile(r"(^|_|\.)(path|folder|root|directory|dir|parent|home)s?$")


def float_arithmetic(source: Source) -> Found:
    """Money is an int; a division says who takes the remainder."""
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node, f"float literal {node.value}: use integers"
        elif isinstance(node, ast.Name) and node.id in FLOATS and not asks_type(source, node):
            yield node, f"{node.id} has no place here: use integers"
        elif isinstance(node, ast.Attribute) and FLOAT_TYPES.match(dotted(node)):
            yield node, f"{dotted(node)} is floating point: use integers"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div) and not joins_paths(node):
            yield node, "true division: use // and say who takes the remainder"


def asks_type(source: Source, node: ast.AST) -> bool:
    """Whether a type stands in an ``isinstance`` or after an ``is``: to refuse a float one has to name it."""
    parent = source.parents.get(node)
    while isinstance(parent, ast.BinOp | ast.Tuple):
        parent = source.parents.get(parent)
    if isinstance(parent, ast.Compare):
        return isinstance(parent.ops[0], ast.Is | ast.IsNot)
    return isinstance(parent, ast.Call) and dotted(parent.func) == "isinstance"


def joins_paths(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether a ``/`` joins a path: beside text, or beside a name that says path, folder or root."""
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
    for side in sides:
        if isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str)):
            return True
        if isinstance(side, ast.BinOp) and isinstance(side.op, ast.Div) and joins_paths(side):
            return True
        callee = side.func if isinstance(side, ast.Call) else side
        if PATHS.search(dotted(callee)) or dotted(callee) in {"Path", "pathlib.Path"}:
            return True
    return False


ORDERED_BY_ITERATION: Final = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "reversed", "next", "dict"}


class SetNames(ast.NodeVisitor):
    """Collects the names and attributes of a file that hold sets, and those that hold collections of sets."""

    def __init__(self) -> None:
        self.sets: set[str] = set()
        self.of_sets: set[str] = set()

    def note(self, target: ast.AST, annotation: ast.AST | None, value: ast.AST | None) -> None:
        """Remember a binding by its annotation, or by what it is given."""
        name = dotted(target)
        if not name:
            return
        if (annotation is not None and says_set(annotation)) or (value is not None and self.is_set(value)):
            self.sets.add(name)
        elif annotation is not None and any(says_set(part) for part in ast.walk(annotation)):
            self.of_sets.add(name)
        elif isinstance(value, ast.Call) and value.args and dotted(value.args[0]) in {"set", "frozenset"}:
            self.of_sets.add(name)  # defaultdict(set), or something like it

    def visit_Assign(self, node: ast.Assign) -> None:
        """Note plain bindings."""
        for target in node.targets:
            self.note(target, None, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Note annotated bindings."""
        self.note(node.target, node.annotation, node.value)
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """Note arguments."""
        self.note(ast.Name(node.arg), node.annotation, None)

    def is_set(self, node: ast.AST) -> bool:
        """Whether an expression is a set, as far as this file tells."""
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Call):
            callee = dotted(node.func)
            if callee in {"set", "frozenset"}:
                return True
            return isinstance(node.func, ast.Attribute) and (
                (node.func.attr in {"union", "difference", "intersection", "copy"} and self.is_set(node.func.value))
                or (node.func.attr in {"get", "pop", "setdefault"} and dotted(node.func.value) in self.of_sets)
            )
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
            return self.is_set(node.left) or self.is_set(node.right)
        if isinstance(node, ast.Subscript):
            return dotted(node.value) in self.of_sets
        return dotted(node) in self.sets


def says_set(annotation: ast.AST) -> bool:
    """Whether an annotation is a set type itself."""
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return dotted(annotation).rpartition(".")[2] in {
        "set",
        "frozenset",
        "Set",
        "FrozenSet",
        "AbstractSet",
        "MutableSet",
    }


def set_order(source: Source) -> Found:
    """A set's order depends on the process; sort before you walk."""
    names = SetNames()
    names.visit(source.tree)
    names.visit(source.tree)  # again, for names used above where they are bound
    for node in source.nodes:
        walked: list[ast.AST] = []
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            parent = source.parents.get(node)
            if not isinstance(parent, ast.SetComp):
                walked.append(node.iter)
        elif isinstance(node, ast.Starred):
            walked.append(node.value)
        elif isinstance(node, ast.Call):
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if dotted(node.func) in ORDERED_BY_ITERATION or method in {"join", "extend"}:
                walked += node.args
            elif isinstance(node.func, ast.Attribute) and method == "pop" and not node.args:
                walked.append(node.func.value)
        for expression in walked:
            if names.is_set(expression):
                yield expression, "the order of a set is not promised: sorted(…) first"


def identity(source: Source) -> Found:
    """``hash`` is seeded per process and ``id`` is an address."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"hash", "id"}:
            yield node, f"{node.func.id}() differs from process to process"


SURROUNDINGS: Final = (
    "os.environ",
    "os.getenv",
    "os.cpu_count",
    "os.getpid",
    "os.uname",
    "sys.argv",
    "sys.platform",
    "socket.gethostname",
)


def surroundings(source: Source) -> Found:
    """What the process runs in may not change what it answers; base/compiled.py alone reads its one switch."""
    if source.place == "src/formicary/base/compiled.py":
        return
    for node, name in imported(source):
        if name in SURROUNDINGS or top(name) in {"platform", "locale", "getpass"}:
            yield node, f"{name}: the environment may not change an answer"
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and dotted(node) in SURROUNDINGS:
            yield node, f"{dotted(node)}: the environment may not change an answer"


OUTSIDE: Final = {
    "apsw", "asyncio", "concurrent", "ctypes", "http", "io", "logging", "mmap", "multiprocessing", "os", "pathlib",
    "psycopg", "queue", "shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "urllib",
}  # fmt: skip


def outside(source: Source) -> Found:
    """A product speaks to its context and to nothing else."""
    if source.layer != "products":
        return
    for node, name in imported(source):
        if top(name) in OUTSIDE:
            yield node, f"a product may not import {top(name)}: it reads and writes through its context"
    for node in source.nodes:
        if isinstance(node, ast.Call) and dotted(node.func) in {"open", "input", "print", "exec", "eval", "__import__"}:
            yield node, f"a product may not call {dotted(node.func)}(): it reads and writes through its context"


def across_products(source: Source) -> Found:
    """What one product needs of another is a small Protocol that it declares in needs.py."""
    if source.layer != "products" or len(source.parts) < 2:
        return
    own = source.parts[1]
    for node, name in imported(source):
        other = ""
        if name.startswith("formicary.products."):
            other = name.split(".")[2]
        elif name.startswith("..") and len(source.parts) == 3:
            other = name.lstrip(".").partition(".")[0]
        shared = (PACKAGE / "products" / f"{other}.py").is_file()  # a module beside the products, not one of them
        if other and other != own and not shared:
            yield node, f"{own} may not import {other}: say in needs.py what it needs"


SELECT: Final = re.compile(r"\bSELECT\b.*\b(FROM)\b", re.IGNORECASE | re.DOTALL)
ORDERED: Final = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)


def sql_text(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Give each string of a file that may be SQL, an f-string as one; not documentation."""
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr):
            pieces = [str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values]
            yield node, "".join(pieces)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not source.is_part(node):
            yield node, node.value


def sql_order(source: Source) -> Found:
    """Rows come in the order that is asked for, or in any. The machine's own tables are read by key, one row a time."""
    if source.layer != "products":
        return
    for node, text in sql_text(source):
        if SELECT.search(text) and not ORDERED.search(text):
            yield node, "SELECT without ORDER BY: rows come in any order"


MONEY: Final = r"\b(?:\w+_minor|amount|\w+_amount)\b"
IS_SQL: Final = re.compile(r"\b(SELECT|UPDATE|INSERT|VALUES|RETURNING|GENERATED|CHECK)\b", re.IGNORECASE)
MONEY_SUMS: Final = re.compile(
    rf"(?:{MONEY}\s*[-+*/%](?!-))|(?:(?<!-)[-+*/%]\s*{MONEY})|(?:\b(?:SUM|TOTAL|AVG)\s*\(\s*(?:DISTINCT\s+)?{MONEY})",
    re.IGNORECASE,
)


def sql_money(source: Source) -> Found:
    """SQLite turns an integer that overflows into a REAL, silently; money is summed in Python."""
    for node, text in sql_text(source):
        if IS_SQL.search(text) and MONEY_SUMS.search(text):
            yield node, "money computed in SQL: an overflow becomes a REAL silently; compute it in Python"


DETERMINISM: Final[dict[str, Rule]] = {
    "clock": clock,
    "chance": chance,
    "float": float_arithmetic,
    "set-order": set_order,
    "identity": identity,
    "surroundings": surroundings,
    "outside": outside,
    "across-products": across_products,
    "sql-order": sql_order,
    "sql-money": sql_money,
}
