"""What a statement tells: the lines of the kernel's history, with what products and people know of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from formicary.gateway.edge_values import NOBODY_TOLD, PartyTold, write_time
from formicary.gateway.shared import NANOSECONDS
from formicary.products.bank.codes import ASSIGNED, REJECTED, RETURNED
from formicary.products.escrow.codes import GIVEN_BACK, PAID_OUT, POOL_GIVEN_BACK, POOL_PAID_OUT
from formicary.products.pay import offers
from formicary.products.shop.codes import FEE, FEE_BACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from formicary.gateway.door import Door
    from formicary.gateway.routes import Caller
    from formicary.gateway.statement.history import History, Line
    from formicary.machine.context import View
    from formicary.machine.receipts import HeadStatement
    from formicary.products.pay.queries import PaymentRow

LOOKED_AT_ONCE: Final = 500
"""Payments that are looked up in one turn of the ledger."""
KINDS: Final = {
    FEE: "fee",
    FEE_BACK: "fee_back",
    REJECTED: "withdrawal_back",
    RETURNED: "withdrawal_back",
    ASSIGNED: "top_up",
    GIVEN_BACK: "escrow_back",
    POOL_GIVEN_BACK: "escrow_back",
    PAID_OUT: "escrow_out",
    POOL_PAID_OUT: "escrow_out",
}
"""What a movement is by its transfer's code, where no payment was written down for it."""
UNKNOWN: Final = "ledger"
_BOOK: Final = offers.Ledgerbook()


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose statement, of which account, for whom."""

    party: bytes
    is_shop: bool
    account: int
    asset: int
    caller: Caller
    """Who reads; for a shop whoever works there, in the shop's place."""


class Movement(msgspec.Struct, frozen=True):
    """One line. ``amount_minor`` and ``fee_minor`` are exact: opening + Σ (amount − fee) = closing."""

    at: str
    kind: str
    """``sent``, ``shop``, ``top_up`` … as in the activity list; ``sale`` is a purchase as the shop sees it."""
    other: PartyTold
    purpose: str
    note: str | None
    reference: str
    """What it belongs to: an order, a packet, a refunded payment; 32 hexadecimal digits or empty."""
    amount_minor: int
    """In the currency's minor unit; negative when it went out. Without the fee."""
    fee_minor: int
    """What was taken off for it; negative when a fee was given back."""
    balance_minor: int
    payment: str
    """Its receipt is at ``/v1/receipts/{payment}``."""
    transfer: str
    """The transfer of the ledger that moved it; the payment's own, but for one that was held first."""


class HeadTold(msgspec.Struct, frozen=True):
    """The signed head of the ledger that has everything in the statement."""

    size: str
    root: str
    entry: str
    time: str
    key: str
    signature: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement: ``opening + in − out − fee = closing``, all in the currency's minor unit."""

    institution: PartyTold
    ledger: str
    """The ledger's id: 32 hexadecimal digits."""
    head: HeadTold
    holder: PartyTold
    account: str
    asset: str
    decimals: int
    """Of the currency: 2 says that 100 minor units are one."""
    first: str = msgspec.field(name="from")
    """First day, ``2026-11-01``; days are UTC."""
    last: str = msgspec.field(name="to")
    """Last day."""
    made: str
    language: str
    opening_minor: int
    in_minor: int
    out_minor: int
    fee_minor: int
    closing_minor: int
    held_minor: int
    """Of the closing balance, what is held for payments that are not final yet."""
    coming_minor: int
    """Beyond the closing balance, what is held for the account."""
    movements: int
    """Lines of the whole span."""
    items: tuple[Movement, ...]
    next: str = ""


async def tell_lines(door: Door, subject: Subject, lines: Sequence[Line]) -> tuple[Movement, ...]:
    """Join lines with the payments that products wrote down, and with names and notes that the reader may see."""
    rows: list[PaymentRow | None] = []
    for first in range(0, len(lines), LOOKED_AT_ONCE):
        part = lines[first : first + LOOKED_AT_ONCE]
        rows += await door.look("pay", lambda view, part=part: [_row(view, line) for line in part])  # type: ignore[misc]
    others = [_other(subject, row) for row in rows]
    names = await door.people.told(subject.party, others)
    refs = [row.note for row in rows if row is not None and row.note is not None]
    texts = await door.people.texts(subject.caller, list(dict.fromkeys(refs))) if refs else {}
    return tuple(
        _movement(subject, line, row, names[other], texts) for line, row, other in zip(lines, rows, others, strict=True)
    )


def _row(view: View, line: Line) -> PaymentRow | None:
    """The payment of a line: under its transfer's id, or under that of the hold that it captured."""
    for number in (line.transfer, line.hold):
        found = _BOOK.find(view, number.to_bytes(16, "big")) if number else None
        if found is not None:
            return found
    return None


def _other(subject: Subject, row: PaymentRow | None) -> bytes:
    if row is None:
        return b""
    other = row.payee if row.payer == subject.party else row.payer
    return b"" if other == bytes(16) else other


def _movement(
    subject: Subject, line: Line, row: PaymentRow | None, other: PartyTold, texts: dict[bytes, str]
) -> Movement:
    number = line.transfer.to_bytes(16, "big").hex()
    common: dict[str, Any] = {
        "at": write_time(line.time_ns),
        "amount_minor": line.amount_minor,
        "fee_minor": line.fee_minor,
        "balance_minor": line.balance_minor,
        "transfer": number,
    }
    if row is None:
        kind = KINDS.get(line.code, UNKNOWN)
        return Movement(other=NOBODY_TOLD, kind=kind, purpose="", note=None, reference="", payment=number, **common)
    kind = "sale" if subject.is_shop and row.kind == "shop" else row.kind
    hidden = subject.is_shop and other.kind not in {
        "shop",
        "institution",
    }  # a shop does not learn who its customers are
    return Movement(
        other=NOBODY_TOLD if hidden else other,
        kind=kind,
        purpose=row.purpose,
        note=texts.get(row.note) if row.note is not None else None,
        reference=row.reference.hex() if row.reference is not None else "",
        payment=row.payment.hex(),
        **common,
    )


def tell_head(statement: HeadStatement) -> HeadTold:
    """A signed head as people read it; ``GET /v1/head`` has the proof."""
    head = statement.head
    return HeadTold(
        size=str(head.size),
        root=head.root.hex(),
        entry=str(head.entry),
        time=write_time(head.time_ns),
        key=head.key_id.hex(),
        signature=head.signature.hex(),
    )


def totals(history: History) -> dict[str, int]:
    """The sums of a statement, by the names of its fields."""
    return {
        "opening_minor": history.opening_minor,
        "in_minor": history.in_minor,
        "out_minor": history.out_minor,
        "fee_minor": history.fee_minor,
        "closing_minor": history.closing_minor,
        "held_minor": history.held_minor,
        "coming_minor": history.coming_minor,
        "movements": len(history.lines),
    }


def day_start_ns(day: dt.date) -> int:
    """When a day begins, in ns since 1970, UTC."""
    return (day - dt.date(1970, 1, 1)).days * 86_400 * NANOSECONDS
