"""Records from plain numbers, for tests: wide fields by one name, and nothing checked.

A test must be able to write what a ledger refuses, so that it can see it refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.testing.model_books import HALF, Records


def accounts(rows: Iterable[Mapping[str, int]]) -> Records:
    """ACCOUNT records; ``id`` and ``user_data`` are 128-bit ints, what isn't named is zero."""
    return _records(ACCOUNT, rows)


def transfers(rows: Iterable[Mapping[str, int]]) -> Records:
    """TRANSFER records; ``id``, ``debit``, ``credit``, ``hold`` and ``user_data`` are 128-bit ints."""
    return _records(TRANSFER, rows)


def wide_fields(kind: np.dtype[np.void]) -> frozenset[str]:
    """Names of the fields that a record keeps as two halves."""
    return frozenset(name.removesuffix("_lo") for name in kind.names or () if name.endswith("_lo"))


def wide(records: Records, name: str) -> list[int]:
    """One 128-bit field of each record."""
    return [
        hi * HALF + lo for hi, lo in zip(records[f"{name}_hi"].tolist(), records[f"{name}_lo"].tolist(), strict=True)
    ]


def _records(kind: np.dtype[np.void], rows: Iterable[Mapping[str, int]]) -> Records:
    wides = wide_fields(kind)
    listed = list(rows)
    batch = np.zeros(len(listed), kind)
    for place, row in enumerate(listed):
        for name, value in row.items():
            if name in wides:
                batch[f"{name}_lo"][place], batch[f"{name}_hi"][place] = value % HALF, value // HALF
            else:
                batch[name][place] = value
    return batch
