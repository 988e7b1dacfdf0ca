"""The pages that the code writes say what the code says."""

from __future__ import annotations

from tools import contents, reference


def test_the_pages_that_the_code_writes_are_as_the_code() -> None:
    """Codes, limits, verbs and public names; `make docs` writes them anew."""
    assert list(reference.behind()) == []


def test_a_bound_is_written_as_people_write_it() -> None:
    """Small limits in digits, widths of fields as powers of two."""
    powers = {2**63 - 1: "2⁶³ − 1", 2**128 - 1: "2¹²⁸ − 1", 2**40 - 2: "2⁴⁰ − 2", 2**41: "2⁴¹"}
    assert {value: reference.power(value) for value in powers} == powers


def test_the_index_lists_every_page() -> None:
    """A page that nobody finds is not there; `make docs` lists it."""
    text = contents.INDEX.read_text(encoding="utf-8")
    assert contents.filled(text) == text
