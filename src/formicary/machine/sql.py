"""What SQL a handler may say: a small, strict reading of one statement, before SQLite ever runs it.

The rule that this file enforces, in one sentence: *a query that may return several rows ends in ORDER BY, and the
terms of that ORDER BY, with the columns that WHERE fixes by equality, determine a key of every table in FROM*. Then
each row has one place, on every node, whatever plan SQLite chose. Aggregates without GROUP BY return one row and need
no order; a query whose equalities alone determine a key returns at most one row and needs none either.

Everything that could make an answer depend on a plan, a clock or a float is refused by name: arithmetic (SQLite turns
an overflow into a REAL silently; money is computed in Python), RETURNING, UNION, WITH, DISTINCT, windows, HAVING,
scalar subqueries. The reading is stricter than SQL needs: a refused statement is a bug to be written differently, so
a false alarm costs a minute, and a miss would cost a fork.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

Column = tuple[str, str]
"""(table alias, column name), both in lower case."""
Tie = tuple[Column, Column | None]
"""(column, what settles it): None for a constant."""


class Unsafe(AssertionError):
    """The statement is not one that a handler may run; the message says why."""


@dataclass(frozen=True, slots=True)
class TableShape:
    """What ordering needs to know of a table: its columns, and the column sets that are unique and never NULL."""

    columns: frozenset[str]
    keys: tuple[frozenset[str], ...]


class Token(NamedTuple):
    """One word of a statement; ``text`` is in lower case unless it is a literal."""

    kind: str
    text: str


_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<text>[xX]?'(?:[^']|'')*')
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*|"[^"]+")
      | (?P<number>\d[\w.]*|\.\d[\w.]*)
      | (?P<parameter>\?\d*|[:@$]\w+)
      | (?P<operator><=|>=|<>|!=|==|\|\||<<|>>|->>|->|[-+*/%~&|<>=(),.;])
    """,
    re.VERBOSE | re.DOTALL,
)

_REFUSED_WORDS: Final = {
    "with": "a common table expression",
    "union": "a compound query",
    "intersect": "a compound query",
    "except": "a compound query",
    "distinct": "DISTINCT (say GROUP BY)",
    "over": "a window function",
    "window": "a window function",
    "having": "HAVING",
    "natural": "NATURAL JOIN",
    "using": "USING (say ON)",
    "right": "RIGHT JOIN",
    "full": "FULL JOIN",
    "returning": "RETURNING",
    "collate": "COLLATE",
    "cast": "CAST",
    "current_time": "the clock",
    "current_date": "the clock",
    "current_timestamp": "the clock",
    "rowid": "rowid",
    "oid": "rowid",
    "_rowid_": "rowid",
}
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%", "~", "&", "|", "<<", ">>", "->", "->>"})
_OTHER: Final[Column] = ("", "")
"""Stands for what is neither a column nor a constant."""
_STATEMENTS: Final = frozenset({"select", "insert", "replace", "update", "delete"})
_AGGREGATES: Final = frozenset({"count", "min", "max"})
_CLAUSES: Final = ("select", "from", "where", "group", "order", "limit")
_NOT_COLUMNS: Final = frozenset({
    "and", "as", "asc", "between", "case", "desc", "else", "end", "exists", "first", "glob", "in", "is", "last", "like",
    "not", "null", "nulls", "or", "then", "when",
})  # fmt: skip


def tokens_of(sql: str) -> list[Token]:
    """Split a statement into words; space and comments go."""
    found = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise Unsafe(f"can't read {sql[position : position + 10]!r}")
        position = match.end()
        kind = str(match.lastgroup)
        if kind != "space":
            text = match.group()
            found.append(Token(kind, text.strip('"').lower() if kind == "name" else text))
    return found


def check_statement(sql: str, shapes: Mapping[str, TableShape]) -> str:
    """Refuse what could differ between two nodes; answer the statement's verb (``select``, ``insert`` …)."""
    tokens = tokens_of(sql)
    if not tokens or tokens[0].text not in _STATEMENTS:
        raise Unsafe("a handler runs SELECT, INSERT, UPDATE and DELETE only")
    _check_words(tokens)
    _check_subqueries(tokens, shapes)
    verb = tokens[0].text
    if verb == "select":
        _check_select(tokens, shapes, ordered=True)
    else:
        _check_change(verb, tokens)
    return verb


def _check_words(tokens: Sequence[Token]) -> None:
    for place, token in enumerate(tokens):
        if token.kind == "name" and token.text in _REFUSED_WORDS and not _is_column_of_table(tokens, place):
            raise Unsafe(f"{_REFUSED_WORDS[token.text]} is not allowed")
        if token.text == ";":
            raise Unsafe("one statement at a time, without a semicolon")
        if token.kind == "number" and not token.text.isdigit():
            raise Unsafe(f"{token.text} is not a plain integer")
        if token.text in _ARITHMETIC and not _is_count_star(tokens, place):
            raise Unsafe(f"{token.text!r}: compute in Python, not in SQL, and name each column")


