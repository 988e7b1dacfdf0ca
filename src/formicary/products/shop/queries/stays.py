"""Questions about stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.shop import answers
from formicary.products.shop.queries import rows
from formicary.products.shop.queries.access import check_staff, is_staff, refuse
from formicary.products.shop.queries.cursors import NEWEST, read_place, write_place

if TYPE_CHECKING:
    from formicary.machine.context import View


def stay(view: View, who: bytes, asked: answers.AskStay) -> answers.Stay:
    """One stay; guest, folio and payment for the guest and the staff."""
    found = rows.stay_of(view.rows, asked.stay)
    if found is None:
        refuse("stay_not_found")
    inside = (bool(who) and who == found.guest) or is_staff(view, found.shop, who)
    lines = rows.folio_of(view.rows, asked.stay) if inside else []
    folio = tuple(answers.FolioLine(amount_minor=row[0], label=row[1], at_ns=row[2]) for row in lines)
    return _stay(found, view.time_ns, inside=inside, folio=folio)


def stays(view: View, who: bytes, asked: answers.AskStays) -> answers.Stays:
    """A shop's stays, or one's own."""
    of_shop = """SELECT stay, shop, asset, deposit_minor, until_ns, state, made_ns, guest, key, hold, checked_in_ns,
                 timer, folio_minor, folio_lines, payment FROM shop_stays WHERE shop = ? AND (made_ns, stay) < (?, ?)
                 ORDER BY made_ns DESC, stay DESC LIMIT ?"""
    of_guest = """SELECT stay, shop, asset, deposit_minor, until_ns, state, made_ns, guest, key, hold, checked_in_ns,
                  timer, folio_minor, folio_lines, payment FROM shop_stays WHERE guest = ? AND (made_ns, stay) < (?, ?)
                  ORDER BY made_ns DESC, stay DESC LIMIT ?"""
    if asked.shop is not None:
        check_staff(view, asked.shop, who)
    place = read_place(asked.after, start=NEWEST)
    sql, party = (of_guest, who) if asked.shop is None else (of_shop, asked.shop)
    found = [rows.StayRow(*row) for row in view.rows.all(sql, party, *place, asked.limit + 1)]
    items = tuple(_stay(row, view.time_ns, inside=True) for row in found[: asked.limit])
    last = found[asked.limit - 1] if len(found) > asked.limit else None
    return answers.Stays(items=items, next="" if last is None else write_place(last.made_ns, last.stay))


def _stay(row: rows.StayRow, time_ns: int, *, inside: bool, folio: tuple[answers.FolioLine, ...] = ()) -> answers.Stay:
    return answers.Stay(
        stay=row.stay,
        shop=row.shop,
        asset=row.asset,
        deposit_minor=row.deposit_minor,
        until_ns=row.until_ns,
        state=row.state_at(time_ns),
        guest=row.guest if inside else None,
        folio_minor=row.folio_minor if inside else 0,
        folio=folio,
        payment=row.payment if inside else None,
    )
