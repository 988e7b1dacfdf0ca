"""Hypothesis strategies for the commands of payments: mostly possible ones, some that must be refused.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from formicary.products.pay.codes import SECOND_NS
from formicary.products.pay.commands import Ask, Give, Schedule, Send, Share, Split

PEOPLE = tuple(name.encode().rjust(16, b".") for name in ("ann", "bo", "cy", "di"))
STRANGER = b"stranger".rjust(16, b".")
EUR = 978


def people() -> st.SearchStrategy[bytes]:
    """Somebody who has an account."""
    return st.sampled_from(PEOPLE)


def anybody() -> st.SearchStrategy[bytes]:
    """Somebody, once in a while a stranger."""
    return st.sampled_from((*PEOPLE, *PEOPLE, STRANGER))


def amounts() -> st.SearchStrategy[int]:
    """Small sums, so that accounts run dry."""
    return st.integers(1, 500)


def sends() -> st.SearchStrategy[Send]:
    """To anybody, oneself too."""
    return st.builds(Send, anybody(), st.just(EUR), amounts(), st.just("friend"), st.none())


def asks(now_ns: int) -> st.SearchStrategy[Ask]:
    """Of anybody, until a moment ago to a few hours from now."""
    until = st.integers(-1, 4 * 3600).map(lambda seconds: now_ns + seconds * SECOND_NS)
    return st.builds(Ask, anybody(), st.just(EUR), amounts(), st.just("goods"), st.none(), until)


def splits() -> st.SearchStrategy[Split]:
    """Among some people by small weights."""
    shares = st.lists(st.builds(Share, people(), st.integers(1, 3)), min_size=1, max_size=4)
    return st.builds(Split, st.just(EUR), amounts(), shares.map(tuple), st.none())


def gives(now_ns: int) -> st.SearchStrategy[Give]:
    """For a few people or for all, until a few hours from now."""
    until = st.integers(60, 4 * 3600).map(lambda seconds: now_ns + seconds * SECOND_NS)
    chosen = st.lists(people(), max_size=3, unique=True).map(tuple)
    how = st.sampled_from(("equal", "drawn"))
    return st.builds(Give, st.just(EUR), amounts(), st.integers(1, 3), how, until, st.none(), chosen)


def schedules(now_ns: int) -> st.SearchStrategy[Schedule]:
    """Beginning within hours, a few times."""
    first = st.integers(60, 12 * 3600).map(lambda seconds: now_ns + seconds * SECOND_NS)
    every = st.sampled_from(("once", "day"))
    return st.builds(
        Schedule, people(), st.just(EUR), amounts(), st.just("rent"), st.none(), first, every, st.integers(0, 1)
    )


def names(known: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of those that there are, or one that there is not."""
    return st.sampled_from([*known, *known, bytes(16)])
