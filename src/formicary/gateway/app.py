"""The gateway as an ASGI application: one list of routes, one way through it for every request.

A request is read within bounds, its caller found, what the caller may is checked, and only then does the route's
handler run; whatever is raised on the way becomes a problem (RFC 9457). Routes without braces are found by one look
into a dict, so that a payment passes no router.

``MODULES`` lists the modules whose ``routes(door)`` make the list; a module may also have ``authenticators(door)``,
``observers(door)`` and ``CODES``.
"""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import itertools
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import msgspec
from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response

from formicary.base.errors import Refusal
from formicary.gateway.allowing import NOBODY, SAFE, Allowing
from formicary.gateway.headers import RawHeaders, common_headers, policy_of
from formicary.gateway.matching import RouteTable
from formicary.gateway.problems import PROBLEM_TYPE, Problem, headers_of, problem_of
from formicary.gateway.protocol import EXTENSION, Whole
from formicary.gateway.rates import Buckets
from formicary.gateway.reading import PATH_BYTES_MAX, bounded, check_json, read_body, read_json, read_key, read_query
from formicary.gateway.routes import Asked, Authenticator, Caller, CallerKind, Observer, Route, Seen, Told

if TYPE_CHECKING:
    from formicary.gateway.door import Door

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MODULES: Final = (
    "table",
    "signing_up",
    "signing_in",
    "profile",
    "parties",
    "openapi",
    "words",
    "codes",
    "charging",
    "statements",
    "receipts",
    "live",
    "webhooks",
    "keys",
    "oauth",
    "batch",
    "explorer",
    "operator_sql",
    "banking",
    "sandbox",
    "clearing",
    "health",
    "logs",
    "pages",
)
"""Modules of this package that make routes, in the order of the documentation."""
ATTEMPTS: Final = ("/v1/sign-up/", "/v1/sign-in/", "/v1/confirm/", "/v1/recovery/")
"""Paths where somebody tries to show who they are: counted apart, by address."""
ETAG_BYTES: Final = 12
EMPTY: Final = frozenset({204, 304})
"""Statuses of answers without a body."""
log = logging.getLogger("formicary.gateway")
_NONE: Final[Mapping[str, Any]] = {}
_encode: Final = msgspec.json.Encoder().encode
_JSON: Final = (b"content-type", b"application/json")
_NOT_STORED: Final = (b"cache-control", b"no-store")
_FRESH: Final = (b"cache-control", b"private, no-cache")


