"""Ids are read from the forms that people and systems write them in, and kept as two halves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput
from formicary.base.ids import (
    ID_MAX,
    format_id,
    id_from_name,
    join_id,
    join_ids,
    new_id,
    parse_id,
    split_id,
    split_ids,
)

IDS = st.integers(min_value=1, max_value=ID_MAX)
KEY = bytes(range(32))


@given(IDS)
def test_an_id_reads_back_as_written(number: int) -> None:
    """The written form names one id, over all 128 bits."""
    assert parse_id(format_id(number)) == number


@given(IDS)
def test_every_form_of_an_id_names_the_same(number: int) -> None:
    """Prefixed hexadecimal of any length and 32 bare digits agree."""
    assert parse_id(hex(number)) == number
    assert parse_id(f"{number:032X}") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42),
        (" 42 ", 42),
        ("0x2A", 42),
        ("00000000-0000-0000-0000-00000000002a", 42),
        ("0000000000000000000000000000002a", 42),
        ("12345678901234567890123456789012", 0x12345678901234567890123456789012),
        ("340282366920938463463374607431768211455", ID_MAX),
    ],
)
def test_an_id_is_read(text: str, number: int) -> None:
    """Thirty-two digits are hexadecimal even when they look decimal; other lengths are decimal."""
    assert parse_id(text) == number


@pytest.mark.parametrize("text", ["", "0", "-1", "0x", "abc", "1.0", str(ID_MAX + 1), "0x" + "f" * 33, "٣"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Zero means "none" in a record, so it is no id."""
    with pytest.raises(BadInput, match="is not an id"):
        parse_id(text)


def test_ids_below_2_64_are_written_in_decimal() -> None:
    """Small ids stay readable; large ones are UUIDs, which databases take."""
    assert format_id(2**64 - 1) == "18446744073709551615"
    assert format_id(2**64) == "00000000-0000-0001-0000-000000000000"


def test_new_ids_differ_and_sort_by_time() -> None:
    """The upper 48 bits are milliseconds, so a later id is never smaller by more than its random part."""
    ids = [new_id() for _ in range(1000)]
    stamps = [number >> 80 for number in ids]
    assert len(set(ids)) == len(ids)
    assert stamps == sorted(stamps)
    assert all(0 < number <= ID_MAX for number in ids)


def test_an_id_from_a_name_depends_on_name_and_key() -> None:
    """The value is fixed for ever: ledgers hold ids made this way."""
    assert id_from_name("alice", KEY) == 0x7BF01113B8C68FC5CE2E10FF1AF98B5C
    assert id_from_name("alice", KEY) != id_from_name("alicia", KEY)
    assert id_from_name("alice", KEY) != id_from_name("alice", bytes(32))


@given(st.text(max_size=40))
def test_an_id_from_a_name_is_never_one_of_the_ledgers_own(name: str) -> None:
    """The top bit is clear, so the upper half is never all ones; the id is never zero."""
    number = id_from_name(name, KEY)
    assert 0 < number < 2**127


@given(st.lists(IDS, max_size=20))
def test_halves_and_ids_are_the_same_thing(numbers: list[int]) -> None:
    """Splitting then joining changes nothing, one by one and in bulk."""
    low, high = split_ids(numbers)
    assert join_ids(low, high) == numbers
    assert [join_id(*split_id(number)) for number in numbers] == numbers
