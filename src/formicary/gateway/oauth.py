"""Third parties acting for a person, within what the person allowed: OAuth 2.1, authorization code with PKCE only.

::

    app ──► GET /oauth/authorize ──► our page shows who asks for what ──► POST …/approve ──► app's redirect URI, ?code
    app ──► POST /oauth/token (code, code_verifier) ──► access token 10 min, refresh token that changes at each use

There is one flow (no implicit, no password), one challenge method (S256), and redirect URIs match to the letter. Every
token is opaque and stands hashed in the store. A code or a refresh token that comes a second time ends all that grew
from it, for then somebody has a copy. A token may do at most what its person may, and never what needs a confirmation.

RFC 6749 and 9700 as OAuth 2.1 has them; RFC 7636 (PKCE), 7009 (revocation), 8414 (metadata), 9207 (``iss``).
Authlib computes the challenge and, in the tests, is the client.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from starlette.responses import RedirectResponse, Response

from formicary.gateway.clients import Client, Clients
from formicary.gateway.clients import routes as client_routes
from formicary.gateway.grants import TOKEN_S, Consent, Grants, Refused
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Caller, CallerKind, Route
from formicary.gateway.scopes import known_scopes
from formicary.gateway.shared import route, shared, time_text
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from formicary.gateway.door import Door

STATE_CHARS_MAX: Final = 500
FORM_BYTES_MAX: Final = 8 << 10
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CODES: Final = {
    "client_unknown": "There is no such client, or this is not an address that it registered.",
    "authorization_unknown": "The request for consent is unknown or too old; go back to the app and begin again.",
    "grant_not_found": "There is no such grant of yours.",
    "token_refused": "The access token is unknown, has expired or was revoked.",
    "client_limit": "You have as many clients as one may have; remove one first.",
    "redirect_refused": "A redirect URI is https (or http on this machine itself), without fragment or wildcard.",
}


class AuthorizeAsked(msgspec.Struct, frozen=True):
    """The authorization request (OAuth 2.1 §4.1.1)."""

    client_id: str = ""
    redirect_uri: str = ""
    response_type: str = ""
    scope: str = ""
    state: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""


class ScopeTold(msgspec.Struct, frozen=True):
    """One thing that is asked for."""

    scope: str
    words: str


class ConsentTold(msgspec.Struct, frozen=True):
    """What the page of consent shows."""

    request: str
    client: str
    name: str
    """What the client calls itself; nobody has checked it."""
    redirect_host: str
    scopes: tuple[ScopeTold, ...]


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Allow all of what was asked for, or less."""

    scopes: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=40)], ...], msgspec.Meta(min_length=1, max_length=32)
    ]


class Redirect(msgspec.Struct, frozen=True):
    """Where the browser goes next."""

    redirect: str


