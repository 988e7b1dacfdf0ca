"""Signing keys (Ed25519, RFC 8032): where they are kept, how they sign, and how one hands over to the next.

A private key is a file of its own, readable by its owner alone, named by its key id; it never appears in a message, a
log line or a ``repr``. A rotation is the old key's signed word that another key speaks for the ledger from now on. It
is on the log, and receipts carry all of them, so that whoever knows the first key can follow to the one that signed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final, NewType

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey as Ed25519Key
from nacl.signing import VerifyKey

from formicary.base.errors import Corrupt, Refusal
from formicary.machine.appendfile import fault

KeyId = NewType("KeyId", bytes)
PublicKey = NewType("PublicKey", bytes)
LedgerId = NewType("LedgerId", bytes)

KEY_ID_BYTES: Final = 8
LEDGER_ID_BYTES: Final = 16
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_SEED_BYTES: Final = 32
_OTHERS: Final = 0o077
_ROTATION_DOMAIN: Final = b"formicary rotation v1\n"


def key_id(public_key: PublicKey) -> KeyId:
    """Name a public key: the first 8 bytes of its SHA-256."""
    return KeyId(hashlib.sha256(public_key).digest()[:KEY_ID_BYTES])


def verify_signature(public_key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the key signed exactly this message."""
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        VerifyKey(public_key).verify(message, signature)
    except BadSignatureError:
        return False
    return True


class SigningKey:
    """A private key, in memory. It shows its key id and nothing else."""

    __slots__ = ("_key", "key_id", "public_key")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519Key(seed)
        self.public_key = PublicKey(bytes(self._key.verify_key))
        self.key_id = key_id(self.public_key)

    def __repr__(self) -> str:
        return f"<signing key {self.key_id.hex()}>"

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes, the same every time."""
        return self._key.sign(message).signature

    def save(self, folder: Path) -> None:
        """Write the key into ``folder`` durably, for its owner alone; a key that is there already is left alone."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_private(folder / self.key_id.hex(), bytes(self._key).hex().encode() + b"\n")
        except OSError as error:
            raise fault(error, folder) from error


def create_key(folder: Path) -> SigningKey:
    """Make a new key by chance and save it."""
    key = SigningKey(bytes(Ed25519Key.generate()))
    key.save(folder)
    return key


def load_key(folder: Path, name: KeyId) -> SigningKey:
    """Read the private key with this id. Refuses a file that others may read; a damaged one is Corrupt."""
    path = folder / name.hex()
    try:
        mode, text = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError as error:
        raise Refusal(f"there is no private key {name.hex()} in {folder}", code="key_missing") from error
    except OSError as error:
        raise fault(error, path) from error
    if mode & _OTHERS:
        raise Refusal(f"{path} can be read by others: chmod 600 it, and think about rotating it", code="key_exposed")
    try:
        key = SigningKey(bytes.fromhex(text.decode("ascii").removesuffix("\n")))
    except ValueError as error:  # the message of the cause might show some of the key
        raise Corrupt("it is not a private key", file=str(path), record=0, offset=0) from error.__cause__
    if key.key_id != name:
        raise Corrupt("it holds another key", file=str(path), record=0, offset=0)
    return key


def _write_private(path: Path, text: bytes) -> None:
    # Beside it first, so that no crash leaves half a key under the name of a whole one.
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# ── one key hands over to the next ──────────────────────────────────────────────────────────────────────────────────


class Rotation(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="rotation.1"):
    """The old key's word that ``new_public_key`` speaks for the ledger from now on."""

    ledger_id: bytes
    old_key_id: bytes
    new_public_key: bytes
    after_entry: int
    """The newest entry that the signer knew: the new key signs no head as old as that."""
    signature: bytes

    def signed_bytes(self) -> bytes:
        """The bytes that the old key signs: domain, ledger id, old key id, new public key, entry (8 bytes, little)."""
        fields = self.ledger_id + self.old_key_id + self.new_public_key + self.after_entry.to_bytes(8, "little")
        return _ROTATION_DOMAIN + fields


def make_rotation(old: SigningKey, new_public_key: PublicKey, *, ledger_id: LedgerId, after_entry: int) -> Rotation:
    """Let the old key sign that it hands over to the new one; ``after_entry`` is the newest entry so far."""
    unsigned = Rotation(ledger_id, old.key_id, new_public_key, after_entry, b"")
    signature = old.sign(unsigned.signed_bytes())
    return Rotation(ledger_id, old.key_id, new_public_key, after_entry, signature)


def check_rotation(current_key: PublicKey, rotation: Rotation, *, ledger_id: LedgerId, entry: int) -> None:
    """Refuse a rotation that the ledger's current key did not sign, or that was signed at or after ``entry``.

    ``entry`` is the index of the entry that carries the rotation; a verifier who doesn't know it gives the index of the
    head that the new key signed. Pure: the machine and the verifier of a receipt ask the same question.
    """
    if rotation.ledger_id != ledger_id:
        raise Refusal("the rotation is for another ledger", code="rotation_other_ledger")
    if rotation.old_key_id != key_id(current_key):
        raise Refusal("the rotation is not from the key in force", code="rotation_other_key")
    if len(rotation.new_public_key) != PUBLIC_KEY_BYTES or rotation.new_public_key == current_key:
        raise Refusal("the rotation names no new key", code="rotation_no_new_key")
    if not 0 <= rotation.after_entry < entry:
        raise Refusal(f"signed after entry {rotation.after_entry}, not before entry {entry}", code="rotation_early")
    if not verify_signature(current_key, rotation.signed_bytes(), rotation.signature):
        raise Refusal("the rotation is not signed by the key in force", code="rotation_not_signed")
