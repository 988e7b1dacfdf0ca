"""What people may ask clearing, and what it answers: institutions, one's payments, positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from formicary.base.errors import Refusal
from formicary.products.anatomy import Answer, Asset, Bytes16, Bytes32, MinorOrNone, Party, Sealed, Time
from formicary.products.clearing import queries
from formicary.products.clearing.codes import APPROVER, AUDITOR, OPERATOR

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
    payment: Bytes16 | None = None
    """Only this one."""
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
    iban: Sealed | None = None
    """Where the institution is paid; none while nobody has said."""
    their_reference: str = ""
    """What our payments to it say."""
    our_reference: str = ""
    """What its payments to us have to say: give it to the institution."""


class AskSettlements(Answer, frozen=True):
    """What was settled with other institutions through the banks, or is to be; newest first."""

    state: Literal["waiting", "rejected", "sent", "received"] | None = None
    after: Cursor = ""
    limit: Limit = 20


class SettlementLine(Answer, frozen=True):
    """One settlement."""

    settlement: Bytes16
    institution: Party
    asset: Asset
    amount_minor: MinorOrNone
    direction: Literal["out", "in"]
    state: Literal["waiting", "rejected", "sent", "received"]
    bank_state: str
    """Of one that was sent: how far the bank got with it; else empty."""
    back_minor: MinorOrNone
    """What the bank gave back of it, and is owed again."""
    maker: Party | None
    made_ns: Time
    checker: Party | None
    decided_ns: Time | None
    mine: bool
    """Whether the asker proposed it: then somebody else decides."""


class Settlements(Answer, frozen=True):
    """A page of settlements."""

    items: tuple[SettlementLine, ...] = ()
    next: str = ""


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
    only, named = ("", ()) if asked.payment is None else (" AND {} = ?", (asked.payment,))
    if asked.direction == "out":
        sql = queries.OUT.format("payer = ? AND number < ?" + only.format("transfer"), "number DESC LIMIT ?")
        sent = [queries.OutRow(*row) for row in view.rows.all(sql, who, before, *named, asked.limit)]
        lines = [(row.number, _sent(row)) for row in sent]
    else:
        sql = queries.IN.format("payee = ? AND number < ?" + only.format("payment"), "number DESC LIMIT ?")
        got = [queries.InRow(*row) for row in view.rows.all(sql, who, before, *named, asked.limit)]
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
    _check_reader(needs, view, who)
    return Positions(items=tuple(_with_bank(needs, view, position(view, *known)) for known in queries.accounts(view)))


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


def _with_bank(needs: Needs, view: View, line: PositionLine) -> PositionLine:
    bank = needs.rails.peer_account(view, line.institution)
    if bank is None:
        return line
    return msgspec.structs.replace(
        line, iban=bank.iban, their_reference=bank.their_reference, our_reference=bank.our_reference
    )


def settlements(needs: Needs, view: View, who: bytes, asked: AskSettlements) -> Settlements:
    """A page of settlements, with how far the bank got."""
    _check_reader(needs, view, who)
    before = int(asked.after) if asked.after.isascii() and asked.after.isdigit() and len(asked.after) <= 18 else NEWEST
    found = queries.settlements(view, asked.state or "", before=before, limit=asked.limit + 1)
    page = found[: asked.limit]
    items = tuple(_settlement(needs, view, who, row) for row in page)
    return Settlements(items=items, next=str(page[-1].number) if len(found) > asked.limit else "")


def _settlement(needs: Needs, view: View, who: bytes, row: queries.SettlementRow) -> SettlementLine:
    standing = needs.rails.standing(view, row.payment) if row.state == "sent" else None
    received = row.state == "received"
    return SettlementLine(
        settlement=row.settlement,
        institution=row.institution,
        asset=row.asset,
        amount_minor=row.amount_minor,
        direction="in" if received else "out",
        state=row.state,  # type: ignore[arg-type] # the column holds only these
        bank_state="" if standing is None else standing.state,
        back_minor=0 if standing is None else standing.back_minor,
        maker=None if received else row.maker,
        made_ns=row.made_ns,
        checker=row.checker,
        decided_ns=row.decided_ns or None,
        mine=row.maker == who,
    )


def _check_reader(needs: Needs, view: View, who: bytes) -> None:
    if not any(needs.purses.has_role(view, who, role) for role in (OPERATOR, APPROVER, AUDITOR)):
        raise Refusal("Only operators, approvers and auditors see positions.", code="clearing_not_yours")


def _is_hex(cursor: str) -> bool:
    return len(cursor) == 32 and all(letter in "0123456789abcdef" for letter in cursor)