def _is_column_of_table(tokens: Sequence[Token], place: int) -> bool:
    """``t.full`` is a column called full; but ``t.rowid`` is the rowid."""
    return (
        place > 0 and tokens[place - 1].text == "." and "row" not in tokens[place].text and tokens[place].text != "oid"
    )


def _is_count_star(tokens: Sequence[Token], place: int) -> bool:
    return [token.text for token in tokens[max(place - 2, 0) : place + 2]] == ["count", "(", "*", ")"]


def _check_subqueries(tokens: Sequence[Token], shapes: Mapping[str, TableShape]) -> None:
    """A subquery is a set (after IN or EXISTS), never a value, for which row the value came from would be chance."""
    for place, token in enumerate(tokens[1:], start=1):
        if token.text != "select":
            continue
        if tokens[place - 1].text != "(" or place < 2 or tokens[place - 2].text not in {"in", "exists"}:
            raise Unsafe("a subquery stands after IN or EXISTS only")
        inner = tokens[place : _closing(tokens, place - 1)]
        if any(word.text == "limit" for word in inner):
            raise Unsafe("LIMIT in a subquery")
        _check_select(inner, shapes, ordered=False)


def _closing(tokens: Sequence[Token], opening: int) -> int:
    """Index of the parenthesis that closes the one at ``opening``."""
    depth = 0
    for place in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text, 0)
        if depth == 0:
            return place
    raise Unsafe("a parenthesis is not closed")


def _check_change(verb: str, tokens: Sequence[Token]) -> None:
    words = {token.text for _, token in _top_level(tokens)}
    if verb in {"insert", "replace"} and "select" in words:
        raise Unsafe("INSERT … SELECT: read in order, then insert row by row")
    if verb == "update" and "from" in words:
        raise Unsafe("UPDATE … FROM: which of several matches wins is chance")


