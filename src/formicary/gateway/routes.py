"""What a route is, and what its handler is given: every door module makes a list of these, and nothing else.

The table of commands and queries gives most routes (``table.py``); modules for what is not a command or a query
(sign-in, codes, webhooks …) add theirs. One list serves the server, the OpenAPI document and the matrix test of roles
and routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from formicary.gateway.door import Door


class CallerKind(StrEnum):
    """How somebody showed who they are."""

    NOBODY = "nobody"
    SESSION = "session"
    """A person in a browser, by the session's cookie."""
    KEY = "key"
    """A machine, by a key that signs each request (RFC 9421)."""
    TOKEN = "token"  # noqa: S105 - the name of a kind of caller, and no secret
    """A third party acting for a person, by an OAuth 2.1 access token."""


class Caller(msgspec.Struct, frozen=True):
    """Who asks, and what they may."""

    kind: CallerKind = CallerKind.NOBODY
    party: bytes = b""
    """The person or shop that signs commands; 16 bytes, or empty for nobody."""
    roles: frozenset[str] = frozenset()
    """Roles that the institution gave: ``operator``, ``approver``, ``auditor``, ``arbiter``."""
    scopes: frozenset[str] | None = None
    """What a key or token was given; None for a session, which may all that its person may."""
    confirmed_until_ns: int = 0
    """Until when a person counts as having just shown passkey or PIN."""
    session: str = ""
    """Name of the session, key or token, to count its requests by; never the secret itself."""


class Asked(msgspec.Struct):
    """One request, read and allowed."""

    door: Door
    caller: Caller
    request: Request
    path: Mapping[str, str]
    """What stood in the path's braces."""
    query: Any = None
    """The query string, as the route's ``query`` struct."""
    body: Any = None
    """The body, as the route's ``body`` struct."""
    key: str = ""
    """The ``Idempotency-Key``, where the route takes one."""


class Told(msgspec.Struct, frozen=True):
    """An answer with headers of its own."""

    body: msgspec.Struct | None
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200


Handle = Callable[[Asked], Awaitable["msgspec.Struct | Told | Response | None"]]
"""Answers with a struct (written as JSON), with headers too, with a response of its own, or with None (204).

Raises ``Refusal`` or ``Problem``.
"""
Authenticator = Callable[["Request", bytes], Awaitable[Caller | None]]
"""``(request, body) -> who it is``, None when the request shows nothing of this kind; raises ``Problem`` when it does,
and it is wrong.
"""


class Seen(msgspec.Struct, frozen=True):
    """What is known of a request when it has been answered, for logs and metrics: nothing personal."""

    request: str
    method: str
    path: str
    """The route's path, with its braces; empty when there was none."""
    status: int
    code: str
    """Why not; empty when all went well."""
    seconds: float
    kind: CallerKind
    error: Exception | None = None
    """What nobody expected."""


Observer = Callable[[Seen], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    """As in OpenAPI: ``/v1/keys/{key}``."""
    handle: Handle
    summary: str
    """One line for the documentation."""
    access: Access = Access.PARTY
    scope: str = ""
    """What a key or token needs; empty: a session only (or anybody, where ``access`` is ANYONE)."""
    confirm: bool = False
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    media: str = "application/json"
    """Content type of the answer."""
    also: tuple[str, ...] = ()
    """Other content types that the request can choose; files without a schema."""
    error: type[msgspec.Struct] | None = None
    """What its own refusals are, as plain JSON, where a standard wants another form than a problem's."""
    body_bytes_max: int = 64 << 10
    idempotent: bool = False
    """Whether an ``Idempotency-Key`` is required."""
    codes: tuple[str, ...] = field(default=())
    """Refusals worth naming in the documentation."""
