"""README's figures are those that the benchmark wrote down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.figures import CLOSE, MEASURED, OPEN, README, filled, table


def test_the_table_is_what_was_measured() -> None:
    """Nobody types a figure by hand; `make bench` writes it anew."""
    figures: dict[str, Any] = {}
    for path in MEASURED:
        figures |= json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = README.read_text(encoding="utf-8")
    assert filled(text, figures) == text


def test_a_figure_is_rounded_to_what_it_means() -> None:
    """Three digits of a rate; a figure that was not measured has no row."""
    text = table({"posted_per_s": 1_712_345.6, "postgres_single_per_s": 4123.4, "accounts": 10, "transfers": 1000})
    assert "1.71 million/s" in text
    assert "4,123/s" in text
    assert "1,000 transfers" in text
    assert text.count("/s |") == 2


def test_what_was_not_measured_is_said() -> None:
    """An empty file of figures makes no empty table."""
    assert table({}).startswith("Not measured")


def test_the_rest_of_the_page_is_left_alone() -> None:
    """Only what stands between the two comments changes."""
    assert filled(f"a\n{OPEN}\nold\n{CLOSE}\nb", {}) == f"a\n{OPEN}\n{table({})}\n{CLOSE}\nb"
    with pytest.raises(SystemExit):
        filled("no marks", {})
