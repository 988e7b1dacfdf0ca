"""Names of accounts, kept beside the log and never in it: ``LEDGER/names.db``.

The log can't forget, so it holds 128-bit ids only. An id is derived from asset and name with a secret key that is kept
here, so nobody who reads the log can test a guessed name against an id. Erasing a name leaves the account without one;
whoever still has this file's key could test a guess against the bare id, so people's own data belongs in the vault.

A name is unique within its asset. The id of a name that was renamed away or erased is never handed out again: a later
account of the same name gets the next id in that name's sequence.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Self

import apsw

from formicary.base.errors import BadInput, Refusal, StorageReadOnly
from formicary.base.ids import KEY_BYTES, AccountId, TransferId, id_from_name
from formicary.base.money import asset_code

NAME_CHARACTERS_MAX: Final = 200
BUSY_MS: Final = 10_000
"""How long to wait for another process that is writing names."""

CACHE_KIB: Final = 256 << 10
"""What SQLite may keep in memory: ids fall all over the tree, and re-reading its pages would cost more."""

_NAME: Final = re.compile(rf"[^#\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{{0,{NAME_CHARACTERS_MAX - 2}}}[^\s\x00-\x1f\x7f])?")
_SCHEMA: Final = """
CREATE TABLE secret (key BLOB NOT NULL) STRICT;
CREATE TABLE names (
    asset INTEGER NOT NULL,
    name TEXT,  -- NULL once erased: the row stays, so that its id is never given to another
    id BLOB NOT NULL UNIQUE,
    UNIQUE (asset, name)
) STRICT;
"""


class Named(NamedTuple):
    """An account's name, with the asset within which it is unique."""

    id: AccountId
    asset: int
    name: str


class Attempt:
    """What was done to the names is forgotten unless it is kept."""

    kept = False

    def keep(self) -> None:
        """Keep it."""
        self.kept = True


