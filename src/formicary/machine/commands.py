"""Commands as they stand on the log: one frozen message with one byte form, and lists of them as an entry's body.

On the wire a command is the msgpack array ``["command.1", id, signer, name, version, body]``; ``body`` is the msgpack
array of the named command's own fields. An entry's body is a msgpack array of such commands as byte strings, so that
one unreadable command spoils no other.

Invariant: bytes that decode but would be encoded differently (a longer integer form, an extra field) are not a command.
Whoever signs, hashes or compares a command can therefore use its bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from blake3 import blake3

from formicary.base.entry import ENTRY_BODY_MAX

COMMAND_ID_BYTES: Final = 16
SIGNER_BYTES_MAX: Final = 32
NAME_CHARS_MAX: Final = 64
COMMAND_BYTES_MAX: Final = 64 << 10
COMMANDS_MAX: Final = 1024
"""Commands in one entry."""
BODY_HASH_BYTES: Final = 32

assert COMMAND_BYTES_MAX + 16 <= ENTRY_BODY_MAX, "one command of any allowed size fits an entry"


class Command(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="command.1"):
    """A request to a product; who may send it is settled before it gets on the log."""

    id: bytes
    """16 bytes chosen by the sender: the same id is the same command, however often it arrives."""
    signer: bytes
    """Pseudonymous id of who asks, at most 32 bytes."""
    name: str
    """``product.command``."""
    version: int
    body: bytes
    """The message of that name and version, in msgpack."""


_decoder: Final = msgspec.msgpack.Decoder(Command)
_list_decoder: Final = msgspec.msgpack.Decoder(list[bytes])
encode: Final = msgspec.msgpack.Encoder().encode
"""The one msgpack encoder of commands, replies and events."""


def read_command(data: bytes) -> Command | None:
    """Decode a command; None when the bytes are not exactly what :data:`encode` makes of one within its limits."""
    try:
        command = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    fits = (
        len(data) <= COMMAND_BYTES_MAX
        and len(command.id) == COMMAND_ID_BYTES
        and len(command.signer) <= SIGNER_BYTES_MAX
        and len(command.name) <= NAME_CHARS_MAX
    )
    return command if fits and encode(command) == data else None


def command_hash(data: bytes) -> bytes:
    """What tells a retry from another command under the same id: BLAKE3 of all its bytes."""
    return blake3(data).digest()


def pack_commands(commands: Sequence[bytes]) -> bytes:
    """Put encoded commands into an entry's body."""
    assert 0 < len(commands) <= COMMANDS_MAX, "an entry takes 1 to 1024 commands"
    return encode(commands)


def unpack_commands(body: bytes | memoryview) -> list[bytes] | None:
    """Take an entry's body apart; None when it is not a list of 1 to 1024 byte strings in its one form."""
    try:
        commands = _list_decoder.decode(body)
    except msgspec.MsgspecError:
        return None
    return commands if 0 < len(commands) <= COMMANDS_MAX and encode(commands) == body else None
