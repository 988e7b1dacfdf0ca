"""Reads what a request brings, within bounds: body, content type, query string; says what can't be read and where."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from formicary.base.errors import BadInput
from formicary.gateway.edge import input_error
from formicary.gateway.problems import Problem

QUERY_FIELDS_MAX: Final = 50
"""Parameters in one query string."""
QUERY_BYTES_MAX: Final = 4096
"""Bytes of one query string."""
PATH_BYTES_MAX: Final = 2048
"""Bytes of one path."""
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = Mapping[bytes, bytes]
_KEY: Final = re.compile(r"[\x21-\x7e]{16,64}")
_JSON: Final = re.compile(rb"application/json\s*(;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE)


async def read_body(receive: Receive, headers: Headers, *, bytes_max: int, seconds: int) -> bytes:
    """Read a request's body; refuses one that is too large before reading more of it, and one that does not arrive."""
    stated = headers.get(b"content-length")
    if stated is not None and stated.isdigit() and int(stated[:20]) > bytes_max:
        raise Problem("body_too_large", f"The body has more than {bytes_max:,} bytes.")
    try:
        async with asyncio.timeout(seconds):
            return await _read_parts(receive, bytes_max)
    except TimeoutError as error:
        raise Problem("body_too_slow", headers={"Connection": "close"}) from error


async def _read_parts(receive: Receive, bytes_max: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if message["type"] == "http.disconnect":
            raise Problem("bad_input", "The body broke off.", status=400)
        return bounded(body, bytes_max)
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > bytes_max:
            break
        if message["type"] == "http.disconnect":
            raise Problem("bad_input", "The body broke off.", status=400)
    if size > bytes_max:
        raise Problem("body_too_large", f"The body has more than {bytes_max:,} bytes.", headers={"Connection": "close"})
    return b"".join(parts)


def bounded(body: bytes, bytes_max: int) -> bytes:
    """A body that was read, if it is no larger than it may be."""
    if len(body) > bytes_max:
        raise Problem("body_too_large", f"The body has more than {bytes_max:,} bytes.")
    return body


def check_json(headers: Headers) -> None:
    """Refuse a body that does not say that it is JSON: a form of another site can't say so."""
    media = headers.get(b"content-type", b"")
    if media != b"application/json" and not _JSON.fullmatch(media.strip()):
        raise Problem("media_type_refused", headers={"Accept": "application/json"})
    if headers.get(b"content-encoding", b"identity") not in {b"identity", b""}:
        raise Problem("media_type_refused", "Send the body without compression.")


def read_json(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:  # noqa: ANN401 - the route's own type
    """Decode a body; an empty one counts as an object without fields."""
    try:
        return decoder.decode(body or b"{}")
    except msgspec.ValidationError as error:
        raise input_error(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem("bad_input", f"The body is not JSON: {error}", status=400) from error


def read_query(kind: type[msgspec.Struct], query: bytes) -> Any:  # noqa: ANN401 - the route's own type
    """Read a query string into a flat struct; numbers and booleans are read from their text."""
    if len(query) > QUERY_BYTES_MAX:
        raise Problem("bad_input", "The query string is too long.", status=414)
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=QUERY_FIELDS_MAX
        )
    except ValueError as error:
        raise BadInput("the query string can't be read", where="query") from error
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise BadInput("stands there twice", where=twice)
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise input_error(error) from error


def read_key(headers: Headers) -> str:
    """The ``Idempotency-Key``: 16 to 64 visible ASCII characters, with or without quotes around."""
    key = headers.get(b"idempotency-key", b"").decode("latin-1").strip().strip('"')
    if not _KEY.fullmatch(key):
        raise Problem("idempotency_key_needed")
    return key