def _top_level(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """The words outside all parentheses, with their places."""
    depth = 0
    for place, token in enumerate(tokens):
        if token.text == ")":
            depth -= 1
        if depth == 0:
            yield place, token
        if token.text == "(":
            depth += 1


def _check_select(tokens: Sequence[Token], shapes: Mapping[str, TableShape], *, ordered: bool) -> None:
    clauses = clauses_of(tokens)
    sources = _Sources.read(clauses.get("from", []), shapes)
    grouped = {sources.column(term) for term in split(clauses.get("group", [])[1:], ",")}
    loose = _loose_columns(clauses["select"], sources)
    aggregate = loose.has_aggregate
    if aggregate and not loose.columns <= grouped:
        raise Unsafe("a column beside an aggregate is taken from any row: add it to GROUP BY")
    if grouped and not loose.columns <= grouped:
        raise Unsafe("a column that is not in GROUP BY is taken from any row of the group")
    if not ordered or not sources.tables or (aggregate and not grouped):
        return
    terms = {sources.column(_without_direction(term)) for term in split(clauses.get("order", [])[1:], ",")}
    settled = sources.closure(terms, clauses.get("where", []))
    if grouped <= settled if grouped else sources.all_settled(settled):
        return
    raise Unsafe("the order is not total: ORDER BY, with the columns fixed by =, must cover a key of every table")


def clauses_of(tokens: Sequence[Token]) -> dict[str, list[Token]]:
    """Cut a SELECT at its top-level keywords; each clause without its first word. Raises Unsafe when one is twice."""
    places = [(place, token.text) for place, token in _top_level(tokens) if token.text in _CLAUSES]
    words = [word for _, word in places]
    if len(set(words)) != len(words):
        raise Unsafe("a clause appears twice")
    ends = [place for place, _ in places[1:]] + [len(tokens)]
    return {word: list(tokens[place + 1 : end]) for (place, word), end in zip(places, ends, strict=True)}


def split(tokens: Sequence[Token], separator: str) -> list[list[Token]]:
    """Cut at a top-level separator; nothing gives no pieces."""
    if not tokens:
        return []
    pieces: list[list[Token]] = [[]]
    top = {place for place, token in _top_level(tokens) if token.text == separator}
    for place, token in enumerate(tokens):
        if place in top:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def _without_direction(term: list[Token]) -> list[Token]:
    return [token for token in term if token.text not in {"asc", "desc", "nulls", "first", "last"}]


class _Loose(NamedTuple):
    """Columns of a select list that stand outside every aggregate."""

    columns: set[Column]
    has_aggregate: bool


def _loose_columns(tokens: Sequence[Token], sources: _Sources) -> _Loose:
    columns: set[Column] = set()
    has_aggregate = False
    place = 0
    while place < len(tokens):
        token = tokens[place]
        follows = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if token.text in _AGGREGATES and follows == "(":
            end = _closing(tokens, place + 1)
            if len(split(tokens[place + 2 : end], ",")) <= 1:  # with several arguments min and max are plain functions
                has_aggregate = True
                place = end
        elif token.text == "as":
            sources.refuse_alias(follows)
            place += 1
        elif token.kind == "name" and token.text not in _NOT_COLUMNS and follows != "(":
            if place and _ends_a_value(tokens[place - 1]):
                raise Unsafe(f"write AS before the result's name {token.text}")
            qualified = follows == "."
            columns.add(sources.column(tokens[place : place + 3] if qualified else [token]))
            place += 2 if qualified else 0
        place += 1
    return _Loose(columns, has_aggregate)


def _ends_a_value(token: Token) -> bool:
    is_word = token.kind == "name" and (token.text not in _NOT_COLUMNS or token.text == "end")
    return is_word or token.text == ")" or token.kind in {"text", "number", "parameter"}


class _Sources:
    """The tables of one FROM clause, and what their ON conditions tie together."""

    def __init__(self, tables: dict[str, TableShape], ties: list[Tie]) -> None:
        self.tables = tables
        self._ties = ties

    @classmethod
    def read(cls, tokens: Sequence[Token], shapes: Mapping[str, TableShape]) -> _Sources:
        """Read ``a [AS x] [LEFT|INNER|CROSS] JOIN b [AS y] ON …``, or tables with commas between them."""
        sources = cls({}, [])
        plain = [token for token in tokens if token.text not in {"left", "inner", "cross", "outer"}]
        for piece in (part for item in split(plain, ",") for part in split(item, "join")):
            head, *conditions = split(piece, "on")
            names = [token.text for token in head if token.text != "as"]
            if not names or len(names) > 2 or names[0] not in shapes:
                raise Unsafe("FROM takes tables of the product, joined with ON")
            alias = names[-1]
            sources.tables[alias] = shapes[names[0]]
            for condition in conditions:
                # An outer join's condition says nothing of the tables before it, so only the new one is settled by it.
                sources._ties += [tie for tie in sources.equalities(condition) if tie[0][0] == alias]
        return sources

    def column(self, tokens: Sequence[Token]) -> Column:
        """Resolve ``x`` or ``t.x``."""
        texts = [token.text for token in tokens]
        if len(texts) == 3 and texts[1] == "." and texts[0] in self.tables:
            return texts[0], texts[2]
        owners = [alias for alias, shape in self.tables.items() if texts[0] in shape.columns] if len(texts) == 1 else []
        if len(owners) > 1:
            raise Unsafe(f"{texts[0]} is a column of several tables: name its table")
        if owners:
            return owners[0], texts[0]
        if len(texts) == 1 and tokens[0].kind == "name":
            return "", texts[0]  # a column of an outer query, or an error that SQLite will report
        raise Unsafe(f"{' '.join(texts) or 'nothing'} stands where a plain column must")

    def refuse_alias(self, name: str) -> None:
        """ORDER BY sees a result's name before the column of that name, so no result may take a column's name."""
        if any(name in shape.columns for shape in self.tables.values()):
            raise Unsafe(f"AS {name} hides a column")

    def equalities(self, tokens: Sequence[Token]) -> list[Tie]:
        """What a condition of plain ``column = value`` terms joined by AND ties together; nothing of any other kind."""
        if any(token.text in {"or", "between", "case"} for _, token in _top_level(tokens)):
            return []
        ties: list[Tie] = []
        for term in split(tokens, "and"):
            sides = split(term, "=")
            left, right = (self._side(side) for side in sides) if len(sides) == 2 else (_OTHER, _OTHER)
            if _OTHER not in {left, right}:
                ties += [(left, right)] if left else []
                ties += [(right, left)] if right else []
        return ties

    def _side(self, tokens: Sequence[Token]) -> Column | None:
        """A column, None for a constant, or _OTHER."""
        if len(tokens) == 1 and tokens[0].kind in {"parameter", "text", "number"}:
            return None
        is_column = tokens and tokens[0].kind == "name" and len(tokens) in {1, 3}
        return self.column(tokens) if is_column else _OTHER

    def closure(self, columns: set[Column], where: Sequence[Token]) -> set[Column]:
        """All columns that are settled once ``columns`` are: through ties, and through keys of their tables."""
        ties = self._ties + self.equalities(where)
        settled = set(columns)
        while True:
            more = {column for column, other in ties if other is None or other in settled}
            for alias, shape in self.tables.items():
                if any({(alias, name) for name in key} <= settled | more for key in shape.keys):
                    more |= {(alias, name) for name in shape.columns}
            if more <= settled:
                return settled
            settled |= more

    def all_settled(self, settled: set[Column]) -> bool:
        """Whether a key of every table is among ``settled``."""
        return all(
            any({(alias, name) for name in key} <= settled for key in shape.keys)
            for alias, shape in self.tables.items()
        )
