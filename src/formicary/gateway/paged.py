"""Statements whose pages come in several files: which files belong together, and whether all of them are there.

A file with a page waits in its folder until every page of its statement has come, in whatever order. What can't become
whole (a page twice, one after the last) is refused at once, and what lacks a page an hour after the newest one came is
refused then.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from formicary.base.errors import BadInput
from formicary.rails.iso20022 import Page, Report, joined, key_of

WAIT_NS: Final = 3600 * 10**9
"""How long a statement waits for its other pages, from when the newest came."""


class Sheet(NamedTuple):
    """A file that has a page of a statement, with all else that is in it."""

    path: Path
    found: tuple[Report | Page, ...]

    @property
    def statements(self) -> set[tuple[str, int, int]]:
        """The statements in pages that it has a part of."""
        return {key_of(each) for each in self.found if isinstance(each, Page)}


def bundles(sheets: Iterable[Sheet]) -> list[list[Sheet]]:
    """Put files together that have pages of the same statement; files that share none are apart."""
    found: list[list[Sheet]] = []
    for sheet in sheets:
        related = [bundle for bundle in found if any(sheet.statements & each.statements for each in bundle)]
        found = [bundle for bundle in found if bundle not in related]
        found.append([each for bundle in related for each in bundle] + [sheet])
    return found


def whole(bundle: list[Sheet], now_ns: int) -> list[Report] | None:
    """The reports of files that belong together; None while a page may still come.

    Raises BadInput as :func:`formicary.rails.iso20022.joined` does; ``page_missing`` only when the wait is over.
    """
    found = sorted((each for sheet in bundle for each in sheet.found), key=_by_page)
    name = ", ".join(sheet.path.name for sheet in bundle)
    try:
        return joined(found, name=name)
    except BadInput as error:
        newest_ns = max(sheet.path.stat().st_mtime_ns for sheet in bundle)
        if error.code != "page_missing" or now_ns - newest_ns > WAIT_NS:
            raise
        return None


def _by_page(each: Report | Page) -> int:
    return each.number if isinstance(each, Page) else 0
