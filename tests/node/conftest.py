"""A ledger in a new folder, with its names, for the tests of import and export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from formicary.node.ledger import Ledger, open_ledger
from formicary.node.names import Names


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger, open for writing."""
    with open_ledger(tmp_path / "town") as opened:
        yield opened


@pytest.fixture
def town_names(town: Ledger, tmp_path: Path) -> Iterator[Names]:
    """The names of its accounts."""
    assert town.info()["accounts"] == 0
    with Names(tmp_path / "town" / "names.db") as opened:
        yield opened
