"""Hypothesis strategies for clearing: amounts that run purses dry, and people of whom some can't be paid.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from formicary.products.clearing.commands import SendOut

EUR: Final = 978
TEXT: Final = b"t" * 16


def payments(institutions: Sequence[bytes], payees: Sequence[bytes]) -> st.SearchStrategy[SendOut]:
    """Payments to anybody; the payee's reference is simply who it is."""
    return st.builds(
        SendOut,
        institution=st.sampled_from(institutions),
        payee=st.just(TEXT),
        payee_ref=st.sampled_from(payees),
        asset=st.just(EUR),
        amount_minor=st.integers(1, 20_000),
        purpose=st.just("friend"),
        note=st.none(),
    )


def amounts() -> st.SearchStrategy[int]:
    """Of payments and settlements between two institutions: small, so that people's purses last."""
    return st.integers(1, 900)
