"""Every exception that Formicary raises on purpose, in one tree.

::

    FormicaryError
    ├── Refusal             expected: a stable code, a plain message, nothing changed
    │   └── BadInput        a door could not read what it was given; says what and where
    └── Fault               the environment failed; the work is not acknowledged
        ├── Locked          another process has this ledger open for writing
        ├── Fenced          a newer writer has taken over; this one must stop
        ├── StorageFull     no room left; nothing that was acknowledged is lost
        ├── StorageReadOnly the disk does not take writes
        ├── Corrupt         stored bytes are not the bytes written: file, record, offset
        ├── Diverged        two histories, or a history and its digest, part here
        └── Closed          the ledger, or the connection to it, is closed or has failed before

A bug is neither: it is an ``AssertionError``, and the node stops.
"""

from __future__ import annotations


class FormicaryError(Exception):
    """Base of everything raised on purpose; ``code`` is stable, the message is for people."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class Refusal(FormicaryError):
    """An expected outcome: the request breaks a rule, and changed nothing."""

    code = "refused"


class BadInput(Refusal):
    """Input that a door could not read; ``where`` names the file, row, column or field."""

    code = "bad_input"

    def __init__(self, message: str, *, where: str = "", code: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message, code=code)
        self.where = where


class Fault(FormicaryError):
    """The environment failed; nothing unacknowledged may be relied on."""

    code = "fault"


class Locked(Fault):
    """Another process has this ledger open for writing."""

    code = "locked"


class Fenced(Fault):
    """A newer writer has taken over; this one may append no more."""

    code = "fenced"


class StorageFull(Fault):
    """The disk has no room; what was acknowledged is safe, new work is refused."""

    code = "storage_full"


class StorageReadOnly(Fault):
    """The disk does not take writes; reads go on."""

    code = "storage_read_only"


class Corrupt(Fault):
    """Stored bytes are not the bytes that were written."""

    code = "corrupt"

    def __init__(self, message: str, *, file: str, record: int, offset: int) -> None:
        super().__init__(f"{file}: record {record} at byte {offset}: {message}")
        self.file = file
        self.record = record
        self.offset = offset


class Diverged(Fault):
    """Two histories that should be one part at entry ``index``."""

    code = "diverged"

    def __init__(self, message: str, *, index: int) -> None:
        super().__init__(f"entry {index}: {message}")
        self.index = index


class Closed(Fault):
    """The ledger or connection was closed, or failed before and must be opened anew."""

    code = "closed"
