"""Keys, rotations, genesis and heads: their bytes are for ever, and nothing but the right key passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput, Corrupt, Refusal
from formicary.machine.genesis import Genesis, new_genesis, read_genesis, write_genesis
from formicary.machine.heads import HEAD_BYTES, HeadFile, SignedHead, sign_head
from formicary.machine.keys import (
    KeyId,
    LedgerId,
    PublicKey,
    SigningKey,
    check_rotation,
    create_key,
    key_id,
    load_key,
    make_rotation,
    verify_signature,
)

from tests.receipts.world import World

LEDGER = LedgerId(bytes(range(16)))
OLD, NEW = SigningKey(bytes([1]) * 32), SigningKey(bytes([2]) * 32)

# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_signatures_are_ed25519() -> None:
    """The second test vector of RFC 8032 §7.1 passes."""
    key = SigningKey(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public_key.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_a_signature_is_for_one_key_and_one_message() -> None:
    """Another key, another message, or bytes of another length do not verify."""
    signature = OLD.sign(b"words")
    assert verify_signature(OLD.public_key, b"words", signature)
    assert not verify_signature(NEW.public_key, b"words", signature)
    assert not verify_signature(OLD.public_key, b"word", signature)
    assert not verify_signature(OLD.public_key, b"words", signature[:-1])
    assert not verify_signature(PublicKey(OLD.public_key[:-1]), b"words", signature)


def test_a_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    """It is kept under its id with mode 0600, comes back, and shows itself nowhere."""
    key = create_key(tmp_path / "keys")
    path = tmp_path / "keys" / key.key_id.hex()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert load_key(tmp_path / "keys", key.key_id).public_key == key.public_key
    seed = path.read_text().strip()
    assert seed not in repr(key) + str(key)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """An exposed key is not used until its owner has looked at it."""
    key = create_key(tmp_path)
    (tmp_path / key.key_id.hex()).chmod(0o640)
    with pytest.raises(Refusal, match="chmod 600") as refusal:
        load_key(tmp_path, key.key_id)
    assert refusal.value.code == "key_exposed"


def test_a_missing_or_damaged_key_is_named(tmp_path: Path) -> None:
    """No file, half a file and another key's file are told apart, and no message shows what the file held."""
    with pytest.raises(Refusal, match="no private key"):
        load_key(tmp_path, KeyId(bytes(8)))
    key, other = create_key(tmp_path), create_key(tmp_path)
    path = tmp_path / key.key_id.hex()
    path.write_text(path.read_text()[:20] + "zz")
    with pytest.raises(Corrupt, match="not a private key") as fault:
        load_key(tmp_path, key.key_id)
    assert fault.value.__cause__ is None
    path.write_text((tmp_path / other.key_id.hex()).read_text())
    with pytest.raises(Corrupt, match="another key"):
        load_key(tmp_path, key.key_id)


# ── rotations ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_key_in_force_may_hand_over() -> None:
    """A rotation signed by the current key, after an entry that was there, passes; its bytes are fixed."""
    rotation = make_rotation(OLD, NEW.public_key, ledger_id=LEDGER, after_entry=7)
    check_rotation(OLD.public_key, rotation, ledger_id=LEDGER, entry=8)
    assert rotation.signed_bytes() == (
        b"formicary rotation v1\n" + LEDGER + OLD.key_id + NEW.public_key + (7).to_bytes(8, "little")
    )


@pytest.mark.parametrize(
    ("change", "current", "entry", "code"),
    [
        ({"ledger_id": bytes(16)}, OLD, 8, "rotation_other_ledger"),
        ({}, NEW, 8, "rotation_other_key"),
        ({"new_public_key": OLD.public_key}, OLD, 8, "rotation_no_new_key"),
        ({"new_public_key": bytes(31)}, OLD, 8, "rotation_no_new_key"),
        ({}, OLD, 7, "rotation_early"),
        ({"after_entry": 6}, OLD, 8, "rotation_not_signed"),
        ({"new_public_key": bytes(32)}, OLD, 8, "rotation_not_signed"),
        ({"signature": bytes(64)}, OLD, 8, "rotation_not_signed"),
        ({"signature": b""}, OLD, 8, "rotation_not_signed"),
    ],
)
def test_any_other_rotation_is_refused(change: dict[str, object], current: SigningKey, entry: int, code: str) -> None:
    """Each thing that can be wrong with a rotation has its code."""
    rotation = make_rotation(OLD, NEW.public_key, ledger_id=LEDGER, after_entry=7)
    with pytest.raises(Refusal) as refusal:
        check_rotation(current.public_key, msgspec.structs.replace(rotation, **change), ledger_id=LEDGER, entry=entry)
    assert refusal.value.code == code


# ── genesis ─────────────────────────────────────────────────────────────────────────────────────────────────────────

