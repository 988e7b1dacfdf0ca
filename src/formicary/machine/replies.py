"""Replies: what the machine answers to a command, kept for ever under the command's id.

A reply is the msgpack array ``["reply.1", command id, entry, time, code, body]``. It is a leaf of the receipt tree, so
its bytes never change once given: a retry gets the very same bytes. A refusal is a reply like any other, with the code
of the refusal and an empty body; its words are looked up by code, so that better wording changes no digest.

Invariants: one reply a command id; reply numbers have no gap and are the tree's, so that a command's id leads to its
leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from formicary.machine.commands import encode

if TYPE_CHECKING:
    from formicary.machine.rows import Rows
    from formicary.machine.working_set import Change

OK: Final = "ok"
MACHINE_CODES: Final = {
    "command_malformed": "The command can't be read: it is not in its one byte form or breaks a limit.",
    "command_unknown": "There is no command of this name and version.",
    "command_body_malformed": "The command's body is not in the one byte form of its kind.",
    "command_id_reused": "This command id was used before for another command.",
    "account_not_found": "The account was never opened.",
}
"""Refusals by the machine itself, before a handler runs or through its context."""


class Reply(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="reply.1"):
    """The answer to one command."""

    command_id: bytes
    """Empty when the command could not be read."""
    entry: int
    time_ns: int
    code: str
    """``ok``, or why not."""
    body: bytes
    """The reply message of the command, in msgpack; empty for a refusal and for commands that answer nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with what the machine knows about it."""

    reply: Reply
    data: bytes
    """The reply's one byte form."""
    is_leaf: bool
    """Whether it is new and remembered: then it is a leaf of the tree. A replayed reply is one already."""
    replayed: bool
    """The command had been answered before; this is that answer."""


_decoder: Final = msgspec.msgpack.Decoder(Reply)


def read_reply(data: bytes) -> Reply:
    """Decode a reply's bytes."""
    return _decoder.decode(data)


def new_answer(reply: Reply, *, is_leaf: bool) -> Answer:
    """An answer given for the first time."""
    return Answer(reply, encode(reply), is_leaf=is_leaf, replayed=False)


class ReplyStore:
    """Replies by command id, in the rows' database."""

    SCHEMA: Final = """
        CREATE TABLE machine_replies (
            command_id BLOB NOT NULL,
            command_hash BLOB NOT NULL,
            number INTEGER NOT NULL,
            reply BLOB NOT NULL,
            PRIMARY KEY (command_id)
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX machine_replies_by_number ON machine_replies (number);
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._new: dict[bytes, tuple[bytes, int, bytes]] = {}
        """(hash of the command, number, reply) by command id, of the entry that is under way."""

    def find(self, command_id: bytes) -> tuple[bytes, bytes] | None:
        """(hash of the command, bytes of its reply), if the command was answered before."""
        new = self._new.get(command_id)
        if new is not None:
            return new[0], new[2]
        sql = "SELECT command_hash, reply FROM machine_replies WHERE command_id = ?"
        return self._rows.connection.execute(sql, (command_id,)).fetchone()

    def remember(self, *, command_id: bytes, command_hash: bytes, number: int, reply: bytes) -> None:
        """Keep a reply under its command's id; it is a row when the entry ends (:meth:`store`)."""
        self._new[command_id] = (command_hash, number, reply)

    def store(self) -> list[Change]:
        """Write the replies of the entry that is under way; answer what that changes."""
        rows = [(name, *rest) for name, rest in self._new.items()]
        if rows:
            self._rows.connection.executemany("INSERT INTO machine_replies VALUES (?, ?, ?, ?)", rows)
            self._new.clear()
        return [("machine_replies", "INSERT", None, row) for row in rows]

    def forget_new(self) -> None:
        """Drop the replies of an entry that is given up."""
        self._new.clear()

    def number_of(self, command_id: bytes) -> int | None:
        """The number of a command's reply, counted from 0 over the whole log, as the tree counts them."""
        sql = "SELECT number FROM machine_replies WHERE command_id = ?"
        found = self._rows.connection.execute(sql, (command_id,)).fetchone()
        return None if found is None else int(found[0])

    def by_number(self, number: int) -> Reply | None:
        """The reply with this number."""
        sql = "SELECT reply FROM machine_replies WHERE number = ?"
        found = self._rows.connection.execute(sql, (number,)).fetchone()
        return None if found is None else read_reply(found[0])
