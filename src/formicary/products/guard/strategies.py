"""Hypothesis strategies for what the guard is asked: mostly possible things, some that must be refused.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from formicary.products.guard.commands import Appeal, Decide, Recall, Report, Rule

TEXT = b"t" * 16
HOUR_S = 3600


def recalls(payments: Sequence[bytes]) -> st.SearchStrategy[Recall]:
    """Of a payment, perhaps one that there is not."""
    return st.builds(Recall, st.sampled_from([*payments, *payments, bytes(16)]))


def reports(payments: Sequence[bytes]) -> st.SearchStrategy[Report]:
    """Of a payment, with words or without."""
    return st.builds(Report, st.sampled_from([*payments, *payments, bytes(16)]), st.sampled_from([TEXT, None]))


def appeals(cases: Sequence[bytes]) -> st.SearchStrategy[Appeal]:
    """Against a case, perhaps one that there is not."""
    return st.builds(Appeal, st.sampled_from([*cases, *cases, bytes(16)]), st.just(TEXT))


def decisions(cases: Sequence[bytes]) -> st.SearchStrategy[Decide]:
    """Of a case, any way."""
    named = st.sampled_from([*cases, *cases, bytes(16)])
    how = st.sampled_from(("release", "return", "close", "freeze_payee"))
    return st.builds(Decide, named, how, st.sampled_from([TEXT, None]))


def rules() -> st.SearchStrategy[Rule]:
    """Rules of every kind, some of which lack a number."""
    kinds = st.sampled_from(("new_payee", "advance_fee", "velocity", "drain", "mule_ring"))
    sources = st.sampled_from(("person", "shop", "any"))
    numbers = st.integers(0, 9)
    return st.builds(Rule, kinds, sources, st.sampled_from((0, 978)), numbers, numbers, numbers, numbers)
