"""What a tier may pay and hold, and what a payment adds to the spending of a day and a year; integers throughout.

A day is one of UTC, counted from 1970-01-01; a year is one of the Gregorian calendar in UTC. A limit of zero is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from formicary.base.iso4217 import BY_NUMBER, CURRENT

DAY_NS: Final = 86_400 * 1_000_000_000
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
SPENT_MAX: Final = 2**62
"""A counter stops here, far beyond every limit, so that it always fits its row."""
CURRENT_NUMBERS: Final = frozenset(row.number for row in CURRENT)
EUR, USD, GBP, CZK, CNY = 978, 840, 826, 203, 156
TIERS: Final = (0, 1, 2)


class Limits(NamedTuple):
    """Minor units of a tier in one currency; zero for no limit."""

    payment_minor: int
    day_minor: int
    year_minor: int
    balance_minor: int

    @property
    def in_order(self) -> bool:
        """Whether a payment's limit is at most a day's, and a day's at most a year's; none counts as the highest."""
        payment, day, year = (limit or SPENT_MAX for limit in self[:3])
        return payment <= day <= year


class Spent(NamedTuple):
    """Minor units spent in a currency in the newest UTC day and year with spending."""

    day: int
    day_minor: int
    year: int
    year_minor: int

    def at(self, day: int) -> Spent:
        """The same as seen on a day: another day or year begins at zero."""
        year = year_of(day)
        return Spent(day, self.day_minor if self.day == day else 0, year, self.year_minor if self.year == year else 0)

    def plus(self, amount_minor: int) -> Spent:
        """After one more payment on the same day."""
        return Spent(
            self.day,
            min(self.day_minor + amount_minor, SPENT_MAX),
            self.year,
            min(self.year_minor + amount_minor, SPENT_MAX),
        )

    def minus(self, amount_minor: int, *, day: int) -> Spent:
        """After a payment of ``day`` was taken back; days and years that are over count no more."""
        back_day = amount_minor if day == self.day else 0
        back_year = amount_minor if year_of(day) == self.year else 0
        return Spent(self.day, max(self.day_minor - back_day, 0), self.year, max(self.year_minor - back_year, 0))


IN_EUROS: Final = (
    Limits(150_00, 250_00, 2_500_00, 500_00),
    Limits(2_500_00, 5_000_00, 30_000_00, 15_000_00),
    Limits(50_000_00, 100_000_00, 1_000_000_00, 1_000_000_00),
)
"""Of the tiers T0, T1 and T2, in euro cents."""
MULTIPLES: Final = {EUR: 1, USD: 1, GBP: 1, CZK: 25, CNY: 8}
"""How many of a currency's cents stand for a euro cent in the limits of a new ledger."""

assert all(limits.in_order for limits in IN_EUROS)


def rule_limits(tier: int, asset: int) -> Limits:
    """Limits of a tier in a currency that has no row.

    As many minor units as euro cents, and tenfold for each decimal beyond two. A currency without decimals counts its
    units like cents, which is near for yen and won.
    """
    decimals = BY_NUMBER[asset].decimals if asset in BY_NUMBER else 0
    return _times(IN_EUROS[tier], 10 ** max(decimals - 2, 0))


def genesis_limits() -> Iterator[tuple[int, int, Limits]]:
    """(tier, asset, limits) of each row that a new ledger begins with."""
    for asset, multiple in MULTIPLES.items():
        for tier in TIERS:
            yield tier, asset, _times(IN_EUROS[tier], multiple)


def _times(limits: Limits, factor: int) -> Limits:
    return Limits(*(limit * factor for limit in limits))


def day_of(time_ns: int) -> int:
    """UTC day of a time, counted from 1970-01-01."""
    return time_ns // DAY_NS


def year_of(day: int) -> int:
    """The year that a day since 1970-01-01 is in."""
    return date.fromordinal(EPOCH_ORDINAL + day).year
