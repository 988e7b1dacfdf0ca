"""What clearing offers: to the guard the end of a payment that it holds, to the bank what institutions settle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from formicary.products.clearing import queries, settling
from formicary.products.clearing.handlers import account_with, give_back, offer
from formicary.products.clearing.needs import Needs, NoRails

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.clearing.needs import Book, Purses, Receivers, Watch


class ClearingPayments:
    """Resolves what the guard holds of the payments to other institutions."""

    def __init__(self, *, purses: Purses, receivers: Receivers, watch: Watch, book: Book) -> None:
        self._needs = Needs(purses, receivers, watch, book, NoRails())

    def captured(self, context: Context, payment: bytes) -> bool:
        """Whether the payment is one of ours; then it is offered to its institution now."""
        own = context.for_product("clearing")
        row = queries.out(own.view(), payment)
        if row is None or row.state != "held":
            return False
        self._needs.book.update(own, payment, "under_way")
        offer(own, row)
        return True

    def returned(self, context: Context, payment: bytes, _how: Literal["recalled", "refused"]) -> bool:
        """Whether the payment is one of ours; then the payer has the money back, and nobody else ever heard of it."""
        own = context.for_product("clearing")
        row = queries.out(own.view(), payment)
        if row is None or row.state != "held":
            return False
        give_back(self._needs, own, row, "cancelled", "returned", to_do=False)
        return True


class Peers:
    """Knows other institutions, and what is owed; stateless, and called by the bank with its own context."""

    def account_of(self, context: Context, party: bytes, asset: int) -> int | None:
        """The account of what is owed between us and an institution; None for anybody else."""
        own = context.for_product("clearing")
        known = queries.institution(own.view(), party)
        return None if known is None or known.own else account_with(own, party, asset)

    def settled_in(self, context: Context, *, party: bytes, payment: bytes, asset: int, amount_minor: int) -> None:
        """Note that an institution paid through the bank."""
        own = context.for_product("clearing")
        settling.settled_in(own, party=party, payment=payment, asset=asset, amount_minor=amount_minor)