class Gateway:
    """The ASGI application."""

    def __init__(self, door: Door, modules: Iterable[Any] | None = None) -> None:
        self.door = door
        self.failure: Exception | None = None
        """Why the door's work could not start."""
        loaded = tuple(load_modules() if modules is None else modules)
        for module in loaded:
            door.codes.update(getattr(module, "CODES", {}))
        self.table = RouteTable(route for module in loaded for route in _hook(module, "routes", door))
        door.routes = self.table.routes
        authenticators: list[Authenticator] = [each for m in loaded for each in _hook(m, "authenticators", door)]
        self._observers: list[Observer] = [each for m in loaded for each in _hook(m, "observers", door)]
        self._allowing = Allowing(door, door.sessions, authenticators)
        door.on_start(self._begin_noting)
        door.on_stop(door.sessions.note_uses)
        config = door.config
        self._known = Buckets(burst=config.rate_burst, per_minute=60 * config.rate_per_s)
        self._nobody = Buckets(burst=config.rate_nobody_burst, per_minute=60 * config.rate_nobody_per_s)
        self._attempts = Buckets(burst=config.rate_sign_in_per_minute, per_minute=config.rate_sign_in_per_minute)
        self.name = secrets.token_hex(4)
        """What ids of this run's requests begin with; their number follows."""
        self.counter = itertools.count(1)
        self._common = common_headers(is_secure=config.is_secure)
        data = ((b"content-security-policy", policy_of(b"")), *self._common)
        self._data_lines = b"".join(b"%s: %s\r\n" % each for each in data)
        self._decoders = {
            (route.method, route.path): msgspec.json.Decoder(route.body)
            for route in self.table.routes
            if route.body is not None
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and stop."""
        if scope["type"] != "http":
            await self._live(scope, receive, send)
            return
        started = time.perf_counter()
        exchange = _Exchange(self, scope, receive, send)
        error: Exception | None = None
        try:
            await exchange.run()
        except Refusal as refusal:
            await exchange.refuse(refusal)
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            error = failure
            await exchange.refuse(failure)
            log.exception("request %s failed: %s", exchange.id, type(failure).__name__)
        if self._observers:
            seen = Seen(
                request=exchange.id,
                method=scope["method"],
                path=exchange.route.path if exchange.route else "",
                status=exchange.status,
                code=exchange.code,
                seconds=time.perf_counter() - started,
                kind=exchange.caller.kind,
                error=error,
            )
            for observe in self._observers:
                observe(seen)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Follow the server: start the door's work with it, and end it. There is no websocket to open."""
        if scope["type"] != "lifespan":
            await send({"type": "websocket.close", "code": 1000})
            return
        await receive()
        try:
            await self.door.start()
        except Exception as error:
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.door.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _begin_noting(self) -> None:
        self.door.spawn(self.door.sessions.keep_noting_uses())

    # ── what an exchange needs ──────────────────────────────────────────────────────────────────────────────────

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route of a request, or the problem that there is none."""
        if len(path) > PATH_BYTES_MAX:
            raise Problem("route_not_found")
        found = self.table.find("GET" if method == "HEAD" else method, path)
        if found is not None:
            return found
        allowed = self.table.methods(path)
        if allowed:
            raise Problem("method_not_allowed", headers={"Allow": ", ".join(allowed)})
        raise Problem("route_not_found")

    def count(self, caller: Caller, scope: Scope) -> None:
        """Take a token for this request: the caller's own, or their address's."""
        now = self.door.now_ns()
        if caller.kind is not CallerKind.NOBODY:
            self._known.take(caller.session or caller.party.hex(), now)
        else:
            self._nobody.take(address_of(scope), now)

    def count_attempt(self, scope: Scope) -> None:
        """Take a token for an attempt to sign in."""
        self._attempts.take(address_of(scope), self.door.now_ns())

    def decoder(self, route: Route) -> msgspec.json.Decoder[Any]:
        """Decodes a route's body."""
        return self._decoders[route.method, route.path]

    @property
    def allowing(self) -> Allowing:
        """Who it is and whether they may."""
        return self._allowing

    @property
    def common(self) -> tuple[tuple[bytes, bytes], ...]:
        """Headers of every answer."""
        return self._common

    @property
    def data_lines(self) -> bytes:
        """Headers of every answer that is no page, as they are sent."""
        return self._data_lines


class _Exchange:
    """One request and its answer."""

    __slots__ = (
        "_body",
        "_gateway",
        "_headers",
        "_receive",
        "_scope",
        "_send",
        "_sent",
        "_whole",
        "caller",
        "code",
        "id",
        "route",
        "status",
    )

    def __init__(self, gateway: Gateway, scope: Scope, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._send = send
        self._sent = False
        self._body: bytes | None = None
        """What was read and nobody asked the request for yet."""
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._whole: Whole | None = (scope.get("extensions") or _NONE).get(EXTENSION)
        self.id = f"{gateway.name}{next(gateway.counter):08x}"
        self.route: Route | None = None
        self.caller = NOBODY
        self.status = 0
        self.code = ""

    async def run(self) -> None:
        """Read, find, allow, handle, answer: in this order."""
        gateway, scope, headers = self._gateway, self._scope, self._headers
        method = scope["method"]
        path = scope["path"]
        route, in_path = gateway.find(method, path)
        self.route = route
        if path.startswith(ATTEMPTS) and method not in SAFE:
            gateway.count_attempt(scope)
        body = b"" if method in SAFE else await self._read_body(route.body_bytes_max)
        self._body = body
        request = Request(scope, self._replay)
        self.caller = caller = await gateway.allowing.caller(request, headers, body)
        gateway.count(caller, scope)
        gateway.allowing.check(caller, route)
        asked = Asked(gateway.door, caller, request, in_path)
        if route.idempotent:
            asked.key = read_key(headers)
        if route.query is not None:
            asked.query = read_query(route.query, scope["query_string"])
        if route.body is not None:
            check_json(headers)
            asked.body = read_json(gateway.decoder(route), body)
        answer = await route.handle(asked)
        if isinstance(answer, Response):
            await answer(scope, self._receive, self._send_with_headers)
        else:
            await self._answer(answer)

    async def _read_body(self, bytes_max: int) -> bytes:
        """The request's body: what is there already needs no clock."""
        body = None if self._whole is None else self._whole.body()
        if body is not None:
            return bounded(body, bytes_max)
        seconds = self._gateway.door.config.body_s
        return await read_body(self._receive, self._headers, bytes_max=bytes_max, seconds=seconds)

    async def _replay(self) -> MutableMapping[str, Any]:
        """What a request receives that is asked for its body: the one that was read, then what the connection tells."""
        body, self._body = self._body, None
        if body is None:
            return await self._receive()
        return {"type": "http.request", "body": body, "more_body": False}

    async def refuse(self, error: Exception) -> None:
        """Answer with a problem; when an answer has begun already, only the connection can end."""
        problem = problem_of(error, self._gateway.door.codes, request=self.id)
        self.status, self.code = problem.status, problem.code
        if self._sent:
            return
        extra = [(name.lower().encode(), value.encode()) for name, value in headers_of(error).items()]
        await self._send_all(problem.status, _encode(problem), [(b"content-type", PROBLEM_TYPE), _NOT_STORED, *extra])

    async def _answer(self, answer: msgspec.Struct | Told | None) -> None:
        extra: RawHeaders = []
        status = 200
        if isinstance(answer, Told):
            extra = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
            status, answer = answer.status, answer.body
        if answer is None:
            await self._send_all(204, b"", [_NOT_STORED, *extra])
            return
        body = _encode(answer)
        if self._scope["method"] not in SAFE or status != 200:
            await self._send_all(status, body, [_JSON, _NOT_STORED, *extra])
            return
        etag = b'W/"%s"' % blake3(body).hexdigest(length=ETAG_BYTES).encode()
        extra += [_FRESH, (b"etag", etag), (b"vary", b"Cookie, Authorization")]
        if etag in _tags(self._headers.get(b"if-none-match", b"")):
            await self._send_all(304, b"", extra)
        else:
            await self._send_all(200, body, [_JSON, *extra])

    async def _send_all(self, status: int, body: bytes, headers: RawHeaders) -> None:
        """Send an answer that is whole already."""
        self.status = status
        self._sent = True
        own = [*headers, (b"x-request-id", self.id.encode())]
        if status not in EMPTY:
            own.append((b"content-length", b"%d" % len(body)))
        shown = b"" if self._scope["method"] == "HEAD" else body
        if self._whole is not None:
            await self._whole.answer(status, own, self._gateway.data_lines, shown)
            return
        every = [*own, (b"content-security-policy", policy_of(b"")), *self._gateway.common]
        await self._send({"type": "http.response.start", "status": status, "headers": every})
        await self._send({"type": "http.response.body", "body": shown})

    async def _send_with_headers(self, message: MutableMapping[str, Any]) -> None:
        """Pass on what a response sends, with the headers that every answer has and the response has not set."""
        if message["type"] == "http.response.start":
            self._sent = True
            self.status = message["status"]
            headers: RawHeaders = list(message["headers"])
            media = dict(headers).get(b"content-type", b"")
            every = [(b"content-security-policy", policy_of(media)), (b"x-request-id", self.id.encode())]
            every += self._gateway.common
            names = {name.lower() for name, _ in headers}
            message = {**message, "headers": headers + [each for each in every if each[0] not in names]}
        await self._send(message)


def load_modules() -> list[Any]:
    """The modules of :data:`MODULES` that are installed."""
    package = "formicary.gateway"
    return [importlib.import_module(f"{package}.{name}") for name in MODULES if find_spec(f"{package}.{name}")]


def address_of(scope: Scope) -> str:
    """Where a request comes from, to count by: the address, or the network of 64 bits that one host of IPv6 has."""
    client = scope.get("client")
    host: str = client[0] if client else ""
    if ":" not in host:
        return host
    try:
        return str(ipaddress.IPv6Network((host.partition("%")[0], 64), strict=False).network_address)
    except ValueError:
        return host


def _hook(module: Any, name: str, door: Door) -> Iterable[Any]:  # noqa: ANN401 - a module
    hook = getattr(module, name, None)
    return hook(door) if hook is not None else ()


def _tags(header: bytes) -> set[bytes]:
    return {tag.strip() for tag in header.split(b",")}
