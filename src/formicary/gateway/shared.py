"""What modules of the gateway have in common: one object of a kind for each door, times as text, routes in a line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

from formicary.gateway.routes import Handle, Route

if TYPE_CHECKING:
    from formicary.gateway.door import Door

T = TypeVar("T")
NANOSECONDS: Final = 1_000_000_000
_made: Final[WeakKeyDictionary[Any, dict[Any, Any]]] = WeakKeyDictionary()


def shared(door: Door, kind: Callable[[Door], T]) -> T:
    """Return the door's own ``kind``, made from the door the first time it is asked for."""
    of_door = _made.setdefault(door, {})
    if kind not in of_door:
        of_door[kind] = kind(door)
    found: T = of_door[kind]
    return found


def time_text(time_ns: int) -> str:
    """Write nanoseconds since 1970 as RFC 3339 in UTC, to the second."""
    return f"{datetime.fromtimestamp(time_ns // NANOSECONDS, UTC):%Y-%m-%dT%H:%M:%SZ}"


def route(line: str, handle: Handle, summary: str, **more: Any) -> Route:  # noqa: ANN401 - fields of a route
    """Make a route of a line such as ``GET /v1/keys``; ``more`` are further fields of :class:`Route`."""
    method, _, path = line.partition(" ")
    return Route(method=method, path=path, handle=handle, summary=summary, **more)
