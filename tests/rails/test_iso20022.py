"""Bank files: what we write is what the schemas allow and what we read back; what is not a bank's file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import BadInput
from formicary.rails import iso20022
from formicary.rails.iso20022 import Booking, Order, OrderStatus, Outcome, Payment, Report

pytest.importorskip("pyiso20022")

NOW_NS = 1_767_225_600 * 10**9
HOUSE = "FR7630006000011234567890189"
ALICE = "DE89370400440532013000"
BOB = "GB33BUKB20201555555555"
NAME = "ab" * 16


def order(**changes: object) -> Order:
    """An order of one payment, with changes to the payment."""
    given_values = {"end_to_end_id": NAME, "asset": 978, "amount_minor": 1_234, "name": "Zoé 王", "iban": ALICE}
    payment = Payment(**(given_values | changes))
    return Order(message_id=NAME, created_ns=NOW_NS, name="Formicary SA", iban=HOUSE, payments=(payment,))


def booking(**changes: object) -> Booking:
    """A credit of 100.00 euros, with changes."""
    given_values = {
        "bank_ref": "B1",
        "direction": "in",
        "asset": 978,
        "amount_minor": 10_000,
        "booked_ns": NOW_NS,
        "name": "Alice",
        "iban": ALICE,
    }
    return Booking(**(given_values | changes))


def report(*bookings: Booking, kind: str = "notification", **changes: object) -> Report:
    """A report of the house's account in euros."""
    told = {"message_id": "m1", "id": "s1", "created_ns": NOW_NS, "iban": HOUSE, "asset": 978}
    if kind == "statement":
        told |= {"number": 7, "day": 20260101, "opening_minor": -5, "closing_minor": 9_995}
    return Report(kind=kind, bookings=bookings, **(told | changes))


def refused(data: bytes) -> BadInput:
    """What reading these bytes as a bank's file is refused with."""
    with pytest.raises(BadInput) as caught:
        iso20022.read_incoming(data, name="f.xml")
    assert caught.value.where.startswith("f.xml"), caught.value
    return caught.value


# ── what we write ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def schema() -> object:
    """The schema of pain.001.001.09 as sepaxml ships it: the work of others, to check ours by."""
    sepaxml = pytest.importorskip("sepaxml")
    from lxml import etree

    path = Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"
    return etree.XMLSchema(etree.parse(str(path)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": "Thanks & <greetings>"},
        {"reference": "RF18539007547034"},
        {"asset": 392, "amount_minor": 5},
        {"asset": 414, "amount_minor": 1_234_567},
        {"bic": "COBADEFF"},
        {"name": "x" * 200},
        {"amount_minor": 10**15},
    ],
)
def test_an_order_follows_its_schema_and_reads_back(schema: object, changes: dict[str, object]) -> None:
    """Whatever payment it is, in whatever currency; a name is cut to what SEPA carries."""
    from lxml import etree

    written = order(**changes)
    data = iso20022.write_order(written)
    assert schema.validate(etree.fromstring(data)), schema.error_log  # type: ignore[attr-defined]
    read = iso20022.read_order(data, name="f.xml")
    assert read.payments[0].amount_minor == written.payments[0].amount_minor
    assert read.payments[0].name == written.payments[0].name[:70]
    if len(written.payments[0].name) <= 70:
        assert read == written


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"end_to_end_id": "x" * 36}, "InstrId"),
        ({"end_to_end_id": ""}, "InstrId"),
        ({"name": ""}, "Cdtr/Nm"),
        ({"name": "a\x00b"}, "Cdtr/Nm"),
        ({"text": "x" * 141}, "Ustrd"),
        ({"bic": "notabic"}, "BICFI"),
        ({"iban": "DE89370400440532013001"}, "IBAN"),
        ({"amount_minor": 0}, "payment"),
        ({"asset": 1_001}, "payment"),
    ],
)
def test_an_order_that_breaks_its_schema_is_not_written(changes: dict[str, object], where: str) -> None:
    """The value is named by its path, before anything is sent."""
    with pytest.raises(BadInput) as caught:
        iso20022.write_order(order(**changes))
    assert where in caught.value.where


def test_counts_and_sums_of_an_order_are_checked() -> None:
    """A bank does not take an order whose control sum is another."""
    data = iso20022.write_order(order())
    for old, new, where in (
        (b"<NbOfTxs>1<", b"<NbOfTxs>2<", "NbOfTxs"),
        (b"<CtrlSum>12.34<", b"<CtrlSum>12.35<", "CtrlSum"),
    ):
        with pytest.raises(BadInput, match=where):
            iso20022.read_order(data.replace(old, new, 1), name="f.xml")


