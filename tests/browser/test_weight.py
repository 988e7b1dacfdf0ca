"""The wallet is light: what it loads at first, as the browser counts it and as the build lists it."""

from __future__ import annotations

import gzip
from importlib import resources
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Response

from tests.browser.conftest import Visitors
from tests.browser.visitor import built

pytestmark = [pytest.mark.browser]
WALLET_MAX = 200_000
"""Bytes of script, gzipped, that the wallet may load before it shows something."""


def weight(file: str) -> int:
    """Bytes of a built file, gzipped as the server sends it."""
    root = resources.files("formicary").joinpath("web", "static")
    return len(gzip.compress(root.joinpath(file).read_bytes(), 9))


def reached(name: str, seen: set[str]) -> set[str]:
    """A chunk, and all that it imports before it runs."""
    if name not in seen:
        seen.add(name)
        for other in built()[name].get("imports", ()):
            reached(other, seen)
    return seen


def test_the_build_is_light() -> None:
    """Entry, its imports and one language stay under the limit."""
    chunks = reached("index.html", set())
    words = {"src/shared/locales/fr.ts", "src/wallet/locales/fr.ts"}
    files = {built()[name]["file"] for name in chunks | words}
    assert sum(weight(file) for file in files if file.endswith(".js")) <= WALLET_MAX


def test_the_browser_loads_little(visitors: Visitors) -> None:
    """A browser that was never here fetches no more than that until the wallet greets it, all of it gzipped."""
    visitor = visitors()
    scripts: list[Response] = []
    visitor.context.on("response", lambda one: scripts.append(one) if one.url.endswith(".js") else None)
    visitor.open()
    visitor.button("welcome.open").wait_for()
    heavy = [one for one in scripts if int(one.headers.get("content-length", "0")) > 1024]
    assert all(one.headers.get("content-encoding") == "gzip" for one in heavy)
    names = {urlsplit(one.url).path.removeprefix("/") for one in scripts} - {"sw.js"}
    assert names
    assert sum(weight(name) for name in names) <= WALLET_MAX
