"""Amounts, days and account numbers as bank files write them, and as the ledger has them; exactly, both ways."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from formicary.base import iso4217
from formicary.base.errors import BadInput
from formicary.base.money import asset_decimals, format_minor, parse_minor
from formicary.rails.iso20022.extra import package

SECOND_NS: Final = 1_000_000_000
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def currency_of(asset: int, where: str = "") -> str:
    """The letters of a currency; banks know ISO 4217 only."""
    found = iso4217.BY_NUMBER.get(asset)
    if found is None:
        raise BadInput(f"asset {asset} is not a currency of ISO 4217", where=where)
    return found.code


def asset_of(currency: str, where: str) -> int:
    """The number of a currency by its letters."""
    found = iso4217.BY_CODE.get(currency)
    if found is None:
        raise BadInput(f"{currency!r} is not a currency of ISO 4217", where=where)
    return found.number


def to_decimal(amount_minor: int, asset: int) -> Decimal:
    """Minor units as the decimal that stands in a file, with all the currency's decimals."""
    return Decimal(format_minor(amount_minor, asset_decimals(asset)))


def to_minor(amount: Decimal, asset: int, where: str) -> int:
    """A file's decimal as minor units. Refuses decimals beyond the currency's, other than zeros."""
    decimals = asset_decimals(asset)
    text = format(amount, "f")
    whole, point, fraction = text.partition(".")
    kept = fraction[:decimals] + fraction[decimals:].rstrip("0")
    try:
        return parse_minor(f"{whole}.{kept}" if point and kept else whole, decimals)
    except BadInput as error:
        raise BadInput(str(error), where=where) from None


def to_ns(moment: Any, where: str) -> int:  # noqa: ANN401 - xsdata's own dates and times
    """A date or time of a file as ns since 1970 UTC; a date begins at midnight UTC, a time without offset is UTC."""
    try:
        if hasattr(moment, "hour"):
            exact = moment.to_datetime()
            exact = exact if exact.tzinfo is not None else exact.replace(tzinfo=dt.UTC)
        else:
            exact = dt.datetime(moment.year, moment.month, moment.day, tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{moment} is not a time", where=where) from None
    past: dt.timedelta = exact - EPOCH
    if past.days < 0:
        raise BadInput(f"{moment} is before 1970", where=where)
    return (past.days * 86_400 + past.seconds) * SECOND_NS + past.microseconds * 1000


def utc(time_ns: int) -> dt.datetime:
    """A time of the ledger as a calendar's, to the microsecond."""
    return EPOCH + dt.timedelta(microseconds=time_ns // 1000)


def day_number(moment: dt.date) -> int:
    """A day as the number ``yyyymmdd``."""
    return moment.year * 10_000 + moment.month * 100 + moment.day


def xml_time(time_ns: int) -> Any:  # noqa: ANN401 - xsdata's own time
    """A time of the ledger for a file, to the second, in UTC."""
    return package("xsdata.models.datatype").XmlDateTime.from_datetime(utc(time_ns).replace(microsecond=0))


def xml_day(time_ns: int) -> Any:  # noqa: ANN401 - xsdata's own date
    """The day of a time of the ledger, in UTC, for a file."""
    return package("xsdata.models.datatype").XmlDate.from_date(utc(time_ns).date())


def check_iban(text: str, where: str = "") -> str:
    """An IBAN without spaces, in capitals; refused as ``iban_invalid`` when its country, length or digits are wrong."""
    plain = "".join(text.split()).upper()
    schwifty = package("schwifty")
    try:
        return str(schwifty.IBAN(plain).compact)
    except (schwifty.exceptions.SchwiftyException, ValueError) as error:
        raise BadInput(f"is not an IBAN: {error}", where=where, code="iban_invalid") from None
