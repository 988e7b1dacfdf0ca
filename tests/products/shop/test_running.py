"""Running a shop: staff, tills, tariffs, settlement, the day's close, and exports that add up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from formicary.base.errors import BadInput, Refusal
from formicary.products.shop import answers, commands
from formicary.products.shop.handlers.settling import next_cut_ns
from formicary.products.shop.queries.days import day_start_ns

from tests.products.shop.conftest import ALICE, BOB, CASHIER, MANAGER, OWNER, Place
from tests.products.shop.fakes import BANK, EUR, OPERATOR, Switch, free

REF = bytes(15) + b"r"
DAY = 86_400 * 10**9


def test_roles_end_where_they_should(place: Place) -> None:
    """Managers hire cashiers, owners hire anybody, and the last owner stays."""
    add = place.trial.refused
    assert add(CASHIER, "shop.add_staff", commands.AddStaff(place.shop, ALICE, "cashier")) == "shop_not_yours"
    assert add(MANAGER, "shop.add_staff", commands.AddStaff(place.shop, ALICE, "manager")) == "shop_not_yours"
    assert add(MANAGER, "shop.add_staff", commands.AddStaff(place.shop, OWNER, "cashier")) == "shop_not_yours"
    assert add(OWNER, "shop.add_staff", commands.AddStaff(place.shop, bytes(16), "cashier")) == "staff_not_a_person"
    assert add(OWNER, "shop.add_staff", commands.AddStaff(place.shop, OWNER, "cashier")) == "staff_last_owner"
    assert add(OWNER, "shop.remove_staff", commands.RemoveStaff(place.shop, OWNER)) == "staff_last_owner"
    assert add(OWNER, "shop.remove_staff", commands.RemoveStaff(place.shop, ALICE)) == "staff_not_found"
    assert add(MANAGER, "shop.remove_staff", commands.RemoveStaff(place.shop, OWNER)) == "shop_not_yours"
    place.trial.ok(OWNER, "shop.add_staff", commands.AddStaff(place.shop, ALICE, "owner"))
    place.trial.ok(OWNER, "shop.remove_staff", commands.RemoveStaff(place.shop, OWNER))
    place.trial.ok(CASHIER, "shop.remove_staff", commands.RemoveStaff(place.shop, CASHIER))
    listed = place.trial.ask("shop.staff", ALICE, answers.AskStaff(shop=place.shop)).items
    assert {(line.person, line.role) for line in listed} == {(ALICE, "owner"), (MANAGER, "manager")}
    assert place.trial.ask("shop.shops", ALICE, answers.AskShops()).items[0].role == "owner"


def test_an_alias_leads_to_one_shop(place: Place) -> None:
    """Found by its digest; nobody else takes it."""
    alias = bytes(31) + b"a"
    made = place.trial.ok(BOB, "shop.register", commands.Register(EUR, "DE", 5411, alias))
    assert place.trial.refused(ALICE, "shop.register", commands.Register(EUR, "DE", 5411, alias)) == "shop_alias_taken"
    persons = commands.Register(EUR, "DE", 5411, b"X" * 32)
    assert place.trial.refused(ALICE, "shop.register", persons) == "shop_alias_taken"
    found = place.trial.ask("shop.find", b"", answers.AskFind(digest=alias.hex()))
    assert found.shop == made.shop
    assert place.trial.ask("shop.find", b"", answers.AskFind(digest=bytes(32).hex())).shop is None
    stranger = bytes(16)
    body = commands.Register(EUR, "DE", 5411, None)
    assert place.trial.refused(stranger, "shop.register", body) == "shop_signer_not_a_person"


def test_customers_see_less_than_staff(place: Place) -> None:
    """Balances, settlement and sales are the shop's; a till is everybody's who reads its code."""
    place.pay(ALICE, 1000)
    card = place.trial.ask("shop.shop", ALICE, answers.AskShop(shop=place.shop))
    assert (card.role, card.accounts, card.settlement_days, card.assets) == ("", (), None, (EUR,))
    inside = place.trial.ask("shop.shop", CASHIER, answers.AskShop(shop=place.shop))
    assert (inside.role, inside.accounts[0].balance_minor, inside.settles_to_bank) == ("cashier", 980, False)
    till = place.trial.ask("shop.till", b"", answers.AskTill(shop=place.shop, till=place.till))
    assert (till.state, till.tip, till.assets) == ("open", "ask", (EUR,))
    for name, asked in (
        ("sales", answers.AskSales(shop=place.shop)),
        ("orders", answers.AskOrders(shop=place.shop)),
        ("tills", answers.AskTills(shop=place.shop)),
        ("staff", answers.AskStaff(shop=place.shop)),
        ("reports", answers.AskReports(shop=place.shop)),
        ("settlements", answers.AskSettlements(shop=place.shop)),
        ("export", answers.AskExport(shop=place.shop)),
    ):
        with pytest.raises(Refusal) as caught:
            place.trial.ask(f"shop.{name}", ALICE, asked)
        assert caught.value.code == "shop_not_yours"
        place.trial.ask(f"shop.{name}", OWNER, asked)


def test_a_second_currency(place: Place) -> None:
    """Opened once, by a manager."""
    place.trial.ok(MANAGER, "shop.open_currency", commands.OpenCurrency(place.shop, 840))
    again = commands.OpenCurrency(place.shop, 840)
    assert place.trial.refused(MANAGER, "shop.open_currency", again) == "shop_currency_known"
    assert place.trial.refused(CASHIER, "shop.open_currency", again) == "shop_not_yours"


def test_what_is_dearer_needs_notice(place: Place) -> None:
    """Cheaper at once, dearer in 30 days, and everybody reads both."""
    now = place.trial.now_ns
    dearer = commands.SetTariff("standard", EUR, 10, 2000, now)
    assert place.trial.refused(OPERATOR, "shop.set_tariff", dearer) == "tariff_notice"
    assert place.trial.refused(OWNER, "shop.set_tariff", dearer) == "shop_operator_only"
    place.trial.ok(OPERATOR, "shop.set_tariff", commands.SetTariff("standard", EUR, 0, 500, 0))
    place.pay(ALICE, 1000)
    assert place.free_minor == 995
    place.trial.ok(OPERATOR, "shop.set_tariff", commands.SetTariff("standard", EUR, 10, 2000, now + 31 * DAY))
    states = [line.state for line in place.trial.ask("shop.tariffs", b"", answers.AskTariffs()).items]
    assert states == ["past", "current", "announced"]
    place.trial.wait(days=31)
    place.pay(ALICE, 1000)
    assert place.free_minor == 995 + 970
    assert (
        place.trial.refused(OPERATOR, "shop.assign_tariff", commands.AssignTariff(place.shop, "x"))
        == "tariff_not_found"
    )
    place.trial.ok(OPERATOR, "shop.set_tariff", commands.SetTariff("charity", EUR, 0, 0, 0))
    place.trial.ok(OPERATOR, "shop.assign_tariff", commands.AssignTariff(place.shop, "charity"))
    place.pay(ALICE, 1000)
    assert place.free_minor == 995 + 970 + 1000


def test_tariffs_are_listed_in_pages(place: Place) -> None:
    """The cursor goes on; another one is refused."""
    place.trial.ok(OPERATOR, "shop.set_tariff", commands.SetTariff("charity", EUR, 0, 0, 0))
    first = place.trial.ask("shop.tariffs", b"", answers.AskTariffs(limit=1))
    second = place.trial.ask("shop.tariffs", b"", answers.AskTariffs(limit=1, after=first.next))
    assert [first.items[0].name, second.items[0].name, second.next] == ["charity", "standard", ""]
    with pytest.raises(BadInput, match="cursor"):
        place.trial.ask("shop.tariffs", b"", answers.AskTariffs(after="junk"))


# ── settlement ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_day_is_paid_out_two_days_later(place: Place) -> None:
    """T+2: day one at the end of day three; refunds in between come out of it; nothing is lost."""
    place.trial.ok(OWNER, "shop.set_settlement", commands.SetSettlement(place.shop, 2, REF, 0))
    paid = place.pay(ALICE, 1000)
    place.trial.wait(days=1)
    place.pay(BOB, 2000)
    assert free(place.trial, BANK) == 0
    place.trial.ok(MANAGER, "shop.refund", commands.Refund(paid.payment, 1000, "returned"))
    place.trial.wait(days=2)
    assert free(place.trial, BANK) == 980, "the refund of day one's sale is met from what day two brought"
    place.trial.wait(days=1)
    listed = place.trial.ask("shop.settlements", OWNER, answers.AskSettlements(shop=place.shop)).items
    assert [(line.state, line.amount_minor, line.paid_minor) for line in listed[::-1]] == [
        ("paid", 980, 980),
        ("paid", 1970 - 980, 1970 - 980),
    ]
    assert (free(place.trial, BANK), place.free_minor) == (1970, 0)


def test_a_refused_payout_is_part_of_the_next(place: Place) -> None:
    """The bank is down on the first day; the second day pays both."""
    place.trial.ok(OWNER, "shop.set_settlement", commands.SetSettlement(place.shop, 0, REF, 600))
    place.pay(ALICE, 1000)
    place.trial.ok(OPERATOR, "town.switch", Switch(False, True))
    place.trial.wait(days=1)
    assert place.free_minor == 980
    place.trial.ok(OPERATOR, "town.switch", Switch(False, False))
    place.pay(ALICE, 1000)
    place.trial.wait(days=1)
    states = place.trial.ask("shop.settlements", OWNER, answers.AskSettlements(shop=place.shop)).items
    assert [(line.state, line.paid_minor) for line in states] == [("paid", 1960), ("failed", 0)]
    assert len(place.trial.happened("shop.settlement_failed")) == 1


def test_settling_now_and_only_by_the_owner(place: Place) -> None:
    """What is there is due as agreed, once."""
    now = commands.SettleNow(place.shop, EUR)
    assert place.trial.refused(OWNER, "shop.settle_now", now) == "settlement_not_set"
    where = commands.SetSettlement(place.shop, 0, REF, 0)
    assert place.trial.refused(MANAGER, "shop.set_settlement", where) == "shop_not_yours"
    unknown = commands.SetSettlement(place.shop, 0, b"X" * 16, 0)
    assert place.trial.refused(OWNER, "shop.set_settlement", unknown) == "settlement_not_linked"
    place.trial.ok(OWNER, "shop.set_settlement", where)
    assert place.trial.refused(OWNER, "shop.settle_now", now) == "settlement_nothing"
    place.pay(ALICE, 1000)
    assert place.trial.ok(OWNER, "shop.settle_now", now).amount_minor == 980
    assert place.trial.refused(OWNER, "shop.settle_now", now) == "settlement_nothing", "it waits or is paid"
    place.trial.wait(seconds=5)
    assert (place.free_minor, free(place.trial, BANK)) == (0, 980)
    place.trial.ok(OWNER, "shop.set_settlement", commands.SetSettlement(place.shop, 0, None, 0))
    place.pay(ALICE, 1000)
    place.trial.wait(days=3)
    assert place.free_minor == 980, "without a bank account money stays"


def test_a_business_day_ends_at_its_minute() -> None:
    """Six in the morning: just before, the same day; at it, the next."""
    six = 360 * 60 * 10**9
    assert next_cut_ns(10 * DAY + six - 1, 360) == 10 * DAY + six
    assert next_cut_ns(10 * DAY + six, 360) == 11 * DAY + six
    assert next_cut_ns(10 * DAY, 0) == 11 * DAY


# ── reports and exports ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_days_close_counts_everything_once(place: Place) -> None:
    """A till's report, the shop's, and one after with the rest; a refund stands where it was made."""
    first = place.pay(ALICE, 1000, 100)
    place.trial.ok(BOB, "shop.pay_order", commands.PayOrder(place.order(500), 0))
    assert place.trial.refused(CASHIER, "shop.close_day", commands.CloseDay(place.shop, None)) == "shop_not_yours"
    assert place.trial.ok(CASHIER, "shop.close_day", commands.CloseDay(place.shop, place.till)).number == 1
    assert place.trial.ok(MANAGER, "shop.close_day", commands.CloseDay(place.shop, None)).number == 2
    place.trial.ok(MANAGER, "shop.refund", commands.Refund(first.payment, 550, "damaged"))
    assert place.trial.ok(CASHIER, "shop.close_day", commands.CloseDay(place.shop, place.till)).number == 3
    reports = place.trial.ask("shop.reports", CASHIER, answers.AskReports(shop=place.shop)).items
    totals = [
        (report.number, total.sales, total.gross_minor, total.tip_minor, total.fee_minor, total.refunded_minor,
         total.net_minor)
        for report in reports
        for total in report.totals
    ]  # fmt: skip
    assert totals == [(3, 0, 0, 0, 0, 550, -540), (2, 2, 1500, 100, 35, 0, 1565), (1, 1, 1000, 100, 20, 0, 1080)]
    assert reports[0].from_ns == reports[2].to_ns
    one = place.trial.ask("shop.report", CASHIER, answers.AskReport(shop=place.shop, number=2))
    assert one == reports[1]
    live = place.trial.ask("shop.report", CASHIER, answers.AskReport(shop=place.shop, day=20_260_101))
    assert live.totals[0].net_minor == place.free_minor
    with pytest.raises(Refusal, match="report"):
        place.trial.ask("shop.report", CASHIER, answers.AskReport(shop=place.shop, number=9))


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_an_export_adds_up_to_the_account(place: Place, limit: int) -> None:
    """Sales and refunds in the order of time, a page at a time, none twice."""
    payments = [place.pay(who, 700, 30) for who in (ALICE, BOB, ALICE)]
    for paid in payments[:2]:
        place.trial.ok(MANAGER, "shop.refund", commands.Refund(paid.payment, 333, "returned"))
    place.pay(ALICE, 100)
    lines: list[answers.ExportLine] = []
    after = ""
    while True:
        page = place.trial.ask("shop.export", OWNER, answers.AskExport(shop=place.shop, after=after, limit=limit))
        lines += page.items
        after = page.next
        if not after:
            break
    assert [line.kind for line in lines] == ["sale"] * 3 + ["refund"] * 2 + ["sale"]
    assert sum(line.net_minor for line in lines) == place.free_minor
    sales = place.trial.ask("shop.sales", CASHIER, answers.AskSales(shop=place.shop, till=place.till, limit=2))
    assert (len(sales.items), bool(sales.next)) == (2, True)


@pytest.mark.parametrize("day", [19_700_101, 20_000_229, 20_261_231, 22_611_231])
def test_days_are_the_calendars_own(day: int) -> None:
    """The same midnight as the standard library's."""
    stamp = datetime.strptime(str(day), "%Y%m%d").replace(tzinfo=UTC)
    assert day_start_ns(day) == int(stamp.timestamp()) * 10**9


@pytest.mark.parametrize("day", [0, 20_260_230, 19_691_231, 22_620_101, 20_261_301])
def test_what_is_no_day_is_refused(day: int) -> None:
    """The thirtieth of February."""
    with pytest.raises(BadInput):
        day_start_ns(day)
