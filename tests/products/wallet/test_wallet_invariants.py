"""The invariants bite: each of these rows, written behind the wallet's back, is found."""

from __future__ import annotations

import pytest

from formicary.products.wallet.commands import Close, StartRecovery, Trust
from formicary.testing.trial import Trial

from tests.products.wallet.town import ALICE, BOB, CAROL, town


def prepared() -> Trial:
    """Alice trusts Bob and has a recovery under way; Carol has left."""
    trial = town()
    trial.ok(ALICE, "wallet.trust", Trust(BOB))
    trial.ok(b"door", "wallet.start_recovery", StartRecovery(ALICE, b"n" * 16, b"key", "pin", None))
    trial.ok(CAROL, "wallet.close", Close(None))
    return trial


@pytest.mark.parametrize(
    ("sql", "values", "why"),
    [
        ("UPDATE wallet_purses SET account = ? WHERE person = ?", (bytes(16), ALICE), "no account"),
        ("UPDATE wallet_purses SET day_minor = ? WHERE person = ?", (-1, ALICE), "spending of a day"),
        ("UPDATE wallet_purses SET raise_ns = 1 WHERE person = ?", (ALICE,), "a wish without its timer"),
        ("UPDATE wallet_people SET self_frozen = 1 WHERE person = ?", (ALICE,), "should be frozen"),
        ("INSERT INTO wallet_roles (person, role) VALUES (?, 'operator')", (CAROL,), "is closed, and yet"),
        ("INSERT INTO wallet_trusted (person, contact, since_ns) VALUES (?, ?, 1)", (BOB, BOB), "trusts themselves"),
        ("UPDATE wallet_recoveries SET state = 'approved'", (), "without anybody's word"),
        ("UPDATE wallet_recoveries SET timer = 0", (), "with timer 0"),
    ],
)
def test_a_wrong_row_is_found(sql: str, values: tuple[int | bytes, ...], why: str) -> None:
    """One row that no handler writes."""
    trial = prepared()
    trial.machine.check()
    trial.view("wallet").rows.run(sql, *values)
    with pytest.raises(AssertionError, match=why):
        trial.machine.check()
