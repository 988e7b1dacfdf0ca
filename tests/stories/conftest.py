"""What the stories share: one town that really runs, and a second institution beside it.

Each town is a ``formicary up`` of its own, on a free port and a temporary folder; it is started when the first story
needs it and ended with the run. Stories share the towns, so each brings people of its own or compares before and after.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from formicary.testing.town_process import TownProcess

from tests.stories.telling import alive


@pytest.fixture(scope="session")
def running_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownProcess]:
    """The town's process."""
    town = TownProcess(tmp_path_factory.mktemp("town"))
    yield town
    town.stop()


@pytest.fixture(scope="session")
def running_rival(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownProcess]:
    """The other institution's process."""
    rival = TownProcess(tmp_path_factory.mktemp("rival"))
    yield rival
    rival.stop()


@pytest.fixture
def town(running_town: TownProcess) -> TownProcess:
    """A town with people, shops and a bank, which runs and can be asked."""
    return alive(running_town)


@pytest.fixture
def rival(running_rival: TownProcess) -> TownProcess:
    """Another institution on the same machine."""
    return alive(running_rival)
