"""Logs of the doors: one JSON object a line on stderr, without personal data and without secrets.

What may stand in a line is a list of names, not what seems harmless: a field that is not in :data:`FIELDS` is left out,
and so is every text that is not of the plain form that codes, routes and ids have. An exception is written as its type
and the places that it went through, never with its message, which may quote what somebody wrote.
"""

from __future__ import annotations

import contextvars
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final, TextIO

import structlog

from formicary.gateway.routes import Observer, Seen

if TYPE_CHECKING:
    from formicary.gateway.door import Door

FIELDS: Final = frozenset(
    {
        *("event", "level", "time", "request", "method", "route", "status", "milliseconds", "code", "entry", "entries"),
        *(
            "product",
            "command",
            "query",
            "kind",
            "count",
            "bytes",
            "address",
            "version",
            "signal",
            "webhook",
            "attempt",
        ),
        *("error", "places", "port", "pid", "seconds", "reason"),
    }
)
"""Everything that a line may hold."""
TEXT_CHARS_MAX: Final = 120
PLACES_MAX: Final = 12
LOUD_FROM: Final = 500
"""Answers from this status on are always written."""
SLOW_S: Final = 1.0
"""So are requests that took longer."""
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_state: Final = {"debug": False}
_PLAIN: Final = re.compile(r"[A-Za-z0-9 _./:{}*,()<>+=-]*")
_LONG_DIGITS: Final = re.compile(r"\d{7,}")
REQUEST: Final[contextvars.ContextVar[str]] = contextvars.ContextVar("request", default="")
"""Id of the request that is being answered."""


def set_up(*, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Have every log line of the doors, and of libraries, go through the filter to ``stream`` (stderr)."""
    out = stream or sys.stderr
    _state["debug"] = level <= logging.DEBUG
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _add_request,
            _write_exception,
            only_known,
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Bridge()]
    root.setLevel(logging.WARNING)


def log() -> Any:  # noqa: ANN401 - structlog's own bound logger
    """Return the logger: ``log().info("webhook_off", webhook=…)``; the event is a name, not a sentence."""
    return structlog.get_logger()


class _Bridge(logging.Handler):
    """Tells that a library complained, and from where, without its words."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        log().warning("library", reason=f"{record.name}:{record.lineno}", error=kind)


def _add_request(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    request = REQUEST.get()
    if request:
        line["request"] = request
    return line


def _write_exception(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    """Put an exception as its type and places; ``exc_info`` may be the exception or True."""
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-PLACES_MAX:]
        line["error"] = type(error).__name__
        line["places"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    return line


def only_known(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    """Leave out whatever is not in the list, or not plain."""
    return {name: _plain(value) for name, value in line.items() if name in FIELDS}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever was given
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value[:PLACES_MAX]]
    text = str(value)
    return text if _is_plain(text) else f"<{len(text)} characters>"


def _is_plain(text: str) -> bool:
    """Whether a text can be no name, number or address of a person: plain characters, no mail address, no long number.

    Times and hexadecimal ids have long digits too; they are known by their form.
    """
    if len(text) > TEXT_CHARS_MAX or not _PLAIN.fullmatch(text):
        return False
    return not _LONG_DIGITS.search(text) or _IDS.fullmatch(text) is not None


_IDS: Final = re.compile(r"[0-9a-f]{16,64}|\d{4}-\d\d-\d\dT[0-9:.]+Z?|[a-z]+_[a-z0-9_]+")


def observers(_door: Door) -> list[Observer]:
    """Write one line for each request that was answered."""
    return [write_request]


def write_request(seen: Seen) -> None:
    """Write how a request went: nothing of who asked, and the route instead of the address. Silent until set up."""
    is_loud = seen.error is not None or seen.status >= LOUD_FROM or seen.seconds >= SLOW_S
    if not (is_loud or _state["debug"]) or not structlog.is_configured():
        return
    line = {
        "request": seen.request,
        "method": seen.method,
        "route": seen.path,
        "status": seen.status,
        "code": seen.code,
        "milliseconds": round(seen.seconds * 1000, 1),
        "kind": str(seen.kind),
    }
    if seen.error is not None:
        log().error("request", **line, exc_info=seen.error)
    elif is_loud:
        log().info("request", **line)
    else:
        log().debug("request", **line)
