"""What both clients share: how a call becomes a request, when to try again, and how an answer is read."""

from __future__ import annotations

import random
import secrets
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

from formicary.base.errors import BadInput
from formicary.client.problems import ApiFault, ApiRefusal, problem_of, retry_after_s
from formicary.client.signing import Signer

ATTEMPTS_MAX: Final = 5
"""Attempts at one call, the first one included."""
WAIT_S_MAX: Final = 20.0
TIMEOUT_S: Final = 30.0
PAGE: Final = 100
RETRIED: Final = frozenset({408, 429, 502, 503, 504})
USER_AGENT: Final = "formicary-python/1"
RAW: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """One thing to ask of the API, however often it takes."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_safe_again(self) -> bool:
        """Whether it may be sent again after no answer came: it changes nothing, or says that it is the same one."""
        return self.method in {"GET", "DELETE"} or "Idempotency-Key" in self.headers or self.path.endswith(":batch")


def new_key() -> str:
    """Make an idempotency key: 32 random characters."""
    return secrets.token_hex(16)


def json_call(method: str, path: str, body: Any = None, *, key: str = "", **params: Any) -> Call:  # noqa: ANN401
    """Make a call with a JSON body; parameters that are None are left out."""
    content = b"" if body is None else msgspec.json.encode(body)
    headers = {"Content-Type": "application/json"} if content else {}
    if key:
        headers["Idempotency-Key"] = key
    return Call(method, path, {name: value for name, value in params.items() if value is not None}, content, headers)


def command_call(name: str, fields: Mapping[str, Any], key: str) -> Call:
    """Make the call of a command ``product.name``."""
    return json_call("POST", _path(name), dict(fields), key=key or new_key())


def query_call(name: str, params: Mapping[str, Any]) -> Call:
    """Make the call of a query ``product.name``."""
    return json_call("GET", _path(name), **params)


def _path(name: str) -> str:
    product, dot, rest = name.partition(".")
    if not (dot and product.isidentifier() and rest.isidentifier()):
        raise BadInput(f"{name!r} is not product.name", where="name")
    return f"/v1/{product}/{rest}"


class SignedBy(httpx.Auth):
    """Signs each attempt anew, for a signature is good once."""

    requires_request_body = True

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request."""
        key = request.headers.get("idempotency-key", "")
        request.headers.update(
            self._signer.headers(request.method, str(request.url), request.content, idempotency_key=key)
        )
        yield request


class BearsToken(httpx.Auth):
    """Shows an OAuth access token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Show it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def auth_of(signer: Signer | None, token: str) -> httpx.Auth | None:
    """Choose how a client shows who it is: a key, a token, or only the cookies of a session."""
    if signer is not None:
        return SignedBy(signer)
    return BearsToken(token) if token else None


def pause_s(attempt: int, response: httpx.Response | None, pick: random.Random) -> float:
    """How long to wait before the next attempt: as long as the API asks, else twice as long each time, spread."""
    asked = retry_after_s(response) if response is not None else 0
    return min(asked or 0.2 * 2**attempt * (0.5 + pick.random()), WAIT_S_MAX)


def may_try_again(call: Call, attempt: int, response: httpx.Response | None) -> bool:
    """Whether another attempt makes sense after no answer (None) or this one."""
    if attempt + 1 >= ATTEMPTS_MAX:
        return False
    if response is None:
        return call.is_safe_again
    return response.status_code in RETRIED and (call.is_safe_again or response.status_code == 429)


def read_answer(response: httpx.Response) -> Any:  # noqa: ANN401 - JSON is what it is
    """Return the JSON value of an answer, its bytes where it is of another type, or None where it is empty.

    Raises :class:`ApiRefusal` and :class:`ApiFault`.
    """
    if response.is_error:
        raise problem_of(response)
    if not response.content:
        return None
    if response.headers.get("content-type", "").partition(";")[0] == "application/json":
        return msgspec.json.decode(response.content)
    return response.content


def no_answer(error: httpx.TransportError) -> ApiFault:
    """Make the fault of a call that got no answer."""
    return ApiFault(f"no answer: {type(error).__name__}", code="api_unreachable")


class SseReader:
    """Puts the lines of server-sent events together (WHATWG HTML §9.2.6)."""

    def __init__(self) -> None:
        self.last_id = ""
        self._name, self._data = "", [""][:0]

    def line(self, line: str) -> dict[str, Any] | None:
        """Take one line; answer the event that it ends: ``{"id", "event", "data"}``."""
        if not line:
            name, data = self._name or "message", self._data
            self._name, self._data = "", []
            if not data:
                return None
            return {"id": self.last_id, "event": name, "data": msgspec.json.decode("\n".join(data))}
        field_name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field_name == "event":
            self._name = value
        elif field_name == "data":
            self._data.append(value)
        elif field_name == "id":
            self.last_id = value
        return None


__all__ = ["ApiFault", "ApiRefusal", "Call", "SignedBy", "SseReader"]
