"""The OpenAPI 3.1 document of all routes: the one list, with its structs, scopes, problems and examples.

Nothing is described twice: a field's bounds come from its type, a route's words from its message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from formicary import __version__
from formicary.gateway.problems import ProblemBody, status_of
from formicary.gateway.routes import Asked, Route
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from starlette.responses import Response

    from formicary.gateway.door import Door

Json = dict[str, Any]
_BRACES: Final = re.compile(r"\{([a-z_]+)(?::path)?\}")
_IDEMPOTENCY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "16 to 64 visible ASCII characters; the same key is the same command, however often it is sent.",
    "schema": {"type": "string", "minLength": 16, "maxLength": 64, "pattern": "^[!-~]+$"},
    "example": "order-2026-000017",
}
_ENTRY: Final[Json] = {
    "description": "Index of the log's entry that holds the command.",
    "schema": {"type": "integer", "minimum": 1},
}
_REQUEST: Final[Json] = {"description": "Id of the request, to ask about it.", "schema": {"type": "string"}}
_ALWAYS: Final = ("rate_limited", "unavailable")
_SECURITY: Final[Json] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-formicary",
        "description": "A person in a browser. What changes something needs an `Origin` of ours too.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "A machine: each request is signed by HTTP Message Signatures (RFC 9421) with Ed25519.",
    },
    "oauth": {
        "type": "oauth2",
        "description": "A third party that acts for a person (OAuth 2.1 with PKCE).",
        "flows": {
            "authorizationCode": {"authorizationUrl": "/oauth/authorize", "tokenUrl": "/oauth/token", "scopes": {}}
        },
    },
}


def routes(door: Door) -> list[Route]:
    """The document's own route."""
    made: dict[str, bytes] = {}

    async def handle(_asked: Asked) -> Response:
        from starlette.responses import Response  # noqa: PLC0415 - the document is also made without a server

        if "document" not in made:
            made["document"] = msgspec.json.encode(document(door, door.routes))
        return Response(made["document"], media_type="application/json")

    return [
        Route(
            method="GET",
            path="/openapi.json",
            handle=handle,
            summary="This document",
            access=Access.ANYONE,
        )
    ]


def document(door: Door, routes: tuple[Route, ...]) -> Json:
    """The OpenAPI 3.1 document of some routes."""
    types = _types_of(routes)
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(types, schemas, strict=True))
    security = {**_SECURITY, "session": {**_SECURITY["session"], "name": door.sessions.cookie}}
    flows = {"authorizationCode": {**_SECURITY["oauth"]["flows"]["authorizationCode"], "scopes": _scopes(routes)}}
    security["oauth"] = {**_SECURITY["oauth"], "flows": flows}
    paths: dict[str, Json] = {}
    for route in routes:
        path = _BRACES.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(door, route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{door.config.name}: the public API",
            "version": __version__,
            "description": "Pay, send, save and buy on one conserved ledger. Amounts are integers of the currency's "
            "minor unit. Each refusal is a problem (RFC 9457) with a stable `code`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": door.config.public_origin}],
        "tags": [{"name": name} for name in sorted({_tag(route) for route in routes})],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": security},
    }


def _types_of(routes: tuple[Route, ...]) -> list[type[msgspec.Struct]]:
    types: dict[type[msgspec.Struct], None] = {ProblemBody: None}
    for route in routes:
        for kind in (route.body, route.answer, route.error):
            if kind is not None:
                types[kind] = None
    return list(types)


def _scopes(routes: tuple[Route, ...]) -> dict[str, str]:
    scopes = sorted({route.scope for route in routes if route.scope})
    return {scope: f"{scope.partition(':')[2].capitalize()} {scope.partition(':')[0]}" for scope in scopes}


def _tag(route: Route) -> str:
    parts = route.path.strip("/").split("/")
    return parts[1] if parts[0] == "v1" and len(parts) > 1 else parts[0] or "pages"


