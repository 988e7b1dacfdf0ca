"""Checks, without a network, that every link of the documentation resolves and that every page can be reached."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.pages import ROOT, broken, pages, reached


def complaints() -> list[str]:
    """Return one line for each broken link, and for each page below docs/ that docs/index.md does not lead to."""
    every = pages()
    lines = [
        f"{page.path.relative_to(ROOT)}:{line}: {target}: {complaint}"
        for page in every
        for line, target, complaint in broken(page)
    ]
    found = reached(ROOT / "docs" / "index.md")
    orphans = [page.path for page in every if page.path.is_relative_to(ROOT / "docs") and page.path not in found]
    return lines + [f"{path.relative_to(ROOT)}:1: no way leads here from docs/index.md" for path in orphans]


def main() -> int:
    """Print what is wrong; succeed when nothing is."""
    lines = complaints()
    for line in lines:
        print(line)
    print(f"{len(pages())} pages, {len(lines)} broken links or lost pages")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
