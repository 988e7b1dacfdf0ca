"""Opening and ending cases: held payments and rings.

Invariant: a payment is held exactly as long as its case is open or frozen; while it is, its payer gets it back for the
asking, and unless the case is frozen its timer stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from formicary.products.anatomy import TimerId
from formicary.products.guard import judging
from formicary.products.guard.codes import SECOND_NS, TRUSTED_TOLD_MAX, WEEK_NS
from formicary.products.guard.commands import CaseKind, CaseOpened, EndHold, HoldEnded, PaymentHeld, TrustedTold
from formicary.products.guard.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.guard.commands import Outcome
    from formicary.products.guard.needs import Book, Payments, Purses
    from formicary.products.guard.queries.rows import CaseRow

_SECONDS_MIN: Final = 1
GONE_BACK: Final = frozenset({"returned", "cancelled", "failed"})
"""States of a payment that was let go and yet went back, because its payee could not get it any more."""


def open_hold(
    purses: Purses,
    context: Context,
    *,
    payment: bytes,
    payer: bytes,
    payee: bytes,
    asset: int,
    amount_minor: int,
    reasons: tuple[str, ...],
) -> None:
    """Keep the case of a held payment, set its timer, and tell everybody whom it concerns."""
    assert reasons, "no payment is held without a reason"
    seconds = max(purses.parameter(context, "guard_hold_s"), _SECONDS_MIN)
    until_ns = context.time_ns + seconds * SECOND_NS
    name = context.new_id("case").to_bytes(16, "big")
    timer = context.schedule(until_ns, "end_hold", EndHold(name))
    insert_case(
        context,
        name,
        kind="hold",
        payment=payment,
        payer=payer,
        payee=payee,
        asset=asset,
        amount_minor=amount_minor,
        reasons=reasons,
        until_ns=until_ns,
        timer=timer,
    )
    event = PaymentHeld(name, payment, amount_minor, reasons, until_ns)
    context.emit(event, subject=payer)
    context.emit(event, subject=payee)
    for trusted in purses.trusted_of(context, payer)[:TRUSTED_TOLD_MAX]:
        context.emit(TrustedTold(payer, name, reasons, until_ns), subject=trusted)
    context.emit(CaseOpened(name, "hold"))


def insert_case(
    context: Context,
    name: bytes,
    *,
    kind: CaseKind,
    payment: bytes | None,
    payer: bytes,
    payee: bytes,
    asset: int,
    amount_minor: int,
    reasons: Sequence[str],
    until_ns: int = 0,
    timer: int = 0,
    opened_by: bytes | None = None,
    text: bytes | None = None,
) -> None:
    """Write a new case down, open."""
    context.rows.run(
        """INSERT INTO guard_cases (case_id, kind, payment, payer, payee, asset, amount_minor, reasons, state,
           opened_ns, until_ns, timer, opened_by, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        name,
        kind,
        payment,
        payer,
        payee,
        asset,
        amount_minor,
        ",".join(reasons),
        rows.OPEN,
        context.time_ns,
        until_ns,
        timer,
        opened_by,
        text,
    )


def end_hold(
    payments: Sequence[Payments],
    book: Book,
    context: Context,
    case: CaseRow,
    how: Literal["release", "recall", "return"],
) -> Outcome:
    """Resolve a held payment one way or the other; nothing else may come of its case."""
    assert case.payment is not None, "a hold has a payment"
    assert case.state in rows.LIVE, "a hold ends once"
    if how == "release":
        resolved = any(each.captured(context, case.payment) for each in payments)
    else:
        said: Literal["recalled", "refused"] = "recalled" if how == "recall" else "refused"
        resolved = any(each.returned(context, case.payment, said) for each in payments)
    assert resolved, "somebody placed the hold"
    recorded = book.find(context, case.payment)
    assert recorded is not None, "what is held is recorded"
    paid = how == "release" and recorded.state not in GONE_BACK
    outcome: Outcome = "released" if paid else "recalled" if how == "recall" else "returned"
    if paid:
        _remember(context, case)
    context.cancel(TimerId(case.timer))
    context.rows.run("UPDATE guard_cases SET state = ? WHERE case_id = ?", outcome, case.case)
    event = HoldEnded(case.case, case.payment, outcome)
    context.emit(event, subject=case.payer)
    context.emit(event, subject=case.payee)
    return outcome


def _remember(context: Context, case: CaseRow) -> None:
    """What was held and then paid counts like any other payment: the payee is known, the money went along the edge."""
    table = judging.current(context)
    seen = judging.look(
        context,
        payer=case.payer,
        payee=case.payee,
        asset=case.asset,
        amount_minor=case.amount_minor,
        purpose="other",
        source="person",
    )
    members = judging.learn(context, table, seen)
    if members:
        flag_ring(context, members, asset=case.asset, amount_minor=case.amount_minor)


def flag_ring(context: Context, members: list[bytes], *, asset: int, amount_minor: int) -> None:
    """Open one case for a ring, unless the same members have one of the last week; it holds and blocks nothing."""
    if _flagged(context, members):
        return
    name = context.new_id("case").to_bytes(16, "big")
    insert_case(
        context,
        name,
        kind="ring",
        payment=None,
        payer=members[-1],
        payee=members[0],
        asset=asset,
        amount_minor=amount_minor,
        reasons=("mule_ring",),
    )
    for place, party in enumerate(members, start=1):
        sql = "INSERT INTO guard_members (case_id, party, place) VALUES (?, ?, ?)"
        context.rows.run(sql, name, party, place)
    context.emit(CaseOpened(name, "ring"))


def _flagged(context: Context, members: list[bytes]) -> bool:
    """Whether one of the last week's rings of the first member, eight at most are looked at, is this one again."""
    sql = """SELECT m.case_id FROM guard_members AS m JOIN guard_cases AS c ON c.case_id = m.case_id
             WHERE m.party = ? AND c.opened_ns > ? ORDER BY m.case_id LIMIT 8"""
    found = context.rows.all(sql, members[0], context.time_ns - WEEK_NS)
    return any(sorted(rows.members(context, row[0])) == sorted(members) for row in found)
