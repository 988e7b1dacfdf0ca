"""When a request breaks two rules, the answer is the lower code: every pair that can be broken at once is tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest

from formicary.kernel.codes import TransferCode
from formicary.kernel.kernel import Kernel
from formicary.testing.agreement import Ledger, twin
from formicary.testing.model import Model

from tests.kernel.precedence import ALL, BREACHES, Breach, Situation, go_together

C = TransferCode
CODES = [code for code in TransferCode if code != C.OK]

NOT_IN_PAIRS = {
    (C.ID_MUST_NOT_BE_ZERO, C.ID_RESERVED): "an id is zero or of the ledger's own range",
    (C.ID_RESERVED, C.EXISTS_WITH_DIFFERENT_FLAGS): "no request with such an id was accepted before",
    (C.EXISTS_WITH_DIFFERENT_CODE, C.EXISTS): "the fields differ or they don't",
    (C.EXISTS, C.FLAGS_ARE_EXCLUSIVE): "the same request was accepted before, so its flags go together",
    (C.HOLD_ID_MUST_BE_ZERO, C.HOLD_ID_MUST_NOT_BE_ZERO): "it depends on the kind of request which one it must be",
    (
        C.HOLD_ID_MUST_NOT_BE_ZERO,
        C.HOLD_ID_MUST_BE_DIFFERENT,
    ): "a hold id of zero is the request's own only if that is zero",
    (C.CREDIT_ACCOUNT_NOT_FOUND, C.ACCOUNTS_HAVE_DIFFERENT_ASSETS): "an account that isn't there has no asset",
    (C.CREDIT_ACCOUNT_MUST_NOT_BE_ZERO, C.ACCOUNTS_MUST_BE_DIFFERENT): "both are zero then",
    (C.AMOUNT_MUST_NOT_BE_NEGATIVE, C.AMOUNT_MUST_NOT_BE_ZERO): "an amount is less than zero or zero",
    (C.IMPORTED_TIME_OUT_OF_RANGE, C.IMPORTED_TIME_IN_FUTURE): "a time is before 1970 or in the future",
    (C.IMPORTED_TIME_IN_FUTURE, C.IMPORTED_TIME_REGRESSED): "the time is one field; the first breach here breaks both",
    (C.IMPORTED_TIME_REGRESSED, C.HOLD_NOT_FOUND): "captures and releases can't be imported",
    (C.HOLD_NOT_FOUND, C.TRANSFER_IS_NOT_A_HOLD): "there is a transfer or there isn't",
    (C.EXCEEDS_HOLD, C.HOLD_HAS_DIFFERENT_AMOUNT): "the one is for captures, the other for releases",
    (C.HOLD_ALREADY_CAPTURED, C.HOLD_ALREADY_RELEASED): "a hold ends once",
    (C.HOLD_EXPIRED, C.DEBIT_ACCOUNT_NOT_FOUND): "the accounts of a hold exist",
}
"""Neighbours that two breaches can't break at once, and why."""


def fast(room: int) -> Mapping[str, Ledger]:
    """Make a compiled kernel and a model."""
    return {"kernel": Kernel(None, transfers_max=room), "model": Model(transfers_max=room)}


def slow(room: int) -> Mapping[str, Ledger]:
    """Make an uncompiled twin and a model."""
    return {"twin": twin()(None, transfers_max=room), "model": Model(transfers_max=room)}


def pairs(code: TransferCode) -> Iterator[tuple[str, Breach, Breach]]:
    """All pairs of breaches of which ``code`` is the lower, for each kind of request."""
    for kind in ALL:
        for low in (each for each in BREACHES if each.code == code):
            for high in (each for each in BREACHES if each.code > code):
                if go_together(low, high, kind):
                    yield kind, low, high


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name.lower())
def test_one_breach_alone(code: TransferCode) -> None:
    """Each breach alone gets its own code, for each kind of request: the situations are what they say."""
    for each in (each for each in BREACHES if each.code == code):
        for kind in each.kinds:
            assert Situation(kind, each).answer(slow) == code, f"{kind}: {each}"


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name.lower())
def test_the_lower_of_two(code: TransferCode) -> None:
    """With any second rule broken as well, the lower code is the answer."""
    for kind, low, high in pairs(code):
        assert Situation(kind, low, high).answer(fast) == code, f"{kind}: {low} and {high}"


def test_neighbours() -> None:
    """Each pair of neighbouring codes is tried above, or there is a reason why it can't be."""
    tried = {(low.code, high.code) for code in CODES for _, low, high in pairs(code)}
    assert set(pairwise(CODES)) - tried == set(NOT_IN_PAIRS)
