"""The system product: what the ledger itself keeps in rows. Today its signing keys, and how one hands over to the next.

The first key stands in the genesis. Each rotation is signed by the key in force, checked by the machine, and kept, so
that a receipt can carry the chain from the first key to the one that signed it. Who may send the command does not
matter: only the key in force can make a rotation that passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from formicary.machine.genesis import Genesis
from formicary.machine.keys import (
    KEY_ID_BYTES,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    LedgerId,
    PublicKey,
    Rotation,
    check_rotation,
)
from formicary.products.anatomy import Access, Bytes16, CommandType, EventType, Message, Product

if TYPE_CHECKING:
    from formicary.machine.context import Context, View

_SCHEMA: Final = """
    CREATE TABLE system_ledger (
        ledger_id BLOB NOT NULL,
        PRIMARY KEY (ledger_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE system_keys (
        number INTEGER NOT NULL PRIMARY KEY,
        public_key BLOB NOT NULL,
        entry INTEGER NOT NULL,
        rotation BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX system_keys_by_key ON system_keys (public_key);
"""


class RotateKey(Message, frozen=True):
    """Let a new key sign for the ledger; signed by the one in force."""

    ledger_id: Bytes16
    old_key_id: Annotated[bytes, msgspec.Meta(min_length=KEY_ID_BYTES, max_length=KEY_ID_BYTES)]
    new_public_key: Annotated[bytes, msgspec.Meta(min_length=PUBLIC_KEY_BYTES, max_length=PUBLIC_KEY_BYTES)]
    after_entry: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    signature: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]

    @classmethod
    def of(cls, rotation: Rotation) -> RotateKey:
        """The command's body for a signed rotation."""
        return cls(
            rotation.ledger_id,
            rotation.old_key_id,
            rotation.new_public_key,
            rotation.after_entry,
            rotation.signature,
        )

    def rotation(self) -> Rotation:
        """The rotation that the command carries."""
        return Rotation(self.ledger_id, self.old_key_id, self.new_public_key, self.after_entry, self.signature)


class KeyRotated(Message, frozen=True):
    """Another key speaks for the ledger from now on."""

    public_key: Annotated[bytes, msgspec.Meta(min_length=PUBLIC_KEY_BYTES, max_length=PUBLIC_KEY_BYTES)]


def begin(context: Context, genesis: Genesis) -> None:
    """Keep the ledger's id and its first key."""
    context.rows.run("INSERT INTO system_ledger (ledger_id) VALUES (?)", bytes(genesis.ledger_id))
    _keep_key(context, number=0, public_key=genesis.public_key, rotation=b"")


def rotate_key(context: Context, command: RotateKey) -> None:
    """Let another key speak for the ledger, when the one in force says so and that key was never used before."""
    rotation = command.rotation()
    number, current = _newest_key(context.view())
    ledger = context.rows.one("SELECT ledger_id FROM system_ledger ORDER BY ledger_id")
    assert ledger is not None, "the genesis kept it"
    check_rotation(current, rotation, ledger_id=LedgerId(ledger[0]), entry=context.entry_index)
    used = context.rows.one("SELECT number FROM system_keys WHERE public_key = ?", rotation.new_public_key)
    context.refuse_if(used is not None, "rotation_used_key")
    _keep_key(context, number=number + 1, public_key=rotation.new_public_key, rotation=msgspec.msgpack.encode(rotation))
    context.emit(KeyRotated(rotation.new_public_key))


def _keep_key(context: Context, *, number: int, public_key: bytes, rotation: bytes) -> None:
    sql = "INSERT INTO system_keys (number, public_key, entry, rotation) VALUES (?, ?, ?, ?)"
    context.rows.run(sql, number, public_key, context.entry_index, rotation)


def _newest_key(view: View) -> tuple[int, PublicKey]:
    found = view.rows.one("SELECT number, public_key FROM system_keys ORDER BY number DESC LIMIT 1")
    assert found is not None, "the genesis kept the first key"
    return int(found[0]), PublicKey(found[1])


def key_at(view: View, entry: int) -> PublicKey:
    """The key that spoke for the ledger as of an entry: whoever signs what was so then, signs with this one."""
    found = view.rows.one("SELECT public_key FROM system_keys WHERE entry <= ? ORDER BY number DESC LIMIT 1", entry)
    assert found is not None, "the genesis kept the first key, and no entry is older"
    return PublicKey(found[0])


def rotations(view: View) -> list[Rotation]:
    """Every rotation since the genesis, oldest first."""
    rows = view.rows.all("SELECT rotation FROM system_keys WHERE rotation != ? ORDER BY number", b"")
    decoder = msgspec.msgpack.Decoder(Rotation)
    return [decoder.decode(data) for (data,) in rows]


def check_keys(view: View) -> None:
    """Numbers without gaps, and a rotation for every key but the first."""
    rows = view.rows.all("SELECT number, rotation FROM system_keys ORDER BY number")
    assert [number for number, _ in rows] == list(range(len(rows))), "keys are numbered without gaps"
    assert [number for number, rotation in rows if not rotation] in ([], [0]), "a key came without a rotation"


SYSTEM: Final = Product(
    name="system",
    schema=_SCHEMA,
    commands=(CommandType(name="rotate_key", body=RotateKey, handler=rotate_key, access=Access.DOOR),),
    events=(EventType(kind="key_rotated", payload=KeyRotated),),
    codes={
        "rotation_other_ledger": "The rotation is for another ledger.",
        "rotation_other_key": "The rotation is not from the key in force.",
        "rotation_no_new_key": "The rotation names no new key.",
        "rotation_early": "The rotation was signed for a later entry.",
        "rotation_not_signed": "The rotation is not signed by the key in force.",
        "rotation_used_key": "The new key was in force before.",
    },
    invariants=(check_keys,),
    on_genesis=begin,
)
