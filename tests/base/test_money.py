"""Money is parsed, written and divided exactly, and assets keep their numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base import iso4217
from formicary.base.errors import BadInput
from formicary.base.money import (
    AMOUNT_MAX,
    ASSET_MAX,
    Money,
    asset_code,
    asset_decimals,
    format_minor,
    parse_asset,
    parse_minor,
    split,
)

AMOUNTS = st.integers(min_value=0, max_value=AMOUNT_MAX)
DECIMALS = st.integers(min_value=0, max_value=iso4217.DECIMALS_MAX)


@pytest.mark.parametrize(
    ("code", "number", "decimals"),
    [
        ("EUR", 978, 2),
        ("CZK", 203, 2),
        ("JPY", 392, 0),
        ("KWD", 414, 3),
        ("CLF", 990, 4),
        ("ALL", 8, 2),
        ("XAU", 959, 0),
        ("XCG", 532, 2),
        ("HRK", 191, 2),
    ],
)
def test_a_currency_has_its_iso_number_and_decimals(code: str, number: int, decimals: int) -> None:
    """The rows that are easiest to get wrong are as ISO 4217 prints them."""
    assert parse_asset(code) == number
    assert asset_code(number) == code
    assert asset_decimals(number) == decimals


def test_the_table_is_whole() -> None:
    """List One of 2026-01-01 has 178 currencies; each code is three letters and each number is used once."""
    assert len(iso4217.CURRENT) == 178
    assert all(len(row.code) == 3 and row.code.isalpha() and row.code.isupper() for row in iso4217.CURRENT)
    assert len({row.number for row in iso4217.CURRENT + iso4217.WITHDRAWN}) == len(iso4217.BY_CODE)


@pytest.mark.parametrize(("code", "number"), [("A", 1011), ("Z", 1036), ("0A", 1047), ("ZZZZZZ", 2_238_977_116)])
def test_a_code_of_ones_own_is_a_base_36_number_above_1000(code: str, number: int) -> None:
    """The numbering never changes: accounts on old logs carry these numbers."""
    assert parse_asset(code) == number
    assert asset_code(number) == code
    assert asset_decimals(number) == 0


@given(st.integers(min_value=1, max_value=ASSET_MAX))
def test_every_asset_number_has_a_code_that_reads_back(number: int) -> None:
    """No two numbers share a code, whatever number a program chose."""
    assert parse_asset(asset_code(number)) == number


@given(st.text(alphabet="ABCXYZ019", min_size=1, max_size=6).filter(lambda code: not code.isdigit()))
def test_every_code_reads_back_as_written(code: str) -> None:
    """Leading zeros count: 0A and A are two assets."""
    assert asset_code(parse_asset(code)) == code


@pytest.mark.parametrize("text", ["", "978", "TOOLONG", "EU R", "€", "#", "#0", "#x", f"#{2**32}", "A-B"])
def test_what_is_no_asset_is_refused(text: str) -> None:
    """A bare number is refused too: 978 could mean EUR or a code of one's own."""
    with pytest.raises(BadInput, match="is not an asset"):
        parse_asset(text)


@pytest.mark.parametrize(
    ("text", "decimals", "minor"),
    [("0", 2, 0), ("12", 2, 1200), ("12.5", 2, 1250), ("12.50", 2, 1250), ("007.01", 2, 701), ("5", 0, 5)],
)
def test_an_amount_is_read_exactly(text: str, decimals: int, minor: int) -> None:
    """Missing decimals are zeros."""
    assert parse_minor(text, decimals) == minor


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing"),
        ("  ", "missing"),
        ("1.234", "has 3 decimals, more than the 2"),
        ("1.500", "has 3 decimals, more than the 2"),
        ("-1", "is negative"),
        ("+1", "plus sign"),
        ("1,234.50", "separator"),
        ("1 234", "separator"),
        ("1'234", "separator"),
        ("1e3", "exponent"),
        ("NaN", "is not an amount"),
        ("inf", "is not an amount"),
        (".5", "is not an amount"),
        ("5.", "is not an amount"),
        ("1.2.3", "is not an amount"),
        ("0x10", "is not an amount"),
        ("१२", "is not an amount"),
        ("1_000", "is not an amount"),
        ("92233720368547758.08", "more than a ledger can hold, 92233720368547758.07"),
        ("9" * 400, "more than a ledger can hold"),
    ],
)
def test_what_is_no_amount_is_refused_with_the_reason(text: str, why: str) -> None:
    """Nothing is rounded and nothing is guessed."""
    with pytest.raises(BadInput, match=why):
        parse_minor(text, 2)


def test_a_minus_is_read_where_it_is_allowed() -> None:
    """A correction may be negative; an amount to move may not."""
    assert parse_minor("-1.25", 2, signed=True) == -125


@given(AMOUNTS, DECIMALS)
def test_what_is_written_reads_back(minor: int, decimals: int) -> None:
    """Writing and reading are inverse over the whole range, and agree with the decimal module."""
    text = format_minor(minor, decimals)
    assert parse_minor(text, decimals) == minor
    assert Decimal(text).scaleb(decimals) == minor


@given(st.text(alphabet="0123456789.-+eE, ", max_size=24), DECIMALS)
def test_reading_agrees_with_the_decimal_module_or_refuses(text: str, decimals: int) -> None:
    """Whatever is accepted has exactly the value that its digits say."""
    try:
        minor = parse_minor(text, decimals)
    except BadInput:
        return
    assert Decimal(text).scaleb(decimals) == minor


def test_people_get_grouped_digits() -> None:
    """Commas are for people only; reading refuses them."""
    assert format_minor(123456789, 2, grouped=True) == "1,234,567.89"
    assert format_minor(-5, 2) == "-0.05"
    assert format_minor(1234, 0, grouped=True) == "1,234"


@given(AMOUNTS, st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=20).filter(any))
def test_a_split_adds_up_and_no_share_is_a_unit_off(total: int, weights: list[int]) -> None:
    """Shares add up, a zero weight gets nothing, and the extra units went to the earliest shares."""
    shares = split(total, weights)
    floors = [total * weight // sum(weights) for weight in weights]
    extra = [share - floor for share, floor, weight in zip(shares, floors, weights, strict=True) if weight]
    assert sum(shares) == total
    assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if weight == 0)
    assert extra == sorted(extra, reverse=True)
    assert set(extra) <= {0, 1}


def test_the_earliest_shares_take_the_remainder() -> None:
    """One cent each, from the front, past shares without weight."""
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(5, [1, 1, 1]) == [2, 2, 1]
    assert split(1, [0, 1, 1]) == [0, 1, 0]


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])])
def test_a_split_that_makes_no_sense_is_refused(total: int, weights: list[int]) -> None:
    """Negative totals or weights, and no weight at all."""
    with pytest.raises(BadInput, match="split"):
        split(total, weights)


def test_money_reads_writes_and_adds_one_asset() -> None:
    """Money of two assets does not add up."""
    price = Money.parse("12.50 EUR")
    assert str(price) == "12.50 EUR"
    assert str(price + Money.parse("0.01 EUR")) == "12.51 EUR"
    assert str(price - Money.parse("13 EUR")) == "-0.50 EUR"
    assert [str(share) for share in Money.parse("10 JPY").split([1, 2])] == ["4 JPY", "6 JPY"]
    with pytest.raises(BadInput, match="EUR and JPY do not add up"):
        _ = price + Money.parse("1 JPY")
