"""The id table against a plain dict, through growth in small steps and removal of the newest."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.compiled import uncompiled
from formicary.kernel import idtable
from formicary.kernel.records import TRANSFER

MODULES = {"compiled": idtable, "uncompiled": uncompiled("formicary.kernel.idtable", "formicary.kernel")}
ROOM = 4000


class Book:
    """Records with an id table over them, and a dict that says what should be found."""

    def __init__(self, module: ModuleType, seed: int = 1) -> None:
        self.module = module
        self.records = np.zeros(ROOM, TRANSFER)
        self.table = module.IdTable(module.seeds_from(seed.to_bytes(16, "little")))
        self.model: dict[int, int] = {}
        self.count = 0

    def add(self, ids: list[int]) -> None:
        """Store records with new ids."""
        self.table.make_room(self.records, self.count, len(ids))
        for number in ids:
            if number in self.model:
                continue
            record = self.records[self.count]
            record["id_lo"], record["id_hi"] = number % 2**64, number >> 64
            hashed = np.uint64(self.module.mix(self.table.ids.seeds, record["id_lo"], record["id_hi"]))
            self.module.insert(self.table.ids.slots, self.count, hashed)
            self.model[number] = self.count
            self.count += 1

    def remove(self, count: int) -> None:
        """Take the newest records out again."""
        for _ in range(min(count, self.count)):
            self.count -= 1
            self.module.remove(self.table.ids, self.records, self.count)
            del self.model[next(number for number, index in self.model.items() if index == self.count)]

    def find(self, number: int) -> int:
        """Look an id up."""
        low, high = np.uint64(number % 2**64), np.uint64(number >> 64)
        ids = self.table.ids
        hashed = np.uint64(self.module.mix(ids.seeds, low, high))
        return int(self.module.find(ids, self.records, low, high, hashed))

    def check(self) -> None:
        """Every id is found where it is, and others are not."""
        assert {number: self.find(number) for number in self.model} == self.model
        others = [1 << 100, 2**128 - 1, *(number ^ 1 << 127 for number in list(self.model)[-5:])]
        assert all(self.find(number) == self.model.get(number, -1) for number in others)


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Either module, with a first table of 16 slots and little work at a time, so that much happens."""
    module = MODULES[request.param]
    monkeypatch.setattr(module, "SLOTS_MIN", 16)
    monkeypatch.setattr(module, "WORK_MIN", 1)
    return module


IDS = st.lists(st.integers(1, 40) | st.integers(1, 2**128 - 2), max_size=6)
STEPS = st.lists(st.tuples(st.just("add"), IDS) | st.tuples(st.just("remove"), st.integers(1, 12)), max_size=60)


@pytest.mark.parametrize("name", MODULES)
@given(steps=STEPS, seed=st.integers(0, 2**128 - 1))
def test_it_finds_what_a_dict_finds(name: str, steps: list[tuple[str, object]], seed: int) -> None:
    """Whatever is added and removed in whatever order, at every load and half way through growth."""
    module = MODULES[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SLOTS_MIN", 16)
        patch.setattr(module, "WORK_MIN", 1)
        patch.setattr(module, "FULL_PERCENT_MAX", 90)  # six at once is much for sixteen slots
        book = Book(module, seed)
        for action, value in steps:
            getattr(book, action)(value)
            book.check()


def test_growth_keeps_up(module: ModuleType) -> None:
    """One record at a time, the load stays below its limit, and no step moves more than its share."""
    book = Book(module)
    tables = set()
    for number in range(1, 3000):
        before = book.table.ids
        book.add([number])
        ids = book.table.ids
        tables.add(len(ids.slots))
        assert 100 * book.count <= module.FULL_PERCENT_MAX * len(ids.slots)
        if ids.slots is before.slots:
            assert ids.progress[module.MOVED] - before.progress[module.MOVED] <= module.MOVES_PER_RECORD
    book.check()
    assert tables == {16 << power for power in range(10)}, "it doubled each time"


def test_growth_half_way_survives_removal(module: ModuleType) -> None:
    """Records that have moved, have not moved and were added meanwhile can all be taken back."""
    book = Book(module)
    number = 0
    while not (book.count > 500 and book.table.ids.progress[module.MOVED] > 20):
        number += 1
        book.add([number])
    ids = book.table.ids
    assert ids.progress[module.MOVED] < ids.progress[module.UNTIL] < book.count + 2, "half way"
    while book.count:
        book.remove(37)
        book.check()
    book.add([1, 2, 3])
    book.check()


def test_a_snapshot_stays_whole_while_the_table_grows(module: ModuleType) -> None:
    """A reader that keeps the slots it was given finds all that was there, whatever the owner does since."""
    book = Book(module)
    book.add(list(range(1, 6)))
    for number in range(6, 120):
        snapshot, count = book.table.ids, book.count
        for more in range(3):
            book.add([number * 1000 + more])
        kept, book.table.ids = book.table.ids, snapshot
        assert all(book.find(int(book.records["id_lo"][index])) == index for index in range(count))
        book.table.ids = kept


def test_seeds_decide_places_and_nothing_else() -> None:
    """Two processes put the same ids in different places and find them all the same."""
    first, second = Book(idtable, seed=1), Book(idtable, seed=2)
    for book in (first, second):
        book.add(list(range(1, 400)))
        book.check()
    assert not np.array_equal(first.table.ids.slots, second.table.ids.slots)


def test_sequential_ids_spread_evenly() -> None:
    """Neighbouring ids, and ids that differ only in their upper half, crowd nowhere: searches stay short."""
    for ids in (list(range(1, 3000)), [number << 64 for number in range(1, 3000)]):
        module = MODULES["uncompiled"]
        seeds = module.seeds_from(bytes(range(16)))
        places = [int(module.mix(seeds, np.uint64(n % 2**64), np.uint64(n >> 64))) % 8192 for n in ids]
        assert np.bincount(places).max() <= 8


def test_compiled_and_uncompiled_hash_alike() -> None:
    """The wrapping products come out the same in both."""
    seeds = idtable.seeds_from(bytes(range(16)))
    for low, high in ((0, 0), (1, 0), (2**64 - 1, 2**64 - 1), (12345, 2**63)):
        words = np.uint64(low), np.uint64(high)
        assert idtable.mix(seeds, *words) == MODULES["uncompiled"].mix(seeds, *words)
