"""What always holds of the example, after every entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.example import queries

if TYPE_CHECKING:
    from formicary.machine.context import View


def held_money_is_pledged(view: View) -> None:
    """What a pocket has held is what its owner has pledged and not yet ended, to the cent."""
    pledged: dict[bytes, int] = {}
    for pledge in queries.open_pledges(view):
        pledged[pledge.giver] = pledged.get(pledge.giver, 0) + pledge.amount_minor
    for person, pocket in queries.members(view):
        account = view.account(pocket)
        assert account is not None, "a member has a pocket"
        assert account.debits_held == pledged.get(person, 0), f"{person.hex()}: held and pledged differ"


def pockets_are_never_overdrawn(view: View) -> None:
    """The kernel enforces it; the example relies on it."""
    for person, pocket in queries.members(view):
        account = view.account(pocket)
        assert account is not None, "a member has a pocket"
        assert account.debits_held + account.debits_posted <= account.credits_posted, f"{person.hex()} is overdrawn"
