"""Who it is, and whether they may: authentication, forgery from other sites, roles, scopes, fresh confirmation.

The door only says who may knock. What a person may do to a certain thing is the handler's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from formicary.gateway.problems import Problem
from formicary.gateway.reading import Headers
from formicary.gateway.routes import Authenticator, Caller, CallerKind, Route
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.gateway.sessions import Sessions

NOBODY: Final = Caller()
SAFE: Final = frozenset({"GET", "HEAD"})
COOKIE_BYTES_MAX: Final = 8192
"""Bytes of one ``Cookie`` header that are looked at."""


class Allowing:
    """Finds the caller of a request, and refuses what they may not."""

    def __init__(self, door: Door, sessions: Sessions, authenticators: Sequence[Authenticator]) -> None:
        self._door = door
        self._sessions = sessions
        self._authenticators = tuple(authenticators)
        self._cookie = sessions.cookie.encode() + b"="
        self._origin = door.config.public_origin.encode()
        self._sandbox = door.config.sandbox
        """A sandbox may be reached by several names: 127.0.0.1, localhost, an address of the LAN."""

    async def caller(self, request: Request, headers: Headers, body: bytes) -> Caller:
        """Who asks: by what a machine shows first, by a session's cookie otherwise."""
        if b"authorization" in headers or b"signature" in headers:
            for authenticate in self._authenticators:
                found = await authenticate(request, body)
                if found is not None:
                    return found
            if b"authorization" in headers:
                raise Problem("not_signed_in", headers={"WWW-Authenticate": "Bearer"})
        cookie = headers.get(b"cookie")
        if cookie is None:
            return NOBODY
        session = self._sessions.find(cookie_value(cookie, self._cookie))
        if session is None:
            return NOBODY
        if request.method not in SAFE:
            self._check_origin(headers)
        return Caller(
            CallerKind.SESSION,
            session.person,
            await self._door.roles_of(session.person),
            None,
            session.confirmed_ns + self._sessions.confirm_ns,
            session.name,
        )

    def _check_origin(self, headers: Headers) -> None:
        """Refuse a request with a cookie that another site's page made.

        Every browser sends ``Origin`` with what is neither GET nor HEAD (Fetch, section 3.2.6); a client that sends
        none, nor ``Sec-Fetch-Site``, has no business with a cookie.
        """
        origin = headers.get(b"origin")
        if origin is not None:
            own_host = self._sandbox and origin == b"http://" + headers.get(b"host", b"")
            if origin != self._origin and not own_host:
                raise Problem("origin_refused")
        elif headers.get(b"sec-fetch-site") != b"same-origin":
            raise Problem("origin_refused")

    def check(self, caller: Caller, route: Route) -> None:
        """Refuse with 401 or 403 what the caller may not ask; the first that is missing is named."""
        if route.access is Access.ANYONE:
            return
        if not caller.party:
            raise Problem("not_signed_in", headers={"WWW-Authenticate": "Session, Signature, Bearer"})
        if caller.scopes is not None and (not route.scope or route.scope not in caller.scopes):
            detail = f"This needs the scope {route.scope}." if route.scope else "This is for the person's own session."
            raise Problem("scope_missing", detail)
        if route.access is Access.OPERATOR and not caller.roles:
            raise Problem("forbidden")
        if route.confirm and not self._is_confirmed(caller):
            raise Problem("confirmation_needed")

    def _is_confirmed(self, caller: Caller) -> bool:
        """A key has signed this very request; a third party's token never stands for the person's finger."""
        if caller.kind is CallerKind.KEY:
            return True
        return caller.kind is CallerKind.SESSION and self._door.now_ns() < caller.confirmed_until_ns


def cookie_value(header: bytes, start: bytes) -> str:
    """The value of the cookie that ``start``, its name and ``=``, begins; empty when it is not there."""
    for part in header[:COOKIE_BYTES_MAX].split(b";"):
        stripped = part.strip()
        if stripped.startswith(start):
            return stripped[len(start) :].decode("latin-1")
    return ""
