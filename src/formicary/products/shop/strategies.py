"""Hypothesis strategies for the shop's commands: mostly possible ones, some that must be refused.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from formicary.products.shop.commands import NewOrder, PayTill, Refund

AMOUNT_MAX: Final = 1900


def amounts() -> st.SearchStrategy[int]:
    """Small ones, among them those at which fees round."""
    return st.one_of(st.sampled_from([1, 9, 10, 99, 100, 101, 999]), st.integers(1, AMOUNT_MAX))


def payments(shop: bytes, till: bytes, asset: int) -> st.SearchStrategy[PayTill]:
    """At a till, with a tip that is at times too large."""
    return amounts().flatmap(
        lambda amount: st.builds(
            PayTill, st.just(shop), st.just(till), st.just(asset), st.just(amount), st.integers(0, amount + 2)
        )
    )


def orders(shop: bytes, asset: int, now_ns: int) -> st.SearchStrategy[NewOrder]:
    """Of all kinds of tip, for an hour, once or for many."""
    tips = st.sampled_from([("none", 0), ("ask", 0), ("fixed", 1), ("percent", 1234), ("percent", 10_000)])
    return st.builds(
        lambda amount, tip, many: NewOrder(
            shop=shop,
            till=None,
            asset=asset,
            amount_minor=amount,
            tip=tip[0],
            tip_value=tip[1],
            number="",
            until_ns=now_ns + 3600 * 10**9,
            many=many,
            exit=False,
        ),
        amounts(),
        tips,
        st.booleans(),
    )


def refunds(sales: Sequence[bytes]) -> st.SearchStrategy[Refund]:
    """Of any sale, of an amount that at times is more than is left."""
    return st.builds(Refund, st.sampled_from([*sales, bytes(16)]), amounts(), st.just("returned"))
