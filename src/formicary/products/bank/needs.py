"""What the bank needs of others: whose money it is, the one activity list, and the totals of all accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context, View


class Purses(Protocol):
    """Knows people, their accounts and limits (the product ``wallet``)."""

    def purse(self, asker: Context | View, party: bytes, asset: int) -> int | None:
        """The account of an open person; None when there is no such person or currency."""

    def check_payer(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The account to pay from, counted as spent; refuses whoever may not pay this."""

    def uncount(self, context: Context, party: bytes, asset: int, amount_minor: int, paid_ns: int) -> None:
        """Take counted spending back."""

    def check_payee(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The account to pay to; refuses whoever may not receive this."""

    def is_person(self, asker: Context | View, party: bytes) -> bool:
        """Whether somebody of this id has a wallet."""

    def opened_ns(self, asker: Context | View, party: bytes) -> int:
        """When somebody's wallet was opened, also one that is closed; 0 for who never had one."""

    def has_role(self, asker: Context | View, party: bytes, role: str) -> bool:
        """Whether the institution gave a person a role."""

    def note_act(self, context: Context, action: str, *, subject: bytes = b"", detail: str = "") -> None:
        """Write what the signer did as an operator into the audit."""


class Book(Protocol):
    """Keeps everybody's one list of activity (the product ``pay``)."""

    def record(
        self,
        context: Context,
        *,
        payment: bytes,
        kind: Literal["top_up", "withdrawal"],
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        state: Literal["paid", "under_way"],
        note: bytes | None,
        purpose: str,
        reference: bytes | None,
    ) -> None:
        """Write a line on both sides' lists; the bank's side is nobody's, sixteen zero bytes."""

    def update(self, context: Context, payment_id: bytes, state: Literal["paid", "returned"], /) -> None:
        """Change the state of a line."""


class Peers(Protocol):
    """Knows other institutions, and what is owed between them and this one."""

    def account_of(self, context: Context, party: bytes, asset: int, /) -> int | None:
        """The account of what is owed between us and an institution; None for anybody else."""

    def settled_in(self, context: Context, /, *, party: bytes, payment: bytes, asset: int, amount_minor: int) -> None:
        """Note that an institution paid through the bank; the money is moved by whoever tells."""


class Totals(NamedTuple):
    """What all accounts of one code add up to, in minor units."""

    code: int
    debits_minor: int
    credits_minor: int


class Liabilities(Protocol):
    """Adds up all accounts, for the proof of backing."""

    def totals(self, view: View, asset: int) -> Sequence[Totals]:
        """Posted debits and credits of all accounts of an asset, by account code, in order of the code."""
