"""Every main page: clean for axe in light and in dark, and nothing wider than a narrow phone."""

from __future__ import annotations

import os

import pytest

from tests.browser import axe
from tests.browser.conftest import Visitors
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WALLET = (
    *("/", "/send", "/send/@ben", "/code", "/ask", "/requests", "/split", "/packets", "/activity", "/statement"),
    *("/standing", "/orders", "/buy/@booknook", "/sell", "/pools", "/pools/new", "/top-up", "/withdraw", "/safety"),
    *("/safety/limits", "/safety/devices", "/safety/trusted", "/safety/data", "/you", "/scan"),
)
TILL = ("/", "/sales", "/day", "/more", "/links", "/staff", "/tills", "/tariffs", "/settlement", "/stays", "/exit")
OPERATOR = (
    *("/", "/backing", "/bank", "/positions", "/cases", "/disputes", "/proposals", "/people"),
    *("/audit", "/sql", "/parameters", "/rules", "/roles"),
)
EXPLORER = ("/", "/backing", "/check", "/growth", "/entry/2")
PLACES = {
    "wallet": ("alice", WALLET),
    "till": ("fatou", TILL),
    "operator": ("olivia", OPERATOR),
    "explorer": ("", EXPLORER),
}
"""Who looks at each application, and where in it."""
AT_REST = """() => !document.querySelector('.loading, .ant-skeleton, .op-wait, .walking')
    && document.getAnimations().every((one) => one.playState !== 'running'
        || one.effect?.getTiming().iterations === Infinity)"""

TOO_WIDE = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(autouse=True)
def engine() -> None:
    """Skip where axe-core is missing; in CI that is a failure."""
    if not axe.engine_file().is_file():
        reason = "axe-core is missing: cd pages && npm ci"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


def stand_in(visitor: Visitor, application: str, alias: str) -> None:
    """Sign in, and at the till choose the first one."""
    if alias:
        visitor.enter(alias)
    visitor.open(application)
    if application == "till":
        visitor.page.locator(".rows button.row, .sell-amount").first.wait_for()
        if visitor.page.locator(".rows button.row").count():
            visitor.page.locator(".rows button.row").first.click()


def settle(visitor: Visitor) -> None:
    """Wait until the page has all it asked for and nothing moves."""
    visitor.page.wait_for_timeout(150)
    visitor.page.wait_for_function(AT_REST)


@pytest.mark.parametrize("application", PLACES)
def test_pages_are_clean(visitors: Visitors, application: str) -> None:
    """Nothing is found by axe on any main page at 360 pixels, in light or dark, and no page is wider than the phone."""
    alias, places = PLACES[application]
    visitor = visitors()
    visitor.awaited.add((404, "/v1/bank/reference"))
    stand_in(visitor, application, alias)
    found = []
    for place in places:
        visitor.open(application, place)
        settle(visitor)
        wide = visitor.page.evaluate(TOO_WIDE)
        if wide > 0:
            found.append(f"{application}{place}: {wide} pixels too wide")
        for look in ("light", "dark"):
            visitor.page.emulate_media(color_scheme=look)
            settle(visitor)
            found += [
                f"{application}{place} {look}: {each}"
                for each in axe.stumbles(visitor.page, only_colours=look == "dark")
            ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("application", ["wallet", "till", "operator"])
def test_the_way_in_is_clean(visitors: Visitors, application: str) -> None:
    """So is the page that asks who one is, in French, whose words are the longest."""
    visitor = visitors(language="fr")
    visitor.open(application)
    settle(visitor)
    assert visitor.page.evaluate(TOO_WIDE) <= 0
    assert not axe.stumbles(visitor.page)
