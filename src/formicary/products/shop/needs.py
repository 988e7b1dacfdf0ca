"""What shops need of others: people's purses, the guard, the book of activity, and somebody who pays out to banks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context, View


class Purses(Protocol):
    """Knows people's accounts, limits and roles."""

    def purse(self, context: Context | View, party: bytes, asset: int, /) -> int | None:
        """The account of an open person in a currency."""

    def check_payer(self, context: Context, party: bytes, asset: int, amount_minor: int, /) -> int:
        """The account to pay from; refuses who may not pay so much, and counts it as spent."""

    def uncount(self, context: Context, party: bytes, asset: int, amount_minor: int, paid_ns: int, /) -> None:
        """Take counted spending back."""

    def is_person(self, context: Context | View, party: bytes, /) -> bool:
        """Whether this is a person of this ledger."""

    def has_role(self, context: Context | View, party: bytes, role: str, /) -> bool:
        """Whether the institution gave somebody a role."""

    def alias_free(self, context: Context | View, alias: bytes, /) -> bool:
        """Whether no person goes by this alias, a keyed digest."""

    def parameter(self, context: Context | View, name: str, /) -> int:
        """A number that the institution sets, such as ``exit_token_s``."""


class Watch(Protocol):
    """Looks out for scams."""

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
        """Why a payment should be held; empty to let it go."""

    def hold(
        self,
        context: Context,
        *,
        payment: bytes,
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        reasons: tuple[str, ...],
    ) -> None:
        """Keep a case of a payment that the kernel holds under its own id."""


class Book(Protocol):
    """Keeps everybody's list of activity."""

    def record(
        self,
        context: Context,
        *,
        payment: bytes,
        kind: Literal["shop", "refund"],
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        state: Literal["paid", "held"],
        note: bytes | None,
        purpose: str,
        reference: bytes | None,
    ) -> None:
        """Write a payment down for both sides."""

    def update(self, context: Context, payment_id: bytes, state: Literal["paid", "returned", "refunded"], /) -> None:
        """A payment's state has changed."""


class Payouts(Protocol):
    """Pays out to bank accounts."""

    def pay_out(
        self, context: Context, *, party: bytes, account: int, asset: int, amount_minor: int, account_ref: bytes
    ) -> bytes:
        """Send money of an account to a bank account that ``party`` has linked; answer the withdrawal's id."""

    def is_linked(self, context: Context | View, party: bytes, account_ref: bytes, /) -> bool:
        """Whether somebody has linked this bank account."""


@dataclass(frozen=True, slots=True)
class Needs:
    """All of them together, as handlers take them."""

    purses: Purses
    watch: Watch
    book: Book
    payouts: Payouts
