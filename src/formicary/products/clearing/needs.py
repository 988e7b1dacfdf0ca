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

    def note_act(self, context: Context, action: str, *, subject: bytes = b"", detail: str = "") -> None:
        """Write what the signer did with a role into the audit."""


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


class PeerAccount(Protocol):
    """Another institution at its bank."""

    @property
    def account_ref(self) -> bytes:
        """What the account is called."""

    @property
    def iban(self) -> bytes:
        """The sealed text's number."""

    @property
    def their_reference(self) -> str:
        """What our payments to it have to say."""

    @property
    def our_reference(self) -> str:
        """What its payments to us have to say."""


class Standing(Protocol):
    """How a payment out stands at the bank."""

    @property
    def state(self) -> str:
        """``asked``, ``instructed``, ``partly``, ``booked``, ``rejected`` or ``returned``."""

    @property
    def back_minor(self) -> int:
        """What came back to the account that it left."""


class Rails(Protocol):
    """Pays through the bank, and knows institutions' bank accounts (the product ``bank``)."""

    def link_peer(
        self, context: Context, *, party: bytes, account_ref: bytes, iban: bytes, iban_digest: bytes, reference: str
    ) -> None:
        """Remember an institution's bank account instead of the one before."""

    def peer_account(self, asker: Context | View, party: bytes, /) -> PeerAccount | None:
        """An institution's bank account; None while there is none."""

    def pay_out(
        self, context: Context, *, party: bytes, account: int, asset: int, amount_minor: int, account_ref: bytes
    ) -> bytes:
        """Send money of an account to a bank account of ``party``; answer the payment's id."""

    def standing(self, asker: Context | View, withdrawal: bytes, /) -> Standing:
        """How a payment out stands."""


class NoRails:
    """Where there is no bank: nothing is settled."""

    def link_peer(self, context: Context, **_account: object) -> None:
        """Refuse."""
        context.refuse("settlement_no_bank")

    def peer_account(self, _asker: Context | View, _party: bytes) -> None:
        """Nobody has one."""

    def pay_out(self, context: Context, **_payment: object) -> bytes:
        """Refuse."""
        context.refuse("settlement_no_bank")

    def standing(self, _asker: Context | View, _withdrawal: bytes) -> Standing:
        """Nothing was ever paid out."""
        raise AssertionError("without a bank nothing is paid out")


@dataclass(frozen=True, slots=True)
class Needs:
    """All of them together."""

    purses: Purses
    receivers: Receivers
    watch: Watch
    book: Book
    rails: Rails

    def account_to_pay(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """Where anybody, a shop or a person, is paid; refuses as the purse does, whoever pays."""
        account = self.receivers.account_of(context, party, asset, amount_minor)
        if account is None:
            return self.purses.check_payee(context, party, asset, amount_minor)
        return account
