"""What the guard needs of others: people's accounts, their trusted contacts, and whoever made what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context, View


class Purses(Protocol):
    """Knows people."""

    def purse(self, asker: Context | View, party: bytes, asset: int) -> int | None:
        """The account of an open person; None when there is no such person or currency."""

    def trusted_of(self, asker: Context | View, party: bytes) -> tuple[bytes, ...]:
        """Whom a person wants to be told when something looks wrong."""

    def has_role(self, asker: Context | View, party: bytes, role: str) -> bool:
        """Whether somebody was appointed to a role."""

    def require_role(self, context: Context, role: str) -> None:
        """Refuse unless the signer has a role."""

    def note_act(self, context: Context, action: str, *, subject: bytes = b"", detail: str = "") -> None:
        """Write what the signer did as an operator into the audit."""

    def parameter(self, asker: Context | View, name: str) -> int:
        """A number that the institution has set: ``guard_hold_s``, seconds for which a payment is held."""


class Payments(Protocol):
    """Whoever placed the hold of a payment in the kernel, and resolves it when the guard says so."""

    def captured(self, context: Context, payment: bytes) -> bool:
        """Whether the payment is its own; then it is paid, or given back when the payee can't get it any more."""

    def returned(self, context: Context, payment: bytes, how: Literal["recalled", "refused"]) -> bool:
        """Whether the payment is one of its own; then what is held is the payer's again. It never refuses."""


class Recorded(Protocol):
    """One payment of the activity list."""

    @property
    def payer(self) -> bytes:
        """Who paid."""

    @property
    def payee(self) -> bytes:
        """Who got it."""

    @property
    def asset(self) -> int:
        """In which currency."""

    @property
    def amount_minor(self) -> int:
        """How much."""

    @property
    def state(self) -> str:
        """How it stands: ``paid``, ``held``, ``returned`` and others."""


class Book(Protocol):
    """Knows every payment that people see."""

    def find(self, context: Context | View, payment_id: bytes) -> Recorded | None:
        """A payment as it stands; None when there is none."""
