"""The standard products, put together: the only file that knows all of them.

Read from the top it is the picture of who relies on whom::

    wallet ◄── guard ◄── pay ◄── bank ◄── shop, escrow, clearing
       people    scams     payments  nostro   what is built on payments

Each product states its needs as a Protocol; here somebody who has it is passed. These objects are stateless: what
they know is in rows, which they find through the caller's own context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from formicary.products import bank, clearing, escrow, guard, pay, shop, wallet
from formicary.products.bank import Houses, sandbox_houses
from formicary.products.bank.offers import Payouts
from formicary.products.clearing.offers import ClearingPayments, Peers
from formicary.products.guard.offers import Watch
from formicary.products.pay.offers import Ledgerbook, Settlement
from formicary.products.shop.codes import FEES
from formicary.products.shop.needs import Needs as ShopNeeds
from formicary.products.shop.offers import ShopPayments, Shops
from formicary.products.wallet.offers import Purses

if TYPE_CHECKING:
    from formicary.machine.context import Context, View
    from formicary.products.anatomy import Product


class ShopStaff:
    """Who may act for a shop in its orders: whoever manages it."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops

    def acts_for(self, context: Context | View, person: bytes, party: bytes) -> bool:
        """Whether a person is owner or manager of the shop."""
        return self._shops.role_of(context, party, person) in {"owner", "manager"}


class HeldByShops:
    """Resolves held payments to shops; answers False for those of others."""

    def __init__(self, payments: ShopPayments) -> None:
        self._payments = payments

    def captured(self, context: Context, payment: bytes) -> bool:
        """Let a shop's payment go."""
        return self._payments.owns(context, payment) and self._payments.captured(context, payment)

    def returned(self, context: Context, payment: bytes, how: Literal["recalled", "refused"]) -> bool:
        """Give a shop's payment back."""
        if not self._payments.owns(context, payment):
            return False
        self._payments.returned(context, payment, how)
        return True


def standard_products(houses: Houses = sandbox_houses) -> tuple[Product, ...]:
    """Every product of the standard ledger, in the order in which they begin and are listed.

    ``houses`` tells payers the institution's own bank account in a currency; it is no part of the state.
    """
    purses, shops, book = Purses(), Shops(), Ledgerbook()
    watch, payouts = Watch(purses), Payouts(book)
    shop_needs = ShopNeeds(purses=purses, watch=watch, book=book, payouts=payouts)
    abroad = ClearingPayments(purses=purses, receivers=shops, watch=watch, book=book)
    held = (HeldByShops(ShopPayments(shop_needs)), abroad, Settlement(purses))
    return (
        wallet.product(payouts=payouts),
        guard.product(purses=purses, payments=held, book=book),
        pay.product(purses=purses, watch=watch, receivers=shops),
        bank.product(purses, book, houses=houses, own_codes=(FEES,), peers=Peers()),
        shop.product(purses=purses, watch=watch, book=book, payouts=payouts),
        escrow.product(purses=purses, receivers=shops, book=book, staff=ShopStaff(shops)),
        clearing.product(purses=purses, receivers=shops, watch=watch, book=book, rails=payouts),
    )
