"""Checkpoints: small files that say how much of the state on disk is whole, and at which entry.

A checkpoint holds counts, not data: the state's files only grow, and a checkpoint says how far they count. It is
written last, after everything that it vouches for is durable, beside the ones before it; the newest two are kept. So a
crash at any instant leaves a checkpoint to recover from, and a damaged newest one leaves the one before.

The file is two lines of JSON, the second the BLAKE3 of the first, so that a person in trouble can read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from blake3 import blake3

from formicary.base.errors import Corrupt
from formicary.machine.durable import disk_faults, sync_folder, write_whole

FORMAT: Final = 1
KEPT: Final = 2


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The state after one entry, as far as its size goes."""

    format: int = FORMAT
    index: int = 0
    time_ns: int = 0
    epoch: int = 0
    entry_hash: bytes = bytes(32)
    digest: bytes = bytes(32)
    genesis: bytes = b""
    """The body of the first entry, which says who this ledger is."""
    accounts: int = 0
    transfers: int = 0
    leaves: int = 0
    """Size of the tree: all transfers and all replies."""
    replies: int = 0
    rows_index: int = 0
    """The newest entry that had touched rows; rows on disk may be ahead, but not behind."""

    @property
    def records(self) -> int:
        """Accounts and transfers together."""
        return self.accounts + self.transfers


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that recovery found unusable, and why."""

    what: str
    why: str


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> int:
    """Write a checkpoint durably, then drop all but the newest two; answer the index of the oldest that is kept."""
    text = msgspec.json.encode(checkpoint)
    write_whole(folder / _name(checkpoint.index), text + b"\n" + _checksum(text) + b"\n")
    paths = checkpoint_paths(folder)
    with disk_faults(folder):
        for path in paths[KEPT:]:
            path.unlink()
    sync_folder(folder)
    return min(_index(path) for path in paths[:KEPT])


def checkpoint_paths(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first."""
    return sorted(folder.glob("checkpoint-*.json"), key=_index, reverse=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint, or raise Corrupt."""
    with disk_faults(path):
        lines = path.read_bytes().split(b"\n")
    if len(lines) != 3 or _checksum(lines[0]) != lines[1] or lines[2]:
        raise Corrupt("the checkpoint is not as it was written", file=str(path), record=0, offset=0)
    try:
        checkpoint = msgspec.json.decode(lines[0], type=Checkpoint)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the checkpoint is of another version: {error}", file=str(path), record=0, offset=0) from error
    if checkpoint.format != FORMAT or checkpoint.index != _index(path):
        raise Corrupt(f"format {checkpoint.format}, index {checkpoint.index}", file=str(path), record=0, offset=0)
    assert checkpoint.leaves == checkpoint.transfers + checkpoint.replies, "a leaf for each transfer and each reply"
    return checkpoint


def set_aside(path: Path) -> None:
    """Take a checkpoint that is of no use out of the way, so that it does not count as one of the two that are kept."""
    with disk_faults(path):
        path.replace(path.with_suffix(".damaged"))


def _name(index: int) -> str:
    return f"checkpoint-{index:016d}.json"


def _index(path: Path) -> int:
    digits = path.stem.removeprefix("checkpoint-")
    return int(digits) if digits.isdigit() else -1


def _checksum(text: bytes) -> bytes:
    return blake3(text).hexdigest().encode()
