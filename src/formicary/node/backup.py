"""Back a ledger up while it runs, and restore it.

A backup is a folder or a ``.tar`` with the log up to an entry that was durable, the names, the signed heads, the
settings, and, when asked, the private keys; ``SHA256SUMS`` covers every file, in the form that ``sha256sum --check``
reads. State is not in it: it is what the log comes to, and a restore makes it again, which proves the copy.

The log is read and checked to its last byte on the way, so a backup of a damaged log is refused, not made. Names are
copied after the log's end was chosen: a name is written before its account, so no account of the copy lacks its name.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol

import msgspec

from formicary.base.errors import BadInput, Corrupt, Refusal
from formicary.log import FileLogReader, is_postgres
from formicary.log.disk import RealDisk
from formicary.log.history import segment_firsts, segment_path
from formicary.log.record import SEGMENT_HEADER_BYTES, record_bytes
from formicary.log.stamps import EPOCH_NAME, SYNCED_NAME, pack_stamp
from formicary.node.folder import Folder
from formicary.node.names import Names

MANIFEST: Final = "SHA256SUMS"
DESCRIPTION: Final = "backup.json"
COPY_BYTES: Final = 1 << 20

Progress = Callable[[int, int], None]
"""Called with (entries read, entries in all)."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """``backup.json``: what the backup reaches to."""

    format: int = 1
    entries: int
    entry_hash: str
    time_ns: int
    keys: bool


class Target(Protocol):
    """Where the files of a backup go."""

    def add(self, name: str, content: BinaryIO, size: int, *, mode: int = 0o644) -> None:
        """Write one file of exactly ``size`` bytes."""


def make_backup(ledger: Path, target: Path, *, with_keys: bool, progress: Progress | None = None) -> Description:
    """Write a backup of the ledger to ``target``, whole or not at all; refuse a target that is there."""
    folder = Folder(ledger)
    address = folder.log_address()
    if is_postgres(address):
        raise Refusal("this ledger's log is in PostgreSQL: back it up with PostgreSQL's own tools", code="other_log")
    if target.exists():
        raise Refusal(f"{target} is there already", code="target_exists")
    with _open_target(target) as files:
        description = _copy_log(Path(address), files, with_keys=with_keys, progress=progress)
        _copy_rest(folder, files, with_keys=with_keys)
        _add_bytes(files, DESCRIPTION, msgspec.json.encode(description) + b"\n")
    return description


def unpack_backup(backup: Path, ledger: Path) -> Description:
    """Check every file of a backup and lay it out as a ledger, whole or not at all; its state is not made yet."""
    if ledger.exists():
        raise Refusal(f"{ledger} is there already", code="target_exists")
    if not backup.exists():
        raise Refusal(f"there is no backup {backup}", code="backup_missing")
    partial = ledger.with_name(ledger.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _unpack(backup, partial)
        _check_sums(partial)
        description = msgspec.json.decode((partial / DESCRIPTION).read_bytes(), type=Description)
        for name in (DESCRIPTION, MANIFEST):
            (partial / name).unlink()
        partial.rename(ledger)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return description


class _Summed:
    """Gives files on to a target, and remembers the checksum of each."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._sums: list[str] = []

    def add(self, name: str, content: BinaryIO, size: int, *, mode: int = 0o644) -> None:
        counted = _Counted(content, size)
        self._target.add(name, counted, size, mode=mode)  # type: ignore[arg-type]  # reads as a file does
        if counted.left:
            raise Corrupt(f"the file ended {counted.left} bytes early", file=name, record=0, offset=size - counted.left)
        self._sums.append(f"{counted.sum.hexdigest()}  {name}\n")

    def finish(self) -> None:
        """Write the manifest, last of all."""
        manifest = "".join(self._sums).encode()
        self._target.add(MANIFEST, io.BytesIO(manifest), len(manifest))


class _Counted:
    """The first ``size`` bytes of a file that may be growing, summed as they are read."""

    def __init__(self, content: BinaryIO, size: int) -> None:
        self._content = content
        self.left = size
        self.sum = hashlib.sha256()

    def read(self, most: int = -1) -> bytes:
        """Read on, never beyond the size."""
        chunk = self._content.read(min(self.left, COPY_BYTES if most < 0 else most))
        self.left -= len(chunk)
        self.sum.update(chunk)
        return chunk


