"""Adds up all accounts of the kernel by account code: whatever made money shows there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from formicary.kernel.kernel import Kernel

CHUNK: Final = 65_536
"""Accounts copied at a time."""
_HALF: Final = 32
_HALF_MASK: Final = 2**32 - 1


def totals_by_code(kernel: Kernel, asset: int) -> list[tuple[int, int, int]]:
    """(account code, posted debits, posted credits) of all accounts of an asset, in order of the code.

    Walks over every account: about 10 ns each.
    """
    sums: dict[int, list[int]] = {}
    for first in range(0, kernel.accounts_count, CHUNK):
        records = kernel.stored_accounts(first, min(first + CHUNK, kernel.accounts_count))
        records = records[records["asset"] == asset]
        for code in np.unique(records["code"]).tolist():
            chosen = records[records["code"] == code]
            found = sums.setdefault(code, [0, 0])
            found[0] += _exact_sum(chosen["debits_posted"])
            found[1] += _exact_sum(chosen["credits_posted"])
    return [(code, sums[code][0], sums[code][1]) for code in sorted(sums)]


def _exact_sum(amounts: npt.NDArray[np.int64]) -> int:
    # In two halves of 32 bits, which 65,536 of them can't overflow.
    low, high = int((amounts & _HALF_MASK).sum()), int((amounts >> _HALF).sum())
    return low + (high << _HALF)
