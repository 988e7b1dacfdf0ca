"""The trial balance: what all accounts of an asset, and of each code within it, add up to.

Debits equal credits in every asset, held and posted ones apart: if they ever did not, money would have been made or
lost. The sums of many accounts may pass 63 bits, so compiled code adds them up in two halves of 32 bits.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from formicary.base.compiled import compiled
from formicary.kernel.kernel import Kernel
from formicary.queries.pages import Ints, Records

GROUPS_MIN: Final = 1024
"""Places for pairs of asset and code at first; a ledger with more of them is added up again with twice as many."""
CODE_BITS: Final = 16
SIDES: Final = 4
FIELDS: Final = 1 + 2 * SIDES
"""Of a group: how many accounts, then low and high half of debits held and posted, credits held and posted."""
WORD_BITS: Final = 32
WORD_MASK: Final = 2**32 - 1


class CodeTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of all accounts of one asset that have one code, in minor units."""

    code: int
    accounts: int
    debits_held: int
    debits_posted: int
    credits_held: int
    credits_posted: int


class AssetTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of all accounts of one asset, and those of each code within it."""

    asset: int
    accounts: int
    debits_held: int
    debits_posted: int
    credits_held: int
    credits_posted: int
    codes: tuple[CodeTotals, ...]

    @property
    def balanced(self) -> bool:
        """Whether debits equal credits."""
        return self.debits_held == self.credits_held and self.debits_posted == self.credits_posted


class TrialBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Every asset of a ledger, by number."""

    assets: tuple[AssetTotals, ...] = ()

    @property
    def balanced(self) -> bool:
        """Whether debits equal credits in every asset."""
        return all(asset.balanced for asset in self.assets)


@compiled
def add_up(accounts: Records, count: int, keys: Ints, sums: Ints) -> bool:
    """Add each account to the sums of its asset and code; False when there are too many of those for the room."""
    mask = keys.shape[0] - 1
    free = keys.shape[0] // 2
    for row in range(count):
        account = accounts[row]
        key = np.int64(account["asset"]) << CODE_BITS | np.int64(account["code"])
        place = (key ^ key >> CODE_BITS) & mask
        while keys[place] != 0 and keys[place] != key:
            place = (place + 1) & mask
        if keys[place] == 0:
            if free == 0:
                return False
            free -= 1
            keys[place] = key
        sums[place, 0] += 1
        add_halves(sums, place, 1, account["debits_held"])
        add_halves(sums, place, 3, account["debits_posted"])
        add_halves(sums, place, 5, account["credits_held"])
        add_halves(sums, place, 7, account["credits_posted"])
    return True


@compiled
def add_halves(sums: Ints, place: int, field: int, amount: int) -> None:
    """Add an amount to a sum that is kept in two halves."""
    sums[place, field] += amount & WORD_MASK
    sums[place, field + 1] += amount >> WORD_BITS


def trial_balance(kernel: Kernel) -> TrialBalance:
    """Add up all accounts as they are now, in the writer's turn: about 0.2 s for 10 million of them."""
    room, is_done = GROUPS_MIN, False
    while not is_done:
        keys, sums = np.zeros(room, np.int64), np.zeros((room, FIELDS), np.int64)
        is_done = bool(add_up(kernel.tables.accounts, kernel.accounts_count, keys, sums))
        room *= 2
    groups: dict[int, list[CodeTotals]] = {}
    for place in np.flatnonzero(keys)[np.argsort(keys[keys != 0])].tolist():
        asset, code = divmod(int(keys[place]), 1 << CODE_BITS)
        groups.setdefault(asset, []).append(_code_totals(code, sums[place].tolist()))
    return TrialBalance(assets=tuple(_asset_totals(asset, tuple(codes)) for asset, codes in groups.items()))


def _code_totals(code: int, fields: list[int]) -> CodeTotals:
    accounts, *halves = fields
    lows, highs = halves[::2], halves[1::2]
    debits_held, debits_posted, credits_held, credits_posted = (
        low + (high << WORD_BITS) for low, high in zip(lows, highs, strict=True)
    )
    return CodeTotals(
        code=code,
        accounts=accounts,
        debits_held=debits_held,
        debits_posted=debits_posted,
        credits_held=credits_held,
        credits_posted=credits_posted,
    )


def _asset_totals(asset: int, codes: tuple[CodeTotals, ...]) -> AssetTotals:
    return AssetTotals(
        asset=asset,
        accounts=sum(code.accounts for code in codes),
        debits_held=sum(code.debits_held for code in codes),
        debits_posted=sum(code.debits_posted for code in codes),
        credits_held=sum(code.credits_held for code in codes),
        credits_posted=sum(code.credits_posted for code in codes),
        codes=codes,
    )
