"""All accounts added up by account code, for the proof of backing: whatever made money shows there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.bank.needs import Totals

if TYPE_CHECKING:
    from formicary.machine.context import View


class KernelLiabilities:
    """Reads the kernel's own balances at the view's moment."""

    def totals(self, view: View, asset: int) -> tuple[Totals, ...]:
        """Posted debits and credits of all accounts of an asset, by account code, in order of the code."""
        return tuple(Totals(*row) for row in view.totals(asset))
