"""axe-core, run in a page: what a screen reader or a person with weak eyes would stumble over.

The engine comes with the pages' own tools (``npm ci`` in ``pages/``); ``FORMICARY_AXE`` names another copy of the file.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

NPM: Final = Path(__file__).parents[2] / "pages" / "node_modules" / "axe-core" / "axe.min.js"
TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS: Final = ("color-contrast",)
"""What alone can differ between light and dark."""
_RUN: Final = """async (only) => (await axe.run(document, {runOnly: only, resultTypes: ['violations']})).violations
    .map(({id, impact, nodes}) => ({id, impact, nodes: nodes.slice(0, 4)
        .map((node) => `${node.target.join(' ')}: ${node.failureSummary.split('\\n').slice(1).join(' ').trim()}`)}))"""


def engine_file() -> Path:
    """Where the engine should be."""
    return Path(os.environ.get("FORMICARY_AXE") or NPM)


@cache
def _engine() -> str:
    return engine_file().read_text(encoding="utf-8")


def stumbles(page: Page, *, only_colours: bool = False) -> list[str]:
    """Everything that axe finds on the page as it is, a line each; empty when the page is clean."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_engine())
    found: list[dict[str, Any]] = page.evaluate(
        _RUN, {"type": "rule", "values": list(COLOURS)} if only_colours else {"type": "tag", "values": list(TAGS)}
    )
    return [f"{each['id']} ({each['impact']}): {node}" for each in found for node in each["nodes"]]
