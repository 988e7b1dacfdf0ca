"""What always holds of escrow, after every entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.escrow import queries

if TYPE_CHECKING:
    from formicary.machine.context import View


def rows_and_balances_agree(view: View) -> None:
    """What the rows say is held or owed is what the asset's account holds, to the cent."""
    held: dict[int, int] = {}
    for order in queries.orders(view):
        held[order.asset] = held.get(order.asset, 0) + order.held_minor
    for pool in queries.pools(view):
        held[pool.asset] = held.get(pool.asset, 0) + pool.held_minor
    for owed in queries.all_owed(view):
        held[owed.asset] = held.get(owed.asset, 0) + owed.amount_minor
    accounts = dict(queries.accounts(view))
    for asset, account_id in sorted(accounts.items()):
        account = view.account(account_id)
        assert account is not None, "an asset's row has its account"
        balance = account.credits_posted - account.debits_posted
        assert balance == held.get(asset, 0), f"asset {asset}: the account has {balance}, the rows {held.get(asset, 0)}"
        assert account.debits_held == account.credits_held == 0, "escrow's account has no holds"
    for asset, amount_minor in sorted(held.items()):
        assert asset in accounts or not amount_minor, f"asset {asset} is held without an account"


def orders_are_whole(view: View) -> None:
    """Every cent of an order is held, the seller's or the buyer's; an ended one holds nothing."""
    for order in queries.orders(view):
        parts = order.held_minor + order.seller_minor + order.buyer_minor
        assert parts == order.amount_minor, f"{order.id.hex()}: {parts} of {order.amount_minor}"
        assert (order.held_minor > 0) == (order.state in queries.OPEN_STATES), f"{order.id.hex()} is {order.state}"
        milestones = queries.milestones(view, order.id)
        open_minor = sum(milestone.share_minor for milestone in milestones if milestone.accepted_ns is None)
        if milestones and order.held_minor:
            assert open_minor == order.held_minor, f"{order.id.hex()}: milestones and held differ"


def pools_are_whole(view: View) -> None:
    """Places are those of the members, and nobody's money is held twice."""
    for pool in queries.pools(view):
        members = queries.members(view, pool.pool)
        assert pool.members == len(members), f"{pool.pool.hex()}: members"
        assert pool.places == sum(member.places for member in members) <= pool.places_max, f"{pool.pool.hex()}: places"
        paid_minor = pool.price_minor * pool.places
        assert pool.held_minor + pool.maker_minor <= paid_minor, f"{pool.pool.hex()}: more than was paid"
        if pool.state in {"open", "making"}:
            assert pool.held_minor + pool.maker_minor == paid_minor, f"{pool.pool.hex()}: money is missing"
        else:
            assert not pool.held_minor, f"{pool.pool.hex()} has ended and holds money"
