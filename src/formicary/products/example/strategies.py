"""Hypothesis strategies for the example's commands: mostly possible ones, some that must be refused.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from formicary.products.example.commands import Fund, Keep, Pledge, Waive

PEOPLE = tuple(name.encode().rjust(16, b".") for name in ("ann", "bo", "cy", "nobody"))
SECOND = 1_000_000_000


def people() -> st.SearchStrategy[bytes]:
    """Somebody; ``nobody`` never joins."""
    return st.sampled_from(PEOPLE)


def funds() -> st.SearchStrategy[Fund]:
    """Small amounts, so that pockets run dry."""
    return st.builds(Fund, st.integers(1, 500))


def pledges(now_ns: int) -> st.SearchStrategy[Pledge]:
    """To anybody, of more than there is at times, ending a moment ago to a minute from now."""
    until = st.integers(-1, 60).map(lambda seconds: now_ns + seconds * SECOND)
    return st.builds(Pledge, people(), st.integers(1, 600), until)


def endings(pledges: Sequence[bytes]) -> st.SearchStrategy[Keep | Waive]:
    """Keeping or waiving a pledge, perhaps one that was never made."""
    names = st.sampled_from([*pledges, bytes(16)])
    return st.one_of(st.builds(Keep, names), st.builds(Waive, names))
