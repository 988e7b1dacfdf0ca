"""Token buckets in memory: how many requests a session, a key or an address may make."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from formicary.gateway.problems import Problem

BUCKETS_MAX: Final = 100_000
"""Buckets in memory; beyond, those unused for longest are forgotten, which fills them up."""
_SECOND: Final = 1_000_000_000


class Buckets:
    """One bucket for each name: ``burst`` tokens at most, ``per_minute`` new ones a minute, one for each request."""

    def __init__(self, *, burst: int, per_minute: int) -> None:
        self._full_ns = burst * 60 * _SECOND // per_minute
        self._one_ns = 60 * _SECOND // per_minute
        self._empty_at: OrderedDict[str, int] = OrderedDict()

    def take(self, name: str, now_ns: int, *, tokens: int = 1) -> None:
        """Take tokens from a bucket; refuses with ``rate_limited`` and says when to come back.

        A bucket is kept as the time when it would be full again (a "virtual schedule", as ATM's generic cell rate
        algorithm, ITU-T I.371, has it): one number, and integers only.
        """
        full_at = max(self._empty_at.get(name, 0), now_ns) + tokens * self._one_ns
        if full_at - now_ns > self._full_ns:
            wait_s = (full_at - now_ns - self._full_ns) // _SECOND + 1
            raise Problem("rate_limited", headers={"Retry-After": str(wait_s)})
        self._empty_at[name] = full_at
        self._empty_at.move_to_end(name)
        if len(self._empty_at) > BUCKETS_MAX:
            self._empty_at.popitem(last=False)
