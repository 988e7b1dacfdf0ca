"""Files that are whole or not there: written beside the old one, synced, and put in its place in one step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from formicary.machine.appendfile import fault


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Raise the operating system's errors as our faults."""
    try:
        yield
    except OSError as error:
        raise fault(error, path) from error


def sync_file(path: Path) -> None:
    """Bring what was written to a file to the disk, if there is such a file."""
    with disk_faults(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    with disk_faults(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file so that a crash at any instant leaves the old one or the new one, whole."""
    beside = path.with_name(f"{path.name}.new")
    with disk_faults(path):
        beside.write_bytes(data)
    sync_file(beside)
    with disk_faults(path):
        beside.replace(path)
    sync_folder(path.parent)
