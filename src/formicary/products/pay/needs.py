"""What payments need of others: people's accounts, somebody who knows scams, and shops that can be paid.

A refusal of another product's code goes through as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context, View


class Purses(Protocol):
    """Knows people, their accounts and their limits."""

    def purse(self, asker: Context | View, party: bytes, asset: int) -> int | None:
        """The account of an open person; None when there is no such person or currency."""

    def is_person(self, asker: Context | View, party: bytes) -> bool:
        """Whether the party is a person with an account."""

    def is_frozen(self, asker: Context | View, party: bytes) -> bool:
        """Whether the party is a person whose payments are stopped."""

    def check_payer(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The payer's account; refused when the person or a limit is against it, else the amount counts as spent."""

    def uncount(self, context: Context, party: bytes, asset: int, amount_minor: int, paid_ns: int) -> None:
        """Take back what :meth:`check_payer` counted at ``paid_ns``: the payment came to nothing."""

    def check_payee(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The payee's account; refused when the person may not get it. Changes nothing."""


class Watch(Protocol):
    """Knows what a scam looks like."""

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
        """Why this payment should be held; empty when it may go, and then it is remembered."""

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
        """Open the case of a payment whose money is in a hold of the kernel under the payment's id."""


class Receivers(Protocol):
    """Knows who can be paid and is no person: shops."""

    def account_of(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int | None:
        """The account that takes this party's money; None when there is none in this currency."""