class _FolderTarget:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, content: BinaryIO, size: int, *, mode: int = 0o644) -> None:  # noqa: ARG002
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=mode)
        with path.open("wb") as out:
            shutil.copyfileobj(content, out, COPY_BYTES)
            out.flush()
            os.fsync(out.fileno())


class _TarTarget:
    """Files in a tar archive."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def add(self, name: str, content: BinaryIO, size: int, *, mode: int = 0o644) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, mode
        self._archive.addfile(entry, content)


@contextmanager
def _open_target(target: Path) -> Iterator[_Summed]:
    """Write beside the target and put it in place when all is there."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if target.suffix == ".tar":
            with tarfile.open(partial, "x") as archive:
                yield (summed := _Summed(_TarTarget(archive)))
                summed.finish()
        else:
            partial.mkdir()
            yield (summed := _Summed(_FolderTarget(partial)))
            summed.finish()
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        partial.unlink(missing_ok=True)


def _copy_log(log: Path, files: _Summed, *, with_keys: bool, progress: Progress | None) -> Description:
    """Read every durable entry, checking it, then copy the segments exactly as far as was read."""
    reader, disk = FileLogReader(log), RealDisk()
    ends: dict[int, int] = {}
    try:
        last = reader.head
        starts = set(segment_firsts(disk, log))
        segment = 0
        for entry in reader.read(1):
            if entry.index in starts:
                segment = entry.index
            ends[segment] = ends.get(segment, SEGMENT_HEADER_BYTES) + record_bytes(len(entry.body))
            if progress is not None:
                progress(entry.index, last.index)
            if entry.index == last.index:
                break
    finally:
        reader.close()
    _add_bytes(files, f"log/{EPOCH_NAME}", (log / EPOCH_NAME).read_bytes())
    for first, end in ends.items():
        _add_file(files, f"log/{segment_path(log, first).name}", segment_path(log, first), size=end)
    _add_bytes(files, f"log/{SYNCED_NAME}", pack_stamp(last.index) * 2)
    return Description(entries=last.index, entry_hash=last.hash.hex(), time_ns=last.time_ns, keys=with_keys)


def _copy_rest(folder: Folder, files: _Summed, *, with_keys: bool) -> None:
    _add_file(files, folder.config.name, folder.config)
    if folder.names.exists():
        copy = folder.names.with_name("names.db.backup")
        copy.unlink(missing_ok=True)
        try:
            with Names(folder.names, read_only=True) as names:
                names.copy_to(copy)
            _add_file(files, folder.names.name, copy, mode=0o600)
        finally:
            copy.unlink(missing_ok=True)
    for path in _files_below(folder.heads):
        _add_file(files, str(path.relative_to(folder.path)), path)
    for path in _files_below(folder.keys) if with_keys else ():
        _add_file(files, str(path.relative_to(folder.path)), path, mode=0o600)


def _files_below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(each for each in path.rglob("*") if each.is_file())


def _add_file(files: _Summed, name: str, path: Path, *, size: int | None = None, mode: int = 0o644) -> None:
    with path.open("rb") as content:
        files.add(name, content, path.stat().st_size if size is None else size, mode=mode)


def _add_bytes(files: _Summed, name: str, content: bytes) -> None:
    files.add(name, io.BytesIO(content), len(content))


def _unpack(backup: Path, target: Path) -> None:
    if backup.is_dir():
        shutil.copytree(backup, target, dirs_exist_ok=True)
        return
    try:
        with tarfile.open(backup) as archive:
            archive.extractall(target, filter="data")
    except tarfile.TarError as error:
        raise BadInput(f"not a backup: {error}", where=str(backup)) from None


def _check_sums(folder: Path) -> None:
    """Refuse a backup with a file that is missing, not as it was, or not in the manifest."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        raise BadInput(f"not a backup: it has no {MANIFEST}", where=str(folder))
    lines = [line.partition("  ") for line in manifest.read_text().splitlines()]
    expected = {name: checksum for checksum, _, name in lines}
    found = {str(PurePosixPath(path.relative_to(folder))) for path in _files_below(folder)} - {MANIFEST}
    for name in sorted(expected.keys() | found):
        if name not in found:
            raise Corrupt("the file is missing", file=name, record=0, offset=0)
        if name not in expected:
            raise Corrupt(f"the file is not in {MANIFEST}", file=name, record=0, offset=0)
        if _sum_of(folder / name) != expected[name]:
            raise Corrupt("the file is not as it was backed up", file=name, record=0, offset=0)


def _sum_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
