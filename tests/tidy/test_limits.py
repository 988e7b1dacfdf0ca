"""Everything has a limit, and the limits agree with one another."""

from __future__ import annotations

import ast

import pytest

from formicary.base.entry import ENTRY_BODY_MAX
from formicary.kernel import records

from tests.tidy.source import Source, limits

LIMITS = limits()


@pytest.mark.parametrize(("source", "node", "name"), LIMITS, ids=[f"{each.place}-{name}" for each, _, name in LIMITS])
def test_a_limit_is_a_constant(source: Source, node: ast.stmt, name: str) -> None:
    """A limit is declared Final, so that no program moves it at run time."""
    place = f"{source.place}:{node.lineno}"
    assert isinstance(node, ast.AnnAssign), f"{place}: {name} has no type: write {name}: Final = …"
    assert ast.unparse(node.annotation).startswith("Final"), f"{place}: {name} is not Final"


def test_a_batch_fits_an_entry() -> None:
    """The largest batch that a door takes is one that the log takes."""
    assert records.BATCH_MAX * records.RECORD_BYTES <= ENTRY_BODY_MAX


def test_amounts_fit_every_neighbour() -> None:
    """An amount fits SQLite's integer, Java's long and a signed field of the record."""
    assert records.AMOUNT_MAX == 2**63 - 1
    assert records.TRANSFER["amount"].str == records.ACCOUNT["credits_posted"].str == "<i8"


def test_rows_and_indices_fit_what_stores_them() -> None:
    """A row of an account fits its int32 in the trail; 1 + the index of a transfer fits 40 bits of the id table."""
    assert records.ACCOUNTS_MAX <= 2**31 - 1
    assert records.TRAIL["debit_row"].str == "<i4"
    assert records.TRANSFERS_MAX + 1 < 2**40


def test_the_ledgers_own_ids_are_out_of_reach() -> None:
    """The upper half of the ledger's own ids is one that a request may not use, and every expiry fits below it."""
    assert records.RESERVED_HALF == 2**64 - 1
    assert records.TRANSFERS_MAX + 1 <= 2**64 - 1
