"""Writes the lists of docs/index.md from the pages themselves: each page's title, and the first sentence below it.

A page that is added is thus listed by `make docs`, and a test fails while it is not.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.pages import ROOT, Page

DOCS: Final = ROOT / "docs"
INDEX: Final = DOCS / "index.md"
LIST: Final = re.compile(r"(<!-- list (?P<folder>[a-z-]+) -->\n)(.*?)(<!-- /list -->)", re.DOTALL)
SENTENCE: Final = re.compile(r"(.+?[.!?])(?=\s|$)", re.DOTALL)
SUMMARY_CHARACTERS: Final = 120


def title(page: Page) -> str:
    """Return the text of a page's first heading."""
    match = re.search(r"^# (.+)$", page.text, re.MULTILINE)
    if match is None:
        raise SystemExit(f"{page.path.relative_to(ROOT)} has no title")
    return match[1].strip()


def summary(page: Page) -> str:
    """Return the first sentence of a page's first paragraph, or nothing for a decision, whose title says it."""
    if page.path.parent.name == "decisions":
        return ""
    for before, token in zip(page.tokens, page.tokens[1:], strict=False):
        if before.type == "paragraph_open" and before.level == 0:
            match = SENTENCE.match(token.content)
            sentence = " ".join((match[1] if match else token.content).split())
            if len(sentence) > SUMMARY_CHARACTERS:
                sentence = sentence.partition(":")[0].rstrip(".") + "."
            return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", sentence)
    return ""


def listing(folder: str) -> str:
    """Write the list of one folder; decisions by number, the rest by title."""
    pages = [Page.read(path) for path in sorted((DOCS / folder).rglob("*.md"))]
    if folder != "decisions":
        pages.sort(key=lambda page: title(page).lower())
    lines = []
    for page in pages:
        words = summary(page)
        ending = f": {words}" if words else ""
        lines.append(f"- [{title(page)}]({page.path.relative_to(DOCS).as_posix()}){ending}\n")
    return "".join(lines) or "There is none yet.\n"


def filled(text: str) -> str:
    """Put each list in its place."""
    return LIST.sub(lambda match: f"{match[1]}\n{listing(match['folder'])}\n{match[4]}", text)


def main() -> int:
    """Write docs/index.md when it has fallen behind."""
    text = INDEX.read_text(encoding="utf-8")
    if filled(text) != text:
        INDEX.write_text(filled(text), encoding="utf-8")
        print("docs/index.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
