"""Random requests for random programs: records made to collide, and to break rules now and then.

Ids come from a few numbers, so that duplicates, captures of real holds and busy accounts are common. Most records are
sound; about one in six has one or two fields spoilt. What only a running program knows is left open in a row, and
:func:`complete` fills it in: ids that are new, holds that are open, and times, which are drawn as offsets from the
clock in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from formicary.kernel.records import AMOUNT_ALL, AMOUNT_MAX, AccountFlag, TransferFlag
from formicary.testing import raw
from formicary.testing.model_books import HALF, Records
from formicary.testing.table_words import RESERVED_ID, Row

T = TransferFlag
A = AccountFlag

ACCOUNT_IDS: Final = (1, 2, 3, 4, HALF, HALF + 1)
PAIRS: Final = tuple((debit, credit) for debit in ACCOUNT_IDS for credit in ACCOUNT_IDS if debit != credit)
TRANSFER_IDS: Final = (*range(1, 25), HALF, HALF + 1)
ODD_IDS: Final = (0, 99, RESERVED_ID, 2**128 - 1)
AMOUNTS: Final = (1, 2, 3, 5, 8, 10, 20)
ODD_AMOUNTS: Final = (0, -1, AMOUNT_MAX, AMOUNT_MAX - 1, -(2**63), 100)
TIMEOUTS: Final = (0, 0, 1, 2, 60)
KINDS: Final = (
    *(0, 0, 0, 0, 0, 0),
    *(T.HOLD, T.HOLD, T.HOLD),
    *(T.CAPTURE, T.CAPTURE, T.CAPTURE, T.RELEASE),
    *(T.BALANCING_DEBIT, T.BALANCING_CREDIT, T.BALANCING_DEBIT | T.BALANCING_CREDIT, T.HOLD | T.BALANCING_DEBIT),
    *(T.IMPORTED, T.IMPORTED | T.HOLD),
    *(T.FREEZING_DEBIT, T.FREEZING_CREDIT, T.THAWING_DEBIT, T.THAWING_CREDIT, T.THAWING_DEBIT | T.THAWING_CREDIT),
    *(T.CLOSING_DEBIT | T.BALANCING_DEBIT, T.CLOSING_CREDIT | T.BALANCING_CREDIT),
    *(T.REOPENING_DEBIT, T.REOPENING_CREDIT, T.REOPENING_DEBIT | T.REOPENING_CREDIT),
)
"""Flags that go together, the common ones more often. (A status flag doesn't make the other fields wrong.)"""

ODD_TRANSFER_VALUES: Final[dict[str, Sequence[int]]] = {
    "id": ODD_IDS,
    "debit": (*ACCOUNT_IDS, *ODD_IDS),
    "credit": (*ACCOUNT_IDS, *ODD_IDS),
    "amount": ODD_AMOUNTS,
    "hold": (*TRANSFER_IDS, *ODD_IDS),
    "user_data": (0, 1, HALF),
    "user_data_64": (0, 1),
    "user_data_32": (0, 1),
    "timeout": (0, 1, 2**32 - 1),
    "asset": (0, 1, 2),
    "code": (0, 1, 2),
    "flags": range(2**16),
    "time": (-3, -1, 0, 1),
    "reserved_64": (0, 1),
}
ODD_ACCOUNT_VALUES: Final[dict[str, Sequence[int]]] = {
    "id": ODD_IDS,
    "user_data": (0, 1, HALF),
    "flags": range(2**16),
    "time": (-3, -1, 0, 1),
    **dict.fromkeys(("asset", "code"), (0, 1, 2)),
    **dict.fromkeys(("user_data_64", "user_data_32", "reserved_32", "reserved_64", "reserved_64b"), (0, 1)),
    **dict.fromkeys(("debits_held", "debits_posted", "credits_held", "credits_posted"), (0, 1)),
    **dict.fromkeys(("newest", "transfers"), (0, 1)),
}
SEEDS: Final = st.integers(0, 2**32 - 1)
"""A row is drawn as one seed: that is ten times as fast as drawing its fields, and a failing program still shrinks to
its fewest steps and rows."""


def random_transfer(chance: Random) -> Row:
    """Make up a transfer request, mostly sound, with what :func:`complete` fills in left open."""
    flags = int(chance.choice(KINDS))
    row = {"amount": chance.choice(AMOUNTS), "flags": flags}
    if rarely(chance):
        row["id"] = chance.choice(TRANSFER_IDS)
    if flags & (T.CAPTURE | T.RELEASE):
        whole = chance.choice((0, AMOUNT_ALL)) if flags & T.RELEASE else AMOUNT_ALL
        row["amount"] = chance.choice((whole, row["amount"]))
        if rarely(chance):
            row["hold"] = chance.choice(TRANSFER_IDS)
    else:
        debit, credit = chance.choice(PAIRS)
        row |= {"debit": debit, "credit": credit, "asset": 1, "code": 1, "user_data_64": chance.choice((0, 0, 1))}
    if flags & T.HOLD and not flags & T.IMPORTED:
        row["timeout"] = chance.choice(TIMEOUTS)
    if flags & T.IMPORTED:
        row["time"] = chance.choice((-4, -3, -2, -1))
    return row | random_oddities(chance, ODD_TRANSFER_VALUES)


def random_account(chance: Random) -> Row:
    """Make up an account request, mostly sound; one account in eight is of another asset."""
    flags = (0, 0, A.DEBITS_LIMITED, A.DEBITS_LIMITED, A.CREDITS_LIMITED, A.FROZEN, A.IMPORTED)
    row = {"id": chance.choice(ACCOUNT_IDS), "code": 1, "flags": int(chance.choice(flags))}
    row["asset"] = chance.choice((1, 1, 1, 1, 1, 1, 1, 2))
    if row["flags"] & A.IMPORTED:
        row["time"] = chance.choice((-4, -3, -2, -1))
    return row | random_oddities(chance, ODD_ACCOUNT_VALUES)


def random_oddities(chance: Random, values: dict[str, Sequence[int]]) -> Row:
    """Make up values for one or two fields that probably break a rule; mostly none."""
    if not rarely(chance):
        return {}
    return {name: chance.choice(values[name]) for name in chance.sample(sorted(values), chance.choice((1, 2)))}


def rarely(chance: Random) -> bool:
    """Say yes once in six times."""
    return chance.randrange(6) == 0


def linked(row: Row, chance: Random) -> Row:
    """Link one row in five to the next."""
    return row | {"flags": row["flags"] | T.LINKED} if chance.randrange(5) == 0 else row


def transfer_batches(*, most: int = 8) -> st.SearchStrategy[list[Row]]:
    """Batches of transfers, of which some are linked; most chains end within the batch."""
    return _batches(random_transfer, most)


def account_batches(*, most: int = 5) -> st.SearchStrategy[list[Row]]:
    """Batches of accounts."""
    return _batches(random_account, most)


def changes() -> st.SearchStrategy[Row]:
    """What a retry of a transfer may differ in."""
    return SEEDS.map(lambda seed: random_oddities(Random(seed), ODD_TRANSFER_VALUES))


def steps() -> st.SearchStrategy[int]:
    """How far the clock goes on, in nanoseconds; seconds are the unit of timeouts."""
    return st.sampled_from((1, 5, 10, 999_999_999, 1_000_000_000, 2_000_000_000, 60_000_000_000))


def _batches(make: Callable[[Random], Row], most: int) -> st.SearchStrategy[list[Row]]:
    def batch(seeds: list[int]) -> list[Row]:
        rows = [linked(make(chance), chance) for chance in map(Random, seeds)]
        if rows[-1]["flags"] & T.LINKED and seeds[-1] % 4:
            rows[-1]["flags"] -= T.LINKED
        return rows

    return st.lists(SEEDS, min_size=1, max_size=most).map(batch)


def at(row: Row, now: int) -> Row:
    """Add the clock to an offset of time."""
    return row | {"time": now + row["time"]} if "time" in row else row


def complete(rows: Sequence[Row], *, now: int, fresh: Iterator[int], holds: Sequence[int]) -> list[Row]:
    """Fill in what the rows leave open: a new id, an open hold (as many rows take it as there are), the clock."""
    done = []
    for place, row in enumerate(rows):
        filled = dict(row)
        if "id" not in row:
            filled["id"] = next(fresh)
        if row["flags"] & (T.CAPTURE | T.RELEASE) and "hold" not in row:
            filled["hold"] = holds[(place + row["amount"]) % len(holds)] if holds else max(filled["id"] - 1, 0)
        done.append(at(filled, now))
    return done


def altered(stored: Records, changes: Row) -> Records:
    """Ask again for a stored transfer, as its request may have been, with ``changes``."""
    names: Any = stored.dtype.names
    wides = raw.wide_fields(stored.dtype)
    row = {name: int(stored[name][0]) for name in names if not name.endswith(("_lo", "_hi"))}
    row |= {name: raw.wide(stored, name)[0] for name in wides}
    if not row["flags"] & T.IMPORTED:
        row["time"] = 0
    return raw.transfers([row | changes])
