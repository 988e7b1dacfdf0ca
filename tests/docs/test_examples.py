"""The examples of the documentation run, and print what they say they print.

On each page the fenced blocks run in order, in one empty folder: ``python`` blocks share their names, ``console``
blocks run each line that starts with ``$``. Below such a line may stand what it prints; ``…`` stands for anything. A
block that can't run has ``<!-- skip: reason -->`` right before it, and a block of another language is only shown. A
server that a page starts in the background is stopped at the page's end, if the page has not done so.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tools.pages import ROOT, SKIP, Block, Page, pages

RUNS = {"python", "console"}
PAGES = [page for page in pages() if any(block.language in RUNS for block in page.blocks)]


def name(page: Page) -> str:
    """Name a page by its path in the repository."""
    return page.path.relative_to(ROOT).as_posix()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_examples_of_a_page_run(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who types what the page says sees what the page shows."""
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("page")  # a real one, for whatever looks up the names of a class's module
    monkeypatch.setitem(sys.modules, module.__name__, module)
    started: list[int] = []
    try:
        for block in page.blocks:
            if not block.skipped and block.language == "python":
                run_python(page, block, vars(module))
            elif not block.skipped and block.language == "console":
                run_console(page, block, tmp_path, started)
    finally:
        for group in started:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def run_python(page: Page, block: Block, names: dict[str, Any]) -> None:
    """Run a block as if it stood at its place in the page, so that a traceback names the page and the line."""
    source = "\n" * (block.line - 1) + block.text
    exec(compile(source, name(page), "exec", dont_inherit=True), names)  # noqa: S102 - our own pages


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Split a console block into commands and what each is shown to print; a backslash continues a command."""
    text = block.text.replace("\\\n", "")
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command.strip(), output.strip()


def run_console(page: Page, block: Block, folder: Path, started: list[int]) -> None:
    """Run each command with our own programs first on the path, and compare what it prints.

    Each has a process group of its own, which is added to ``started``: what goes on in the background is in it.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    for command, shown in commands(block):
        with subprocess.Popen(  # noqa: S602 - our own pages, which show a shell
            command,
            shell=True,
            cwd=folder,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as running:
            started.append(running.pid)
            try:
                out, err = running.communicate(timeout=120)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                raise
        place = f"{name(page)}:{block.line}: $ {command}"
        assert running.returncode == 0, f"{place}\n{out}{err}"
        assert matches(shown, out), f"{place}\nshown:\n{shown}\nprinted:\n{out}"


def matches(shown: str, printed: str) -> bool:
    """Whether a command printed what the page shows; spaces at the ends of lines do not count."""
    if not shown:
        return True
    shown, printed = ("\n".join(line.rstrip() for line in text.strip().splitlines()) for text in (shown, printed))
    pattern = ".*".join(re.escape(piece) for piece in shown.split("…"))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def test_a_skip_gives_its_reason() -> None:
    """An example that is not run says why, for the reader of the source and for whoever mends it."""
    skipped = [(name(page), block) for page in PAGES for block in page.blocks if block.skipped]
    assert [f"{place}:{block.line}" for place, block in skipped if len(block.skipped) < 8] == []
    assert not any(SKIP.search(page.text) is None and "<!-- skip" in page.text for page in pages())


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("", "anything", True),
        ("a\nb", "a  \nb\n", True),
        ("a …\nc", "a b\nc\n", True),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("a", "b", False),
        ("a", "a\nb", False),
        ("balance: 40", "balance: 41", False),
    ],
)
def test_what_is_shown_is_compared(shown: str, printed: str, same: bool) -> None:
    """An output that differs is found, but for what ``…`` stands for."""
    assert matches(shown, printed) is same


def test_an_example_that_fails_is_found(tmp_path: Path) -> None:
    """The runner notices an exception and an exit code; otherwise it would bless anything."""
    page = Page(ROOT / "sample.md", "```python\nassert 1 == 2\n```\n\n```console\n$ false\n```\n")
    python, console = page.blocks
    with pytest.raises(AssertionError):
        run_python(page, python, {})
    with pytest.raises(AssertionError, match="false"):
        run_console(page, console, tmp_path, [])
