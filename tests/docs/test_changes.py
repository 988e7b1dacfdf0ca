"""The files of changes/ are in form, and a release gathers them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tools.changelog import MARK, BadChange, read_changes, release


def test_every_change_is_in_form() -> None:
    """Each file has one sentence, and a name that says what kind of change it is."""
    assert set(read_changes()) == {"added", "changed", "fixed", "removed", "security"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ledger.new.md", "A kind that is not one."),
        ("ledger.md", "No kind."),
        ("ledger.added.md", "Two lines.\nOf text."),
        ("ledger.added.md", "no full stop"),
        ("ledger.added.md", "- a bullet of its own."),
        ("ledger.added.md", ""),
    ],
)
def test_a_change_out_of_form_is_refused(tmp_path: Path, name: str, text: str) -> None:
    """What would read badly in the changelog is refused while its author is still there."""
    (tmp_path / name).write_text(text)
    with pytest.raises(BadChange, match=name):
        read_changes(tmp_path)


def test_a_release_gathers_what_lies_there(tmp_path: Path) -> None:
    """The newest version stands on top, kinds are in order, and the folder is empty afterwards."""
    changelog, folder = tmp_path / "CHANGELOG.md", tmp_path / "changes"
    folder.mkdir()
    changelog.write_text(f"# Changelog\n\n{MARK}\n## 0.1.0 (2025-01-01)\n")
    (folder / "speed.changed.md").write_text("It is faster.\n")
    (folder / "holds.added.md").write_text("Holds expire.\n")
    release("0.2.0", dt.date(2025, 2, 1), changelog=changelog, folder=folder)
    text = changelog.read_text()
    places = [
        text.index(part) for part in ("0.2.0 (2025-02-01)", "### Added", "Holds", "### Changed", "It is", "0.1.0")
    ]
    assert places == sorted(places)
    assert list(folder.iterdir()) == []


def test_a_release_says_something_new(tmp_path: Path) -> None:
    """An empty release, or the same version twice, is refused."""
    changelog, folder = tmp_path / "CHANGELOG.md", tmp_path / "changes"
    folder.mkdir()
    changelog.write_text(f"# Changelog\n\n{MARK}\n## 0.1.0 (2025-01-01)\n")
    with pytest.raises(BadChange, match="nothing"):
        release("0.2.0", dt.date(2025, 2, 1), changelog=changelog, folder=folder)
    with pytest.raises(BadChange, match="already"):
        release("0.1.0", dt.date(2025, 2, 1), changelog=changelog, folder=folder)
