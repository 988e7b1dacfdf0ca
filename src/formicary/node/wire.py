"""Frames: how requests and answers lie on a socket. ``docs/reference/protocol.md`` says it for other languages.

Every frame is a header of 24 bytes and a body, little-endian, of raw 128-byte records wherever records travel: what
arrives is what the kernel reads, so nothing is translated and one copy, out of the socket, is all there is. A frame has
no checksum: a local socket does not damage bytes, and 1 MiB of checksum costs as much time as posting half of it.

Two kinds of trouble are told apart. When framing is lost (:class:`FramingLost`: wrong magic, a length past the limit)
nobody knows where the next frame begins, and the connection ends. Any other bad request (an unknown kind, a length that
is no whole number of records) is answered with a coded error, and the next frame is read.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from formicary.base import errors
from formicary.base.errors import BadInput, Fault, FormicaryError, Refusal
from formicary.kernel.records import BATCH_MAX, RECORD_BYTES

VERSION: Final = 1
MAGIC: Final = b"FMCY"
HEADER: Final = struct.Struct("<4sIQHHI")
"""Magic, length of the body, request id, kind, flags (zero), reserved (zero)."""
HEADER_BYTES: Final = HEADER.size
BODY_MAX: Final = BATCH_MAX * RECORD_BYTES
"""No request has a longer body, in bytes."""
ANSWER_MAX: Final = 64 << 20
"""No answer has a longer body; only a trial balance or a large reply to a command comes near."""
ID_BYTES: Final = 16
TOKEN_BYTES: Final = 32
NO_TOKEN: Final = bytes(TOKEN_BYTES)

HELLO: Final = struct.Struct("<HHI32s")
"""Version, reserved (two), token. The first frame of a client."""
WELCOME: Final = struct.Struct("<HHIII16sI28x")
"""Version, reserved, records in a batch, requests in flight, bytes in a body, ledger id, seconds idle; 64 bytes."""
ERROR: Final = struct.Struct("<II56s")
"""Severity, reserved, code (ASCII, filled up with NUL); the message in UTF-8 follows."""

assert HEADER_BYTES + BODY_MAX < 1 << 20
assert HEADER_BYTES % 8 == 0, "a body after its header stays aligned for 64-bit fields"
assert HELLO.size == 40
assert WELCOME.size == ERROR.size == 64


class Kind(enum.IntEnum):
    """What a frame asks; its answer carries the same number with :data:`ANSWER` set. The numbers never change."""

    HELLO = 1
    PING = 2
    OPEN_ACCOUNTS = 3
    POST_TRANSFERS = 4
    LOOKUP_ACCOUNTS = 5
    LOOKUP_TRANSFERS = 6
    QUERY_TRANSFERS = 7
    QUERY_ACCOUNTS = 8
    BALANCE_HISTORY = 9
    BALANCE_AS_OF = 10
    TRIAL_BALANCE = 11
    INFO = 12
    HEAD = 13
    CONSISTENCY = 14
    RECEIPT = 15
    COMMAND = 16
    HOLD_STATUS = 17


ANSWER: Final = 0x8000
"""Set in the kind of every answer."""
ERROR_KIND: Final = 0xFFFF
"""The kind of an answer that refuses its request; with request id 0 it speaks of the connection, which ends."""

RECORD_OF: Final = {
    Kind.OPEN_ACCOUNTS: RECORD_BYTES,
    Kind.POST_TRANSFERS: RECORD_BYTES,
    Kind.LOOKUP_ACCOUNTS: ID_BYTES,
    Kind.LOOKUP_TRANSFERS: ID_BYTES,
}
"""Kinds whose body is 1 … BATCH_MAX records, and the bytes of one."""
FIXED_BODY: Final = {
    Kind.QUERY_TRANSFERS: RECORD_BYTES,
    Kind.QUERY_ACCOUNTS: RECORD_BYTES,
    Kind.BALANCE_HISTORY: RECORD_BYTES,
    Kind.BALANCE_AS_OF: ID_BYTES + 8,
    Kind.TRIAL_BALANCE: 0,
    Kind.INFO: 0,
    Kind.HEAD: 0,
    Kind.CONSISTENCY: 8,
    Kind.RECEIPT: ID_BYTES,
    Kind.HOLD_STATUS: ID_BYTES,
}
"""Kinds whose body has one size. The rest (PING, COMMAND) take 0 … BODY_MAX bytes."""


class FramingLost(BadInput):
    """Nobody knows where the next frame begins: the connection has to end."""

    code = "framing_lost"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server allows; it tells the first three in its welcome."""

    window: int = 8
    """Requests of one connection that may wait for their answers; the server reads no further before it answers."""
    batch: int = BATCH_MAX
    body_bytes: int = BODY_MAX
    connections: int = 64
    """``connections · window · body_bytes`` bounds what clients can make the server keep: half a gibibyte."""
    idle_s: int = 600
    """A connection that asks nothing for so long is closed; a client pings or connects anew."""
    frame_s: float = 10.0
    """From the first byte of a frame to its last, and for taking an answer: a stalled peer is cut off."""
    hello_s: float = 5.0
    drain_s: float = 30.0
    """How long a server that stops waits for what is in flight."""

    def __post_init__(self) -> None:
        """Check how the limits relate."""
        assert 0 < self.batch <= BATCH_MAX
        assert self.body_bytes >= self.batch * RECORD_BYTES
        assert self.window > 0
        assert self.connections > 0


