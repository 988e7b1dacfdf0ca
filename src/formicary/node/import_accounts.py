"""The accounts that an import meets: found by name or id, and opened when they are new.

A cell that starts with ``#`` is an account's id, anything else a name, unique within the row's asset.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np

from formicary.base.errors import BadInput
from formicary.base.ids import join_ids, parse_id, split_ids
from formicary.kernel.codes import AccountCode
from formicary.kernel.records import ACCOUNT, BATCH_MAX
from formicary.node.names import Names, check_name
from formicary.node.surface import Records, Surface

REMEMBERED_MAX: Final = 1_000_000
"""Accounts kept in memory; beyond that they are looked up again, so that any file imports in bounded memory."""
NO_ACCOUNT: Final = bytes(16)


class AccountBook:
    """Turn cells into account ids. While ``held_back``, accounts to open are gathered instead of opened."""

    def __init__(
        self,
        ledger: Surface,
        names: Names,
        *,
        open_new: bool = True,
        flags: int = 0,
        code: int = 1,
        held_back: bool = False,
    ) -> None:
        self._ledger = ledger
        self._names = names
        self._open_new = open_new
        self._flags = flags
        self._code = code
        self._held_back = held_back
        self._ids: dict[int, dict[str, bytes]] = {}
        self._why_not: dict[tuple[int, str], str] = {}
        self.waiting: list[Records] = []
        """Batches to open, while held back."""
        self.opened = 0

    def resolve(
        self, assets: Sequence[int], columns: Iterable[Sequence[str]], usable: Sequence[bool] | None = None
    ) -> None:
        """Make sure that the accounts of every usable row are known, or known to be wrong."""
        if sum(map(len, self._ids.values())) > REMEMBERED_MAX:
            self._ids.clear()
            self._why_not.clear()
        wanted: dict[int, dict[str, None]] = {}
        for texts in columns:
            for asset, part in _by_asset(assets, texts, usable):
                wanted.setdefault(asset, {}).update(part)
        for asset, part in wanted.items():
            known = self._ids.setdefault(asset, {})
            new = [text for text in part if text and text not in known and (asset, text) not in self._why_not]
            self._resolve_within(asset, new)

    def ids_of(self, assets: Sequence[int], texts: Sequence[str]) -> list[bytes | None]:
        """Return the 16 bytes of each id as they lie in a record, or None for what is wrong or was left out."""
        if len(set(assets)) == 1:
            return list(map(self._ids.get(assets[0], {}).get, texts))
        return [self._ids.get(asset, {}).get(text) for asset, text in zip(assets, texts, strict=True)]

    def why_not(self, asset: int, text: str) -> str:
        """Say what is wrong with an account's cell."""
        return self._why_not[asset, text]

    def open(self, records: Records) -> None:
        """Open accounts, or gather them while held back; those that are there already stay as they are."""
        for start in range(0, len(records), BATCH_MAX):
            batch = records[start : start + BATCH_MAX]
            if self._held_back:
                self.waiting.append(batch)
                self.opened += len(batch)
            else:
                self.opened += int(np.count_nonzero(self._ledger.open_accounts(batch) == AccountCode.OK))

    def missing(self, ids: Sequence[int]) -> list[int]:
        """Return those ids, in order, that no account of the ledger has yet."""
        found: set[int] = set()
        for part in _parts(ids):
            records = self._ledger.lookup_accounts(part)
            found.update(join_ids(records["id_lo"], records["id_hi"]))
        return [number for number in ids if number not in found]

    def _resolve_within(self, asset: int, texts: Sequence[str]) -> None:
        if not texts:
            return
        numbers: dict[str, int] = {}
        for text in texts:
            try:
                if text.startswith("#"):
                    numbers[text] = parse_id(text[1:])
                else:
                    check_name(text)
            except BadInput as error:
                self._why_not[asset, text] = str(error)
        names = [text for text in texts if not text.startswith("#") and (asset, text) not in self._why_not]
        numbers.update(self._named(asset, names))
        self._ids[asset].update({text: number.to_bytes(16, "little") for text, number in numbers.items()})
        if self._open_new:
            self.open(self._openings(asset, self.missing(list(dict.fromkeys(numbers.values())))))

    def _named(self, asset: int, names: Sequence[str]) -> dict[str, int]:
        if self._open_new:
            return dict(zip(names, self._names.ids(names, asset), strict=True))
        known = self._names.known(names, asset)
        for name in names:
            if name not in known:
                self._why_not[asset, name] = f"there is no account {name!r} of this asset, and new ones are not opened"
        return dict(known)

    def _openings(self, asset: int, ids: Sequence[int]) -> Records:
        records = np.zeros(len(ids), ACCOUNT)
        records["id_lo"], records["id_hi"] = split_ids(ids)
        records["asset"], records["code"], records["flags"] = asset, self._code, self._flags
        return records


def _by_asset(
    assets: Sequence[int], texts: Sequence[str], usable: Sequence[bool] | None
) -> Iterator[tuple[int, dict[str, None]]]:
    """Give the different texts of usable rows for each asset, in the order met."""
    if usable is None and len(set(assets)) == 1:
        yield assets[0], dict.fromkeys(texts)
        return
    for place, (asset, text) in enumerate(zip(assets, texts, strict=True)):
        if usable is None or usable[place]:
            yield asset, {text: None}


def _parts(ids: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while part := list(islice(rest, BATCH_MAX)):
        yield part
