"""The wallet is light: what it loads at first, as the browser counts it and as the build lists it."""

from __future__ import annotations

import gzip
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Response

from tests.browser.conftest import Visitors
from tests.browser.visitor import built

pytestmark = [pytest.mark.browser]
WALLET_MAX = 200_000
"""Bytes of script, gzipped, that the wallet may load before it shows something."""


def weight(script: bytes) -> int:
    """Bytes of a script, gzipped as the server sends it."""
    return len(gzip.compress(script, 9))


def reached(files: dict[str, Any], name: str, seen: set[str]) -> set[str]:
    """A chunk, and all that it imports before it runs."""
    if name not in seen:
        seen.add(name)
        for other in files[name].get("imports", ()):
            reached(files, other, seen)
    return seen


def test_the_build_is_light() -> None:
    """Entry, its imports and one language stay under the limit."""
    files = built.__wrapped__()  # as it is now
    root = resources.files("formicary").joinpath("web", "static")
    words = {"src/shared/locales/fr.ts", "src/wallet/locales/fr.ts"}
    names = {files[name]["file"] for name in reached(files, "index.html", set()) | words}
    assert sum(weight(root.joinpath(name).read_bytes()) for name in names if name.endswith(".js")) <= WALLET_MAX


def test_the_browser_loads_little(visitors: Visitors) -> None:
    """A browser that was never here fetches no more than that until the wallet greets it, all of it gzipped."""
    visitor = visitors()
    scripts: list[Response] = []
    visitor.context.on("response", lambda one: scripts.append(one) if one.url.endswith(".js") else None)
    visitor.open()
    visitor.button("welcome.open").wait_for()
    heavy = [one for one in scripts if int(one.headers.get("content-length", "0")) > 1024]
    assert all(one.headers.get("content-encoding") == "gzip" for one in heavy)
    sizes = {one.url: weight(one.body()) for one in scripts if not one.url.endswith("/sw.js")}
    assert sizes
    assert sum(sizes.values()) <= WALLET_MAX, sizes
