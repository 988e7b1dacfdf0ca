"""When an account request breaks two rules, the answer is the lower code: every pair that can be broken at once."""

from __future__ import annotations

from itertools import combinations

import pytest

from formicary.kernel.codes import AccountCode
from formicary.kernel.records import RESERVED_HALF
from formicary.testing import raw
from formicary.testing.agreement import Agreement, three_ledgers
from formicary.testing.model_rules import A
from formicary.testing.table_words import Row

C = AccountCode
START_NS = 1_800_000_000_000_000_000
REQUEST: Row = {"id": 7, "asset": 1, "code": 1, "flags": 0}
LIMITS = int(A.DEBITS_LIMITED | A.CREDITS_LIMITED)

ALONE: dict[AccountCode, Row] = {
    C.CHAIN_FAILED: {},
    C.CHAIN_OPEN: {"flags": A.LINKED},
    C.TIME_MUST_BE_ZERO: {"time": 5},
    C.RESERVED_FIELD: {"reserved_64": 1},
    C.RESERVED_FLAG: {"flags": A.CLOSED},
    C.ID_MUST_NOT_BE_ZERO: {"id": 0},
    C.ID_RESERVED: {"id": RESERVED_HALF << 64},
    C.FLAGS_ARE_EXCLUSIVE: {"flags": LIMITS},
    C.BALANCES_MUST_BE_ZERO: {"credits_held": 1},
    C.ASSET_MUST_NOT_BE_ZERO: {"asset": 0},
    C.CODE_MUST_NOT_BE_ZERO: {"code": 0},
    C.IMPORTED_TIME_OUT_OF_RANGE: {"flags": A.IMPORTED, "time": -5},
    C.IMPORTED_TIME_IN_FUTURE: {"flags": A.IMPORTED, "time": START_NS},
    C.IMPORTED_TIME_REGRESSED: {"flags": A.IMPORTED, "time": 1},
    C.LEDGER_FULL: {},
}
"""What a request changes to get each code."""
DIFFERENT: dict[AccountCode, Row] = {
    C.EXISTS_WITH_DIFFERENT_FLAGS: {"flags": A.DEBITS_LIMITED},
    C.EXISTS_WITH_DIFFERENT_USER_DATA: {"user_data": 1 << 64},
    C.EXISTS_WITH_DIFFERENT_USER_DATA_64: {"user_data_64": 1},
    C.EXISTS_WITH_DIFFERENT_USER_DATA_32: {"user_data_32": 1},
    C.EXISTS_WITH_DIFFERENT_ASSET: {"asset": 2},
    C.EXISTS_WITH_DIFFERENT_CODE: {"code": 2},
    C.EXISTS: {},
}
"""What a second request changes of one that was accepted."""


def answer(*codes: AccountCode) -> AccountCode:
    """Send a request that breaks the rules of all ``codes``, on the kernel, its twin and the model."""
    request = dict(REQUEST)
    for change in ({**ALONE, **DIFFERENT}[code] for code in codes):
        request |= change | {"flags": request["flags"] | int(change.get("flags", 0))}
    before = [{**REQUEST, "id": 5}]
    if any(code in DIFFERENT for code in codes):
        before.append(REQUEST)
    room = len(before) if C.LEDGER_FULL in codes else 1000
    ledger = Agreement(three_ledgers(accounts_max=room))
    ledger.open_accounts(raw.accounts(before), START_NS)
    batch = [{"flags": A.LINKED}, request] if C.CHAIN_FAILED in codes else [request]
    return ledger.open_accounts(raw.accounts(batch), START_NS)[-1]


def go_together(low: AccountCode, high: AccountCode) -> bool:
    """Whether one request can break both rules."""
    changes = {**ALONE, **DIFFERENT}
    if (set(changes[low]) & set(changes[high])) - {"flags"}:
        return False
    if high in DIFFERENT:  # an accepted request has a sound id, and is equal or different
        return high != C.EXISTS if low in DIFFERENT else "id" not in changes[low]
    # What was accepted before and differs in another field as well has a second code among the differences.
    return low not in DIFFERENT or not changes[high]


PAIRS = [pair for pair in combinations((code for code in C if code != C.OK), 2) if go_together(*pair)]


@pytest.mark.parametrize("code", [*ALONE, *DIFFERENT], ids=lambda code: code.name.lower())
def test_one_breach_alone(code: AccountCode) -> None:
    """Each change alone gets its own code."""
    assert answer(code) == code


@pytest.mark.parametrize(("low", "high"), PAIRS, ids=lambda code: code.name.lower())
def test_the_lower_of_two(low: AccountCode, high: AccountCode) -> None:
    """With both rules broken, the lower code is the answer."""
    assert answer(low, high) == low


def test_enough_pairs() -> None:
    """Most of the 231 pairs can be broken at once; a mistake in choosing them would show here."""
    assert len(PAIRS) > 120
