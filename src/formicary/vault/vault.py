"""The vault: personal data, sealed per person, outside the log.

Every field and text is AES-256-GCM under a key of 32 bytes that belongs to one person, with what it is and whose it is
as associated data, so that no sealed value can be moved to another place. A text from one person to another is sealed
under both their keys: it can be read as long as neither is erased.

Erasing destroys the person's key first, then the rows. Once the key is gone, every copy of the rows, in any backup, is
noise. Threads may share a vault.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from formicary.base.errors import Fault, Refusal
from formicary.vault.database import forget_deleted, open_database
from formicary.vault.keys import KeyRing
from formicary.vault.kms import NONCE_BYTES, Kms

REF_BYTES: Final = 16
TEXT_CHARS_MAX: Final = 1000
"""Characters of one sealed text."""
READERS_MAX: Final = 128
"""Readers of one sealed text."""
FIELD_CHARS_MAX: Final = 2000
"""Characters of one field of a profile."""
DAY_NS: Final = 86_400_000_000_000
INSTITUTION: Final = b"institution".rjust(16, b".")
"""The reader that stands for the institution's own people: cases, appeals, evidence."""
ANYBODY: Final = b"anybody".rjust(16, b".")
"""The reader that stands for whoever has signed in: what is offered to all. Gone with its owner, like any text."""
_PEPPER: Final = b"pepper".rjust(16, b".")
"""Owner of the key under which digests are made."""

SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS fields (
        party BLOB NOT NULL,
        field TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (party, field)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS texts (
        ref BLOB NOT NULL,
        reader BLOB NOT NULL,
        owner BLOB NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (ref, reader)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS texts_by_owner ON texts (owner);
    CREATE INDEX IF NOT EXISTS texts_by_reader ON texts (reader);
    CREATE TABLE IF NOT EXISTS uses (
        owner BLOB NOT NULL,
        reader BLOB NOT NULL,
        what TEXT NOT NULL,
        purpose TEXT NOT NULL,
        day INTEGER NOT NULL,
        times INTEGER NOT NULL,
        newest_ns INTEGER NOT NULL,
        PRIMARY KEY (owner, day, reader, what, purpose)
    ) STRICT, WITHOUT ROWID;
"""


class Erased(Refusal):
    """The person was erased, and can't be given personal data again."""

    code = "person_erased"


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody read something of somebody: one line a day, reader, thing and purpose."""

    owner: bytes
    reader: bytes
    what: str
    purpose: str
    times: int
    newest_ns: int


class Vault:
    """Profiles, sealed texts, keyed digests and secrets, and who read what.

    ``folder`` gets ``vault.db`` (the data) and ``keys/keys.db`` (the wrapped keys); None keeps both in memory.
    """

    def __init__(self, folder: Path | None, kms: Kms, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._lock = threading.RLock()
        self.keys = KeyRing(None if folder is None else folder / "keys" / "keys.db", kms)
        self._connection = open_database(None if folder is None else folder / "vault.db")
        self._connection.execute(SCHEMA).fetchall()
        pepper = self.keys.ensure(_PEPPER, now_ns=now_ns())
        assert pepper is not None, "the pepper is nobody's to erase"
        self._pepper = pepper
        for reader in (INSTITUTION, ANYBODY):
            self.keys.ensure(reader, now_ns=now_ns())

    # ── profiles ────────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, party: bytes, fields: Mapping[str, str | None]) -> None:
        """Set fields of a party's profile; None deletes one. Makes the party's key at the first call.

        Refuses a party that was erased (``person_erased``).
        """
        key = self.keys.ensure(party, now_ns=self._now_ns())
        if key is None:
            raise Erased("the person was erased")
        with self._lock, self._connection:
            for field, value in fields.items():
                self._connection.execute("DELETE FROM fields WHERE party = ? AND field = ?", (party, field)).fetchall()
                if value is not None:
                    assert len(value) <= FIELD_CHARS_MAX, "a door bounds what it takes"
                    sealed = _seal(key, value, b"field\0" + party + field.encode())
                    self._connection.execute("INSERT INTO fields VALUES (?, ?, ?)", (party, field, sealed)).fetchall()

    def get(self, party: bytes) -> dict[str, str]:
        """Every field of a party's profile; empty when it has none or was erased."""
        key = self.keys.find(party)
        if key is None:
            return {}
        with self._lock:
            sql = "SELECT field, sealed FROM fields WHERE party = ? ORDER BY field"
            rows = list(self._connection.execute(sql, (party,)))
        return {field: _open(key, sealed, b"field\0" + party + field.encode()) for field, sealed in rows}

    # ── texts ───────────────────────────────────────────────────────────────────────────────────────────────────

    def number(self, owner: bytes, seed: str) -> bytes:
        """A 16-byte number for a text: the same owner and seed give the same one, and it tells nothing of either."""
        return hmac.digest(self._pepper, b"text\0" + owner + seed.encode(), "sha256")[:REF_BYTES]

    def seal(self, owner: bytes, readers: Iterable[bytes], text: str, ref: bytes = b"") -> bytes:
        """Keep a text for its owner and its readers; readers without a key in the vault are left out.

        ``ref`` chooses its number (:meth:`number`); sealing under a number that is there already changes nothing.
        Refuses an owner who was erased (``person_erased``).
        """
        assert len(text) <= TEXT_CHARS_MAX, "a door bounds what it takes"
        owner_key = self.keys.ensure(owner, now_ns=self._now_ns())
        if owner_key is None:
            raise Erased("the person was erased")
        ref = ref or secrets.token_bytes(REF_BYTES)
        wanted = sorted({owner, *readers})
        assert len(wanted) <= READERS_MAX, "a text has few readers"
        rows = []
        for reader in wanted:
            key = self.keys.find(reader)
            if key is not None:
                sealed = _seal(_joint(owner_key, key), text, b"text\0" + ref + reader + owner)
                rows.append((ref, reader, owner, sealed))
        with self._lock, self._connection:
            sql = "INSERT INTO texts VALUES (?, ?, ?, ?) ON CONFLICT (ref, reader) DO NOTHING"
            self._connection.executemany(sql, rows).fetchall()
        return ref

    def unseal(self, reader: bytes, ref: bytes) -> str | None:
        """The text with this number; None when it was not sealed for the reader, or owner or reader was erased."""
        return self.unseal_many(reader, (ref,)).get(ref)

    def unseal_many(self, reader: bytes, refs: Sequence[bytes], *, purpose: str = "") -> dict[bytes, str]:
        """The texts among these that the reader may read; with a purpose, each leaves a line for its owner."""
        key = self.keys.find(reader)
        if key is None:
            return {}
        found: dict[bytes, str] = {}
        with self._lock:
            for ref in refs:
                sql = "SELECT owner, sealed FROM texts WHERE ref = ? AND reader = ?"
                row = self._connection.execute(sql, (ref, reader)).fetchone()
                owner_key = None if row is None else self.keys.find(row[0])
                if row is None or owner_key is None:
                    continue
                found[ref] = _open(_joint(owner_key, key), row[1], b"text\0" + ref + reader + row[0])
                if purpose:
                    self.used(row[0], reader, "text", purpose)
        return found

    def drop(self, ref: bytes) -> None:
        """Forget a text: the command that was to carry its number was refused."""
        with self._lock:
            self._connection.execute("DELETE FROM texts WHERE ref = ?", (ref,)).fetchall()

    # ── secrets and digests ─────────────────────────────────────────────────────────────────────────────────────

    def secret(self, party: bytes, purpose: str) -> bytes:
        """A secret of 32 bytes that only this vault can make again, for one purpose; gone when the person is.

        Refuses a party that was erased (``person_erased``).
        """
        key = self.keys.ensure(party, now_ns=self._now_ns())
        if key is None:
            raise Erased("the person was erased")
        return hmac.digest(key, b"secret\0" + purpose.encode(), "sha256")

    def digest(self, kind: str, text: str) -> bytes:
        """Keyed digest of what identifies somebody: 32 bytes that mean nothing without this vault's pepper."""
        return hmac.digest(self._pepper, b"digest\0" + kind.encode() + b"\0" + text.encode(), "sha256")

    # ── who read what ───────────────────────────────────────────────────────────────────────────────────────────

    def used(self, owner: bytes, reader: bytes, what: str, purpose: str, *, times: int = 1) -> None:
        """Note that a reader read something of an owner; reading one's own leaves no line."""
        if owner == reader:
            return
        now = self._now_ns()
        sql = """INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, day, reader, what, purpose)
                 DO UPDATE SET times = times + excluded.times, newest_ns = excluded.newest_ns"""
        with self._lock:
            self._connection.execute(sql, (owner, reader, what, purpose, now // DAY_NS, times, now)).fetchall()

    def uses(self, party: bytes, *, limit: int = 100) -> list[Use]:
        """Who read what of a party, newest first."""
        sql = """SELECT owner, reader, what, purpose, times, newest_ns FROM uses WHERE owner = ?
                 ORDER BY newest_ns DESC, reader, what, purpose LIMIT ?"""
        with self._lock:
            return [Use(*row) for row in self._connection.execute(sql, (party, limit))]

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

    def erase(self, party: bytes) -> bool:
        """Destroy a party's key, then its rows; False when there was nothing. Doing it again finishes a broken one."""
        assert party not in {_PEPPER, INSTITUTION}, "these are nobody's to erase"
        destroyed = self.keys.destroy(party, now_ns=self._now_ns())
        with self._lock:
            with self._connection:
                for sql in (
                    "DELETE FROM fields WHERE party = ?",
                    "DELETE FROM texts WHERE owner = ?",
                    "DELETE FROM texts WHERE reader = ?",
                    "DELETE FROM uses WHERE owner = ?",
                ):
                    self._connection.execute(sql, (party,)).fetchall()
            forget_deleted(self._connection)
        return destroyed

    def close(self) -> None:
        """Close both files."""
        with self._lock:
            self._connection.close()
        self.keys.close()


def _joint(owner_key: bytes, reader_key: bytes) -> bytes:
    """The key of a text between two: whoever lacks one of theirs can't make it."""
    return hashlib.blake2b(reader_key, key=owner_key, digest_size=32, person=b"formicary-text").digest()


def _seal(key: bytes, text: str, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text.encode(), bound)


def _open(key: bytes, sealed: bytes, bound: bytes) -> str:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound).decode()
    except InvalidTag as error:
        raise Fault("a sealed value of the vault was changed or moved") from error