@pytest.mark.parametrize("kind", ["statement", "notification"])
def test_reports_read_back(kind: str) -> None:
    """Credits, debits, returns, references and free text, in both kinds of report."""
    bookings = (
        booking(reference="RF18539007547034"),
        booking(bank_ref="B2", direction="out", end_to_end_id=NAME, amount_minor=1),
        booking(bank_ref="B3", end_to_end_id=NAME, returned=True, reason="AC04", name="", iban=""),
        booking(bank_ref="B4", text="for the wallet", amount_minor=10**15),
    )
    written = report(*bookings, kind=kind)
    assert iso20022.read_incoming(iso20022.write_report(written), name="f.xml") == [written]


def test_a_batch_reads_as_its_payments() -> None:
    """Two payments of one booking are two, each with its part; when they do not add up it is one booking."""
    parts = (booking(part=1, amount_minor=40, end_to_end_id="a"), booking(part=2, amount_minor=60, end_to_end_id="b"))
    data = iso20022.write_report(report(*parts))
    (read,) = iso20022.read_reports(data, name="f.xml")
    assert read.bookings == parts
    (whole,) = iso20022.read_reports(data.replace(b">0.40<", b">0.41<"), name="f.xml")[0].bookings
    assert (whole.part, whole.amount_minor) == (0, 100)


def test_an_orders_status_reads_back() -> None:
    """Of the whole order, or payment by payment."""
    some = OrderStatus(
        message_id="m",
        created_ns=NOW_NS,
        order_id=NAME,
        outcomes=(Outcome(end_to_end_id=NAME, status="RJCT", reason="AC04"), Outcome(end_to_end_id="b", status="ACSC")),
    )
    whole = OrderStatus(message_id="m", created_ns=NOW_NS, order_id=NAME, status="RJCT", reason="FF01")
    for status in (some, whole):
        assert iso20022.read_incoming(iso20022.write_order_status(status), name="f.xml") == status


@given(st.integers(1, 10**15), st.sampled_from([978, 392, 414, 990]))
@settings(max_examples=40)
def test_amounts_are_exact(amount_minor: int, asset: int) -> None:
    """Every amount of every number of decimals comes back to the last digit."""
    written = report(booking(amount_minor=amount_minor, asset=asset), asset=asset)
    assert iso20022.read_reports(iso20022.write_report(written), name="f")[0].bookings[0].amount_minor == amount_minor


# ── what we read ────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = b"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"/>"""
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol2 "&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">&lol2;</Document>"""
XXE = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">&x;</Document>"""


