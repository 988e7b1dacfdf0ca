"""Which statements name one row by its whole primary key, and what they do to it.

Read from a statement's words alone: ``SELECT columns FROM table WHERE key = ? AND …``, ``INSERT INTO table (columns)
VALUES (?, …)``, ``UPDATE table SET column = ?, … WHERE key = ? AND …``, ``DELETE FROM table WHERE key = ? AND …``. What
is not exactly of that form is no point, and SQLite does it; so a miss costs time, never an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

import apsw

from formicary.machine.sql import Token, Unsafe, clauses_of, split, tokens_of
from formicary.machine.working_set import Row, Table, Value, WorkingSet


class Point:
    """A statement about one row: where among its parameters the key and the columns' values are."""

    __slots__ = ("_columns", "_columns_of", "_fits", "_key", "_key_of", "_values", "table", "verb")

    def __init__(
        self, verb: str, table: Table, key: tuple[int, ...], columns: tuple[int, ...], values: tuple[int, ...]
    ) -> None:
        """``key``: for each column of the key, which parameter names it; ``values``: the same for ``columns``.

        A SELECT has no ``values``; its ``columns`` are what it reads.
        """
        self.verb = verb
        self.table = table
        self._key, self._columns, self._values = key, columns, values
        self._key_of, self._columns_of = _picker(key), _picker(columns)
        self._fits: dict[tuple[type, ...], bool] = {}

    def fits(self, parameters: tuple[Value, ...]) -> bool:
        """Whether every value is of its column's own type: where it is not, SQLite might convert it."""
        types = tuple(map(type, parameters))
        known = self._fits.get(types)
        if known is None:
            known = self._fits[types] = self._fit(types)
        return known

    def _fit(self, types: tuple[type, ...]) -> bool:
        wanted = self.table.types
        keys = zip(self.table.key, self._key, strict=True)
        values = zip(self._columns, self._values, strict=True) if self._values else ()
        return all(types[place] is wanted[column] for column, place in keys) and all(
            types[place] in {wanted[column], type(None)} for column, place in values
        )

    def read(self, rows: WorkingSet, parameters: tuple[Value, ...]) -> Row | None:
        """The columns that a SELECT asks for, or None."""
        row = rows.read(self.table, self._key_of(parameters))
        return None if row is None else self._columns_of(row)

    def forget(self, parameters: tuple[Value, ...]) -> None:
        """Let the row be read anew: SQLite itself is about to change it."""
        self.table.known.pop(self._key_of(parameters), None)

    def change(self, rows: WorkingSet, parameters: tuple[Value, ...]) -> int:
        """Do what an INSERT, UPDATE or DELETE says; answer how many rows it touched."""
        table, key = self.table, self._key_of(parameters)
        if self.verb == "insert":
            if rows.read(table, key) is not None:
                raise apsw.ConstraintError(f"UNIQUE constraint failed: {table.name} has {key} already")
            new: list[Value] = [None] * len(table.columns)
        else:
            old = rows.read(table, key)
            if old is None:
                return 0
            if self.verb == "delete":
                rows.write(table, key, None)
                return 1
            new = list(old)
        for column, place in zip(self._columns, self._values, strict=True):
            new[column] = parameters[place]
        rows.write(table, key, tuple(new))
        return 1


