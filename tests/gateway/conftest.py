"""What tests of the doors share: a town (``town.py``) for each test, and people in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.town import Person, Town


@pytest.fixture
def town() -> Iterator[Town]:
    """The whole gateway on a ledger in memory."""
    made = Town()
    yield made
    made.close()


@pytest.fixture
def ann(town: Town) -> Person:
    """Somebody who signed up with a passkey."""
    return town.person("Ann", alias="ann")


@pytest.fixture
def bo(town: Town) -> Person:
    """Somebody else."""
    return town.person("Bo", alias="bo.b")


@pytest.fixture(scope="module")
def shared() -> Iterator[Person]:
    """Somebody in a town that the tests of a file share, for requests that change nothing."""
    made = Town()
    yield made.person("Ann", alias="ann")
    made.close()
