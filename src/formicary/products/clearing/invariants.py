"""What always holds of clearing, after every entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.clearing import queries

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.products.clearing.needs import Needs

Sums = dict[tuple[bytes, int], int]


def positions_are_the_payments(needs: Needs, view: View) -> None:
    """An institution's account is the sum of the payments with it: captured ones posted, undecided ones held.

    What was settled counts the other way; what the bank gave back of it is owed again.
    """
    posted_out, held_out, posted_in, held_in = Sums(), Sums(), Sums(), Sums()
    for row in queries.all_out(view):
        if row.state in {"held", "offered"}:
            _add(held_out, row.institution, row.asset, row.amount_minor)
        elif row.state == "captured":
            _add(posted_out, row.institution, row.asset, row.amount_minor)
    for paid in queries.all_in(view):
        if paid.state == "held":
            _add(held_in, paid.institution, paid.asset, paid.amount_minor)
        elif paid.state == "captured":
            _add(posted_in, paid.institution, paid.asset, paid.amount_minor)
    for done in queries.all_settlements(view):
        if done.state == "sent":
            _add(posted_in, done.institution, done.asset, done.amount_minor)
            _add(posted_out, done.institution, done.asset, needs.rails.standing(view, done.payment).back_minor)
        elif done.state == "received":
            _add(posted_out, done.institution, done.asset, done.amount_minor)
    for institution, asset, account_id in queries.accounts(view):
        account, key = view.account(account_id), (institution, asset)
        assert account is not None, "an institution's row has its account"
        sums = tuple(each.get(key, 0) for each in (posted_out, held_out, posted_in, held_in))
        balances = (account.credits_posted, account.credits_held, account.debits_posted, account.debits_held)
        assert balances == sums, f"{institution.hex()} in {asset}: {balances} in the account, {sums} in the payments"


def what_is_undecided_is_to_do(view: View) -> None:
    """No payment is forgotten: while one is only offered, the other institution has to hear of it."""
    for row in queries.all_out(view):
        assert row.to_do or row.state != "offered", f"{row.transfer.hex()} is offered and nobody is told"


def settlements_are_decided_by_two(view: View) -> None:
    """No money is sent that one person alone wished to send; what waits or was rejected moved nothing."""
    for row in queries.all_settlements(view):
        name = row.settlement.hex()
        assert row.checker != row.maker, f"{name} was decided by its maker"
        assert (row.checker is None) == (row.state in {"waiting", "received"}), f"{name} is {row.state} by nobody"
        assert any(row.payment) == (row.state in {"sent", "received"}), f"{name} is {row.state} and paid"


def _add(sums: Sums, institution: bytes, asset: int, amount_minor: int) -> None:
    sums[institution, asset] = sums.get((institution, asset), 0) + amount_minor
