"""Where entries are ordered and kept: one port, and a log in memory, in files and in PostgreSQL behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, overload

from formicary.log.file import FileLog, FileLogReader, log_exists
from formicary.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from formicary.log.port import EMPTY, Head, Log, LogReader, head_of

__all__ = [
    "EMPTY",
    "FileLog",
    "FileLogReader",
    "Head",
    "Log",
    "LogReader",
    "MemoryLog",
    "MemoryLogReader",
    "MemoryStore",
    "head_of",
    "is_postgres",
    "log_exists",
    "open_log",
]

_POSTGRES_SCHEMES: Final = ("postgresql://", "postgres://")


def is_postgres(address: str | Path) -> bool:
    """Whether an address names a PostgreSQL server rather than a folder."""
    return str(address).startswith(_POSTGRES_SCHEMES)


@overload
def open_log(address: str | Path, *, writer: Literal[True] = True, create: bool = True) -> Log: ...


@overload
def open_log(address: str | Path, *, writer: Literal[False], create: bool = True) -> LogReader: ...


def open_log(address: str | Path, *, writer: bool = True, create: bool = True) -> Log | LogReader:
    """Open the log at ``address``: a folder, or ``postgresql://user@host/database?formicary_log=NAME``.

    A writer makes the log when there is none, unless ``create`` is off; a reader never does. Refuses with the code
    ``log_missing``.
    """
    if is_postgres(address):
        return _open_postgres(str(address), writer=writer, create=create)
    if not writer:
        return FileLogReader(address)
    return FileLog.open(address) if log_exists(address) or not create else FileLog.create(address)


def _open_postgres(address: str, *, writer: bool, create: bool) -> Log | LogReader:
    from formicary.log.postgres import PostgresLog, PostgresLogReader  # noqa: PLC0415 - psycopg is an extra

    if not writer:
        return PostgresLogReader(address)
    return PostgresLog(address, create=create)