class TokenTold(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens for a client (OAuth 2.1, section 3.2.3)."""

    access_token: str
    token_type: str
    expires_in: int
    """Seconds."""
    refresh_token: str
    scope: str


class OAuthError(msgspec.Struct, frozen=True):
    """Why a client gets no token (OAuth 2.1, section 3.2.4)."""

    error: str


class GrantTold(msgspec.Struct, frozen=True):
    """What a third party may do for you."""

    grant: str
    client: str
    name: str
    scopes: tuple[str, ...]
    given: str
    used: str


class GrantList(msgspec.Struct, frozen=True):
    """Your grants, newest first."""

    items: tuple[GrantTold, ...]


class OAuth:
    """The routes' handlers, and the authenticator of access tokens."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.clients = shared(door, Clients)
        self.grants = shared(door, Grants)
        self.issuer: str = door.config.public_origin
        door.on_erase(self.forget)

    async def authenticate(self, request: Request, _body: bytes) -> Caller | None:
        """Return for whom an access token acts (RFC 6750); None for a request without one, or with another's."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and request.url.path.startswith("/oauth/"):
            return Caller()  # a client shows its own secret there, and acts for nobody yet
        if scheme.lower() != "bearer":
            return None
        found = self.grants.find_access(token.strip())
        if found is None:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Problem("token_refused", CODES["token_refused"], status=401, headers=challenge)
        return Caller(kind=CallerKind.TOKEN, party=found.person, scopes=found.scopes, session=found.grant)

    # ── consent ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def authorize(self, asked: Asked) -> Response:
        """Check who asks, then show our page of consent; what is wrong is told to the client by its redirect URI.

        A client or redirect URI that is not known is told to the person instead: nothing goes to an unknown address.
        """
        wanted: AuthorizeAsked = asked.query
        client = self.clients.find(wanted.client_id)
        if client is None or wanted.redirect_uri not in client.redirects:
            raise Problem("client_unknown", CODES["client_unknown"], status=400)
        error = self._wrong(wanted, client)
        if error:
            return self._back(wanted.redirect_uri, {"error": error, "state": wanted.state[:STATE_CHARS_MAX]})
        request = await self.grants.begin(
            Consent(
                client.client, wanted.redirect_uri, tuple(wanted.scope.split()), wanted.state, wanted.code_challenge
            )
        )
        return RedirectResponse(f"/authorize?request={request}", 303, headers={"Cache-Control": "no-store"})

    def _wrong(self, wanted: AuthorizeAsked, client: Client) -> str:
        if wanted.response_type != "code":
            return "unsupported_response_type"
        if wanted.code_challenge_method != "S256" or not _CHALLENGE.fullmatch(wanted.code_challenge):
            return "invalid_request"
        if len(wanted.state) > STATE_CHARS_MAX:
            return "invalid_request"
        scopes = set(wanted.scope.split())
        return "" if scopes and scopes <= client.scopes else "invalid_scope"

    def _back(self, redirect_uri: str, answer: dict[str, str]) -> RedirectResponse:
        return RedirectResponse(self._address(redirect_uri, answer), 303, headers={"Cache-Control": "no-store"})

    def _address(self, redirect_uri: str, answer: dict[str, str]) -> str:
        given = {name: value for name, value in answer.items() if value} | {"iss": self.issuer}
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(given)}"

    async def consent(self, asked: Asked) -> ConsentTold:
        """Tell the page who asks for what."""
        consent, client = self._asked_for(asked)
        words = known_scopes(self._door)
        return ConsentTold(
            request=asked.path["request"],
            client=client.client,
            name=client.name,
            redirect_host=consent.redirect_uri.split("/")[2],
            scopes=tuple(ScopeTold(scope, words.get(scope, scope)) for scope in consent.scopes),
        )

    async def approve(self, asked: Asked) -> Redirect:
        """Allow what the person chose of it, and send the browser back with a code."""
        consent, _ = self._asked_for(asked)
        chosen = tuple(scope for scope in consent.scopes if scope in asked.body.scopes)
        if not chosen:
            return await self.deny(asked)
        code = await self.grants.give(asked.path["request"], asked.caller.party, consent, chosen)
        return Redirect(self._address(consent.redirect_uri, {"code": code, "state": consent.state}))

    async def deny(self, asked: Asked) -> Redirect:
        """Allow nothing, and send the browser back."""
        consent, _ = self._asked_for(asked)
        await self.grants.end_request(asked.path["request"])
        return Redirect(self._address(consent.redirect_uri, {"error": "access_denied", "state": consent.state}))

    def _asked_for(self, asked: Asked) -> tuple[Consent, Client]:
        consent = self.grants.find_request(asked.path["request"])
        client = self.clients.find(consent.client) if consent is not None else None
        if consent is None or client is None:
            raise Problem("authorization_unknown", CODES["authorization_unknown"])
        return consent, client

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def token(self, asked: Asked) -> Response:
        """Exchange a code or a refresh token (OAuth 2.1 §4.1.3, §4.3)."""
        form = await _form(asked)
        try:
            client = self._client(asked, form)
            if form.get("grant_type") == "authorization_code":
                issued = await self.grants.exchange(
                    form.get("code", ""), client.client, form.get("redirect_uri", ""), _challenge(form)
                )
            elif form.get("grant_type") == "refresh_token":
                wanted = tuple(form.get("scope", "").split())
                issued = await self.grants.refresh(form.get("refresh_token", ""), client.client, wanted)
            else:
                return _oauth_error(Refused("unsupported_grant_type"))
        except Refused as refused:
            return _oauth_error(refused)
        answer = TokenTold(
            access_token=issued.access,
            token_type="Bearer",  # noqa: S106 - the kind of token, and no secret
            expires_in=TOKEN_S,
            refresh_token=issued.refresh,
            scope=" ".join(issued.scopes),
        )
        return Response(msgspec.json.encode(answer), media_type="application/json", headers=_NO_STORE)

    async def revoke(self, asked: Asked) -> Response:
        """Revoke a token and all that grew from the same consent (RFC 7009); an unknown one is revoked already."""
        form = await _form(asked)
        try:
            client = self._client(asked, form)
        except Refused as refused:
            return _oauth_error(refused)
        await self.grants.revoke_token(form.get("token", ""), client.client)
        return Response(b"", headers=_NO_STORE)

    def _client(self, asked: Asked, form: dict[str, str]) -> Client:
        """Say which client asks: a public one by its name, a confidential one by its secret too."""
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, basic = asked.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(basic, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise Refused("invalid_client") from None
            name, secret = unquote_plus(user), unquote_plus(password)
        client = self.clients.find(name)
        if client is None or not client.is_secret(secret):
            raise Refused("invalid_client")
        return client

    async def metadata(self, _: Asked) -> Response:
        """Tell clients what we can do (RFC 8414)."""
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/oauth/authorize",
            "token_endpoint": f"{self.issuer}/oauth/token",
            "revocation_endpoint": f"{self.issuer}/oauth/revoke",
            "scopes_supported": list(known_scopes(self._door)),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
            "service_documentation": f"{self.issuer}/docs",
        }
        return Response(msgspec.json.encode(told), media_type="application/json")

    # ── what a person sees of it ────────────────────────────────────────────────────────────────────────────────

    async def forget(self, person: bytes) -> None:
        """End every grant and remove every client of a person who leaves."""
        await self.grants.forget(person)
        await self.clients.forget(person)

    async def list(self, asked: Asked) -> GrantList:
        """List what third parties may do for the caller."""
        items = []
        for row in self.grants.of_person(asked.caller.party):
            client = self.clients.find(row.client)
            used = time_text(row.used_ns) if row.used_ns else ""
            name = client.name if client else ""
            items.append(GrantTold(row.grant, row.client, name, row.scopes, time_text(row.given_ns), used))
        return GrantList(tuple(items))

    async def end(self, asked: Asked) -> None:
        """Take back what a third party was allowed; its tokens end at once."""
        if not await self.grants.end_grant(asked.path["grant"], asked.caller.party):
            raise Problem("grant_not_found", CODES["grant_not_found"])


_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def _oauth_error(refused: Refused) -> Response:
    """Write an error as clients of OAuth know it (OAuth 2.1 §3.2.4)."""
    status = 401 if refused.error == "invalid_client" else 400
    headers = {**_NO_STORE, "WWW-Authenticate": "Basic"} if status == 401 else _NO_STORE
    return Response(msgspec.json.encode(OAuthError(refused.error)), status, headers, "application/json")


async def _form(asked: Asked) -> dict[str, str]:
    """Read a form; a field that comes twice, or a form that can't be read, is an empty one."""
    body = await asked.request.body()
    media = asked.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=20, keep_blank_values=True)
    except (ValueError, UnicodeDecodeError):
        return {}
    form = dict(pairs)
    return form if len(form) == len(pairs) and media == "application/x-www-form-urlencoded" else {}


