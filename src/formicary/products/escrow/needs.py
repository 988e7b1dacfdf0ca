"""What escrow needs of others: purses to take from, accounts to pay into, the activity list, and perhaps a cover.

Every method takes the caller's own context; whoever offers it finds its own rows with ``context.for_product``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context, View


class Purses(Protocol):
    """Knows people's purses, limits and roles."""

    def purse(self, context: Context | View, party: bytes, asset: int) -> int | None:
        """The account of an open person in one currency; None when there is none."""

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


class Book(Protocol):
    """The one list of a person's activity."""

    def record(
        self,
        context: Context,
        *,
        payment: bytes,
        kind: Literal["escrow", "escrow_out", "escrow_back"],
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        state: Literal["held", "paid"],
        note: bytes | None,
        purpose: str,
        reference: bytes | None,
    ) -> None:
        """Write one line for payer and payee."""

    def update(self, context: Context, payment_id: bytes, state: Literal["paid", "returned"]) -> None:
        """Change the state of a line."""


class Cover(Protocol):
    """Insures parcels; who is paid what is the policy's own affair. It never refuses."""

    def lost(
        self, context: Context, *, order: bytes, buyer: bytes, seller: bytes, asset: int, amount_minor: int
    ) -> None:
        """The carrier has signed that the parcel of an order is lost."""

    def late(
        self, context: Context, *, order: bytes, buyer: bytes, seller: bytes, asset: int, amount_minor: int
    ) -> None:
        """The order's time is over and nobody has said where the parcel is."""


class Staff(Protocol):
    """Knows who acts for a shop."""

    def acts_for(self, context: Context | View, person: bytes, party: bytes) -> bool:
        """Whether a person may ship, cancel and answer for a party that is not themselves."""


class OnlyThemselves:
    """Nobody acts for anybody else: a shop signs with its own key."""

    def acts_for(self, _context: Context | View, _person: bytes, _party: bytes) -> bool:
        """See :class:`Staff`."""
        return False


class NoCover:
    """Nothing is insured."""

    def lost(
        self, context: Context, *, order: bytes, buyer: bytes, seller: bytes, asset: int, amount_minor: int
    ) -> None:
        """Do nothing."""

    def late(
        self, context: Context, *, order: bytes, buyer: bytes, seller: bytes, asset: int, amount_minor: int
    ) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Needs:
    """All of them together."""

    purses: Purses
    receivers: Receivers
    book: Book
    cover: Cover
    staff: Staff

    def account_to_pay(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """Where anybody, a shop or a person, is paid; refuses as the purse does."""
        account = self.receivers.account_of(context, party, asset, amount_minor)
        if account is None:
            return self.purses.check_payee(context, party, asset, amount_minor)
        return account

    def is_side(self, context: Context | View, person: bytes, party: bytes) -> bool:
        """Whether somebody is a side of an order or pool, or acts for it."""
        return person == party or self.staff.acts_for(context, person, party)
