"""Who keeps the key that wraps all others: a port for a key-management service, and a file as the default.

A data key leaves the vault only wrapped. What wraps it never enters the vault's files, so that a copy of those alone
reads nothing.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from formicary.base.errors import Fault

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class KeyLost(Fault):
    """A wrapped key can't be unwrapped: another key-management key, or bytes that were changed."""

    code = "key_lost"


class Kms(Protocol):
    """Wraps and unwraps data keys; ``context`` is bound to the result and has to be the same again."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wrap a data key of 32 bytes."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwrap it; raises :class:`KeyLost` when it is not ours, was changed, or had another context."""


class LocalKms:
    """AES-256-GCM under one key held by this process."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES, "a key-management key has 32 bytes"
        self._cipher = AESGCM(key)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """See :class:`Kms`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """See :class:`Kms`."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise KeyLost("a data key can't be unwrapped with this key-management key") from error


class FileKms(LocalKms):
    """One key in a file that only its owner may read; made when it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            _write_key(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Fault(f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise Fault(f"{path} is not a key of 32 bytes")
        super().__init__(key)


def _write_key(path: Path) -> None:
    """Make a key and sync it to the disk before anything is wrapped with it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(".new")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, secrets.token_bytes(KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
