"""Where an id is stored: open addressing over uint64 slots, in compiled code, growing a little at every batch.

A slot is empty (0) or ``tag << 40 | index + 1``: 24 bits of the id's hash, and which record has it. A tag that agrees
is checked against the record itself, so a lookup is exact. Two seeds, drawn anew by every process, make sure that
nobody can choose ids that crowd into one place; where an id lies is never seen in a result.

Growth is spread out: the next table's memory is touched a piece at a time, then records move over in order of their
index while both tables live, and a lookup asks the new one first. ``progress`` holds how far this has come: records
below ``progress[MOVED]`` are in ``slots``, those from there to ``progress[UNTIL]`` still only in ``previous``.

Invariant: every record below the count is found, and nothing else; the load stays at or below :data:`FULL_PERCENT_MAX`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.compiled import I64, U64, compiled, compiled_apart, compiled_wrapping
from formicary.kernel.storage import Records, zeroed

Words = npt.NDArray[np.uint64]

INDEX_BITS: Final = U64(40)
INDEX_MASK: Final = U64(2**40 - 1)
EMPTY: Final = U64(0)
ONE: Final = U64(1)

MOVED: Final = 0
UNTIL: Final = 1

SLOTS_MIN: Final = 1 << 16
GROW_PERCENT: Final = 45
"""How full a table is, in percent of its slots, when the next one is begun."""
FULL_PERCENT_MAX: Final = 60
"""How full a table may become before the next one holds everything."""
MOVES_PER_RECORD: Final = 6
BYTES_PER_RECORD: Final = 256
"""Records moved, and bytes of the next table touched, for each record of a batch."""
WORK_MIN: Final = 256
"""Small batches do the share of this many records, so that growth ends soon."""


class IdSlots(NamedTuple):
    """The table as compiled code sees it."""

    slots: Words
    previous: Words
    progress: npt.NDArray[np.int64]
    seeds: Words


@compiled_wrapping
def mix(seeds: Words, low: np.uint64, high: np.uint64) -> np.uint64:
    """Hash an id: two seeded rounds of MurmurHash3's 64-bit finalizer. Sums and products wrap on purpose."""
    word = low ^ seeds[0]
    word = (word ^ (word >> U64(33))) * U64(0xFF51AFD7ED558CCD)
    word = (word ^ (word >> U64(33))) * U64(0xC4CEB9FE1A85EC53)
    word = word ^ high ^ seeds[1]
    word = (word ^ (word >> U64(33))) * U64(0xFF51AFD7ED558CCD)
    word = (word ^ (word >> U64(33))) * U64(0xC4CEB9FE1A85EC53)
    return U64(word ^ (word >> U64(33)))


@compiled
def home(slots: Words, hashed: np.uint64) -> np.uint64:
    """Where the search for a hash begins."""
    return hashed & U64(slots.shape[0] - 1)


@compiled
def slot_of(index: int, hashed: np.uint64) -> np.uint64:
    """Make a slot's contents."""
    return ((hashed >> INDEX_BITS) << INDEX_BITS) | U64(index + 1)


@compiled
def find_in(slots: Words, records: Records, low: np.uint64, high: np.uint64, hashed: np.uint64) -> int:
    """Look for an id in one table: the record's index, or -1."""
    mask = U64(slots.shape[0] - 1)
    place = home(slots, hashed)
    while slots[place] != EMPTY:
        slot = slots[place]
        if slot >> INDEX_BITS == hashed >> INDEX_BITS:
            index = I64(slot & INDEX_MASK) - 1
            record = records[index]
            if record["id_lo"] == low and record["id_hi"] == high:
                return index
        place = (place + ONE) & mask
    return -1


@compiled
def find(ids: IdSlots, records: Records, low: np.uint64, high: np.uint64, hashed: np.uint64) -> int:
    """Look for an id, also among those that have not moved yet: the record's index, or -1."""
    index = find_in(ids.slots, records, low, high, hashed)
    if index < 0 and ids.progress[MOVED] < ids.progress[UNTIL]:
        index = find_in(ids.previous, records, low, high, hashed)
    return index


@compiled
def find_record(ids: IdSlots, records: Records, low: np.uint64, high: np.uint64) -> int:
    """Look for a record by its id: its index, or -1."""
    return find(ids, records, low, high, mix(ids.seeds, low, high))


@compiled
def insert(slots: Words, index: int, hashed: np.uint64) -> None:
    """Add a record whose id is not there yet."""
    mask = U64(slots.shape[0] - 1)
    place = home(slots, hashed)
    while slots[place] != EMPTY:
        place = (place + ONE) & mask
    slots[place] = slot_of(index, hashed)


