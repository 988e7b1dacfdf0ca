"""Days as yyyymmdd, without a clock: from the proleptic Gregorian calendar's own arithmetic."""

from __future__ import annotations

from datetime import date
from typing import Final

from formicary.base.errors import BadInput
from formicary.products.shop.codes import DAY_NS

EPOCH: Final = date(1970, 1, 1).toordinal()
YEAR_MAX: Final = 2261


def day_start_ns(day: int) -> int:
    """Midnight UTC of a yyyymmdd, in ns since 1970; refuses what is no day of 1970 to 2261."""
    year, rest = divmod(day, 10_000)
    month, number = divmod(rest, 100)
    if not 1970 <= year <= YEAR_MAX:
        raise BadInput("a day of 1970 to 2261 as yyyymmdd is needed", where="day")
    try:
        found = date(year, month, number)
    except ValueError:
        raise BadInput("there is no such day", where="day") from None
    return (found.toordinal() - EPOCH) * DAY_NS
