"""Statements whose pages come in files of their own: the courier waits for all of them, and says which is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.test_courier import SECOND_NS, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a bank that behaves."""
    opened = Desk(tmp_path)
    yield opened
    opened.close()


def paged(desk: Desk, count: int = 5) -> list[Path]:
    """A day of so many transfers whose statement comes in pages of two, taken out of the folder again."""
    desk.bank.page_bookings = 2
    for _ in range(count):
        desk.bring("1.00")
    desk.turn()
    desk.bank.close_day(desk.now_ns)
    aside = desk.folder / "aside"
    aside.mkdir(exist_ok=True)
    return [path.rename(aside / path.name) for path in sorted((desk.folder / "incoming").glob("camt053-*.xml"))]


def test_pages_of_a_statement_come_in_any_order(desk: Desk) -> None:
    """The courier waits for every page, also over a restart, and tells of one statement; the money is there before."""
    files = paged(desk)
    assert desk.balance() == 500
    for path in (files[2], files[0]):
        path.rename(desk.folder / "incoming" / path.name)
        desk.turn()
    assert desk.reconciled().statement == -1
    desk.courier = desk.new_courier()
    files[1].rename(desk.folder / "incoming" / files[1].name)
    desk.turn()
    found = desk.reconciled()
    assert (found.statement, found.closing_minor, found.problems, found.unlisted_minor) == (1, 500, (), 0)
    assert len(list((desk.folder / "incoming" / "done").glob("camt053-*.xml"))) == 3
    assert desk.courier.quarantined() == []


def test_a_page_that_never_comes(desk: Desk) -> None:
    """An hour after the newest page the others are set apart, with the code that says why."""
    files = paged(desk)
    for path in (files[0], files[2]):
        os.utime(path.rename(desk.folder / "incoming" / path.name), ns=(desk.now_ns, desk.now_ns))
    desk.now_ns += 3599 * SECOND_NS
    desk.courier.step()
    assert desk.courier.quarantined() == []
    desk.now_ns += 2 * SECOND_NS
    desk.courier.step()
    assert [why.split(":")[0] for _, why in desk.courier.quarantined()] == ["page_missing"] * 2


def test_a_page_that_comes_twice(desk: Desk) -> None:
    """All of that statement is set apart, and nothing else."""
    files = paged(desk)
    (desk.folder / "incoming" / "again.xml").write_bytes(files[1].read_bytes())
    for path in files:
        path.rename(desk.folder / "incoming" / path.name)
    desk.bring("3.00")
    desk.turn()
    assert [why.split(":")[0] for _, why in desk.courier.quarantined()] == ["page_duplicate"] * 4
    assert desk.balance() == 800
