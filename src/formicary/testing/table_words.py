"""How a ledger table is read: statements, names and the words that fill a record. ``tables.py`` has the language.

Names stand for ids: each new name gets the next free number of its kind, so that a table never says an id that it
doesn't care about. A number stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from formicary.base.errors import BadInput
from formicary.kernel.records import ACCOUNT, AMOUNT_ALL, RESERVED_HALF, TRANSFER, AccountFlag, TransferFlag
from formicary.testing.model_books import HALF, SECOND_NS
from formicary.testing.raw import wide_fields

Row = dict[str, int]

RESERVED_ID: Final = RESERVED_HALF * HALF + HALF // 2
"""What the name ``ledger`` stands for: an id in the range that is the ledger's own."""
HALVES: Final = ("_lo", "_hi")
FIELD_WORDS: Final = {"of": "hold"}
"""Fields whose word in a table is another: ``hold`` is a flag there."""
KINDS: Final = {"account": (ACCOUNT, AccountFlag), "transfer": (TRANSFER, TransferFlag)}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: where it stands, its verb, its words, and the answer that it expects ("" for the usual one)."""

    line: int
    text: str
    verb: str
    words: tuple[str, ...]
    answer: str

    def wrong(self, message: str) -> BadInput:
        """Make the error that says why this can't be read."""
        return BadInput(f"{message} in: {self.text}", where=f"line {self.line}")


def statements(text: str) -> Iterator[Statement]:
    """Split a table into statements: one a line, or several parted by ``;``; ``#`` starts a comment."""
    for number, line in enumerate(text.splitlines(), start=1):
        for part in line.split("#")[0].split(";"):
            request, arrow, answer = (piece.strip() for piece in part.partition("->"))
            verb, *words = request.split() or [""]
            statement = Statement(number, " ".join(part.split()), verb, tuple(words), answer)
            if arrow and not (verb and answer):
                raise statement.wrong("an arrow needs a request before it and an answer after it")
            if verb:
                yield statement


@dataclass
class Names:
    """The numbers that a table's names stand for."""

    known: dict[str, dict[str, int]] = field(default_factory=dict)

    def number(self, kind: str, name: str) -> int:
        """Return what ``name`` stands for among the names of its ``kind``: account, transfer or asset."""
        fixed = {"nobody": 0, "ledger": RESERVED_ID}
        if name in fixed:
            return fixed[name]
        numbers = self.known.setdefault(kind, {})
        return whole(name) if is_whole(name) else numbers.setdefault(name, len(numbers) + 1)


def is_whole(word: str) -> bool:
    """Whether the word is a whole number, decimal or 0x…."""
    try:
        int(word, 0)
    except ValueError:
        return False
    return True


def whole(word: str) -> int:
    """Read a whole number, decimal or 0x…, with _ between digits; ``all`` is AMOUNT_ALL."""
    return AMOUNT_ALL if word == "all" else int(word, 0)


def moment(word: str, now: int) -> int:
    """Read a time in nanoseconds: a number alone is absolute; +61s, -5s or +3ns is counted from ``now``."""
    for unit, length in (("ns", 1), ("s", SECOND_NS)):
        if word.endswith(unit):
            return now + int(word.removesuffix(unit)) * length
    return int(word, 0)


def fill(row: Row, kind: str, words: Sequence[str], names: Names, now: int) -> None:
    """Set what ``words`` name of ``row``: flags, as ``linked``, and fields, as ``timeout 60``; refuse other words."""
    record, flags = KINDS[kind]
    fields = wide_fields(record) | {name for name in record.names or () if not name.endswith(HALVES)}
    rest = iter(words)
    for word in rest:
        if word.upper() in flags.__members__:
            row["flags"] = row.get("flags", 0) | flags[word.upper()]
            continue
        name = FIELD_WORDS.get(word, word)
        if name not in fields:
            raise ValueError(f"{word!r} is neither a flag nor a field of {kind}s")
        value = next(rest, None)
        if value is None:
            raise ValueError(f"{word} needs a value")
        row[name] = _value(kind, name, value, names, now)


def _value(kind: str, name: str, word: str, names: Names, now: int) -> int:
    if name in ("id", "hold"):
        return names.number(kind, word)
    if name in ("debit", "credit"):
        return names.number("account", word)
    if name == "asset":
        return names.number("asset", word)
    return moment(word, now) if name == "time" else whole(word)
