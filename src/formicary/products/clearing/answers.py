"""What people may ask clearing, and what it answers: institutions, one's payments, positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from formicary.base.errors import Refusal
from formicary.products.anatomy import Answer, Asset, Bytes16, Bytes32, MinorOrNone, Party, Sealed, Time
from formicary.products.clearing import queries

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.products.clearing.needs import Needs

Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Cursor = Annotated[str, msgspec.Meta(max_length=64)]
NEWEST: Final = 2**63 - 1


class AskInstitutions(Answer, frozen=True):
    """The institutions that can be paid from here, and this one."""

    after: Cursor = ""
    limit: Limit = 100


class AskTransfers(Answer, frozen=True):
    """One's payments to other institutions, or from them; newest first."""

    direction: Literal["out", "in"] = "out"
    after: Cursor = ""
    limit: Limit = 20


class AskPositions(Answer, frozen=True):
    """What is owed between this institution and the others; for operators and auditors."""


class InstitutionLine(Answer, frozen=True):
    """One institution."""

    institution: Party
    own: bool
    key: Bytes32
    address: str


class Institutions(Answer, frozen=True):
    """A page of institutions."""

    items: tuple[InstitutionLine, ...] = ()
    next: str = ""


class TransferLine(Answer, frozen=True):
    """One payment between institutions."""

    payment: Bytes16
    institution: Party
    asset: Asset
    amount_minor: MinorOrNone
    state: str
    code: str
    """Why it was refused; empty otherwise."""
    to: Sealed | None
    """Whom a payment out is for, as its payer wrote it."""
    note: Sealed | None
    at_ns: Time


class Transfers(Answer, frozen=True):
    """A page of payments."""

    items: tuple[TransferLine, ...] = ()
    next: str = ""


class PositionLine(Answer, frozen=True):
    """One position: what we owe less what they owe, in one asset; and what is undecided either way."""

    institution: Party
    asset: Asset
    we_owe_minor: MinorOrNone
    they_owe_minor: MinorOrNone
    under_way_out_minor: MinorOrNone
    under_way_in_minor: MinorOrNone


class Positions(Answer, frozen=True):
    """All positions."""

    items: tuple[PositionLine, ...] = ()


def institutions(_needs: Needs, view: View, _who: bytes, asked: AskInstitutions) -> Institutions:
    """A page of institutions by their ids."""
    after = bytes.fromhex(asked.after) if _is_hex(asked.after) else b""
    rows = queries.institutions(view, after=after, limit=asked.limit)
    items = tuple(
        InstitutionLine(institution=row.institution, own=bool(row.own), key=row.key, address=row.address)
        for row in rows
    )
    return Institutions(items=items, next=rows[-1].institution.hex() if len(rows) == asked.limit else "")


def transfers(_needs: Needs, view: View, who: bytes, asked: AskTransfers) -> Transfers:
    """A page of somebody's payments."""
    before = int(asked.after) if asked.after.isascii() and asked.after.isdigit() and len(asked.after) <= 18 else NEWEST
    if asked.direction == "out":
        sql = queries.OUT.format("payer = ? AND number < ?", "number DESC LIMIT ?")
        sent = [queries.OutRow(*row) for row in view.rows.all(sql, who, before, asked.limit)]
        lines = [(row.number, _sent(row)) for row in sent]
    else:
        sql = queries.IN.format("payee = ? AND number < ?", "number DESC LIMIT ?")
        got = [queries.InRow(*row) for row in view.rows.all(sql, who, before, asked.limit)]
        lines = [(row.number, _got(row)) for row in got]
    following = str(lines[-1][0]) if len(lines) == asked.limit else ""
    return Transfers(items=tuple(line for _, line in lines), next=following)


def _sent(row: queries.OutRow) -> TransferLine:
    return TransferLine(
        payment=row.transfer,
        institution=row.institution,
        asset=row.asset,
        amount_minor=row.amount_minor,
        state=row.state,
        code=row.code,
        to=row.payee,
        note=row.note,
        at_ns=row.at_ns,
    )


def _got(row: queries.InRow) -> TransferLine:
    return TransferLine(
        payment=row.payment,
        institution=row.institution,
        asset=row.asset,
        amount_minor=row.amount_minor,
        state=row.state,
        code="",
        to=None,
        note=row.note,
        at_ns=row.at_ns,
    )


def positions(needs: Needs, view: View, who: bytes, _asked: AskPositions) -> Positions:
    """Every position, by institution and asset."""
    if not any(needs.purses.has_role(view, who, role) for role in ("operator", "auditor")):
        raise Refusal("Only operators and auditors see positions.", code="clearing_not_yours")
    return Positions(items=tuple(position(view, *known) for known in queries.accounts(view)))


def position(view: View, institution: bytes, asset: int, account_id: int) -> PositionLine:
    """One position, from the account's own balances."""
    account = view.account(account_id)
    assert account is not None, "an institution's row has its account"
    owed_minor = account.credits_posted - account.debits_posted
    return PositionLine(
        institution=institution,
        asset=asset,
        we_owe_minor=max(owed_minor, 0),
        they_owe_minor=max(-owed_minor, 0),
        under_way_out_minor=account.credits_held,
        under_way_in_minor=account.debits_held,
    )


def _is_hex(cursor: str) -> bool:
    return len(cursor) == 32 and all(letter in "0123456789abcdef" for letter in cursor)