def _picker(places: tuple[int, ...]) -> Callable[[Row], Row]:
    """Take some values out of a tuple, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])


def point_of(sql: str, tables: Mapping[str, Table]) -> Point | None:
    """Read a statement that the fence has approved; None when it is anything but about one row by its key."""
    words = _numbered(tokens_of(sql))
    if words is None:
        return None
    read = {"select": _select, "insert": _insert, "update": _update, "delete": _delete}.get(words[0].text)
    return None if read is None else read(words, tables)


def _numbered(tokens: Sequence[Token]) -> list[Token] | None:
    """The words, with each ``?`` numbered; None when parameters are given in another way."""
    numbered, count = [], 0
    for token in tokens:
        if token.kind == "parameter":
            if token.text != "?":
                return None
            numbered.append(Token("parameter", str(count)))
            count += 1
        else:
            numbered.append(token)
    return numbered


def _select(words: list[Token], tables: Mapping[str, Table]) -> Point | None:
    try:
        clauses = clauses_of(words)
    except Unsafe:
        return None
    source = clauses.get("from", [])
    table = tables.get(source[0].text) if len(source) == 1 else None
    if table is None or "where" not in clauses or not clauses.keys() <= {"select", "from", "where", "order"}:
        return None
    if any(word.kind == "parameter" for word in [*clauses["select"], *clauses.get("order", [])]):
        return None
    columns = _columns(table, split(clauses["select"], ","))
    key = _key(table, clauses["where"])
    return None if columns is None or key is None else Point("select", table, key, columns, ())


def _insert(words: list[Token], tables: Mapping[str, Table]) -> Point | None:
    texts = [word.text for word in words]
    table = tables.get(texts[2]) if len(texts) > 2 and texts[1] == "into" else None
    if table is None or texts[3:4] != ["("] or texts[-1] != ")" or ")" not in texts[3:-1]:
        return None
    middle = texts.index(")")
    if texts[middle + 1 : middle + 3] != ["values", "("]:
        return None
    columns = _columns(table, split(words[4:middle], ","))
    values = _parameters(split(words[middle + 3 : -1], ","))
    if columns is None or values is None or len(columns) != len(values) or not set(table.key) <= set(columns):
        return None
    key = tuple([values[columns.index(place)] for place in table.key])
    return Point("insert", table, key, columns, values)


def _update(words: list[Token], tables: Mapping[str, Table]) -> Point | None:
    texts = [word.text for word in words]
    table = tables.get(texts[1])
    if table is None or texts[2:3] != ["set"] or "where" not in texts:
        return None
    where = texts.index("where")
    terms = [split(term, "=") for term in split(words[3:where], ",")]
    key = _key(table, words[where + 1 :])
    if key is None or any(len(term) != 2 for term in terms):
        return None
    columns, values = _columns(table, [left for left, _ in terms]), _parameters([right for _, right in terms])
    if columns is None or values is None or not set(columns).isdisjoint(table.key):
        return None
    return Point("update", table, key, columns, values)


def _delete(words: list[Token], tables: Mapping[str, Table]) -> Point | None:
    texts = [word.text for word in words]
    table = tables.get(texts[2]) if texts[1:2] == ["from"] and texts[3:4] == ["where"] else None
    key = None if table is None else _key(table, words[4:])
    return None if table is None or key is None else Point("delete", table, key, (), ())


def _key(table: Table, words: Sequence[Token]) -> tuple[int, ...] | None:
    """The parameters that name the key's columns, when the words are just ``column = ?`` for each of them."""
    found: dict[int, int] = {}
    for term in split(words, "and"):
        sides = split(term, "=")
        columns = _columns(table, sides[:1])
        values = _parameters(sides[1:])
        if len(sides) != 2 or columns is None or values is None or columns[0] in found:
            return None
        found[columns[0]] = values[0]
    return tuple([found[place] for place in table.key]) if found.keys() == set(table.key) else None


def _columns(table: Table, terms: Sequence[Sequence[Token]]) -> tuple[int, ...] | None:
    """Places of plain columns, each named once."""
    places = [table.columns.index(term[0].text) for term in terms if len(term) == 1 and term[0].text in table.columns]
    return tuple(places) if places and len(set(places)) == len(terms) else None


def _parameters(terms: Sequence[Sequence[Token]]) -> tuple[int, ...] | None:
    numbers = [int(term[0].text) for term in terms if len(term) == 1 and term[0].kind == "parameter"]
    return tuple(numbers) if numbers and len(numbers) == len(terms) else None
