"""The language of the tables itself: what it reads, and how it says what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.base.errors import BadInput
from formicary.testing.invariants import check_invariants
from formicary.testing.model import Model
from formicary.testing.tables import TableError, check


def test_a_wrong_answer_names_the_line() -> None:
    """The error has the line, the statement, and both answers."""
    with pytest.raises(TableError, match="line 3: pay a b 5 -> ok: expected ok, found exceeds_credits"):
        check("""
            account a EUR debits_limited ; account b EUR
            pay a b 5 -> ok""")


def test_a_wrong_balance_names_the_line() -> None:
    """Questions fail like requests."""
    with pytest.raises(TableError, match="line 1: balance a 6: expected 6, found -5"):
        check("account a EUR ; account b EUR ; pay a b 5 ; balance a 6")


def test_a_disagreement_names_record_field_and_ledgers() -> None:
    """When two ledgers differ, the error says in what."""

    class OneMore(Model):
        """Moves one unit too many."""

        def _balanced(self, t: Any) -> Any:
            return type(t)(**{name: getattr(t, name) + (name == "amount") for name in t.__slots__})

    message = "line 1: pay a b 5: the ledgers disagree: account 0: debits_posted: right 5, wrong 6"
    with pytest.raises(TableError, match=message):
        check("account a EUR ; account b EUR ; pay a b 5", {"right": Model(), "wrong": OneMore()})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("\n\npay a", "line 3: pay needs FROM TO AMOUNT"),
        ("hold h a b", "line 1: hold needs HOLD FROM TO AMOUNT"),
        ("frobnicate a", "line 1: no such verb: frobnicate"),
        ("pay a b 1 urgently", "'urgently' is neither a flag nor a field of transfers"),
        ("account a EUR timeout 5", "'timeout' is neither a flag nor a field of accounts"),
        ("pay a b 1 code", "code needs a value"),
        ("pay a b many", "invalid literal"),
        ("account a EUR ; pay a b 0x1_0000_0000_0000_0000_0000", "out of bounds|too large|too big"),
        ("batch ; pay a b 1", "batch or chain without end"),
        ("batch ; chain", "can't stand inside another"),
        ("end", "end without batch or chain"),
        ("batch ; account a EUR ; pay a b 1 ; end", "can't share a batch"),
        ("-> ok", "an arrow needs a request before it"),
        ("account a EUR ->", "an arrow needs a request before it"),
        ("retry p", "nothing was sent under the name p"),
        ("balance a 5", "the ledger has no account a"),
        ("undo m", "there is no mark m"),
        ("at noon", "invalid literal"),
        ("at +1s +2s", "at takes no more than TIME"),
        ("expire 1 2", "expire takes no more than one word"),
    ],
)
def test_what_cannot_be_read(table: str, message: str) -> None:
    """A table that can't be read is the author's mistake, and says so; it is no failed test."""
    with pytest.raises(BadInput, match=message):
        check(table, {"model": Model()})


def test_comments_and_empty_lines() -> None:
    """What stands behind # is for people."""
    check("""

        # nothing to see
        account a EUR   # an account ; account b EUR
        count accounts 1 ;
    """)


def test_invariants_catch_what_is_wrong() -> None:
    """Each promise of a ledger's records is checked: one record spoilt at a time is found."""
    table = check(
        "account a EUR debits_limited ; account b EUR ; fund a 9 ; hold h a b 5 ; capture h 3 ; pay a b 1",
        {"model": Model()},
    )
    accounts, transfers = table.ledger.accounts(), table.ledger.transfers()
    check_invariants(accounts, transfers)
    for records, name in ((accounts, "debits_posted"), (accounts, "newest"), (accounts, "time"), (transfers, "time")):
        spoilt = np.copy(records)
        spoilt[name][1] = 0 if name == "time" else spoilt[name][1] + 1
        with pytest.raises(AssertionError):
            check_invariants(*((spoilt, transfers) if records is accounts else (accounts, spoilt)))
