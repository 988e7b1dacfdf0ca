"""Records that hardly change once they are accepted: written in memory, then to their file, then read from the file.

New records lie in huge pages of anonymous memory, where writing them is fastest. Another thread puts them into the file
(:meth:`SettlingArray.write_out`). Whole chunks that are in the file then *settle*: the file is mapped over their
memory, at the same addresses, and the memory goes back to the system. Whoever holds a view sees the same bytes all the
time.

A mapped file alone would do all this by itself, but at three times the cost: a fault for every 4 KiB page, and a second
one whenever the system has begun to write the page out.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from formicary.kernel.storage import HUGE_PAGE, RESERVED_FILE, GrowingArray, Records, disk_faults, reserve_memory

CHUNK_BYTES: Final = HUGE_PAGE
"""What settles at once: a huge page, so that none has to be split."""
_MAP_FIXED: Final = 0x10
_FAILED: Final = ctypes.c_void_p(-1).value


def _system_mmap() -> Any:  # noqa: ANN401 - a foreign function
    """Find mmap itself: Python's module maps where it likes, and this must be *there*."""
    function = ctypes.CDLL(None, use_errno=True).mmap
    function.restype = ctypes.c_void_p
    function.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int64,
    )
    return function


_mmap: Final = _system_mmap()


class SettlingArray(GrowingArray):
    """A :class:`GrowingArray` over a file whose records are final once they are written out.

    Where one field may still be set later (``touched_later``), a chunk is written once more as it settles.
    """

    def __init__(self, dtype: np.dtype[Any], path: Path, *, touched_later: bool = False) -> None:
        """Open the array over the file at ``path``, made when missing."""
        assert CHUNK_BYTES % dtype.itemsize == 0, "a chunk holds whole records"
        self._settled = 0
        self._touched_later = touched_later
        super().__init__(dtype, path)
        self._written = self._size
        self._read_in()

    def write_out(self, first: int, last: int) -> None:
        """Put records [first, last), which are final, into the file; from one thread, in order."""
        if first < last:
            self._write(first * self.dtype.itemsize, last * self.dtype.itemsize)
            self._written = last * self.dtype.itemsize

    def _write(self, start: int, stop: int) -> None:
        data = memoryview(self.view.view(np.uint8))[start:stop]
        with disk_faults(str(self.path)):
            while data:
                done = os.pwrite(self._file, data, start)
                data, start = data[done:], start + done

    def settle(self) -> None:
        """Let the file take the place of whole chunks that are in it; between batches, by the thread that writes."""
        ready = self._written // CHUNK_BYTES * CHUNK_BYTES
        if ready > self._settled:
            if self._touched_later:
                self._write(self._settled, ready)
            self._overlay(self._settled, ready)

    def _read_in(self) -> None:
        """Show what the file holds: its whole chunks mapped, the rest read into memory."""
        whole = self._size // CHUNK_BYTES * CHUNK_BYTES
        if whole:
            self._overlay(0, whole)
        rest = memoryview(self.view.view(np.uint8))[whole:]
        with disk_faults(str(self.path)):
            while rest and (count := os.preadv(self._file, [rest], self._size - len(rest))):
                rest = rest[count:]

    def _overlay(self, start: int, stop: int) -> None:
        """Map the file over bytes [start, stop) of the memory; where the system will not, memory goes on serving."""
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        flags = mmap.MAP_SHARED | _MAP_FIXED
        if _mmap(self._base + start, stop - start, protection, flags, self._file, start) != _FAILED:
            self._settled = stop
        elif start == 0 and self._settled == 0:
            self._copy_in(stop)

    def _copy_in(self, stop: int) -> None:
        """Read what could not be mapped."""
        rest = memoryview(self.view.view(np.uint8))[:stop]
        with disk_faults(str(self.path)):
            while rest and (count := os.preadv(self._file, [rest], stop - len(rest))):
                rest = rest[count:]

    def _reserve(self, size: int) -> mmap.mmap:
        """Reserve memory instead of mapping the file, its records beginning at a huge page."""
        mapping = reserve_memory(size + HUGE_PAGE)
        start = np.frombuffer(mapping, np.uint8).ctypes.data
        self._offset = -start % HUGE_PAGE
        self._base = start + self._offset
        return mapping

    def _make_view(self) -> Records:
        return np.frombuffer(self._mapping, self.dtype, self._size // self.dtype.itemsize, self._offset)

    def _extend_file(self, size: int) -> None:
        self._allocate(size)
        self._extend_memory(size)


assert RESERVED_FILE % CHUNK_BYTES == 0
