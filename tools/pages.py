"""Reads the documentation as data: pages, their headings, links and examples. What the checks of docs stand on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).resolve().parents[1]
SKIP: Final = re.compile(r"<!--\s*skip:\s*(?P<reason>.*?)\s*-->", re.DOTALL)
LINK_ATTRIBUTES: Final = {"href", "src", "srcset"}


@dataclass(frozen=True)
class Block:
    """A fenced example: its language, its text, the line it starts on, and why it is not run, if it is not."""

    language: str
    text: str
    line: int
    skipped: str


class _Tags(HTMLParser):
    """Collects the links and the anchors of raw HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element points to, and what points to it."""
        del tag
        self.links += [value for name, value in attrs if name in LINK_ATTRIBUTES and value]
        self.anchors += [value for name, value in attrs if name in {"id", "name"} and value]


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Page:
        """Read a page of this repository."""
        return cls(path, path.read_text(encoding="utf-8"))

    @cached_property
    def tokens(self) -> list[Token]:
        """The page as CommonMark with tables."""
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    @cached_property
    def inline(self) -> list[tuple[int, Token]]:
        """Every piece of running text, with the line of its paragraph."""
        blocks = [token for token in self.tokens if token.type == "inline"]
        return [(token.map[0] + 1 if token.map else 1, child) for token in blocks for child in token.children or []]

    @cached_property
    def html(self) -> list[tuple[int, _Tags]]:
        """Every piece of raw HTML, with its line."""
        pieces = [(token.map[0] + 1 if token.map else 1, token) for token in self.tokens if token.type == "html_block"]
        pieces += [(line, child) for line, child in self.inline if child.type == "html_inline"]
        parsed = []
        for line, token in pieces:
            tags = _Tags()
            tags.feed(token.content)
            parsed.append((line, tags))
        return parsed

    @cached_property
    def links(self) -> list[tuple[int, str]]:
        """Every target of a link or picture, with its line."""
        found = []
        for line, child in self.inline:
            target = child.attrGet("href") if child.type == "link_open" else None
            target = child.attrGet("src") if child.type == "image" else target
            if target is not None:
                found.append((line, str(target)))
        return found + [(line, link) for line, tags in self.html for link in tags.links]

    @cached_property
    def anchors(self) -> set[str]:
        """Every place that a link may point to: the headings by GitHub's rule, and explicit ids."""
        titles = [
            after for token, after in zip(self.tokens, self.tokens[1:], strict=False) if token.type == "heading_open"
        ]
        seen: Counter[str] = Counter()
        anchors = {anchor for _, tags in self.html for anchor in tags.anchors}
        for title in titles:
            plain = "".join(child.content for child in title.children or [] if child.type in {"text", "code_inline"})
            slug = slugify(plain)
            anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        return anchors

    @cached_property
    def blocks(self) -> list[Block]:
        """Every fenced example. A comment ``<!-- skip: reason -->`` right before one says that it is not run."""
        blocks, reason = [], ""
        for token in self.tokens:
            if token.type == "html_block":
                match = SKIP.search(token.content)
                reason = match["reason"] if match else ""
            elif token.type == "fence":
                language = token.info.split()[0] if token.info.strip() else ""
                blocks.append(Block(language, token.content, (token.map or [0])[0] + 2, reason))
                reason = ""
            else:
                reason = ""
        return blocks


def slugify(title: str) -> str:
    """Give a heading's anchor as GitHub does: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def pages() -> list[Page]:
    """Read every page that belongs to the documentation: those at the root, and all below docs/."""
    folder_pages = sorted((ROOT / "docs").rglob("*.md"))
    product_pages = sorted((ROOT / "src").rglob("*.md"))
    return [Page.read(path) for path in [*sorted(ROOT.glob("*.md")), *folder_pages, *product_pages]]


def broken(page: Page) -> Iterator[tuple[int, str, str]]:
    """Give line, target and complaint for each link of a page that leads nowhere. The web is not asked."""
    for line, target in page.links:
        if re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.IGNORECASE):
            continue
        name, _, anchor = unquote(target).partition("#")
        path = (page.path.parent / name).resolve() if name else page.path
        if not path.exists():
            yield line, target, "there is no such file"
        elif not path.is_relative_to(ROOT) and page.path.is_relative_to(ROOT):
            yield line, target, "leads out of the repository"
        elif anchor and path.suffix == ".md" and anchor not in Page.read(path).anchors:
            yield line, target, "the page has no such heading"


def reached(start: Path) -> set[Path]:
    """Follow the links from one page, and return every page below the same folder that a reader can get to."""
    seen, waiting = set(), [start.resolve()]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md" or not path.is_file():
            continue
        seen.add(path)
        names = [target.partition("#")[0] for _, target in Page.read(path).links if ":" not in target]
        waiting += [(path.parent / unquote(name)).resolve() for name in names if name]
    return seen