def _operation(door: Door, route: Route, by_type: dict[type[msgspec.Struct], Json]) -> Json:
    operation: Json = {
        "operationId": _operation_id(route),
        "tags": [_tag(route)],
        "summary": route.summary.rstrip("."),
        "description": _description(route),
        "parameters": _parameters(route),
        "responses": _responses(door, route, by_type),
        "security": _security_of(route),
    }
    if route.body is not None:
        content = {"application/json": {"schema": by_type[route.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _operation_id(route: Route) -> str:
    words = re.sub(r"[^a-zA-Z0-9]+", "_", route.path.removeprefix("/v1")).strip("_")
    return f"{route.method.lower()}_{words or 'home'}"


def _description(route: Route) -> str:
    about = ((route.body or route.query).__doc__ or "") if (route.body or route.query) else ""
    needs = []
    if route.access is Access.OPERATOR:
        needs.append("For people whom the institution appointed.")
    if route.confirm:
        needs.append("Needs passkey or PIN shown within the last minutes (`POST /v1/confirm/begin`), or a signed key.")
    return "\n\n".join(part for part in (about.strip(), " ".join(needs)) if part) or route.summary


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _BRACES.findall(route.path)
    ]
    if route.idempotent:
        found.append(_IDEMPOTENCY)
    if route.query is not None:
        schema = msgspec.json.schema(route.query)
        described = schema["$defs"][schema["$ref"].rpartition("/")[2]]
        required = described.get("required", ())
        for name, each in described["properties"].items():
            found.append({"name": name, "in": "query", "required": name in required, "schema": _inline(each, schema)})
    return found


def _inline(part: Json, schema: Json) -> Json:
    """A parameter's schema without references: an enumeration may be one."""
    if "$ref" in part:
        named: Json = schema["$defs"][part["$ref"].rpartition("/")[2]]
        return named
    return part


def _responses(door: Door, route: Route, by_type: dict[type[msgspec.Struct], Json]) -> Json:
    headers: Json = {"X-Request-Id": _REQUEST}
    if route.idempotent and route.path.startswith("/v1/"):
        headers["Formicary-Entry"] = _ENTRY
    if route.answer is not None:
        good: Json = {"description": "Done.", "content": {route.media: {"schema": by_type[route.answer]}}}
    elif route.method == "GET":
        good = {"description": "What was asked for.", "content": {route.media: {"schema": {}}}}
    else:
        good = {"description": "Done."}
    if route.also:
        good["content"] |= {media: {"schema": {}} for media in route.also}
    good["headers"] = headers
    status = "204" if route.answer is None and route.method == "DELETE" else "200"
    responses: Json = {status: good}
    if route.method == "GET" and route.answer is not None:
        responses["304"] = {"description": "Nothing has changed since `If-None-Match`."}
    codes: dict[int, list[str]] = {}
    for code in (*_usual(route), *route.codes, *_ALWAYS):
        codes.setdefault(status_of(code), []).append(code)
    for number, names in sorted(codes.items()):
        responses[str(number)] = _problem(door, sorted(set(names)), by_type[ProblemBody])
    responses["default"] = _problem(door, [], by_type[ProblemBody])
    if route.error is not None:
        responses["default"]["content"]["application/json"] = {"schema": by_type[route.error]}
    return responses


def _usual(route: Route) -> list[str]:
    codes = []
    if route.access is not Access.ANYONE:
        codes += ["not_signed_in", "scope_missing"]
    if route.access is Access.OPERATOR:
        codes += ["forbidden", "role_missing"]
    if route.confirm:
        codes.append("confirmation_needed")
    if route.body is not None or route.query is not None:
        codes.append("bad_input")
    if route.body is not None:
        codes += ["body_too_large", "media_type_refused"]
    if route.method not in {"GET", "HEAD"}:
        codes.append("origin_refused")
    if route.idempotent:
        codes += ["idempotency_key_needed", "command_id_reused"]
    return codes


def _problem(door: Door, codes: list[str], schema: Json) -> Json:
    words = "\n".join(f"- `{code}`: {door.codes.get(code, code)}" for code in codes)
    return {
        "description": words or "Refused; `code` says why.",
        "content": {"application/problem+json": {"schema": schema}},
    }


def _security_of(route: Route) -> list[Json]:
    if route.access is Access.ANYONE:
        return []
    if not route.scope:
        return [{"session": []}]
    return [{"session": []}, {"signature": []}, {"oauth": [route.scope]}]