class Header(NamedTuple):
    """One frame's header, already checked."""

    kind: int
    request: int
    length: int


def pack_header(kind: int, request: int, length: int) -> bytes:
    """Write a header; flags and reserved are zero in this version."""
    return HEADER.pack(MAGIC, length, request, kind, 0, 0)


def parse_header(data: bytes | bytearray | memoryview, *, body_max: int) -> Header:
    """Read a header; refuse one that can't be followed to the next frame."""
    magic, length, request, kind, flags, reserved = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise FramingLost(f"a frame begins with {bytes(MAGIC)!r}, here is {bytes(magic)!r}", code="bad_magic")
    if length > body_max:
        raise FramingLost(f"a body of {length:,} bytes is longer than the {body_max:,} allowed", code="frame_too_long")
    if flags or reserved:
        raise FramingLost("flags and reserved are zero in this version", code="reserved_not_zero")
    return Header(kind, request, length)


def check_request(header: Header, limits: Limits) -> Kind:
    """Return the kind of a request whose length fits it; refuse any other. Framing is intact either way."""
    try:
        kind = Kind(header.kind)
    except ValueError:
        raise BadInput(f"there is no request of kind {header.kind}", code="unknown_kind") from None
    if kind == Kind.HELLO:
        raise BadInput("hello was said already", code="hello_repeated")
    if kind in FIXED_BODY and header.length != FIXED_BODY[kind]:
        raise BadInput(f"the body of {kind.name} is {FIXED_BODY[kind]} bytes, not {header.length:,}", code="bad_length")
    if kind in RECORD_OF:
        _check_records(kind, header.length, limits)
    return kind


def _check_records(kind: Kind, length: int, limits: Limits) -> None:
    count, rest = divmod(length, RECORD_OF[kind])
    if rest or not count:
        raise BadInput(
            f"the body of {kind.name} is one or more records of {RECORD_OF[kind]} bytes, not {length:,} bytes",
            code="bad_length",
        )
    if count > limits.batch:
        raise BadInput(f"{count:,} records are more than the {limits.batch:,} of one batch", code="batch_too_long")


class Severity(enum.IntEnum):
    """Whether asking again can help."""

    REFUSAL = 1
    """The request breaks a rule and changed nothing; the same request will be refused again."""
    FAULT = 2
    """The environment failed and the outcome is not known; the same request may be sent again, with the same ids."""
    CLOSED = 3
    """The same, and this connection or its ledger is at an end: connect anew first."""


class Welcome(NamedTuple):
    """What a server says of itself when it lets a client in."""

    version: int
    batch: int
    window: int
    body_bytes: int
    ledger_id: bytes
    idle_s: int


def pack_hello(token: bytes = NO_TOKEN) -> bytes:
    """Write the body of a client's first frame."""
    return HELLO.pack(VERSION, 0, 0, token)


def parse_hello(body: bytes | bytearray | memoryview) -> bytes:
    """Read the token of a client's first frame; refuse a version that this server does not speak."""
    version, _, _, token = HELLO.unpack(body)
    if version != VERSION:
        raise FramingLost(
            f"this server speaks version {VERSION} of the protocol, the client asked for {version}",
            code="version_unsupported",
        )
    return bytes(token)


def pack_welcome(limits: Limits, ledger_id: bytes) -> bytes:
    """Write the body of the answer to a hello."""
    return WELCOME.pack(VERSION, 0, limits.batch, limits.window, limits.body_bytes, ledger_id, limits.idle_s)


def parse_welcome(body: bytes | bytearray | memoryview) -> Welcome:
    """Read the answer to a hello."""
    version, _, batch, window, body_bytes, ledger_id, idle_s = WELCOME.unpack(body)
    return Welcome(version, batch, window, body_bytes, bytes(ledger_id), idle_s)


def pack_error(error: FormicaryError) -> bytes:
    """Write an exception as the body of an error frame; the message is cut at 4,000 characters."""
    severity = Severity.FAULT
    if isinstance(error, Refusal | errors.Closed):
        severity = Severity.REFUSAL if isinstance(error, Refusal) else Severity.CLOSED
    code = error.code.encode("ascii", "replace")[:56]
    return ERROR.pack(severity, 0, code) + str(error)[:4000].encode()


_FAULTS: Final = {
    fault.code: fault for fault in (errors.Locked, errors.Fenced, errors.StorageFull, errors.StorageReadOnly)
}


def parse_error(body: bytes | bytearray | memoryview) -> FormicaryError:
    """Read an error frame as the exception that the server met, or its nearest base; the code is kept."""
    severity, _, padded = ERROR.unpack_from(body)
    code = bytes(padded).rstrip(b"\0").decode("ascii", "replace")
    message = bytes(body[ERROR.size :]).decode("utf-8", "replace")
    if severity == Severity.REFUSAL:
        return Refusal(message, code=code)
    if severity == Severity.CLOSED:
        return errors.Closed(message, code=code)
    return _FAULTS.get(code, Fault)(message, code=code)
