"""Every link of the documentation leads somewhere, and every page can be reached from docs/index.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.links import complaints
from tools.pages import Page, broken, slugify


def test_every_link_resolves_and_no_page_is_lost() -> None:
    """Relative links, pictures and anchors, checked without a network."""
    assert complaints() == []


@pytest.mark.parametrize(
    "text",
    [
        "[gone](missing.md)",
        "![gone](missing.svg)",
        '<img src="missing.svg" alt="gone">',
        "[heading](#nowhere)",
        "[heading](other.md#nowhere)",
        "[reference][1]\n\n[1]: missing.md",
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, text: str) -> None:
    """Each way to write a link that leads nowhere is caught."""
    (tmp_path / "other.md").write_text("# Other\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{text}\n")
    assert [line for line, _, _ in broken(Page.read(page))] == [3]


@pytest.mark.parametrize(
    "text",
    [
        "[page](#page)",
        "[other](other.md#an-other-page)",
        "[second](other.md#twice-1)",
        "[here](other.md#here)",
        "[web](https://example.org/x#y)",
        "`[code](missing.md)`",
        "```\n[code](missing.md)\n```",
    ],
)
def test_a_sound_link_is_left_alone(tmp_path: Path, text: str) -> None:
    """Anchors follow GitHub's rule; the web and code are not followed."""
    (tmp_path / "other.md").write_text('# An other `page`\n\n## Twice\n\n## Twice\n\n<a id="here"></a>\n')
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{text}\n")
    assert list(broken(Page.read(page))) == []


def test_an_anchor_is_made_as_github_makes_it() -> None:
    """Punctuation goes, spaces become hyphens, case is folded."""
    assert slugify("What `make run` prints: a month, at once!") == "what-make-run-prints-a-month-at-once"
