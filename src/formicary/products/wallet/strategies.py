"""Hypothesis strategies for the wallet's commands: mostly possible ones, some that must be refused.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from formicary.products.wallet.commands import (
    AddDevice,
    ClaimAlias,
    FreezePerson,
    Open,
    RemoveDevice,
    SetOwnLimit,
    SetTier,
    Trust,
    Untrust,
)

PEOPLE = tuple(name.encode().rjust(16, b".") for name in ("ann", "bo", "cy", "di", "nobody"))
ALIASES = tuple(bytes([number]) * 32 for number in range(1, 6))
DEVICES = tuple(bytes([number]) * 16 for number in range(1, 7))
EUR, CZK, JPY, UNKNOWN = 978, 203, 392, 1


def people() -> st.SearchStrategy[bytes]:
    """Somebody; ``nobody`` never opens a wallet."""
    return st.sampled_from(PEOPLE)


def assets() -> st.SearchStrategy[int]:
    """A currency, rarely one that is none."""
    return st.sampled_from((EUR, EUR, EUR, CZK, JPY, UNKNOWN))


def opens() -> st.SearchStrategy[Open]:
    """One to three currencies, perhaps one twice, and perhaps an alias."""
    some = st.lists(assets(), min_size=1, max_size=3).map(tuple)
    return st.builds(Open, some, st.none() | st.sampled_from(ALIASES))


def aliases() -> st.SearchStrategy[ClaimAlias]:
    """One of a few aliases, so that people quarrel."""
    return st.builds(ClaimAlias, st.sampled_from(ALIASES))


def amounts() -> st.SearchStrategy[int]:
    """Around the limits of T0."""
    return st.one_of(st.integers(1, 6_000), st.sampled_from((15_000, 15_001, 25_000, 50_001)))


def own_limits() -> st.SearchStrategy[SetOwnLimit]:
    """A few steps up and down, and none."""
    limit = st.sampled_from((0, 1_000, 3_000, 10_000))
    return st.builds(SetOwnLimit, assets(), limit, limit)


def tiers() -> st.SearchStrategy[SetTier]:
    """Anybody, any tier."""
    return st.builds(SetTier, people(), st.integers(0, 2))


def freezes() -> st.SearchStrategy[FreezePerson]:
    """Anybody, for any reason."""
    return st.builds(FreezePerson, people(), st.sampled_from(("fraud", "court", "lost", "other")))


def trusts() -> st.SearchStrategy[Trust | Untrust]:
    """Naming somebody, or taking the name back."""
    return st.one_of(st.builds(Trust, people()), st.builds(Untrust, people()))


def devices(known: Sequence[bytes] = DEVICES) -> st.SearchStrategy[AddDevice | RemoveDevice]:
    """Adding or removing one of a few devices."""
    names = st.sampled_from(list(known))
    add = st.builds(AddDevice, names, st.just(b"key"), st.sampled_from(("passkey", "pin")), st.none())
    return st.one_of(add, st.builds(RemoveDevice, names))
