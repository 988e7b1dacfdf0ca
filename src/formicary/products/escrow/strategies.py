"""Hypothesis strategies for escrow's commands: mostly possible ones, some that must be refused.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from formicary.products.escrow.commands import Buy, Milestone, OpenPool, PoolStage, Silence

SECOND_NS: Final = 1_000_000_000
HOUR_NS: Final = 3600 * SECOND_NS
EUR: Final = 978
SILENCES: Final[tuple[Silence, Silence]] = ("release", "refund")


def orders(now_ns: int, sellers: Sequence[bytes], carrier_key: bytes, code: bytes) -> st.SearchStrategy[Buy]:
    """Orders of small amounts with deadlines of hours, some of them with a carrier, some with milestones."""

    def build(seller: bytes, shares: list[int], has_carrier: bool, parts: bool, rest: tuple[int, int, int, int]) -> Buy:  # noqa: FBT001 - drawn, not called
        ship_hours, silence_hours, inspect_hours, silence = rest
        return Buy(
            seller=seller,
            asset=EUR,
            amount_minor=sum(shares),
            ship_by_ns=now_ns + ship_hours * HOUR_NS,
            silence=SILENCES[silence],
            silence_s=silence_hours * 3600,
            inspect_s=inspect_hours * 3600,
            carrier=None,
            carrier_key=carrier_key if has_carrier else None,
            code=code if has_carrier else None,
            milestones=tuple(Milestone(share, None) for share in shares) if parts else (),
            note=None,
        )

    times = st.tuples(st.integers(0, 30), st.integers(1, 20), st.integers(0, 10), st.integers(0, 1))
    shares = st.lists(st.integers(1, 400), min_size=1, max_size=4)
    return st.builds(build, st.sampled_from(sellers), shares, st.booleans(), st.booleans(), times)


def pools(now_ns: int) -> st.SearchStrategy[OpenPool]:
    """Small pools, some of which fill."""

    def build(price_minor: int, places: tuple[int, int], hours: int, weights: list[int]) -> OpenPool:
        return OpenPool(
            asset=EUR,
            price_minor=price_minor,
            places_min=places[0],
            places_max=places[1],
            until_ns=now_ns + hours * HOUR_NS,
            stages=tuple(PoolStage(weight, None) for weight in weights),
            note=None,
        )

    places = st.tuples(st.integers(1, 3), st.integers(1, 5))
    weights = st.lists(st.integers(1, 9), min_size=1, max_size=3)
    return st.builds(build, st.integers(1, 90), places, st.integers(0, 30), weights)
