"""The bank with the real wallet and activity list, as the standard ledger has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from formicary.products.bank import backing, queries
from formicary.products.bank import commands as bank
from formicary.products.bank.codes import RAIL
from formicary.products.wallet import commands as wallet
from formicary.stack import standard_products
from formicary.testing.trial import Trial, person

EUR = 978
ALICE = person("alice")
NODE = b"node"
REF = b"account of alice"


@pytest.fixture
def town() -> Iterator[Trial]:
    """Alice has a wallet, a linked account and 50.00 from her bank."""
    trial = Trial(standard_products())
    trial.ok(ALICE, "wallet.open", wallet.Open((EUR,), None))
    trial.ok(ALICE, "bank.link_account", bank.LinkAccount(REF, bytes(16), bytes(32)))
    reference = trial.ok(ALICE, "bank.take_reference", bank.TakeReference()).reference
    arrived = bank.Booked(EUR, bytes(32), "in", 5_000, reference, 1)
    assert trial.ok(RAIL, "bank.booked", arrived).state == "matched"
    yield trial
    trial.replay()
    trial.close()


def activity(town: Trial) -> list[tuple[object, ...]]:
    """Kind and state of Alice's payments, oldest first."""
    sql = "SELECT kind, state, amount_minor FROM pay_payments WHERE payer = ? OR payee = ? ORDER BY at_ns, payment"
    return list(town.view("pay").rows.all(sql, ALICE, ALICE))


def test_top_ups_and_withdrawals_are_in_the_activity(town: Trial) -> None:
    """With how they stand: paid at once, under way until booked, returned when they come back."""
    first = town.ok(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, 1_000)).withdrawal
    second = town.ok(ALICE, "bank.withdraw", bank.Withdraw(REF, EUR, 500)).withdrawal
    assert activity(town)[1:] == [("withdrawal", "under_way", 1_000), ("withdrawal", "under_way", 500)]
    for number, name, amount in ((1, first, 1_000), (2, second, 500)):
        town.ok(RAIL, "bank.booked", bank.Booked(EUR, number.to_bytes(32, "big"), "out", amount, name.hex(), 1))
    town.ok(RAIL, "bank.returned", bank.Returned(second, b"\3" * 32, EUR, 500, "AC04", 1))
    assert activity(town) == [
        ("top_up", "paid", 5_000),
        ("withdrawal", "paid", 1_000),
        ("withdrawal", "returned", 500),
    ]


def test_a_closed_wallet_gets_nothing_back(town: Trial) -> None:
    """It was paid out; what returns or is rejected later is open for an operator, not in an account nobody reaches."""
    town.ok(ALICE, "wallet.close", wallet.Close(REF))
    name = town.happened("bank.withdrawal_asked")[-1].withdrawal
    town.ok(RAIL, "bank.booked", bank.Booked(EUR, b"\1" * 32, "out", 2_000, name.hex(), 1))
    assert town.ok(RAIL, "bank.returned", bank.Returned(name, b"\2" * 32, EUR, 500, "AC04", 1)).state == "open"
    town.ok(RAIL, "bank.rejected", bank.Rejected(name, "AC04"))
    (found,) = town.ask("bank.reconciliation", NODE, queries.AskReconciliation()).items
    assert (found.open_in_minor, found.under_way_minor) == (3_500, 0)
    town.ok(NODE, "bank.send_back", bank.SendBack(b"\2" * 32))


def test_customers_are_backed(town: Trial) -> None:
    """All accounts of all products against the bank."""
    (found,) = town.ask("bank.backing", b"", backing.AskBacking()).items
    assert (found.customers_minor, found.nostro_minor, found.backed) == (5_000, 5_000, True)
