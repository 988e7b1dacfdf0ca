"""Hypothesis strategies for the bank's commands: mostly possible ones, some that must be refused.

For tests only; nothing that runs a ledger imports Hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from formicary.products.bank.commands import Assign, Attest, Booked, Rejected, Returned, SendBack, TakeOwn, Withdraw

ENTRIES = 30


def amounts() -> st.SearchStrategy[int]:
    """Small amounts, so that wallets run dry."""
    return st.integers(1, 300)


def entry_refs() -> st.SearchStrategy[bytes]:
    """Few bookings, so that some come twice."""
    return st.integers(1, ENTRIES).map(lambda number: number.to_bytes(32, "big"))


def withdrawals(account_refs: Sequence[bytes], asset: int) -> st.SearchStrategy[Withdraw]:
    """To one's own bank account, another's, or none."""
    return st.builds(Withdraw, st.sampled_from([*account_refs, bytes(16)]), st.just(asset), amounts())


def bookings(references: Sequence[str], names: Sequence[bytes], asset: int) -> st.SearchStrategy[Booked]:
    """Credits with and without a reference of ours, debits of withdrawals and of nothing known."""
    coming = st.builds(
        Booked, st.just(asset), entry_refs(), st.just("in"), amounts(), st.sampled_from([*references, ""]), st.just(1)
    )
    out = st.sampled_from([*(name.hex() for name in names), "", "00" * 16])
    going = st.builds(Booked, st.just(asset), entry_refs(), st.just("out"), amounts(), out, st.just(1))
    return coming | going


def returns(names: Sequence[bytes], asset: int) -> st.SearchStrategy[Returned]:
    """Of a withdrawal, perhaps one that never was, perhaps of too much."""
    name = st.sampled_from([*names, bytes(16)])
    return st.builds(Returned, name, entry_refs(), st.just(asset), amounts(), st.sampled_from(["AC04", ""]), st.just(1))


def rejections(names: Sequence[bytes]) -> st.SearchStrategy[Rejected]:
    """Of a withdrawal, perhaps a second time."""
    return st.builds(Rejected, st.sampled_from([*names, bytes(16)]), st.just("AC01"))


def settlings(people: Sequence[bytes]) -> st.SearchStrategy[Assign | SendBack | TakeOwn]:
    """Whatever an operator can do to a booking, open or not."""
    assign = st.builds(Assign, entry_refs(), st.sampled_from(people))
    return st.one_of(assign, st.builds(SendBack, entry_refs()), st.builds(TakeOwn, entry_refs()))


def days() -> st.SearchStrategy[Attest]:
    """The first days of a ledger that begins with the year 2026; most are not the day that it is."""
    return st.builds(Attest, st.integers(20260101, 20260105), st.just(1))