@pytest.mark.parametrize(
    "data",
    [
        BOMB,
        XXE,
        b'<!DOCTYPE d SYSTEM "http://127.0.0.1/x.dtd"><d/>',
        b'<d><![CDATA[ok]]></d><!ENTITY % p "x">',
        b"\xef\xbb\xbf" + XXE,
    ],
)
def test_document_types_are_refused_before_parsing(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a bomb nor an external entity reaches a parser."""
    from formicary.rails.iso20022 import document

    monkeypatch.setattr(document, "_parsed", lambda *_: pytest.fail("it was parsed"))
    found = refused(data)
    assert found.code == "xml_not_plain"
    assert "line" in found.where


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"   \n", "is empty"),
        (XXE.decode().encode("utf-16"), "is not UTF-8"),
        (XXE.decode().encode("utf-16-le"), "NUL"),
        (GOOD.replace(b"UTF-8", b"UTF-7"), "declares the encoding 'UTF-7'"),
        (GOOD.replace(b"UTF-8", b"IBM037"), "declares the encoding"),
        (b"\xff\xfe<d/>", "is not UTF-8"),
        (b"<Document", "is not whole XML"),
        (b"<html/>", "is 'html', not"),
        (GOOD.replace(b"054.001.08", b"054.001.02"), "ask the bank for that version"),
        (GOOD, "misses what its schema requires"),
        (b"<d>" * 10_000 + b"</d>" * 10_000, "is not whole XML"),
        (b" " * (16 << 20) + GOOD, "more than"),
        (b"<Document>&nope;</Document>", "is not whole XML"),
    ],
)
def test_what_is_no_banks_file_is_refused(data: bytes, why: str) -> None:
    """With what is wrong, and where."""
    assert why in str(refused(data))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b'Ccy="EUR">100.00', b'Ccy="USD">100.00', "another currency"),
        (b'Ccy="EUR">100.00', b'Ccy="XYZ">100.00', "not a currency"),
        (b'Ccy="EUR">100.00', b'Ccy="euro">100.00', "not of the form"),
        (b">100.00<", b">100.001<", "more than the 2"),
        (b">100.00<", b">1E2<", "not an amount"),
        (b">100.00<", b">1_00<", "not an amount"),
        (b">100.00<", b">-100.00<", "not an amount"),
        (b">100.00<", b">NaN<", "not an amount"),
        (b">100.00<", b">INF<", "not an amount"),
        (b">100.00<", "\u0661\u0662".encode().join((b">", b"<")), "not an amount"),
        (b">100.00<", b">0.00<", "books nothing"),
        (b">100.00<", b"><", "not an amount"),
        (b">100.00<", b">1234567890123456789<", "not an amount"),
        (b"CRDT", b"CREDIT", "schema"),
        (b"<AcctSvcrRef>B1</AcctSvcrRef>", b"", "no reference of the bank"),
        (HOUSE.encode(), b"", "IBAN"),
        (b"<Sts>", b"<Unknown/><Sts>", "schema"),
        (b"2026-01-01T", b"2026-13-01T", "schema"),
        (b"2026-01-01T", b"1926-01-01T", "before 1970"),
        (b"<MsgId>m1", b"<MsgId>" + b"m" * 36, "more than 35"),
    ],
)
def test_a_report_with_a_wrong_value_is_refused(old: bytes, new: bytes, why: str) -> None:
    """Wrong currencies, amounts that a number type would take and a bank does not write, unknown or missing parts."""
    data = iso20022.write_report(report(booking()))
    assert old in data
    assert why in str(refused(data.replace(old, new)))


def test_zeros_beyond_the_decimals_are_no_other_amount() -> None:
    """Some banks write five decimals always; that is exact."""
    data = iso20022.write_report(report(booking())).replace(b">100.00<", b">100.00000<")
    assert iso20022.read_reports(data, name="f")[0].bookings == (booking(),)


def test_what_is_not_booked_does_not_count() -> None:
    """A pending booking is left out; it will come again, booked."""
    data = iso20022.write_report(report(booking(), booking(bank_ref="B2"))).replace(b"BOOK", b"PDNG", 1)
    assert [found.bank_ref for found in iso20022.read_reports(data, name="f")[0].bookings] == ["B2"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"<ElctrncSeqNb>7</ElctrncSeqNb>", b"", "no number"),
        (b"CLBD", b"ITBD", "is there 0 times"),
        (b"OPBD", b"CLBD", "times"),
    ],
)
def test_a_statement_needs_its_number_and_balances(old: bytes, new: bytes, why: str) -> None:
    """Otherwise a missing statement, or money between two, could not be noticed."""
    data = iso20022.write_report(report(booking(), kind="statement"))
    assert why in str(refused(data.replace(old, new)))


@given(st.data())
@settings(max_examples=60)
def test_damaged_files_are_read_or_refused(data: st.DataObject) -> None:
    """Cut anywhere, or with bytes changed, a file is refused with a reason or is a report; nothing else is raised."""
    whole = iso20022.write_report(report(booking(), booking(bank_ref="B2"), kind="statement"))
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=3)):
        if damaged:
            damaged[place] = data.draw(st.integers(0, 255))
    try:
        found = iso20022.read_incoming(bytes(damaged), name="f.xml")
    except BadInput:
        return
    assert isinstance(found, list)


def test_without_the_extra_the_reason_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who did not install it learns what to install."""
    from formicary.rails.iso20022 import extra

    extra.package.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "schwifty", None)
    with pytest.raises(BadInput, match=r"formicary\[banks\]") as caught:
        iso20022.check_iban(HOUSE)
    assert caught.value.code == "extra_missing"
    extra.package.cache_clear()


def test_ibans_are_checked() -> None:
    """Spaces and lower case are a person's; a wrong digit, length or country is refused."""
    assert iso20022.check_iban("fr76 3000 6000 0112 3456 7890 189") == HOUSE
    for wrong in ("", "FR7630006000011234567890188", "ZZ7630006000011234567890189", "FR76", "\u0661" * 20):
        with pytest.raises(BadInput):
            iso20022.check_iban(wrong)


# ── the code that a banking app scans ───────────────────────────────────────────────────────────────────────────────


def test_an_epc_code_fills_in_a_transfer() -> None:
    """The twelve lines of EPC069-12, without empty ones at the end."""
    text = iso20022.write_epc(iban=HOUSE, name="Formicary", amount_minor=1_234, reference="RF18539007547034")
    assert text.split("\n") == [
        "BCD", "002", "1", "SCT", "", "Formicary", HOUSE, "EUR12.34", "", "RF18539007547034",
    ]  # fmt: skip
    assert iso20022.write_epc(iban=HOUSE, name="Formicary").endswith(HOUSE)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": -1},
        {"amount_minor": 10**11},
        {"reference": "RF18539007547034", "text": "both"},
        {"name": ""},
        {"name": "x" * 71},
        {"text": "a\nb"},
        {"text": "\u738b" * 100},
    ],
)
def test_an_epc_code_that_no_app_reads_is_refused(changes: dict[str, object]) -> None:
    """Its lines and bytes have bounds."""
    with pytest.raises(BadInput):
        iso20022.write_epc(**({"iban": HOUSE, "name": "Formicary"} | changes))  # type: ignore[arg-type]
