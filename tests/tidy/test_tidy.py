"""The rules of this folder, run over the repository. A breach names file, line and rule, and says what to do."""

from __future__ import annotations

import pytest

from tests.tidy.determinism import DETERMINISM, sql_money
from tests.tidy.shape import SHAPE
from tests.tidy.source import PACKAGE, ROOT, Source, files, judge

SHIPPED = files("src")
EVERYWHERE = files("src", "tests", "bench", "examples", "tools")


def complain(findings: list[object]) -> None:
    """Fail with one line for each finding."""
    if findings:
        pytest.fail("\n".join(str(finding) for finding in findings), pytrace=False)


def test_the_deterministic_part_is_deterministic() -> None:
    """What runs inside apply reads no clock, draws nothing, uses no float and walks no set."""
    sources = [Source.read(path) for path in SHIPPED]
    complain(
        [found for source in sources if source.deterministic for found in judge(source, DETERMINISM, escapable=True)]
    )


def test_money_is_not_computed_in_sql_anywhere() -> None:
    """Reports and doors sum money in Python too; only the test kit's rival databases compute it themselves."""
    sources = [Source.read(path) for path in SHIPPED]
    outer = [source for source in sources if not source.deterministic and source.layer != "testing"]
    complain([found for source in outer for found in judge(source, {"sql-money": sql_money}, escapable=True)])


def test_every_file_has_its_shape() -> None:
    """Files and functions stay short, and say what they are for; Numba and print stay where they belong."""
    sources = [Source.read(path) for path in EVERYWHERE]
    complain([found for source in sources for found in judge(source, SHAPE, escapable=False)])


def test_the_rules_see_the_code() -> None:
    """A rule that looks at no file passes for ever; these folders have files."""
    layers = {Source.read(path).layer for path in SHIPPED}
    assert {"base", "kernel"} <= layers
    assert PACKAGE.is_dir()
    assert ROOT / "tests" / "conftest.py" in EVERYWHERE