@compiled_apart
def remove_from(slots: Words, records: Records, seeds: Words, index: int) -> None:
    """Take a record out and close the gap, so that no lookup stops short of what lay behind it."""
    size = U64(slots.shape[0])
    mask = size - ONE
    hashed = mix(seeds, records[index]["id_lo"], records[index]["id_hi"])
    hole = hashed & mask
    while slots[hole] != slot_of(index, hashed):
        assert slots[hole] != EMPTY, "an id that is stored must have its slot"
        hole = (hole + ONE) & mask
    place = (hole + ONE) & mask
    while slots[place] != EMPTY:
        record = records[I64(slots[place] & INDEX_MASK) - 1]
        home = mix(seeds, record["id_lo"], record["id_hi"]) & mask
        if (place + size - home) & mask >= (place + size - hole) & mask:
            slots[hole] = slots[place]
            hole = place
        place = (place + ONE) & mask
    slots[hole] = EMPTY


@compiled
def remove(ids: IdSlots, records: Records, index: int) -> None:
    """Forget the newest record, which must still be in place; its index will be used again."""
    progress = ids.progress
    if progress[MOVED] <= index < progress[UNTIL]:
        remove_from(ids.previous, records, ids.seeds, index)
    else:
        remove_from(ids.slots, records, ids.seeds, index)
    progress[UNTIL] = min(progress[UNTIL], index)
    progress[MOVED] = min(progress[MOVED], index)


@compiled
def insert_range(slots: Words, seeds: Words, records: Records, first: int, last: int) -> None:
    """Add the records ``first … last - 1``, whose ids are all different and not there yet."""
    for index in range(first, last):
        insert(slots, index, mix(seeds, records[index]["id_lo"], records[index]["id_hi"]))


class IdTable:
    """The owner of the slots: decides when they grow, and does each batch's share of it."""

    def __init__(self, seeds: Words, room_for: int = 0) -> None:
        """Make an empty table, large enough to take ``room_for`` records before it first grows."""
        size = SLOTS_MIN
        while 100 * room_for > GROW_PERCENT * size:
            size *= 2
        self.ids = IdSlots(zeroed(size, np.uint64), zeroed(1, np.uint64), np.zeros(2, np.int64), seeds)
        self._next: Words | None = None
        self._touched = 0

    def make_room(self, records: Records, count: int, incoming: int) -> None:
        """Get ready for ``incoming`` more records; replaces ``ids`` when a table comes or goes."""
        work = max(incoming, WORK_MIN)
        if self._is_moving():
            self._move(records, work * MOVES_PER_RECORD)
        elif self._next is not None or 100 * (count + incoming) > GROW_PERCENT * len(self.ids.slots):
            self._prepare(work * BYTES_PER_RECORD)
            if self._next is not None and self._touched == len(self._next):
                self._begin(count)
                self._move(records, work * MOVES_PER_RECORD)
        is_full = 100 * (count + incoming) > FULL_PERCENT_MAX * len(self.ids.slots)
        assert not is_full, "the id table grows too slowly"

    def _is_moving(self) -> bool:
        return bool(self.ids.progress[MOVED] < self.ids.progress[UNTIL])

    def _prepare(self, budget: int) -> None:
        """Touch the next piece of the next table: its pages come zeroed from the system, which takes time."""
        if self._next is None:
            self._next, self._touched = zeroed(2 * len(self.ids.slots), np.uint64), 0
        last = min(len(self._next), self._touched + budget // self._next.itemsize)
        self._next[self._touched : last] = EMPTY
        self._touched = last

    def _begin(self, count: int) -> None:
        assert self._next is not None
        progress = np.array([0, count], np.int64)
        self.ids = self.ids._replace(slots=self._next, previous=self.ids.slots, progress=progress)
        self._next = None

    def _move(self, records: Records, budget: int) -> None:
        """Move records over; the table they came from is let go when the last has moved."""
        progress = self.ids.progress
        last = min(progress[UNTIL], progress[MOVED] + budget)
        insert_range(self.ids.slots, self.ids.seeds, records, int(progress[MOVED]), int(last))
        progress[MOVED] = last
        if not self._is_moving():
            self.ids = self.ids._replace(previous=zeroed(1, np.uint64), progress=np.zeros(2, np.int64))


def seeds_from(random: bytes) -> Words:
    """Make seeds from 16 random bytes."""
    return np.array(np.frombuffer(random, np.uint64, 2))
