"""What the wallet needs of others: somebody who pays balances out when a wallet closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context


class Payouts(Protocol):
    """Pays money out of a wallet to a bank account that its person has linked."""

    def pay_out(
        self, context: Context, *, party: bytes, account: int, asset: int, amount_minor: int, account_ref: bytes
    ) -> bytes:
        """Take the amount (minor units) from the account and send it; answer the withdrawal's id, or refuse."""


class NoPayouts:
    """Of an institution without a bank: nothing can be paid out."""

    def pay_out(
        self, context: Context, *, party: bytes, account: int, asset: int, amount_minor: int, account_ref: bytes
    ) -> bytes:
        """Refuse with ``payout_unavailable``."""
        del party, account, asset, amount_minor, account_ref
        context.for_product("wallet").refuse("payout_unavailable")
