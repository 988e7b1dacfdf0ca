"""What always holds of payments, after every entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.records import TransferFlag
from formicary.products.pay.handlers.packets import pot_id
from formicary.products.pay.handlers.settling import OWN_KINDS
from formicary.products.pay.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import View


def packets_hold_their_money(view: View) -> None:
    """What is on the account of an asset's packets is what they still hold, and what is held there what was opened."""
    free: dict[int, int] = {}
    held: dict[int, int] = {}
    for asset, _, rest_minor in rows.open_packets(view):
        assert rest_minor > 0, "a packet that is open has something in it"
        free[asset] = free.get(asset, 0) + rest_minor
    for kind, _, asset, amount_minor in rows.held_payments(view):
        if kind == "packet_opened":
            held[asset] = held.get(asset, 0) + amount_minor
    for asset in sorted({*free, *held}):
        pot = view.account(pot_id(asset))
        assert pot is not None, "packets have an account"
        assert pot.credits_posted - pot.debits_posted - pot.debits_held == free.get(asset, 0), f"packets of {asset}"
        assert pot.debits_held == held.get(asset, 0), f"held openings of {asset}"


def held_payments_are_held(view: View) -> None:
    """Every payment of this product that is called held is a hold of the ledger, of its amount."""
    for kind, payment, asset, amount_minor in rows.held_payments(view):
        if kind in OWN_KINDS:
            hold = view.transfer(int.from_bytes(payment, "big"))
            assert hold is not None, f"{payment.hex()} has no hold"
            assert hold.flags & TransferFlag.HOLD, f"{payment.hex()} is no hold"
            assert (hold.asset, hold.amount) == (asset, amount_minor), f"{payment.hex()} holds another sum"
