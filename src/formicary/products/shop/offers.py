"""What shops offer to other products. All methods take the context or view of whoever calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from formicary.products.shop.handlers.paying import capture, give_up
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context, View
    from formicary.products.shop.needs import Needs


class Shops:
    """Knows who is a shop, and where its money goes."""

    def account_of(self, context: Context | View, party: bytes, asset: int, _amount_minor: int = 0) -> int | None:
        """The account of an open shop in a currency; None when it is no shop, takes no such money, or is not open."""
        own = context.for_product("shop").rows
        shop = rows.shop_of(own, party)
        return rows.account_of(own, party, asset) if shop is not None and shop.state == rows.OPEN else None

    def is_shop(self, context: Context | View, party: bytes) -> bool:
        """Whether this is a shop of this ledger, open or not."""
        return rows.shop_of(context.for_product("shop").rows, party) is not None

    def role_of(self, context: Context | View, shop: bytes, party: bytes) -> str:
        """Somebody's role in a shop; empty for none."""
        return rows.role_of(context.for_product("shop").rows, shop, party)


class ShopPayments:
    """What the guard tells about payments to shops that it holds; see :meth:`owns`."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs

    def owns(self, context: Context, payment: bytes) -> bool:
        """Whether a payment is one to a shop, and so this object's to resolve."""
        return rows.sale_of(context.for_product("shop").rows, payment) is not None

    def captured(self, context: Context, payment: bytes) -> bool:
        """Let a held payment go to the shop, with its fee; always True."""
        own = context.for_product("shop")
        capture(self._needs, own, _held(own, payment))
        return True

    def returned(self, context: Context, payment: bytes, how: Literal["recalled", "refused"]) -> None:
        """Give a held payment back; its order is open again."""
        own = context.for_product("shop")
        give_up(self._needs, own, _held(own, payment), how)


def _held(own: Context, payment: bytes) -> rows.SaleRow:
    sale = rows.sale_of(own.rows, payment)
    assert sale is not None, "owns() was asked before"
    return sale
