"""Gathers changes/ into CHANGELOG.md.

Each change brings one file, ``changes/<what>.<kind>.md``, that holds one line, so that two branches never quarrel over
one file. Without arguments this prints what the next release would say; with ``--release`` it writes the section into
CHANGELOG.md and removes the files.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
CHANGES: Final = ROOT / "changes"
CHANGELOG: Final = ROOT / "CHANGELOG.md"
KINDS: Final = {
    "added": "Added",
    "changed": "Changed",
    "fixed": "Fixed",
    "removed": "Removed",
    "security": "Security",
}
NAME: Final = re.compile(rf"[a-z0-9][a-z0-9-]*\.({'|'.join(KINDS)})\.md")
MARK: Final = "<!-- releases -->\n"


class BadChange(Exception):
    """A file of changes/ is not named or written as it should be."""


def read_changes(folder: Path = CHANGES) -> dict[str, list[str]]:
    """Read every change by kind, in the order of the files' names; refuse a file that breaks the form."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for path in sorted(folder.iterdir()):
        if path.name == "README.md" or path.name.startswith("."):
            continue
        match = NAME.fullmatch(path.name)
        if match is None:
            raise BadChange(f"{path.name}: name it <what>.<kind>.md, with one of {', '.join(KINDS)}")
        text = path.read_text(encoding="utf-8")
        line = text.strip()
        if "\n" in line or not line.endswith(".") or line.startswith(("-", "*", "#")):
            raise BadChange(f"{path.name}: write one line that is a sentence and ends with a full stop")
        found[match[1]].append(line)
    return found


def section(title: str, changes: dict[str, list[str]]) -> str:
    """Write one section of the changelog."""
    parts = [f"## {title}\n"]
    for kind, heading in KINDS.items():
        if changes[kind]:
            parts.append(f"### {heading}\n")
            parts.append("\n".join(f"- {line}" for line in changes[kind]) + "\n")
    return "\n".join(parts)


def release(version: str, day: dt.date, *, changelog: Path = CHANGELOG, folder: Path = CHANGES) -> None:
    """Put the section of a version on top of the changelog, and remove the files that it was made from."""
    text = changelog.read_text(encoding="utf-8")
    if f"## {version} " in text:
        raise BadChange(f"{version} is released already")
    changes = read_changes(folder)
    if not any(changes.values()):
        raise BadChange("there is nothing to release: changes/ is empty")
    head, mark, tail = text.partition(MARK)
    if not mark:
        raise BadChange(f"{changelog.name} has lost its mark {MARK.strip()}")
    changelog.write_text(f"{head}{mark}\n{section(f'{version} ({day.isoformat()})', changes)}{tail}", encoding="utf-8")
    for path in folder.glob("*.*.md"):
        path.unlink()


def main(arguments: list[str] | None = None) -> int:
    """Print the next section, or release it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", metavar="VERSION", help="write this version's section and empty changes/")
    parser.add_argument("--date", type=dt.date.fromisoformat, default=None, help="of the release; today")
    options = parser.parse_args(arguments)
    try:
        if options.release:
            release(options.release, options.date or dt.datetime.now(tz=dt.UTC).date())
        else:
            print(section("Next", read_changes()))
    except BadChange as problem:
        print(f"changelog: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
