"""Hints to the operating system about files: each promises nothing and never fails, and Python names neither."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_KEEP_SIZE: Final = 1  # FALLOC_FL_KEEP_SIZE
_FLUSH_WRITE: Final = 2  # SYNC_FILE_RANGE_WRITE: start writing, don't wait


def _hint(name: str, *types: type[ctypes._SimpleCData[int]]) -> Callable[..., object] | None:
    """A function of the C library that Python has no name for, or ``None`` where the system lacks it."""
    with suppress(OSError, AttributeError):
        function = getattr(ctypes.CDLL(None), name)
        function.argtypes = types
        function.restype = ctypes.c_int
        return function  # type: ignore[no-any-return]
    return None


_fallocate: Final = _hint("fallocate", ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
_sync_file_range: Final = _hint("sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def begin_flush(descriptor: int, offset: int, length: int) -> None:
    """These bytes will be synced soon: start writing them, without waiting (``sync_file_range``)."""
    if _sync_file_range is not None and length > 0:
        _sync_file_range(descriptor, offset, length, _FLUSH_WRITE)


def reserve(descriptor: int, size: int) -> None:
    """The file will grow to ``size``: take the room, and leave its length (``fallocate``)."""
    if _fallocate is not None:
        _fallocate(descriptor, _KEEP_SIZE, 0, size)
