"""What always holds of clearing, after every entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.clearing import queries

if TYPE_CHECKING:
    from formicary.machine.context import View

Sums = dict[tuple[bytes, int], int]


def positions_are_the_payments(view: View) -> None:
    """An institution's account is the sum of the payments with it: captured ones posted, undecided ones held."""
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


def _add(sums: Sums, institution: bytes, asset: int, amount_minor: int) -> None:
    sums[institution, asset] = sums.get((institution, asset), 0) + amount_minor
