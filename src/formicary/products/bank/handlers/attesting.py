"""The record of a day: customers' money against what is at the banks, counted once a day in an entry of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.bank import backing, rows
from formicary.products.bank.codes import LATE_NS
from formicary.products.bank.commands import Attest, Attested, BackedOn, BackingAttested
from formicary.products.bank.handlers.rail import check_rail

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.bank.needs import Liabilities


def attest(liabilities: Liabilities, own_codes: frozenset[int], context: Context, command: Attest) -> Attested:
    """Count every currency that has books and keep it under the day; reads every account, once a day.

    Refuses in this order: bank_rail_only, bank_day_differs, bank_day_attested, bank_books_missing.
    """
    check_rail(context)
    days = {backing.day_of(context.time_ns), backing.day_of(context.time_ns - LATE_NS)}
    context.refuse_if(command.day not in days, "bank_day_differs")
    view = context.view()
    context.refuse_if(rows.newest_backing(view) >= command.day, "bank_day_attested")
    items = tuple(backing.counted(liabilities, own_codes, view, asset) for asset in rows.assets(view))
    context.refuse_if(not items, "bank_books_missing")
    for item in items:
        _keep(context, command, item)
    context.emit(BackingAttested(command.day, all(item.verdict == "backed" for item in items)))
    return Attested(command.day, items)


def _keep(context: Context, command: Attest, item: BackedOn) -> None:
    sql = """INSERT INTO bank_backing (day, asset, at_ns, entry, seen_ns, customers_minor, nostro_minor,
             transit_minor, claims_minor, own_minor, statement, closing_minor, unlisted_minor, difference_minor,
             verdict)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    context.rows.run(
        sql, command.day, item.asset, context.time_ns, context.entry_index, command.seen_ns, item.customers_minor,
        item.nostro_minor, item.transit_minor, item.claims_minor, item.own_minor, item.statement, item.closing_minor,
        item.unlisted_minor, item.difference_minor, item.verdict,
    )  # fmt: skip
