"""A column map says which columns make which field; cells become numbers exactly or are refused with the reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput
from formicary.base.money import AMOUNT_MAX, format_minor, parse_asset
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.node.import_map import (
    TRANSFER_FIELDS,
    Cells,
    ColumnMap,
    flags_from,
    flags_text,
    reference,
    time_ns,
    user_data,
    whole_number,
)
from formicary.node.import_source import Rows

EUR = parse_asset("EUR")


def cells(columns: dict[str, list[str]], **options: object) -> Cells:
    """Parse a chunk of these columns, its first row on line 2."""
    count = len(next(iter(columns.values())))
    return Cells(Rows(range(2, count + 2), columns), ColumnMap(list(columns), TRANSFER_FIELDS, **options))  # type: ignore[arg-type]


def test_the_default_header_needs_no_map() -> None:
    """Capitals don't matter; other columns are left alone."""
    column_map = ColumnMap(["ID", "Debit", "credit", "amount", "asset", "weather"], TRANSFER_FIELDS)
    assert column_map.columns() == ["ID", "Debit", "credit", "amount", "asset"]


def test_templates_and_constants_make_fields() -> None:
    """``{row}`` is the line, braces can be doubled, and a constant stands for a missing column."""
    chunk = cells(
        {"bank": ["AB", "CD"], "acc": ["1", "2"]},
        maps=["credit={bank}:{acc}", "id=f-{{x}}-{row}"],
        constants={"asset": "EUR"},
    )
    assert chunk.texts("credit") == ["AB:1", "CD:2"]
    assert chunk.texts("id") == ["f-{x}-2", "f-{x}-3"]
    assert chunk.texts("asset") == ["EUR", "EUR"]
    assert chunk.texts("code") == ["1", "1"]
    assert chunk.texts("hold") == ["", ""]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("amount", "is not a map"),
        ("colour=x", "is not a map"),
        ("amount=price", "needs a column 'price'; there are a, b"),
        ("amount={price}", "needs a column 'price'"),
        ("amount={a", "is not a template"),
        ("amount={a!r}", "only plain"),
        ("amount={a:>5}", "only plain"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused(given: str, why: str) -> None:
    """Before the first row is read."""
    with pytest.raises(BadInput, match=why):
        ColumnMap(["a", "b"], TRANSFER_FIELDS, maps=[given])


def test_a_missing_field_is_named_with_its_remedy() -> None:
    """An empty map leaves a field without its column."""
    with pytest.raises(BadInput, match="--map id=COLUMN"):
        ColumnMap(["id"], TRANSFER_FIELDS, maps=["id="]).need("id")


@given(
    st.lists(st.integers(min_value=0, max_value=AMOUNT_MAX), min_size=1, max_size=8),
    st.sampled_from(["EUR", "JPY", "KWD", "CLF", "POINTS"]),
)
def test_a_column_of_amounts_reads_as_each_alone(amounts: list[int], code: str) -> None:
    """Whether the column is recognised at once or cell by cell."""
    asset = parse_asset(code)
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4, "POINTS": 0}[code]
    chunk = cells({"amount": [format_minor(amount, decimals) for amount in amounts]})
    assert chunk.amounts([asset] * len(amounts)) == amounts
    assert chunk.problems == []


def test_each_amount_has_the_decimals_of_its_own_asset() -> None:
    """A bad cell is named with line and column, and does not disturb its neighbours."""
    chunk = cells({"amount": ["1.50", "1.50", "7", "x"]})
    yen = parse_asset("JPY")
    assert chunk.amounts([EUR, yen, yen, EUR]) == [150, 0, 7, 0]
    assert [str(problem) for problem in chunk.problems] == [
        "line 3, column amount: '1.50' has 2 decimals, more than the 0 of its asset",
        "line 5, column amount: 'x' is not an amount; write digits and one point, as 1234.50",
    ]
    assert chunk.bad == {1, 3}


def test_a_line_break_inside_a_cell_fools_nobody() -> None:
    """A column is matched as one text; a cell that holds a whole line of its own is still one bad cell."""
    chunk = cells({"amount": ["1.00\n2.00", "3.00"], "id": ["1\n2", "3"]})
    assert chunk.amounts([EUR, EUR]) == [0, 300]
    assert chunk.ids("id", lambda text: -len(text)) == [-3, 3]


def test_references_are_ids_or_texts() -> None:
    """A zero in front makes a reference: 007 and 7 are two transfers."""
    assert reference("7", hash) == 7
    assert reference("0x2a", hash) == 42
    for text in ("007", "0", "INV-1", "-5", "1.5", "9" * 60):
        assert reference(text, lambda each: f"ref {each}") == f"ref {text}"  # type: ignore[arg-type, return-value, comparison-overlap]
    with pytest.raises(BadInput, match="missing"):
        reference("", hash)


@pytest.mark.parametrize("kind", [AccountFlag, TransferFlag])
def test_flags_read_back_as_written(kind: type[AccountFlag | TransferFlag]) -> None:
    """Every flag has a name, and a number will do."""
    everything = sum(flag.value for flag in kind)
    assert flags_from(flags_text(everything, kind), kind) == everything
    assert flags_from(str(everything), kind) == everything
    assert flags_from("", kind) == 0
    assert flags_from(" Linked ", kind) == 1
    with pytest.raises(BadInput, match="'lnked' is not a flag; there are linked,"):
        flags_from("lnked", kind)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("1700000000123456789", 1_700_000_000_123_456_789),
        ("1970-01-02", 86_400 * 10**9),
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01 00:00:01.5", 1_500_000_000),
        ("1970-01-01T01:00:00.000000001+01:00", 1),
        ("2026-03-01T00:00:00.123456789Z", 1_772_323_200_123_456_789),
    ],
)
def test_a_time_is_read_to_the_nanosecond(text: str, nanoseconds: int) -> None:
    """UTC where no zone is given."""
    assert time_ns(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "12:00", "-5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """Nothing is guessed; an empty cell is not the beginning of 1970."""
    with pytest.raises(BadInput, match="is not a"):
        time_ns(text)


def test_small_fields_have_bounds() -> None:
    """The bound is named."""
    assert whole_number("65535", 65535) == 65535
    assert whole_number("", 9, least=1) == 1
    for text in ("65536", "-1", "1.0", "x", "9" * 30):
        with pytest.raises(BadInput, match="from 0 to 65535"):
            whole_number(text, 65535)
    assert user_data("") == user_data("0") == 0
    assert user_data("0x10") == 16
