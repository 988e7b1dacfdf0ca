"""What the guard offers to whoever moves people's money: a judgement before, and a case for what is held.

The methods take the caller's own context and go to this product's rows by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from formicary.products.guard import judging
from formicary.products.guard.handlers.cases import flag_ring, open_hold

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.guard.needs import Purses


class Watch:
    """Judges payments and keeps the held ones."""

    def __init__(self, purses: Purses) -> None:
        self._purses = purses

    def judge(
        self,
        context: Context,
        *,
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        purpose: str,
        source: Literal["person", "shop", "bank"],
    ) -> tuple[str, ...]:
        """Why a payment of minor units should be held; empty when it may go, and then it is remembered.

        Called before the transfer is posted, for the balance is looked at as it was. Whoever gets reasons posts the
        transfer as a HOLD without a timeout and calls :meth:`hold`, or refuses: then nothing is remembered. ``source``
        is what is paid: a person, a shop, one's own bank account.
        """
        own = context.for_product("guard")
        table = judging.current(own)
        seen = judging.look(
            own, payer=payer, payee=payee, asset=asset, amount_minor=amount_minor, purpose=purpose, source=source
        )
        found = judging.reasons(self._purses, own, table, seen)
        if not found:
            members = judging.learn(own, table, seen)
            if members:
                flag_ring(own, members, asset=asset, amount_minor=amount_minor)
        return found

    def hold(
        self,
        context: Context,
        *,
        payment: bytes,
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        reasons: Sequence[str],
    ) -> None:
        """Open the case of a held payment: tell both sides and the payer's trusted contacts, and set its time.

        ``payment`` is the id of the kernel's hold as 16 bytes. The guard resolves it through its need ``Payments``.
        """
        open_hold(
            self._purses,
            context.for_product("guard"),
            payment=payment,
            payer=payer,
            payee=payee,
            asset=asset,
            amount_minor=amount_minor,
            reasons=tuple(reasons),
        )
