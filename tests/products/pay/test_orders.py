"""Payments to come and standing orders: when they run, how often, and what becomes of refused ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from formicary.products.pay.answers import AskActivity, AskOrders
from formicary.products.pay.calendar import civil_from_days, days_from_civil, due_ns, month_of, month_start_ns
from formicary.products.pay.codes import ORDERS_ACTIVE_MAX
from formicary.products.pay.commands import CancelOrder, Every, OrderFailed, Schedule
from formicary.testing.trial import SECOND_NS, Trial, person

from tests.products.pay.plain import ALICE, BOB, CZK, EUR, SHOP, Freeze, Fund, free, spent, town

DAY_S = 86_400


def at(*date: int) -> int:
    """A time of UTC in ns."""
    return int(datetime(*date, tzinfo=UTC).timestamp()) * SECOND_NS  # type: ignore[arg-type]


def schedule(first_ns: int, every: Every, *, times: int = 0, amount_minor: int = 100, payee: bytes = BOB) -> Schedule:
    """Rent, say."""
    return Schedule(payee, EUR, amount_minor, "rent", None, first_ns, every, times)


def paid_on(trial: Trial, who: bytes) -> list[str]:
    """The days of somebody's payments, oldest first."""
    items = trial.ask("pay.activity", who, AskActivity(limit=100)).items
    return [
        str((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=item.at_ns // 1000)).date()) for item in items
    ][::-1]


def test_a_month_keeps_its_day_or_takes_its_last() -> None:
    """An order of the 31st runs on the 28th of February and on the 31st of March again."""
    trial = town(ALICE, BOB)
    trial.ok(ALICE, "pay.schedule", schedule(at(2026, 1, 31, 12), "month", times=4))
    trial.wait(days=200)
    assert paid_on(trial, ALICE) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    assert [event.how for event in trial.happened("pay.order_ended")] == ["done"]
    assert free(trial, BOB) == 10_004_00
    trial.replay()


def test_once_days_and_weeks() -> None:
    """Each in its own rhythm, to a shop too."""
    trial = town(ALICE, BOB)
    trial.ok(ALICE, "pay.schedule", schedule(at(2026, 1, 5), "once"))
    trial.ok(ALICE, "pay.schedule", schedule(at(2026, 1, 5), "day", times=3))
    trial.ok(ALICE, "pay.schedule", schedule(at(2026, 1, 6), "week", times=2, payee=SHOP))
    trial.wait(days=60)
    assert paid_on(trial, ALICE) == ["2026-01-05"] * 2 + ["2026-01-06"] * 2 + ["2026-01-07", "2026-01-13"]
    assert (free(trial, BOB), free(trial, SHOP)) == (10_004_00, 2_00)
    trial.replay()


def test_a_refused_run_waits_for_the_next() -> None:
    """It is told with its code, changes nothing, and the next period is tried; a paid run forgives the ones before."""
    trial = town(ALICE, BOB, euros=50)
    made = trial.ok(ALICE, "pay.schedule", schedule(at(2026, 1, 5), "day"))
    trial.wait(days=5)
    assert trial.happened("pay.order_failed") == [
        OrderFailed(made.order, "payer_short_of_funds", 1),
        OrderFailed(made.order, "payer_short_of_funds", 2),
    ]
    assert (spent(trial, ALICE), free(trial, ALICE)) == (0, 50)
    trial.ok(ALICE, "wallet.fund", Fund(EUR, 100))
    trial.wait(days=1)
    assert (spent(trial, ALICE), free(trial, ALICE)) == (100, 50)
    (order,) = trial.ask("pay.orders", ALICE, AskOrders()).items
    assert (order.runs, order.failures) == (3, 0)
    trial.replay()


def test_three_refusals_in_a_row_stop_an_order() -> None:
    """Then it is over, and says so; here the payee is frozen."""
    trial = town(ALICE, BOB)
    trial.ok(ALICE, "pay.schedule", schedule(at(2026, 1, 5), "week"))
    trial.ok(BOB, "wallet.freeze", Freeze(frozen=True))
    trial.wait(days=60)
    assert [event.code for event in trial.happened("pay.order_failed")] == ["person_frozen"] * 3
    assert [event.how for event in trial.happened("pay.order_ended")] == ["stopped"]
    assert (free(trial, ALICE), spent(trial, ALICE)) == (10_000_00, 0)
    trial.replay()


def test_an_order_meets_the_guard_like_any_payment() -> None:
    """A large first payment to somebody new is held, by an order too, and paid a day later when nobody objects."""
    trial = town(ALICE, BOB)
    trial.ok(ALICE, "pay.schedule", schedule(at(2026, 1, 5), "once", amount_minor=2_000_00))
    trial.wait(days=4, hours=12)
    assert (free(trial, ALICE), free(trial, BOB)) == (8_000_00, 10_000_00)
    trial.wait(days=1)
    assert free(trial, BOB) == 12_000_00
    trial.replay()


def test_scheduling_is_refused_in_its_order() -> None:
    """Oneself, the payer, the currency, the time, the number of times, the payee, and how many there are."""
    trial = town(ALICE, BOB, check=False)
    nobody, now = person("nobody"), trial.now_ns
    late = now + 400 * DAY_S * SECOND_NS
    for who, command, code in (
        (nobody, schedule(1, "once", times=2, payee=nobody), "payment_to_oneself"),
        (nobody, schedule(1, "once", times=2, payee=nobody[::-1]), "person_unknown"),
        (ALICE, Schedule(nobody, CZK, 1, "rent", None, 1, "once", 2), "currency_not_open"),
        (ALICE, schedule(1, "once", times=2, payee=nobody), "first_not_in_future"),
        (ALICE, schedule(late, "once", times=2, payee=nobody), "first_too_late"),
        (ALICE, schedule(now + 10**12, "once", times=2, payee=nobody), "times_of_once"),
        (ALICE, schedule(now + 10**12, "once", payee=nobody), "payee_not_payable"),
    ):
        assert trial.refused(who, "pay.schedule", command) == code
    for _ in range(ORDERS_ACTIVE_MAX):
        made = trial.ok(ALICE, "pay.schedule", schedule(now + 10**15, "day"))
    assert trial.refused(ALICE, "pay.schedule", schedule(now + 10**15, "day")) == "too_many_orders"
    assert trial.refused(BOB, "pay.cancel_order", CancelOrder(bytes(16))) == "order_to_pay_not_found"
    assert trial.refused(BOB, "pay.cancel_order", CancelOrder(made.order)) == "order_to_pay_not_yours"
    trial.ok(ALICE, "pay.cancel_order", CancelOrder(made.order))
    assert trial.refused(ALICE, "pay.cancel_order", CancelOrder(made.order)) == "order_to_pay_ended"
    assert len(trial.ask("pay.orders", ALICE, AskOrders(limit=100)).items) == ORDERS_ACTIVE_MAX - 1


@given(st.dates())
def test_the_calendar_is_the_calendar(date: datetime) -> None:
    """Days and dates go over into one another as Python's own do."""
    days = date.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
    assert days_from_civil(date.year, date.month, date.day) == days
    assert civil_from_days(days) == (date.year, date.month, date.day)


@given(st.integers(at(1971, 1, 1), at(2200, 1, 1)), st.integers(0, 1200))
def test_months_do_not_drift(first_ns: int, number: int) -> None:
    """Run n is n months on, keeps the time of day, and never a later day than the first."""
    due = due_ns(first_ns, "month", number)
    first, then = month_of(first_ns), month_of(due)
    assert (then // 100 - first // 100) * 12 + then % 100 - first % 100 == number
    assert due % (DAY_S * SECOND_NS) == first_ns % (DAY_S * SECOND_NS)
    day, of_first = (civil_from_days(time_ns // (DAY_S * SECOND_NS))[2] for time_ns in (due, first_ns))
    assert day == of_first or (day < of_first and civil_from_days(due // (DAY_S * SECOND_NS) + 1)[2] == 1)
    assert month_start_ns(then) <= due
