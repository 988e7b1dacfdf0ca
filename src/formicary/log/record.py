"""The bytes of the file log: segment headers, record headers, and how a damaged record is told from an unfinished one.

Pure functions of bytes; ``docs/reference/log-format.md`` says the same in prose. All integers are little-endian.

::

    segment  = header(64) record record …          its name is its first index, 20 digits
    record   = header(112) body padding end-mark   a multiple of 16 bytes long

A record that fails its checks was either written and then damaged, or never wholly written. An unfinished write leaves
*zeros* where bytes should be (segments are only ever extended, and never reuse space), so each header begins with a
magic and ends with a seal, and each record ends with a mark: none of them is zero in a record that was written to the
end, and a flipped bit doesn't make them zero.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from formicary.base.entry import ENTRY_BODY_MAX, Entry, EntryKind, entry_hash

SEGMENT_MAGIC: Final = b"formlog\n"
RECORD_MAGIC: Final = b"FRec"
END_MARK: Final = b"FormEnd\n"
VERSION: Final = 1
ALIGNMENT: Final = 16
SECTOR: Final = 512
"""The least that a disk writes whole; a missing piece of an unfinished write is never smaller, unless at its end."""

HEADER_SEAL: Final = b"\xa5\x5a"
_SEGMENT: Final = struct.Struct("<8sHQQ32s")
_RECORD: Final = struct.Struct("<4sBBIQQqQ32s32s")
_SEAL: Final = struct.Struct("<I2s")
_KINDS: Final = frozenset(EntryKind)
SEGMENT_HEADER_BYTES: Final = _SEGMENT.size + _SEAL.size
RECORD_HEADER_BYTES: Final = _RECORD.size + _SEAL.size

assert SEGMENT_HEADER_BYTES % ALIGNMENT == RECORD_HEADER_BYTES % ALIGNMENT == 0
assert SECTOR % ALIGNMENT == 0, "magic, seal and end mark each lie within one sector"


class Damage(Exception):
    """A record or header is not as written. ``unfinished``: it looks as a write does that never came to its end."""

    def __init__(self, reason: str, *, unfinished: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unfinished = unfinished


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What a segment says of itself: where it starts, what came before it."""

    first: int
    previous: int
    """First index of the segment before it, 0 for none: a missing segment is noticed without reading any other."""
    parent: bytes


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """An entry without its body."""

    index: int
    epoch: int
    time_ns: int
    kind: EntryKind
    body_bytes: int
    synced: int
    """The newest index known to be durable when this was written: proof that damage up to it is no unfinished write."""
    parent: bytes
    hash: bytes

    @property
    def record_bytes(self) -> int:
        """Length of the whole record."""
        return record_bytes(self.body_bytes)


def record_bytes(body_bytes: int) -> int:
    """Length of the record of a body: header, body, end mark, and zeros to a multiple of 16."""
    bare = RECORD_HEADER_BYTES + body_bytes + len(END_MARK)
    return bare + -bare % ALIGNMENT


def record_tail(body_bytes: int) -> bytes:
    """What follows a body: zeros and the end mark."""
    return END_MARK.rjust(record_bytes(body_bytes) - RECORD_HEADER_BYTES - body_bytes, b"\0")


def pack_segment(header: SegmentHeader) -> bytes:
    """The 64 bytes of a segment's header."""
    return _sealed(_SEGMENT.pack(SEGMENT_MAGIC, VERSION, header.first, header.previous, header.parent))


def unpack_segment(raw: bytes) -> SegmentHeader:
    """Read a segment's header, or raise ``Damage``."""
    _check_header(raw, SEGMENT_MAGIC, SEGMENT_HEADER_BYTES, "the segment's header")
    _, version, first, previous, parent = _SEGMENT.unpack_from(raw)
    _check_version(version)
    return SegmentHeader(first=first, previous=previous, parent=parent)


def pack_record(entry: Entry, *, synced: int) -> bytes:
    """The 112 bytes of a record's header."""
    raw = _RECORD.pack(
        RECORD_MAGIC,
        VERSION,
        entry.kind,
        len(entry.body),
        entry.index,
        entry.epoch,
        entry.time_ns,
        synced,
        entry.parent,
        entry.hash,
    )
    return _sealed(raw)


def unpack_record(raw: bytes) -> RecordHeader:
    """Read a record's header, or raise ``Damage``."""
    _check_header(raw, RECORD_MAGIC, RECORD_HEADER_BYTES, "its header")
    _, version, kind, body_bytes, index, epoch, time_ns, synced, parent, digest = _RECORD.unpack_from(raw)
    _check_version(version)
    if kind not in _KINDS or body_bytes > ENTRY_BODY_MAX:
        raise Damage(f"its header is whole but makes no sense (kind {kind}, {body_bytes} bytes)")
    return RecordHeader(
        index=index,
        epoch=epoch,
        time_ns=time_ns,
        kind=EntryKind(kind),
        body_bytes=body_bytes,
        synced=synced,
        parent=parent,
        hash=digest,
    )


def unpack_entry(header: RecordHeader, rest: bytes, *, offset: int) -> Entry:
    """The entry of a header and the ``rest`` of its record, found at file ``offset``; or raise ``Damage``."""
    if len(rest) < header.record_bytes - RECORD_HEADER_BYTES:
        raise Damage("the file ends inside its body", unfinished=True)
    body = rest[: header.body_bytes]
    digest = entry_hash(
        index=header.index,
        epoch=header.epoch,
        time_ns=header.time_ns,
        kind=header.kind,
        body=body,
        parent=header.parent,
    )
    if digest != header.hash:
        raise Damage("its hash does not match its bytes", unfinished=_has_unwritten(rest, offset))
    if rest[header.body_bytes :] != record_tail(header.body_bytes):
        raise Damage("its end mark or padding is wrong", unfinished=_has_unwritten(rest, offset))
    return Entry(
        index=header.index,
        epoch=header.epoch,
        time_ns=header.time_ns,
        kind=header.kind,
        body=body,
        parent=header.parent,
        hash=header.hash,
    )


def _sealed(fields: bytes) -> bytes:
    """A header: its fields, their checksum, and an ending that is never zero."""
    return fields + _SEAL.pack(crc32(fields), HEADER_SEAL)


def _check_header(raw: bytes, magic: bytes, length: int, what: str) -> None:
    if len(raw) < length:
        raise Damage(f"the file ends inside {what}", unfinished=True)
    if raw[: len(magic)] == magic and _sealed(raw[: length - _SEAL.size]) == raw:
        return
    if not any(raw[: len(magic)]) or not raw[-1]:
        raise Damage(f"{what} is unfinished", unfinished=True)
    raise Damage(f"{what} is damaged")


def _check_version(version: int) -> None:
    if version != VERSION:
        raise Damage(f"it is of format version {version}; this program knows {VERSION}")


def _has_unwritten(rest: bytes, offset: int) -> bool:
    """Whether a body and its tail lack their end mark, or a whole sector of the disk."""
    if not rest[-1]:
        return True
    start = offset + RECORD_HEADER_BYTES
    first = -start % SECTOR
    zeros = bytes(SECTOR)
    return any(rest[at : at + SECTOR] == zeros for at in range(first, len(rest) - SECTOR + 1, SECTOR))
