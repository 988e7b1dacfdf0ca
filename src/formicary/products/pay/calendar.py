"""Dates in pure integers: when the n-th run of an order is due, and in which month a payment was. All times are UTC.

The civil calendar is Howard Hinnant's (https://howardhinnant.github.io/date_algorithms.html, days_from_civil): years
begin in March, so that the leap day is the last of its year.
"""

from __future__ import annotations

from typing import Final

from formicary.products.pay.codes import DAY_NS

_ERA_DAYS: Final = 146_097
"""Days in 400 years."""
_EPOCH: Final = 719_468
"""Days from 0000-03-01 to 1970-01-01."""


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the proleptic Gregorian calendar."""
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA_DAYS + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _EPOCH


def civil_from_days(days: int) -> tuple[int, int, int]:
    """The (year, month, day) that is some days after 1970-01-01."""
    era, of_era = divmod(days + _EPOCH, _ERA_DAYS)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = (shifted + 2) % 12 + 1
    return era * 400 + year + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def days_of_month(year: int, month: int) -> int:
    """How many days a month has."""
    following = (year + month // 12, month % 12 + 1)
    return days_from_civil(*following, 1) - days_from_civil(year, month, 1)


def months_later(time_ns: int, months: int) -> int:
    """The same day of the month and time of day some months later, or the month's last day where it has no such day."""
    days, of_day_ns = divmod(time_ns, DAY_NS)
    year, month, day = civil_from_days(days)
    years, zero_based = divmod(month - 1 + months, 12)
    year, month = year + years, zero_based + 1
    return days_from_civil(year, month, min(day, days_of_month(year, month))) * DAY_NS + of_day_ns


def due_ns(first_ns: int, every: str, number: int) -> int:
    """When run ``number`` (0 is the first) of an order is due. Counted from the first, so that no day drifts."""
    if every == "month":
        return months_later(first_ns, number)
    return first_ns + number * {"once": 0, "day": 1, "week": 7}[every] * DAY_NS


def month_of(time_ns: int) -> int:
    """The month of a time as yyyymm."""
    year, month, _ = civil_from_days(time_ns // DAY_NS)
    return year * 100 + month


def month_start_ns(yyyymm: int) -> int:
    """The first instant of a month."""
    return days_from_civil(*divmod(yyyymm, 100), 1) * DAY_NS