class Names:
    """The names of one ledger's accounts. ``with`` closes the file at the end."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        if read_only and not path.exists():
            self._db = apsw.Connection(":memory:")
        elif read_only:
            self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        else:
            path.touch(mode=0o600)
            self._db = apsw.Connection(str(path))
        self._read_only = read_only
        self._db.set_busy_timeout(BUSY_MS)
        self._db.pragma("cache_size", -CACHE_KIB)
        self._key = self._open_key()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        self._db.close()

    # ── finding ─────────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, name: str, asset: int) -> AccountId | None:
        """Return the id of a name, or None when nobody has it."""
        row = self._db.execute("SELECT id FROM names WHERE asset = ? AND name = ?", (asset, name)).fetchone()
        return None if row is None else _id(row[0])

    def known(self, names: Sequence[str], asset: int) -> dict[str, AccountId]:
        """Return the ids of those names that exist, looked up in one statement."""
        if not names:
            return {}
        rows = self._db.execute(
            "SELECT wanted.value, names.id FROM carray(?) AS wanted CROSS JOIN names"
            " ON names.asset = ? AND names.name = wanted.value",
            (apsw.carray(tuple(names)), asset),
        )
        return {name: _id(raw) for name, raw in rows}

    def named(self, name: str) -> list[Named]:
        """Return every account of that name, one for each asset, in the order of asset numbers."""
        rows = self._db.execute("SELECT id, asset, name FROM names WHERE name = ? ORDER BY asset", (name,))
        return [Named(_id(raw), asset, text) for raw, asset, text in rows]

    def get(self, account_id: int) -> Named | None:
        """Return an account's name and asset, or None when it has no name here."""
        sql = "SELECT asset, name FROM names WHERE id = ? AND name IS NOT NULL"
        row = self._db.execute(sql, (_raw(account_id),)).fetchone()
        return None if row is None else Named(AccountId(account_id), *row)

    def of(self, ids: Iterable[int]) -> dict[int, str]:
        """Return the names of those ids that have one."""
        raw = tuple(number.to_bytes(16, "little") for number in ids)
        if not raw:
            return {}
        rows = self._db.execute(
            "SELECT id, name FROM names WHERE id IN carray(?) AND name IS NOT NULL", (apsw.carray(raw),)
        )
        return {_id(found): name for found, name in rows}

    def search(self, text: str, *, asset: int | None = None, limit: int = 50) -> list[Named]:
        """Return accounts whose name contains ``text``, capitals or not, in the order of name and asset."""
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
        rows = self._db.execute(
            r"SELECT id, asset, name FROM names WHERE name LIKE ?1 ESCAPE '\' AND asset = coalesce(?2, asset)"
            " ORDER BY name, asset LIMIT ?3",
            (pattern, asset, limit),
        )
        return [Named(_id(raw), asset, name) for raw, asset, name in rows]

    # ── changing ────────────────────────────────────────────────────────────────────────────────────────────────

    def ids(self, names: Sequence[str], asset: int) -> list[AccountId]:
        """Return the id of each name, making those that are new; all or none of them are made, durably."""
        wanted = list(dict.fromkeys(names))
        known = self.known(wanted, asset)
        new = [name for name in wanted if name not in known]
        if new:
            self._writable()
            with self._db:
                known.update(self._add([check_name(name) for name in new], asset))
        return [known[name] for name in names]

    def adopt(self, account_id: int, asset: int, name: str) -> None:
        """Keep a name for an id that was made elsewhere; refuse a name, or an id, that is taken."""
        check_name(name)
        known = self.find(name, asset)
        if known == account_id:
            return
        self._writable()
        if known is not None:
            raise Refusal(f"there is an account {name!r} in {asset_code(asset)} already", code="name_taken")
        try:
            self._insert({name: AccountId(account_id)}, asset)
        except apsw.ConstraintError:
            raise Refusal(f"account {account_id} has, or had, another name", code="name_taken") from None

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Do several things that are kept only if :meth:`Attempt.keep` is called before the end."""
        attempt = Attempt()
        self._db.execute("SAVEPOINT attempt")
        try:
            yield attempt
        finally:
            if not attempt.kept:
                self._db.execute("ROLLBACK TO attempt")
            self._db.execute("RELEASE attempt")

    def rename(self, account_id: int, name: str) -> None:
        """Give an account another name; refuse one that is taken in its asset, or an account without a name."""
        asset = self._asset_of(account_id)
        check_name(name)
        if self.find(name, asset) not in (None, account_id):
            raise Refusal(f"there is an account {name!r} in {asset_code(asset)} already", code="name_taken")
        with self._db:
            self._db.execute("UPDATE names SET name = ? WHERE id = ?", (name, _raw(account_id)))

    def erase(self, account_id: int) -> None:
        """Forget an account's name, on the disk too; its transfers and its id stay."""
        self._asset_of(account_id)
        with self._db:
            self._db.execute("UPDATE names SET name = NULL WHERE id = ?", (_raw(account_id),))

    def transfer_id(self, text: str) -> TransferId:
        """Derive a transfer's id from another system's reference; nothing is stored."""
        return TransferId(id_from_name(f"transfer/{text}", self._key))

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the whole file, the secret included, while others may go on."""
        path.touch(mode=0o600)
        copy = apsw.Connection(str(path))
        with copy.backup("main", self._db, "main") as backup:
            backup.step()
        copy.close()

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _open_key(self) -> bytes:
        if self._db.pragma("user_version") == 0:
            self._create()
        self._db.execute("PRAGMA secure_delete = ON")
        key = self._db.execute("SELECT key FROM secret").get
        assert isinstance(key, bytes)
        assert len(key) == KEY_BYTES
        return key

    def _create(self) -> None:
        """Make the tables and draw the secret; of two processes that try at once, one wins and the other uses it."""
        self._db.execute("BEGIN IMMEDIATE")
        with self._db:
            if self._db.pragma("user_version") == 0:
                self._db.execute(_SCHEMA)
                self._db.execute("INSERT INTO secret (key) VALUES (?)", (secrets.token_bytes(KEY_BYTES),))
                self._db.pragma("user_version", 1)
        self._db.execute("COMMIT")

    def _add(self, names: Sequence[str], asset: int) -> dict[str, AccountId]:
        """Insert names with the first id of their sequence; when one of those is spent, find out which."""
        made = {name: _derive(name, asset, 0, self._key) for name in names}
        try:
            self._insert(made, asset)
        except apsw.ConstraintError:
            made = {name: self._next_free(name, asset) for name in names}
            self._insert(made, asset)
        return made

    def _insert(self, made: dict[str, AccountId], asset: int) -> None:
        rows = [(asset, name, _raw(made[name])) for name in sorted(made)]
        with self._db:
            self._db.executemany("INSERT INTO names (asset, name, id) VALUES (?, ?, ?)", rows)

    def _next_free(self, name: str, asset: int) -> AccountId:
        """Walk a name's sequence to the first id that no account has or had."""
        place = 0
        while self._is_taken(number := _derive(name, asset, place, self._key)):
            place += 1
        return number

    def _is_taken(self, number: AccountId) -> bool:
        return self._db.execute("SELECT 1 FROM names WHERE id = ?", (_raw(number),)).fetchone() is not None

    def _asset_of(self, account_id: int) -> int:
        self._writable()
        asset = self._db.execute("SELECT asset FROM names WHERE id = ? AND name IS NOT NULL", (_raw(account_id),)).get
        if asset is None:
            raise Refusal(f"account {account_id} has no name here", code="name_not_found")
        return int(asset)

    def _writable(self) -> None:
        if self._read_only:
            raise StorageReadOnly("the names were opened for reading only")


def check_name(name: str) -> str:
    """Return the name as it is kept; refuse one that is empty, too long, starts with #, or has odd characters."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} is not an account's name: 1 to {NAME_CHARACTERS_MAX} characters, no # or space in front, "
            "no space at the end, no control characters"
        )
    if not (name.isascii() or unicodedata.is_normalized("NFC", name)):
        raise BadInput(f"{name!r} has letters put together from parts; write it in Unicode's form NFC")
    return name


def _derive(name: str, asset: int, place: int, key: bytes) -> AccountId:
    """Give the id at ``place`` of a name's sequence; the slash can't be confused, since the numbers stand in front."""
    return AccountId(id_from_name(f"account/{asset}/{place}/{name}", key))


def _raw(number: int) -> bytes:
    return number.to_bytes(16, "little")


def _id(raw: bytes) -> AccountId:
    return AccountId(int.from_bytes(raw, "little"))