def _challenge(form: dict[str, str]) -> str:
    verifier = form.get("code_verifier", "")
    return str(create_s256_code_challenge(verifier)) if _VERIFIER.fullmatch(verifier) else ""


def authenticators(door: Door) -> list[Callable[[Request, bytes], Awaitable[Caller | None]]]:
    """Who can tell for whom an access token acts."""
    return [shared(door, OAuth).authenticate]


def routes(door: Door) -> list[Route]:
    """The routes of OAuth."""
    oauth = shared(door, OAuth)
    anyone: dict[str, Any] = {"access": Access.ANYONE, "body_bytes_max": FORM_BYTES_MAX}
    begins: dict[str, Any] = {"query": AuthorizeAsked, "media": "text/html", "codes": ("client_unknown",), **anyone}
    tokens: dict[str, Any] = {"answer": TokenTold, "error": OAuthError, **anyone}
    known = "/.well-known/oauth-authorization-server"
    page, gone = "/v1/oauth/requests/{request}", ("authorization_unknown",)
    allows: dict[str, Any] = {"confirm": True, "body": Approve, "answer": Redirect, "codes": gone}
    ended = ("grant_not_found",)
    return [
        *client_routes(door),
        route(f"GET {page}", oauth.consent, "Who asks for what.", answer=ConsentTold, codes=gone),
        route(f"POST {page}/approve", oauth.approve, "Allow it, or a part of it.", **allows),
        route(f"POST {page}/deny", oauth.deny, "Allow nothing.", answer=Redirect, codes=gone),
        route("GET /v1/grants", oauth.list, "What third parties may do for you.", answer=GrantList),
        route("DELETE /v1/grants/{grant}", oauth.end, "Take back what a third party was allowed.", codes=ended),
        route("GET /oauth/authorize", oauth.authorize, "Begin: an app asks a person for consent.", **begins),
        route("POST /oauth/token", oauth.token, "Exchange a code or refresh token.", **tokens),
        route("POST /oauth/revoke", oauth.revoke, "Revoke a token.", error=OAuthError, **anyone),
        route(f"GET {known}", oauth.metadata, "What this authorization server can do (RFC 8414).", **anyone),
    ]
