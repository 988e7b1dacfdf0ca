"""What clearing needs of others: purses, shops, the guard, and the activity list.

Every method takes the caller's own context; whoever offers it finds its own rows with ``context.for_product``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context, View

State = Literal["held", "under_way", "paid", "returned", "failed", "cancelled"]


class Purses(Protocol):
    """Knows people's purses, limits and roles."""

    def check_payer(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The account to take from; refuses who may not pay that much, and counts it as spent."""

    def check_payee(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The account that a person is paid to; refuses who can't be paid that much. Changes nothing."""

    def uncount(self, context: Context, party: bytes, asset: int, amount_minor: int, paid_ns: int) -> None:
        """Take back what was counted as spent at ``paid_ns``."""

    def has_role(self, context: Context | View, party: bytes, role: str) -> bool:
        """Whether the institution gave somebody a role."""


class Receivers(Protocol):
    """Knows who can be paid and is no person: shops."""

    def account_of(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int | None:
        """The account that takes this party's money; None when there is none in this currency."""


class Watch(Protocol):
    """Knows what a scam looks like; it judges a payment to another institution like any other."""

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
        """Why this payment should be held; empty when it may go."""

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


class Book(Protocol):
    """The one list of a person's activity."""

    def record(
        self,
        context: Context,
        *,
        payment: bytes,
        kind: Literal["clearing_out", "clearing_in"],
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        state: State,
        note: bytes | None,
        purpose: str,
        reference: bytes | None,
    ) -> None:
        """Write one line for payer and payee."""

    def update(self, context: Context, payment_id: bytes, state: State) -> None:
        """Change the state of a line."""


@dataclass(frozen=True, slots=True)
class Needs:
    """All of them together."""

    purses: Purses
    receivers: Receivers
    watch: Watch
    book: Book

    def account_to_pay(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """Where anybody, a shop or a person, is paid; refuses as the purse does, whoever pays."""
        account = self.receivers.account_of(context, party, asset, amount_minor)
        if account is None:
            return self.purses.check_payee(context, party, asset, amount_minor)
        return account
