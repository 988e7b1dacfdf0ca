"""What those concerned may do: recall, appeal, report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from formicary.products.guard.codes import REPORTS_OPEN_MAX
from formicary.products.guard.commands import Appeal, CaseAppealed, CaseOpened, Recall, Report, Reported
from formicary.products.guard.handlers.cases import end_hold, insert_case
from formicary.products.guard.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.guard.needs import Book, Payments


def recall(payments: Sequence[Payments], book: Book, context: Context, command: Recall) -> None:
    """Give a held payment back to its payer, who asks for it; even one that operators look into."""
    found = rows.hold_of(context, command.payment)
    if found is None:
        context.refuse("held_payment_not_found")
    context.refuse_if(found.payer != context.signer, "held_payment_not_yours")
    context.refuse_if(found.state not in rows.LIVE, "held_payment_ended")
    end_hold(payments, book, context, found, "recall")


def appeal(context: Context, command: Appeal) -> None:
    """Keep what a party says against a case, for the operators."""
    found = rows.case(context, command.case)
    if found is None:
        context.refuse("case_not_found")
    context.refuse_if(not is_party(context, found, context.signer), "case_not_yours")
    context.refuse_if(found.state not in rows.LIVE, "case_ended")
    sql = "SELECT at_ns FROM guard_appeals WHERE case_id = ? AND party = ? ORDER BY case_id"
    before = context.rows.one(sql, found.case, context.signer)
    context.refuse_if(before is not None, "appeal_made_before")
    sql = "INSERT INTO guard_appeals (case_id, party, text, at_ns) VALUES (?, ?, ?, ?)"
    context.rows.run(sql, found.case, context.signer, command.text, context.time_ns)
    context.emit(CaseAppealed(found.case, context.signer))


def is_party(where: rows.HasRows, case: rows.CaseRow, party: bytes) -> bool:
    """Whether somebody paid or was paid, or is in the ring."""
    return party in {case.payer, case.payee} or (case.kind == "ring" and rows.is_member(where, case.case, party))


def report(book: Book, context: Context, command: Report) -> Reported:
    """Open a case about a payment that was made."""
    found = book.find(context, command.payment)
    if found is None or context.signer not in {found.payer, found.payee}:
        context.refuse("report_payment_not_found")
    context.refuse_if(found.state == "held", "report_payment_held")
    sql = """SELECT case_id, opened_by FROM guard_cases WHERE payment = ? AND kind = 'report'
             ORDER BY case_id LIMIT 2"""
    reporters = [row[1] for row in context.rows.all(sql, command.payment)]
    context.refuse_if(context.signer in reporters, "reported_before")
    sql = """SELECT count(*) FROM guard_cases WHERE opened_by = ? AND state = 'open' ORDER BY 1"""
    count = context.rows.one(sql, context.signer)
    context.refuse_if(count is not None and count[0] >= REPORTS_OPEN_MAX, "too_many_reports")
    name = context.new_id("case").to_bytes(16, "big")
    insert_case(
        context,
        name,
        kind="report",
        payment=command.payment,
        payer=found.payer,
        payee=found.payee,
        asset=found.asset,
        amount_minor=found.amount_minor,
        reasons=("reported",),
        opened_by=context.signer,
        text=command.text,
    )
    context.emit(CaseOpened(name, "report"))
    return Reported(name)
