"""What the kernel's white-box tests share: both kernels, short ways to make records, and all that can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from formicary.kernel.kernel import Kernel
from formicary.kernel.records import AMOUNT_ALL, TransferFlag
from formicary.testing import raw
from formicary.testing.agreement import twin

T = TransferFlag
KERNELS = {"compiled": lambda: Kernel, "uncompiled": twin}
START_NS = 1_700_000_000_000_000_000
SECOND_NS = 10**9
ACCOUNTS = 6

Seen = dict[str, Any]


def opened(kind: type[Kernel], folder: Any = None, **limits: int) -> Kernel:
    """Make a kernel with accounts 1 … ACCOUNTS of asset 1."""
    kernel = kind(folder, **limits)
    rows = [{"id": number, "asset": 1, "code": 1} for number in range(1, ACCOUNTS + 1)]
    assert not kernel.open_accounts(raw.accounts(rows), START_NS).any(), "the accounts open"
    return kernel


def move(number: int, debit: int, credit: int, amount: int, **more: int) -> Mapping[str, int]:
    """Describe a plain transfer, or another kind with ``flags``."""
    return {"id": number, "debit": debit, "credit": credit, "amount": amount, "asset": 1, "code": 1, **more}


def resolve(number: int, hold: int, flags: int, amount: int = AMOUNT_ALL) -> Mapping[str, int]:
    """Describe the capture or release of a hold."""
    return {"id": number, "hold": hold, "flags": flags, "amount": amount}


def post(kernel: Kernel, time_ns: int, *rows: Mapping[str, int]) -> list[int]:
    """Post rows as one batch."""
    return [int(code) for code in kernel.post(raw.transfers(rows), time_ns)]


def seen(kernel: Kernel) -> Seen:
    """Everything that can be seen of a kernel, to compare with another time or another kernel."""
    accounts, transfers = kernel.accounts_count, kernel.transfers_count
    return {
        "accounts": kernel.stored_accounts(0, accounts).tobytes(),
        "openings": kernel.stored_openings(0, accounts).tobytes(),
        "transfers": kernel.stored_transfers(0, transfers).tobytes(),
        "trails": kernel.stored_trails(0, transfers).tobytes(),
        "rows": [kernel.find_account(id_) for id_ in raw.wide(kernel.stored_accounts(0, accounts), "id")],
        "indexes": [kernel.find_transfer(id_) for id_ in raw.wide(kernel.stored_transfers(0, transfers), "id")],
        "next_expiry": kernel.next_expiry(),
    }


def balances(kernel: Kernel, account: int) -> tuple[int, int, int, int]:
    """Debits held and posted, credits held and posted of an account."""
    record = kernel.stored_accounts(0, kernel.accounts_count)[kernel.find_account(account)]
    names = ("debits_held", "debits_posted", "credits_held", "credits_posted")
    return tuple(int(record[name]) for name in names)  # type: ignore[return-value]


def random_rows(rng: np.random.Generator, first: int, count: int) -> list[Mapping[str, int]]:
    """Draw requests of every kind; many are refused, many of the holds they name exist."""
    rows: list[Mapping[str, int]] = []
    for number in range(first, first + count):
        debit, credit = (int(account) for account in rng.choice(np.arange(1, ACCOUNTS + 1), 2, replace=False))
        kind = int(rng.integers(0, 10))
        linked = int(rng.random() < 0.15) * T.LINKED
        if kind <= 3:
            row = move(number, debit, credit, int(rng.integers(1, 100)), flags=linked, code=int(rng.integers(1, 4)))
        elif kind <= 5:
            timeout = int(rng.choice([0, 1, 5]))
            row = move(number, debit, credit, int(rng.integers(1, 100)), flags=linked | T.HOLD, timeout=timeout)
        elif kind <= 8:
            flags = T.CAPTURE if kind < 8 else T.RELEASE
            row = resolve(number, int(rng.integers(max(1, first - 40), number + 1)), linked | flags)
        else:
            row = move(number, debit, credit, 1000, flags=linked | T.BALANCING_DEBIT)
        rows.append(row)
    return rows
