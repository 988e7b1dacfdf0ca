"""Statements: exact against whatever happened, the same lines in every form, and nobody else's."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import pypdf
import pytest

from formicary.base.errors import BadInput
from formicary.base.money import parse_minor
from formicary.gateway import statements
from formicary.gateway.door import NODE
from formicary.gateway.edge_values import read_time
from formicary.gateway.routes import Caller, CallerKind
from formicary.gateway.statement import camt, history
from formicary.gateway.statement.paper import glyphs
from formicary.gateway.statement.subjects import subjects_of
from formicary.gateway.statement.table import COLUMNS, harmless
from formicary.gateway.statement.words import LOCALES, WORDS
from formicary.products.pay.commands import Kind, Purpose
from formicary.products.shop.commands import SetTariff
from formicary.rails.iso20022 import read_reports

from tests.gateway.town import SECOND, Person, Town

FORMULA = '=HYPERLINK("http://x","y")'
IBAN = "<IBAN>DE89370400440532013000</IBAN>"


class Street:
    """A town with people, and a shop that pays fees, where some time has gone by."""

    def __init__(self) -> None:
        self.town = Town(session_idle_s=10**8, session_absolute_s=10**8)
        self.ann, self.bo, self.owner = (self.town.person(name) for name in ("Ann Łuk", "陈小明 😀", "Olga"))
        for person in (self.ann, self.bo, self.owner):
            self.town.raise_tier(person)
        tariff = SetTariff("standard", asset=978, fixed_minor=10, rate_per_100000=1500, from_ns=0)
        self.town.run(self.town.door.run_as(NODE, "shop.set_tariff", tariff, self.town.key()))
        self.shop = self.post(self.owner, "shop/register", asset="EUR", country="FR", category=5812, alias=None)[
            "shop"
        ]["id"]
        self.till = self.post(self.owner, "shop/add_till", shop=self.shop, label="Bar", tip="ask")["till"]
        self.town.fund(self.ann, 2_000_00)
        self.town.fund(self.bo, 1_000_00)

    def post(self, person: Person, path: str, /, **fields: Any) -> Any:
        """Tell, and be heard."""
        answer = person.post(f"/v1/{path}", **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pay(self, amount_minor: int, *, note: str | None = None, back: bool = False) -> Any:
        """Ann pays Bo, or he pays her."""
        payer, payee = (self.bo, self.ann) if back else (self.ann, self.bo)
        sent = {"asset": "EUR", "amount_minor": amount_minor, "purpose": "friend", "note": note}
        return self.post(payer, "pay/send", payee=payee.id, **sent)

    def buy(self, amount_minor: int) -> str:
        """Ann buys something at the shop; the payment's id."""
        paid = {"asset": "EUR", "amount_minor": amount_minor, "tip_minor": 0}
        return str(self.post(self.ann, "shop/pay_till", shop=self.shop, till=self.till, **paid)["payment"])

    def day(self, later: int = 0) -> str:
        """Today, or some days later."""
        return (datetime.fromtimestamp(self.town.now_ns() // SECOND, UTC) + timedelta(days=later)).date().isoformat()

    def tell(self, person: Person, **query: Any) -> Any:
        """A statement of the last months as JSON, whole."""
        asked = {"asset": "EUR", "from": self.day(-200), "to": self.day(), "limit": 500, **query}
        answer = person.get("/v1/statement", **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def file(self, person: Person, form: str, **query: Any) -> bytes:
        """The same as a file."""
        asked = {"asset": "EUR", "from": self.day(-200), "to": self.day(), "format": form, **query}
        answer = person.get("/v1/statement", **asked)
        assert answer.status_code == 200, answer.text
        assert f"-{asked['to']}." in answer.headers["content-disposition"]
        return answer.content


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    """One for all tests of this file, in which a few things have happened."""
    made = Street()
    made.pay(12_50, note=FORMULA)
    made.pay(7_00, back=True, note="午餐,谢谢")
    payment = made.buy(20_00)
    made.post(made.owner, "shop/refund", payment=payment, amount_minor=5_00, reason="returned")
    made.post(made.ann, "pay/give", asset="EUR", total_minor=3_00, count=2, how="equal", recipients=[],
              until=f"{made.day(9)}T00:00:00Z", note=None)  # fmt: skip
    yield made
    made.town.close()


def check_sums(told: Any) -> None:
    """Opening, lines and closing are one chain."""
    nets = [line["amount_minor"] - line["fee_minor"] for line in told["items"]]
    balances = list(accumulate(nets, initial=told["opening_minor"]))
    assert balances[1:] == [line["balance_minor"] for line in told["items"]]
    assert balances[-1] == told["closing_minor"]
    moved = told["in_minor"] - told["out_minor"] - told["fee_minor"]
    assert told["opening_minor"] + moved == told["closing_minor"]
    times = [read_time(line["at"]) for line in told["items"]]
    assert times == sorted(times)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_exact_whatever_happened(seed: int) -> None:
    """Random payments over random days: every span adds up, spans join, and the wallet says the same."""
    chance = random.Random(seed)
    street = Street()
    try:
        first, model = street.day(), [2_000_00]
        for _ in range(14):
            if chance.random() < 0.4:
                street.town.wait(days=chance.randrange(1, 4))
            back, amount = chance.random() < 0.4, chance.randrange(1, 40_00)
            if chance.random() < 0.3:
                street.buy(amount)
                model.append(-amount)
            else:
                street.pay(amount, back=back)
                model.append(amount if back else -amount)
        street.town.wait(days=2)
        street.town.fund(street.owner, 1)  # time has gone by for the ledger too: what was held is paid
        told = street.tell(street.ann, **{"from": first})
        check_sums(told)
        assert sorted(line["amount_minor"] for line in told["items"]) == sorted(model)
        assert told["held_minor"] == 0
        sold = street.tell(street.owner, shop=street.shop, **{"from": first})
        check_sums(sold)
        assert all(line["kind"] == "sale" and line["fee_minor"] > 0 for line in sold["items"])
        assert told["closing_minor"] == street.ann.get("/v1/wallet/accounts").json()["items"][0]["balance_minor"]
        days = (datetime.fromisoformat(street.day()) - datetime.fromisoformat(first)).days
        cut = chance.randrange(days) if days else 0
        parts = [
            street.tell(street.ann, **{"from": street.day(begin - days), "to": street.day(end - days)})
            for begin, end in ((0, cut), (cut + 1, days))
            if begin <= end
        ]
        for part in parts:
            check_sums(part)
        assert [line for part in parts for line in part["items"]] == told["items"]
        assert parts[0]["closing_minor"] == parts[-1]["opening_minor"] or len(parts) == 1
    finally:
        street.town.close()


def test_what_is_held_has_not_moved(street: Street) -> None:
    """A payment that the guard holds is no line, and told as held; nothing before the first one either."""
    before = street.tell(street.bo)
    held = street.pay(900_00, back=True)
    assert held["state"] == "held"
    told = street.tell(street.bo)
    assert told["items"] == before["items"]
    assert told["held_minor"] == before["held_minor"] + 900_00
    assert street.tell(street.ann)["coming_minor"] == 900_00
    street.post(street.bo, "guard/recall", payment=held["payment"])
    assert street.tell(street.bo)["held_minor"] == before["held_minor"]
    old = street.tell(street.ann, **{"from": "2020-01-01", "to": "2020-01-31"})
    assert (old["opening_minor"], old["closing_minor"], old["items"]) == (0, 0, [])


def test_a_shop_sees_sales_with_their_fees_and_no_customers(street: Street) -> None:
    """The fee stands on the sale, what came back of it on the refund; a person's name is none of the shop's."""
    told = street.tell(street.owner, shop=street.shop)
    check_sums(told)
    sale, refund = told["items"]
    assert (sale["kind"], sale["amount_minor"], sale["fee_minor"]) == ("sale", 20_00, 40)
    assert (refund["kind"], refund["amount_minor"], refund["fee_minor"]) == ("refund", -5_00, -10)
    assert {line["other"]["name"] for line in told["items"]} == {""}
    assert told["closing_minor"] == 14_70


def test_only_managers_see_a_shop(street: Street) -> None:
    """A stranger and a cashier are refused, a manager is not; and there is no account in every currency."""
    asked = {"asset": "EUR", "shop": street.shop}
    assert street.ann.get("/v1/statement", **asked).json()["code"] == "shop_not_yours"
    street.post(street.owner, "shop/add_staff", shop=street.shop, person=street.bo.id, role="cashier")
    assert street.bo.get("/v1/statement", **asked).status_code == 403
    street.post(street.owner, "shop/add_staff", shop=street.shop, person=street.bo.id, role="manager")
    assert street.bo.get("/v1/statement", **asked).status_code == 200
    street.post(street.owner, "shop/remove_staff", shop=street.shop, person=street.bo.id)
    assert street.ann.get("/v1/statement", asset="EUR", shop="00" * 16).json()["code"] == "shop_not_found"
    assert street.ann.get("/v1/statement", asset="JPY").json()["code"] == "statement_not_found"
    assert street.town.nobody.get("/v1/statement", asset="EUR").status_code == 401


def test_a_shops_own_key_needs_no_name_for_it(street: Street) -> None:
    """Whoever signs as the shop gets the shop's account, and only that."""
    caller = Caller(CallerKind.KEY, bytes.fromhex(street.shop), scopes=frozenset({"receipt:read"}))
    (found,) = street.town.run(subjects_of(street.town.door, caller, None))
    assert (found.party.hex(), found.is_shop, found.asset) == (street.shop, True, 978)
    assert f"{found.account:032x}" == street.tell(street.owner, shop=street.shop)["account"]


def test_pages_make_the_whole(street: Street) -> None:
    """Page by page the same lines come, and the sums are always those of the span."""
    whole, items, after = street.tell(street.ann), [], ""
    while True:
        page = street.tell(street.ann, limit=2, after=after)
        assert len(page["items"]) <= 2
        assert page["closing_minor"] == whole["closing_minor"]
        items += page["items"]
        after = page["next"]
        if not after:
            break
    assert items == whole["items"]
    assert whole["movements"] == len(items)


def test_csv_is_read_back(street: Street) -> None:
    """By Python's own reader: the same lines, exact, CR LF, and no cell that a spreadsheet would compute."""
    raw = street.file(street.ann, "csv").decode()
    assert raw.count("\r\n") == raw.count("\n")
    header, opening, *rows, closing = csv.reader(io.StringIO(raw, newline=""))
    assert tuple(header) == COLUMNS
    told = street.tell(street.ann)
    sums = [parse_minor(row[5], 2, signed=True) - parse_minor(row[6], 2, signed=True) for row in rows]
    assert sums == [line["amount_minor"] - line["fee_minor"] for line in told["items"]]
    assert parse_minor(opening[7], 2) + sum(sums) == parse_minor(closing[7], 2) == told["closing_minor"]
    notes = [row[4] for row in rows]
    assert f"'{FORMULA}" in notes
    assert "午餐,谢谢" in notes


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "\uff1d1", "\n=1"])
def test_a_formula_is_made_harmless(text: str) -> None:
    """Whatever a spreadsheet might compute gets an apostrophe; what is harmless stays as it is."""
    assert harmless(text)[0] == "'"
    assert harmless("a=1") == "a=1"
    assert harmless("a\0b") == "ab"


@pytest.mark.parametrize(("language", "money"), [("en", "1,978.50"), ("fr", "1\u00a0978,50"), ("zh", "1,978.50")])
def test_paper_is_read_back_in_each_language(street: Street, language: str, money: str) -> None:
    """Institution, holder, labels, balances, ledger and signed head are on it; what can't be printed is told."""
    reader = pypdf.PdfReader(io.BytesIO(street.file(street.ann, "pdf", language=language)))
    text = "\n".join(page.extract_text() for page in reader.pages)
    plain = text.replace("\n", "")
    told, words = street.tell(street.ann), WORDS[language]
    assert told["closing_minor"] == 1_976_50
    for expected in (
        "Formicary", "Ann Łuk", words["title"], words["closing"], words["kind.top_up"], money.replace("8,50", "6,50")
        .replace("8.50", "6.50"), told["ledger"], told["head"]["root"], told["head"]["signature"], "陈小明 □",
        words["substituted"].partition(";")[0].strip(), "午餐",
    ):  # fmt: skip
        assert expected.replace("\u00a0", " ") in plain.replace("\u00a0", " "), expected
    assert reader.metadata is not None
    assert reader.metadata.title.startswith(words["title"])


def test_long_paper_has_pages_with_heads(street: Street) -> None:
    """A statement of hundreds of lines goes on over pages, each with its number and the column heads."""
    from formicary.gateway.statement.paper import write_pdf

    told = _statement(street)
    line = told.items[1]
    data = write_pdf(_with(told, items=(line,) * 120), origin="https://bank.example", sandbox=False)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Details" in text
    assert sum(text.count("Payment ·") for text in pages) == 120


def test_every_language_has_every_word() -> None:
    """Labels are complete, keep their placeholders, and can all be printed."""
    for language, words in WORDS.items():
        assert language in LOCALES
        assert set(words) == set(WORDS["en"])
        for name, text in words.items():
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", WORDS["en"][name])), text
            assert {ord(each) for each in text} - {ord("\u00a0")} <= glyphs("regular"), text
    kinds = {name for name in WORDS["en"] if name.startswith("kind.")}
    assert {f"kind.{each}" for each in Kind.__args__} <= kinds
    assert {f"purpose.{each}" for each in Purpose.__args__} <= set(WORDS["en"])


def test_the_language_is_the_persons_own(street: Street) -> None:
    """Without a word about it, paper speaks as the pages do."""
    assert street.bo.ask("PATCH", "/v1/profile", json={"language": "fr"}).status_code == 200
    assert street.tell(street.bo)["language"] == "fr"
    assert street.tell(street.bo, language="zh")["language"] == "zh"


def test_camt_is_read_back(street: Street) -> None:
    """Schema-valid, and by the rails' own reader the same balances and entries; the account is the ledger's own."""
    told = street.tell(street.owner, shop=street.shop)
    text = street.file(street.owner, "camt053", shop=street.shop).decode()
    assert f"<Id>{told['account']}</Id>" in text
    start, end = text.index("<Othr>"), text.index("</Othr>") + len("</Othr>")
    (report,) = read_reports((text[:start] + IBAN + text[end:]).encode(), name="camt")
    assert (report.opening_minor, report.closing_minor) == (told["opening_minor"], told["closing_minor"])
    signed = [each.amount_minor if each.direction == "in" else -each.amount_minor for each in report.bookings]
    assert signed == [20_00, -40, -5_00, 10]
    assert report.opening_minor + sum(signed) == report.closing_minor
    assert len({each.bank_ref for each in report.bookings}) == len(signed)
    anns = street.file(street.ann, "camt053").decode()
    assert "陈小明" in anns
    assert "HYPERLINK" in anns


def test_camt_without_its_packages_says_what_to_install(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway without the extra answers 501 and its name."""

    def missing(_kind: str) -> None:
        raise BadInput("bank files need the banks extra: pip install 'formicary[banks]'", code="extra_missing")

    monkeypatch.setattr(camt, "message_types", missing)
    answer = street.ann.get("/v1/statement", asset="EUR", format="camt053")
    assert (answer.status_code, answer.json()["code"]) == (501, "extra_missing")
    assert "formicary[banks]" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-13-01", ""), ("2026-02-30", "2026-03-01"), ("2026-11-02", "2026-11-01"), ("2025-01-01", "2026-11-01"),
     ("x", ""), ("", "9999-01-01"), ("1200-01-01", "1200-01-02")],
)  # fmt: skip
def test_spans_that_can_not_be_meant_are_refused(street: Street, first: str, last: str) -> None:
    """No such day, the wrong way round, more than a year, out of the ledger's time."""
    answer = street.ann.get("/v1/statement", asset="EUR", **{"from": first, "to": last})
    assert answer.status_code == 422 or (first, last) == ("x", "")
    assert answer.json()["code"] == "bad_input"


def test_a_year_is_a_statement(street: Street) -> None:
    """366 days are not too many; and without days it is this month so far."""
    assert street.tell(street.ann, **{"from": street.day(-365)})["movements"] > 0
    month = street.ann.get("/v1/statement", asset="EUR").json()
    assert (month["from"], month["to"]) == (street.day()[:8] + "01", street.day())


def test_what_is_too_long_is_refused_and_never_cut(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond its lines, and any form beyond the transfers that are looked at."""
    monkeypatch.setitem(statements.LINES_MAX, "pdf", 2)
    asked = {"asset": "EUR", "from": street.day(-9), "to": street.day()}
    answer = street.ann.get("/v1/statement", format="pdf", **asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "statement_too_long")
    assert street.ann.get("/v1/statement", format="csv", **asked).status_code == 200
    monkeypatch.setattr(history, "TRANSFERS_MAX", 3)
    assert street.ann.get("/v1/statement", **asked).json()["code"] == "statement_too_long"
    monkeypatch.setattr(history, "TRANSFERS_MAX", 50_000)
    monkeypatch.setattr(history, "READ_AT_ONCE", 2)
    check_sums(street.tell(street.ann))


def _statement(street: Street) -> Any:
    """A statement as an object, in English."""
    import msgspec

    from formicary.gateway.statement.telling import Statement

    return msgspec.convert(street.tell(street.ann, language="en"), Statement)


def _with(told: Any, **fields: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(told, **fields)


def test_money_out_of_escrow_says_from_whom_and_for_what(street: Street) -> None:
    """A seller's list and statement have what was paid out, with buyer and note; a shop's has it without the buyer."""
    terms: dict[str, Any] = {"asset": "EUR", "amount_minor": 40_00, "silence": "release", "silence_s": 14 * 86_400}
    terms |= {"inspect_s": 0, "milestones": [], "note": "An atlas of 1911"}
    terms |= dict.fromkeys(("carrier", "carrier_key", "code"))
    told = []
    for seller, who, more in ((street.bo.id, street.bo, {}), (street.shop, street.owner, {"shop": street.shop})):
        order = street.post(street.ann, "escrow/buy", seller=seller, ship_by=f"{street.day(5)}T00:00:00Z", **terms)[
            "order"
        ]
        street.post(who, "escrow/ship", order=order, tracking=None)
        street.post(street.ann, "escrow/confirm", order=order)
        line = street.tell(who, **more)["items"][-1]
        assert (line["kind"], line["amount_minor"], line["reference"]) == ("escrow_out", 40_00, order)
        told.append((line["other"]["name"], line["note"]))
    assert told == [("Ann Łuk", "An atlas of 1911"), ("", None)], (
        "a shop without a name of its own has no key to read by"
    )
    newest = street.bo.get("/v1/pay/activity", limit=1).json()["items"][0]
    assert (newest["kind"], newest["direction"], newest["other"]["name"]) == ("escrow_out", "in", "Ann Łuk")
    paper = pypdf.PdfReader(io.BytesIO(street.file(street.bo, "pdf", language="en")))
    assert "Paid out of escrow" in " ".join(page.extract_text() for page in paper.pages).replace("\n", " ")
