"""What payments offer to other products: the activity list, and the end of payments that the guard held.

The methods take the caller's own context or view and go to this product's rows by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from formicary.products.pay.book import Ledgerbook
from formicary.products.pay.handlers import settling

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.pay.needs import Purses

__all__ = ["Ledgerbook", "Settlement"]


class Settlement:
    """Resolves held payments of this product when the guard says so (its need ``Payments``)."""

    def __init__(self, purses: Purses) -> None:
        self._purses = purses

    def captured(self, context: Context, payment: bytes) -> bool:
        """Whether the payment is one of pay's; then it is paid, or given back when the payee is frozen by now."""
        own = context.for_product("pay")
        found = settling.own_held(own, payment)
        if found is not None:
            settling.capture(self._purses, own, found)
        return found is not None

    def returned(self, context: Context, payment: bytes, how: Literal["recalled", "refused"]) -> bool:
        """Whether the payment is one of pay's; then what was held is the payer's again, and not counted as spent."""
        del how  # the payment is returned either way; the guard's case says why
        own = context.for_product("pay")
        found = settling.own_held(own, payment)
        if found is not None:
            settling.give_back(self._purses, own, found)
        return found is not None
