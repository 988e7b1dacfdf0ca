"""A statement in several pages (camt.053): which page one is, and the whole that pages make.

A bank numbers the pages of one statement (``StmtPgntn``), or those of a message whose one statement goes on in the next
message (``MsgPgntn``). The first page has the opening balance, the last the closing one; what stands between may be
given as interim (``INTM``). Pages make a whole only when each is there once, in order, up to the last, and when each
begins with the balance that the one before ended with.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from formicary.base.errors import BadInput
from formicary.rails.iso20022.messages import Page, Report

PAGE_CODES: Final = {
    "page_missing": "a page of the statement is not there",
    "page_duplicate": "a page of the statement is there twice",
    "page_out_of_order": "the pages of the statement are not in the order of their numbers, or go on after the last",
    "pages_differ": "the pages of the statement contradict each other",
}
"""Why pages are refused."""
PageKey = tuple[str, int, int]


def key_of(page: Page) -> PageKey:
    """Which statement a page belongs to: account, currency and number are the same on each of its pages."""
    return (page.report.iban, page.report.asset, page.report.number)


def joined(found: Sequence[Report | Page], *, name: str) -> list[Report]:
    """The reports of one file, each statement in pages as a whole where its first page stands.

    Raises BadInput: ``page_missing``, ``page_duplicate``, ``page_out_of_order`` or ``pages_differ``.
    """
    reports: list[Report] = []
    done: set[PageKey] = set()
    for each in found:
        if isinstance(each, Report):
            reports.append(each)
        elif key_of(each) not in done:
            done.add(key_of(each))
            reports.append(
                join([page for page in found if isinstance(page, Page) and key_of(page) == key_of(each)], name)
            )
    return reports


def join(pages: Sequence[Page], where: str) -> Report:
    """One statement of its pages, which come in order; refuses what :func:`joined` does."""
    where = f"{where}, statement {pages[0].report.number}"
    numbers = [page.number for page in pages]
    if len(set(numbers)) != len(numbers):
        raise _refusal("page_duplicate", where, f"there are pages {numbers}")
    if numbers != sorted(numbers):
        raise _refusal("page_out_of_order", where, f"there are pages {numbers}")
    for page in pages[:-1]:
        if page.last:
            raise _refusal("page_out_of_order", where, f"pages {numbers} go on after {page.number}, which is the last")
    if numbers != list(range(1, len(pages) + 1)) or not pages[-1].last:
        raise _refusal("page_missing", where, f"there are pages {numbers}")
    for before, after in pairwise(pages):
        ends, begins = before.closing_minor, after.opening_minor
        if ends is not None and begins is not None and ends != begins:
            raise _refusal(
                "pages_differ", where, f"page {before.number} ends with {ends}, the next begins with {begins}"
            )
    return _whole(pages, where)


def _whole(pages: Sequence[Page], where: str) -> Report:
    first, last = pages[0], pages[-1]
    if first.opening_minor is None or last.closing_minor is None:
        raise _refusal("pages_differ", where, "the first page has no opening balance, or the last no closing one")
    return msgspec.structs.replace(
        first.report,
        day=last.report.day,
        opening_minor=first.opening_minor,
        closing_minor=last.closing_minor,
        bookings=tuple(booking for page in pages for booking in page.report.bookings),
    )


def _refusal(code: str, where: str, detail: str) -> BadInput:
    return BadInput(f"{PAGE_CODES[code]}: {detail}", where=where, code=code)