GENESIS = new_genesis(created_ns=1_767_225_600_000_000_000, blinding_key=bytes(16), public_key=OLD.public_key, note="n")
GOLDEN = (
    "96a967656e657369732e3101cf18867251edfa0000c410000000000000000000000000000000"
    "00c4208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5ca16e"
)


def test_a_genesis_has_one_byte_form_for_ever() -> None:
    """Its bytes and the id that follows from them are those of the first release."""
    assert write_genesis(GENESIS).hex() == GOLDEN
    assert read_genesis(bytes.fromhex(GOLDEN)) == GENESIS
    assert GENESIS.ledger_id.hex() == "44ec5095957b4ba034466395a3f1a665"


def test_the_ledger_id_depends_on_every_field() -> None:
    """Change anything, and it is another ledger; the blinding key only shows as a hash."""
    changes = {"created_ns": 1, "blinding_key": bytes([1] * 16), "public_key": NEW.public_key, "note": "m"}
    ids = [msgspec.structs.replace(GENESIS, **{name: value}).ledger_id for name, value in changes.items()]
    assert len({GENESIS.ledger_id, *ids}) == 5
    assert GENESIS.blinding_key not in repr(GENESIS.identity).encode()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"version": 2}, "genesis.version"),
        ({"created_ns": -1}, "genesis.created_ns"),
        ({"blinding_key": bytes(15)}, "genesis.blinding_key"),
        ({"public_key": bytes(33)}, "genesis.public_key"),
        ({"note": "x" * 65}, "genesis.note"),
        ({"note": "two\nlines"}, "genesis.note"),
    ],
)
def test_a_genesis_out_of_its_limits_is_refused(change: dict[str, object], where: str) -> None:
    """Each field says what is wrong with it."""
    with pytest.raises(BadInput) as refusal:
        read_genesis(write_genesis(msgspec.structs.replace(GENESIS, **change)))
    assert refusal.value.where == where


def test_a_genesis_in_another_byte_form_is_refused() -> None:
    """A longer integer, a field too many, other bytes: not a genesis."""
    long_version = bytes.fromhex(GOLDEN).replace(b"genesis.1\x01", b"genesis.1\xcc\x01")
    for body in (
        long_version,
        b"\x97" + bytes.fromhex(GOLDEN)[1:] + b"\x00",
        b"",
        b"\xff",
        write_genesis(GENESIS)[:-1],
    ):
        with pytest.raises(BadInput, match="genesis"):
            read_genesis(body)
    assert isinstance(GENESIS, Genesis)


# ── heads ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 2**41), st.binary(min_size=32, max_size=32), st.integers(0, 2**63 - 1), st.integers(0, 2**63))
def test_a_head_has_one_byte_form(size: int, root: bytes, time_ns: int, entry: int) -> None:
    """144 bytes hold a head; what is signed is the same fields behind their domain."""
    head = sign_head(OLD, ledger_id=LEDGER, size=size, root=root, time_ns=time_ns, entry=entry)
    raw = head.to_bytes()
    assert len(raw) == HEAD_BYTES
    assert SignedHead.from_bytes(raw) == head
    assert head.signed_bytes() == b"formicary tree head v1\n" + raw[:-64]
    assert head.signed_by(OLD.public_key)
    assert not head.signed_by(NEW.public_key)
    assert not replace(head, size=size + 1).signed_by(OLD.public_key)
    assert not replace(head, key_id=key_id(NEW.public_key)).signed_by(NEW.public_key)


def test_heads_are_found_by_the_leaves_they_cover(tmp_path: Path) -> None:
    """The first head that has a leaf is found, in a file that was closed, cut or torn in between."""
    world, ledger_id = World(), World().genesis.ledger_id
    heads = HeadFile(tmp_path / "heads", ledger_id)
    for count in (3, 4, 5):
        world.post(count)
        heads.append(world.head())
    heads.sync()
    heads.close()
    with (tmp_path / "heads").open("ab") as file:
        file.write(bytes(2 * HEAD_BYTES + 5))
    heads = HeadFile(tmp_path / "heads", ledger_id)
    found = [heads.covering(leaf) for leaf in range(13)]
    assert [head and head.size for head in found] == [3] * 3 + [7] * 4 + [12] * 5 + [None]
    heads.truncate(7)
    assert len(heads) == 2
    world.post(1)
    heads.append(world.head())
    newest = heads.newest()
    assert newest is not None
    assert newest.size == 13


def test_a_head_file_takes_its_own_ledgers_heads_in_order() -> None:
    """A head of another ledger, or of a smaller tree than the last, is a bug of the caller."""
    world = World()
    world.post(5)
    heads = HeadFile(None, world.genesis.ledger_id)
    heads.append(world.head())
    with pytest.raises(AssertionError, match="earlier"):
        heads.append(world.head(4))
    with pytest.raises(AssertionError, match="another ledger"):
        heads.append(replace(world.head(), ledger_id=LEDGER))
