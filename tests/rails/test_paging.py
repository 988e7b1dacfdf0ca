"""Statements in several pages: what they make together, in one file or many, and which of them are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput
from formicary.products.bank import SANDBOX_HOUSE
from formicary.rails import iso20022
from formicary.rails.iso20022 import Booking, Page, Report
from formicary.rails.sandbox_bank import Bank

from tests.rails.test_sandbox_bank import NOW_NS, bring

pytest.importorskip("pyiso20022")

STATEMENTS = re.compile(rb"<Stmt>.*?</Stmt>", re.DOTALL)


def statement(count: int, **changes: object) -> Report:
    """A statement of so many credits of 1.00."""
    bookings = tuple(
        Booking(bank_ref=f"B{number}", direction="in", asset=978, amount_minor=100, booked_ns=NOW_NS)
        for number in range(count)
    )
    told = {
        "kind": "statement", "message_id": "m", "id": "s", "created_ns": NOW_NS, "iban": SANDBOX_HOUSE.iban,
        "asset": 978, "number": 7, "day": 20260101, "opening_minor": 50, "closing_minor": 50 + 100 * count,
        "bookings": bookings,
    }  # fmt: skip
    return Report(**(told | changes))  # type: ignore[arg-type]


def pages_of(report: Report, bookings_max: int = 2) -> list[Page]:
    """The pages of a statement, each read from a file of its own."""
    read = [
        iso20022.read_incoming(data, name="f.xml") for data in iso20022.write_pages(report, bookings_max=bookings_max)
    ]
    return [page for found in read for page in found if isinstance(page, Page)]  # type: ignore[union-attr]


def in_one(files: list[bytes]) -> bytes:
    """One file with the statements of several."""
    bodies = b"".join(STATEMENTS.findall(data)[0] for data in files)
    return STATEMENTS.sub(lambda _: bodies, files[0], count=1)


def why(*pages: Report | Page) -> str:
    """The code that pages are refused with."""
    with pytest.raises(BadInput) as caught:
        iso20022.joined(pages, name="f.xml")
    assert caught.value.where == "f.xml, statement 7"
    return caught.value.code


@given(st.integers(0, 30), st.integers(1, 31))
def test_pages_make_the_whole(count: int, bookings_max: int) -> None:
    """However a statement is cut, its pages put together are the statement; one page alone is a statement."""
    whole = statement(count)
    files = iso20022.write_pages(whole, bookings_max=bookings_max)
    assert len(files) == max(1, -(-count // bookings_max))
    (read,) = iso20022.joined([each for data in files for each in _read(data)], name="f.xml")
    assert read == Report(**{name: getattr(whole, name) for name in whole.__struct_fields__} | {"message_id": "m-1"})


def _read(data: bytes) -> list[Report | Page]:
    found = iso20022.read_incoming(data, name="f.xml")
    assert isinstance(found, list)
    return found


def test_pages_in_one_file_and_beside_other_statements() -> None:
    """Several statements in one message, one of them in three pages: two statements, in the order of the file."""
    files = iso20022.write_pages(statement(5), bookings_max=2)
    other = iso20022.write_report(statement(1, number=8, opening_minor=550, closing_minor=650, id="t"))
    data = in_one([*files, other])
    assert [(found.number, len(found.bookings)) for found in iso20022.read_reports(data, name="f.xml")] == [
        (7, 5),
        (8, 1),
    ]


def test_a_batch_stays_on_one_page() -> None:
    """Payments of one booking are not torn apart: their booking would be there twice."""
    batch = {"bank_ref": "B", "direction": "in", "asset": 978, "booked_ns": NOW_NS, "amount_minor": 10}
    whole = statement(1)
    bookings = (*whole.bookings, *(Booking(part=part, **batch) for part in (1, 2, 3)))  # type: ignore[arg-type]
    pages = pages_of(statement(0, bookings=bookings, closing_minor=180))
    assert [len(page.report.bookings) for page in pages] == [1, 3]


def test_pages_that_make_no_whole_are_refused() -> None:
    """Each wrong way has its own code."""
    one, two, three = pages_of(statement(5))
    assert why(one, three) == why(two, three) == why(one, two) == why(one) == "page_missing"
    assert why(one, two, two, three) == "page_duplicate"
    assert why(two, one, three) == "page_out_of_order"
    again = pages_of(statement(3))
    assert why(one, again[1], three) == "page_out_of_order"
    (other,) = [page for page in pages_of(statement(5, opening_minor=0, closing_minor=500)) if page.number == 2]
    assert why(one, other, three) == "pages_differ"


def test_only_the_ends_need_balances() -> None:
    """What stands between pages may be told in another way; without opening or closing there is no whole."""
    between = re.compile(rb"<Cd>(OPBD|CLBD)</Cd>(\s*</CdOrPrtry>\s*<SubTp>)")
    files = [between.sub(rb"<Cd>ITBD</Cd>\2", data) for data in iso20022.write_pages(statement(5), bookings_max=2)]
    pages = [each for data in files for each in _read(data)]
    assert [(page.opening_minor, page.closing_minor) for page in pages] == [(50, None), (None, None), (None, 550)]
    assert iso20022.joined(pages, name="f")[0].closing_minor == 550
    (headless,) = _read(files[0].replace(b"OPBD", b"ITBD"))
    assert why(headless, *pages[1:]) == "pages_differ"


def test_a_message_in_pages() -> None:
    """Pages numbered by their messages are joined too; whole statements of such messages stand by themselves."""
    numbered = b"<MsgPgntn><PgNb>%d</PgNb><LastPgInd>%s</LastPgInd></MsgPgntn></GrpHdr>"
    files = []
    for place, data in enumerate(iso20022.write_pages(statement(4), bookings_max=2), start=1):
        bare = re.sub(rb"\s*<StmtPgntn>.*?</StmtPgntn>", b"", data, flags=re.DOTALL)
        files.append(bare.replace(b"</GrpHdr>", numbered % (place, b"true" if place == 2 else b"false")))
    pages = [each for data in files for each in _read(data)]
    assert [each.number for each in pages] == [1, 2]
    assert iso20022.joined(pages, name="f")[0].closing_minor == 450
    whole = iso20022.write_report(statement(4)).replace(b"</GrpHdr>", numbered % (1, b"false"))
    assert _read(whole) == [statement(4)]


def test_the_sandbox_bank_pages_its_statements(tmp_path: Path) -> None:
    """A day of five bookings, two to a page: three files that make one statement."""
    bank = Bank(tmp_path, iban=SANDBOX_HOUSE.iban, page_bookings=2)
    for number in range(5):
        bring(tmp_path, f"t{number}", "1.00")
    bank.step(NOW_NS)
    assert bank.close_day(NOW_NS) == 1
    bank.close()
    files = sorted((tmp_path / "incoming").glob("camt053-*.xml"))
    assert [path.name for path in files] == [f"camt053-978-000001-00{page}.xml" for page in (1, 2, 3)]
    (read,) = iso20022.joined([each for path in files for each in _read(path.read_bytes())], name="f")
    assert (read.closing_minor, len(read.bookings)) == (500, 5)
