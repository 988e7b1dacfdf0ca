"""Folders in which two programs hand files to one another: a file is there whole or not at all, and moves as one.

A name that begins with a dot is still being written; nobody looks at it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from formicary.base.errors import BadInput
from formicary.machine.durable import sync_folder

WAITING_MAX: Final = 10_000
"""Files that one look into a folder tells of; the rest wait for the next look."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it appears at its name complete and on disk, in place of one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def waiting(folder: Path, *suffixes: str) -> list[Path]:
    """The files that wait in a folder, by name: each whole, none of them a link."""
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            plain = not entry.name.startswith(".") and entry.name.endswith(suffixes)
            if plain and entry.is_file(follow_symlinks=False):
                found.append(Path(entry.path))
            if len(found) == WAITING_MAX:
                break
    return sorted(found)


def move(path: Path, folder: Path) -> Path:
    """Move a file into a folder, in place of one of its name; durable when it returns."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / path.name
    path.replace(target)
    sync_folder(folder)
    sync_folder(path.parent)
    return target


def read_bounded(path: Path, *, bytes_max: int) -> bytes:
    """Read a file; refused when it is larger than whoever reads it takes."""
    with path.open("rb") as file:
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise BadInput(f"has more than {bytes_max} bytes", where=path.name)
    return data
