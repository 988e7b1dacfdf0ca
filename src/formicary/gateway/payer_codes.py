"""The payer's rotating code: 18 digits that say who pays, for a minute, to this institution alone.

Inside stand a serial number of the person (8 digits), when in its half minute the code was made (2) and a mark under
the person's own secret (8). The 18 digits are then enciphered under the institution's key and the half minute, so that
two codes of one person have nothing in common for whoever sees them. The cipher is a balanced Feistel network of ten
rounds over 9 + 9 decimal digits with HMAC-SHA256, the construction of NIST SP 800-38G. That a code is used once is the
ledger's business: it keeps each code's digest until its time is over.

A person's codes of one moment (a hundredth of the half minute) are one code. So that no two displays share a code, of
which the ledger would refuse the second payment, each is made of a moment of its own: :meth:`Codes.next_free`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

DIGITS: Final = 18
HALF: Final = 10**9
ROUNDS: Final = 10
SERIALS_MAX: Final = 10**8
SLOTS: Final = 100
MARKS: Final = 10**8
STEPS_A_WINDOW: Final = 2
AHEAD_MAX: Final = 30
"""Moments by which codes that are asked for quickly may run ahead of the clock; a code lives longer by as much."""
STEPS_EXPLAINED: Final = 40
"""How many half windows back a code is still recognised, to say that it has expired."""

assert SERIALS_MAX * SLOTS * MARKS == HALF * HALF == 10**DIGITS


class PayerCode(NamedTuple):
    """A code that was read: who showed it, and until when it stands."""

    party: bytes
    until_ns: int
    digest: bytes
    """What the ledger keeps of it, 32 bytes."""


class Codes(NamedTuple):
    """What codes are made and read with."""

    key: bytes
    """The institution's."""
    window_ns: int

    @property
    def step_ns(self) -> int:
        """How long one key's turn is: half the window."""
        return self.window_ns // STEPS_A_WINDOW

    @property
    def moment_ns(self) -> int:
        """How long a person's code stays the same."""
        return self.step_ns // SLOTS

    def next_free(self, now_ns: int, taken_ns: int) -> int | None:
        """The time to make a person's next code of: now, or right after the moment of their last (``taken_ns``).

        None when that is too far ahead: whoever asks so quickly is to wait.
        """
        free_ns = max(now_ns, (taken_ns // self.moment_ns + 1) * self.moment_ns)
        return free_ns if free_ns - now_ns <= AHEAD_MAX * self.moment_ns else None

    def write(self, serial: int, secret: bytes, now_ns: int) -> tuple[str, int]:
        """Make a person's code of now: 18 digits, and until when it stands (ns since 1970)."""
        assert 0 <= serial < SERIALS_MAX, "a serial has eight digits"
        step, rest_ns = divmod(now_ns, self.step_ns)
        slot = rest_ns * SLOTS // self.step_ns
        plain = (serial * SLOTS + slot) * MARKS + _mark(secret, step, slot)
        return f"{self._encipher(plain, step):018}", self._until_ns(step, slot)

    def read(self, digits: str, now_ns: int, person: Callable[[int], tuple[bytes, bytes] | None]) -> PayerCode | None:
        """Who showed a code; None when nobody's. ``person`` gives (party, secret) of a serial number, if there is one.

        A code whose time is over is read too, as far back as is worth explaining; look at ``until_ns``.
        """
        if not (len(digits) == DIGITS and digits.isascii() and digits.isdigit()):
            return None
        for step, plain in self._candidates(int(digits), now_ns):
            head, mark = divmod(plain, MARKS)
            serial, slot = divmod(head, SLOTS)
            found = person(serial)
            if found is not None and hmac.compare_digest(f"{_mark(found[1], step, slot):08}", f"{mark:08}"):
                digest = hashlib.sha256(f"formicary payer code v1\n{digits}\n{step}".encode()).digest()
                return PayerCode(found[0], self._until_ns(step, slot), digest)
        return None

    def _candidates(self, number: int, now_ns: int) -> Iterator[tuple[int, int]]:
        newest = (now_ns + AHEAD_MAX * self.moment_ns) // self.step_ns
        for step in range(newest, max(now_ns // self.step_ns - STEPS_EXPLAINED, 0), -1):
            yield step, self._decipher(number, step)

    def _until_ns(self, step: int, slot: int) -> int:
        return step * self.step_ns + slot * self.step_ns // SLOTS + self.window_ns

    def _encipher(self, number: int, step: int) -> int:
        left, right = divmod(number, HALF)
        for turn in range(ROUNDS):
            left, right = right, (left + self._round(right, step, turn)) % HALF
        return left * HALF + right

    def _decipher(self, number: int, step: int) -> int:
        left, right = divmod(number, HALF)
        for turn in reversed(range(ROUNDS)):
            left, right = (right - self._round(left, step, turn)) % HALF, left
        return left * HALF + right

    def _round(self, half: int, step: int, turn: int) -> int:
        text = step.to_bytes(8, "big") + bytes([turn]) + half.to_bytes(4, "big")
        return int.from_bytes(hmac.digest(self.key, text, "sha256")[:16], "big") % HALF


def _mark(secret: bytes, step: int, slot: int) -> int:
    text = step.to_bytes(8, "big") + bytes([slot])
    return int.from_bytes(hmac.digest(secret, text, "sha256")[:16], "big") % MARKS
