"""Commands and replies on the wire: one byte form, kept for ever."""

from __future__ import annotations

import msgspec
import pytest

from formicary.machine.commands import (
    COMMAND_BYTES_MAX,
    COMMANDS_MAX,
    Command,
    command_hash,
    encode,
    pack_commands,
    read_command,
    unpack_commands,
)
from formicary.machine.replies import Reply, read_reply
from formicary.machine.system import RotateKey
from formicary.products.example.commands import Fund, Join, Keep, Pledge

COMMAND = Command(bytes(range(16)), b"alice", "example.fund", 1, encode(Fund(250)))

GOLDEN = [
    (
        COMMAND,
        "96a9636f6d6d616e642e31c410000102030405060708090a0b0c0d0e0fc405616c696365ac6578616d706c652e66756e6401c40391ccfa",
    ),
    (Join(), "90"),
    (Fund(250), "91ccfa"),
    (Pledge(bytes(16), 7, 1_700_000_000_000_000_000), "93c4100000000000000000000000000000000007cf17979cfe362a0000"),
    (Keep(bytes(16)), "91c41000000000000000000000000000000000"),
    (
        RotateKey(bytes(16), bytes(8), bytes(32), 9, bytes(64)),
        "95c410" + "00" * 16 + "c408" + "00" * 8 + "c420" + "00" * 32 + "09c440" + "00" * 64,
    ),
    (
        Reply(bytes(16), 7, 1_700_000_000_000_000_000, "ok", b"\x90"),
        "96a77265706c792e31c4100000000000000000000000000000000007cf17979cfe362a0000a26f6bc40190",
    ),
]


@pytest.mark.parametrize(("message", "golden"), GOLDEN, ids=lambda value: type(value).__name__)
def test_messages_have_their_recorded_bytes(message: msgspec.Struct, golden: str) -> None:
    """These bytes are on logs and in receipts; they may never change."""
    assert encode(message).hex() == golden
    assert msgspec.msgpack.decode(bytes.fromhex(golden), type=type(message)) == message


def test_a_command_reads_back() -> None:
    """Encoding and reading are inverse."""
    assert read_command(encode(COMMAND)) == COMMAND


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xc0",
        b"hello",
        encode(COMMAND)[:-1],
        encode(COMMAND) + b"\x00",
        encode([*msgspec.msgpack.decode(encode(COMMAND)), 1]),
        encode(COMMAND).replace(b"command.1", b"command.9"),
        encode(msgspec.structs.replace(COMMAND, id=bytes(15))),
        encode(msgspec.structs.replace(COMMAND, signer=bytes(33))),
        encode(msgspec.structs.replace(COMMAND, name="x" * 65)),
        encode(msgspec.structs.replace(COMMAND, body=bytes(COMMAND_BYTES_MAX))),
        encode(COMMAND).replace(b"\xac" + b"example.fund" + b"\x01", b"\xac" + b"example.fund" + b"\xcc\x01"),
        encode(COMMAND).replace(b"\xac" + b"example.fund", b"\xd9\x0c" + b"example.fund"),
        encode(COMMAND).replace(b"example.fund", b"example.\xff\xfe\xfd\xfc"),
    ],
)
def test_other_bytes_are_not_a_command(damaged: bytes) -> None:
    """Cut, extended, too long, or in a longer form than the one: all are the same to the machine, unreadable."""
    assert read_command(damaged) is None


def test_every_byte_of_a_command_counts_for_its_hash() -> None:
    """A retry is the same bytes; anything else is another command."""
    data = encode(COMMAND)
    changed = {command_hash(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]) for place in range(len(data))}
    assert command_hash(data) not in changed
    assert len(changed) == len(data)


def test_entry_bodies_pack_and_unpack() -> None:
    """A list of commands has one form too, and neither none nor too many."""
    commands = [encode(COMMAND), b"unreadable"]
    body = pack_commands(commands)
    assert unpack_commands(body) == commands
    assert unpack_commands(memoryview(body)) == commands
    for bad in (
        b"",
        b"\x90",
        body + b"\x00",
        b"\xdc\x00\x01\xc4\x01a",
        encode([b"x"] * (COMMANDS_MAX + 1)),
        encode(["x"]),
    ):
        assert unpack_commands(bad) is None
    with pytest.raises(AssertionError):
        pack_commands([])


def test_a_reply_reads_back() -> None:
    """Replies are kept as bytes and read when asked for."""
    reply = Reply(bytes(16), 3, 5, "exceeds_credits", b"")
    assert read_reply(encode(reply)) == reply
