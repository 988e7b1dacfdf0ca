"""PINs: for people without a passkey. Argon2id off the event loop, and a lock-out that grows.

A few wrong tries are free; then each wrong one locks for twice as long as the last, up to a day. Tries are counted for
the person, in the store, before the hash is computed: neither a restart nor many requests at once give more of them.
Whoever knows an alias can lock its PIN that way for a while; a passkey is never locked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from formicary.gateway.problems import Problem

if TYPE_CHECKING:
    from formicary.gateway.config import Config
    from formicary.gateway.store import Store

DIGITS_MIN: Final = 6
DIGITS_MAX: Final = 12
LOCK_S_MAX: Final = 86_400
"""The longest lock-out, in seconds: a day."""
_SECOND: Final = 1_000_000_000
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS pin_tries (
        person BLOB NOT NULL PRIMARY KEY,
        failures INTEGER NOT NULL,
        locked_until_ns INTEGER NOT NULL
    ) STRICT;
"""


class Pins:
    """Hashes and checks PINs."""

    def __init__(
        self, store: Store, config: Config, now_ns: Callable[[], int], hasher: argon2.PasswordHasher | None = None
    ) -> None:
        self._store = store
        self._tries = config.pin_tries
        self._lock_s = config.pin_lock_s
        self._now_ns = now_ns
        self._hasher = hasher or argon2.PasswordHasher()  # RFC 9106's second choice: Argon2id, 64 MiB, 3 passes
        self._nobodys = self._hasher.hash(secrets.token_hex(8))
        store.ensure(SCHEMA)

    def hash(self, pin: str) -> str:
        """Hash a new PIN; refuses one that is easily guessed (``pin_weak``). Slow: run it off the event loop."""
        if not is_strong(pin):
            raise Problem("pin_weak", where="pin")
        return self._hasher.hash(pin)

    def check(self, person: bytes, hashes: dict[bytes, str], pin: str) -> bytes:
        """Return the device whose PIN it is; refuses with ``pin_refused`` or ``pin_locked``. Slow: run it off the loop.

        With no hashes it takes as long, and counts as long, so that nobody learns who has a PIN.
        """
        self._count_try(person)
        for device, hashed in (hashes or {b"": self._nobodys}).items():
            if self._matches(hashed, pin) and device:
                self._store.run("DELETE FROM pin_tries WHERE person = ?", person)
                return device
        raise Problem("pin_refused")

    def forget(self, person: bytes) -> None:
        """Forget the tries of a person."""
        self._store.run("DELETE FROM pin_tries WHERE person = ?", person)

    def _matches(self, hashed: str, pin: str) -> bool:
        try:
            return self._hasher.verify(hashed, pin)
        except (VerificationError, InvalidHashError):
            return False

    def _count_try(self, person: bytes) -> None:
        """Count a try as failed until it turns out right; refuse when the person is locked."""
        now = self._now_ns()

        def count(connection: Any) -> int:  # noqa: ANN401 - apsw's connection
            sql = "SELECT failures, locked_until_ns FROM pin_tries WHERE person = ?"
            failures, locked_until_ns = connection.execute(sql, (person,)).fetchone() or (0, 0)
            if locked_until_ns > now:
                return int(locked_until_ns)
            failures += 1
            beyond = failures - self._tries
            locked_s = 0 if beyond < 0 else min(self._lock_s << min(beyond, 20), LOCK_S_MAX)
            row = (person, failures, now + locked_s * _SECOND)
            connection.execute("INSERT OR REPLACE INTO pin_tries VALUES (?, ?, ?)", row).fetchall()
            return 0

        locked_until_ns = self._store.transaction(count)
        if locked_until_ns:
            wait_s = (locked_until_ns - now) // _SECOND + 1
            raise Problem("pin_locked", headers={"Retry-After": str(wait_s)})


def is_strong(pin: str) -> bool:
    """Whether a PIN has 6 to 12 digits that are neither all the same nor a run up or down."""
    if not (DIGITS_MIN <= len(pin) <= DIGITS_MAX and pin.isascii() and pin.isdigit()):
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return steps not in ({0}, {1}, {9})
