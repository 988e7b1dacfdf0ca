"""A few people with wallets, for the tests of this folder."""

from __future__ import annotations

from formicary.products.wallet import product
from formicary.products.wallet.codes import NODE
from formicary.products.wallet.commands import Appoint, Open, SetTier
from formicary.testing.trial import Trial, person

from tests.products.wallet.probe import PROBE, Fund, Payouts

ALICE, BOB, CAROL, DAVE, EVE = (person(name) for name in ("alice", "bob", "carol", "dave", "eve"))
NOBODY = person("nobody")
OPERA, APRIL = person("opera"), person("april")
EUR, CZK, JPY = 978, 203, 392


def town(*, money: int = 0, tier: int = 0) -> Trial:
    """Everybody has euros, Alice and Bob crowns too; Opera is an operator and April an approver."""
    trial = Trial([product(Payouts()), PROBE])
    for who in (ALICE, BOB, CAROL, DAVE, EVE, OPERA, APRIL):
        trial.ok(who, "wallet.open", Open((EUR, CZK) if who in {ALICE, BOB} else (EUR,), None))
        if tier:
            trial.ok(NODE, "wallet.set_tier", SetTier(who, tier))
        if money:
            trial.ok(who, "probe.fund", Fund(who, EUR, money))
    trial.ok(NODE, "wallet.appoint", Appoint(OPERA, "operator"))
    trial.ok(NODE, "wallet.appoint", Appoint(APRIL, "approver"))
    return trial
