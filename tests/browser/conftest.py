"""What the browser's tests share: a town that runs, Debian's Chromium with a camera of ours, and visitors.

A visitor is watched all the time: an error on the console, a broken content policy, an unexpected refusal or a request
to any host but ours fails the test that made the visitor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from formicary.testing.town_process import Browser, TownProcess

from tests.browser import camera
from tests.browser.visitor import CHROMIUM, FLAGS, Visitor, built

Visitors = Callable[..., Visitor]
CONFIRM_S = "2"
"""How long a passkey counts as just shown: short, so that what needs it again asks again."""


def missing() -> str:
    """What a browser's test needs and is not here; empty when all is."""
    if not Path(CHROMIUM).exists():
        return "Chromium is missing: apt-get install chromium"
    if "index.html" not in built():
        return "the pages are not built: cd pages && npm ci && npm run build"
    return ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip where Chromium or the pages are missing; in CI that is a failure, for nobody reads CI's skips."""
    if item.get_closest_marker("browser") is None or not (reason := missing()):
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownProcess]:
    """A town of its own, for all browsers of this run."""
    running = TownProcess(tmp_path_factory.mktemp("town"), settings={"FORMICARY_CONFIRM_S": CONFIRM_S})
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film that the camera plays; write it anew before a page opens the camera."""
    path = tmp_path_factory.mktemp("camera") / "film.y4m"
    camera.film_nothing(path)
    return path


@pytest.fixture(scope="module")
def chromium(film: Path) -> Iterator[Chromium]:
    """One Chromium for a module: its event loop must not outlive the module, or others could not run theirs."""
    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visitors(chromium: Chromium, town: TownProcess) -> Iterator[Visitors]:
    """Make visitors; see to it that nothing bad happened to them."""
    made: list[Visitor] = []

    def visit(**wishes: object) -> Visitor:
        made.append(Visitor(chromium, town, **wishes))  # type: ignore[arg-type]
        return made[-1]

    yield visit
    try:
        for visitor in made:
            visitor.check()
    finally:
        for visitor in made:
            visitor.close()


def settled(town: TownProcess, name: str, money_minor: int = 0, *, tier: int = 2) -> Browser:
    """Somebody new in the town, with money from the sandbox bank and high limits."""
    return town.somebody(name, money_minor, tier=tier)
