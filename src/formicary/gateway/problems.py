"""Problem details (RFC 9457): how every door says no.

A problem has the code that the ledger, a product or a door refused with; the code decides the status, and
``docs/reference/codes`` explains it. No problem tells more than the caller may know: a fault's own words stay in the
log.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from formicary.base.errors import BadInput, Closed, Fault, Refusal

PROBLEM_TYPE: Final = b"application/problem+json"
DOOR_CODES: Final[Mapping[str, str]] = {
    "not_signed_in": "Sign in first, or sign the request with a key.",
    "session_expired": "The session has ended; sign in again.",
    "forbidden": "This is for people whom the institution appointed.",
    "scope_missing": "The key or token was not given the scope that this needs.",
    "confirmation_needed": "Show passkey or PIN once more, then ask again.",
    "origin_refused": "The request did not come from our own pages.",
    "rate_limited": "Too many requests; wait and try again.",
    "body_too_large": "The body is larger than this address takes.",
    "body_too_slow": "The body did not arrive in time.",
    "media_type_refused": "This address takes application/json.",
    "bad_input": "The request could not be read.",
    "idempotency_key_needed": "Send an Idempotency-Key of 16 to 64 visible ASCII characters.",
    "route_not_found": "There is nothing at this address.",
    "method_not_allowed": "This address does not take this method.",
    "unavailable": "The ledger can't answer now; nothing was done that was not acknowledged.",
    "internal": "Something is wrong on our side; the request's id helps to find it.",
    "passkey_refused": "The passkey could not be verified.",
    "pin_refused": "The PIN or the alias is wrong.",
    "pin_locked": "Too many wrong PINs; wait before the next try.",
    "pin_weak": "A PIN has 6 to 12 digits, not all the same and not a run.",
    "ticket_unknown": "The attempt is unknown or too old; begin again.",
    "person_not_found": "Nobody can be found under this.",
    "language_unknown": "The pages speak English (en), French (fr) and Chinese (zh).",
    "currency_not_offered": "This institution does not open this currency.",
    "sign_up_refused": "The sign-up could not be finished; begin again.",
    "alias_malformed": "An alias has 3 to 30 letters a–z, digits, dots or underscores, and begins with a letter.",
    "contact_malformed": "A phone number has a plus sign and 7 to 15 digits; a mail address has one @.",
}
"""What the doors themselves refuse with, in plain words."""

STATUSES: Final[Mapping[str, int]] = {
    "not_signed_in": 401,
    "session_expired": 401,
    "passkey_refused": 401,
    "pin_refused": 401,
    "forbidden": 403,
    "scope_missing": 403,
    "confirmation_needed": 403,
    "origin_refused": 403,
    "role_missing": 403,
    "rate_limited": 429,
    "pin_locked": 429,
    "body_too_large": 413,
    "body_too_slow": 408,
    "media_type_refused": 415,
    "bad_input": 422,
    "pin_weak": 422,
    "alias_malformed": 422,
    "contact_malformed": 422,
    "language_unknown": 422,
    "currency_not_offered": 422,
    "idempotency_key_needed": 400,
    "command_id_reused": 422,
    "command_malformed": 422,
    "command_body_malformed": 422,
    "nobody_found": 404,
    "person_unknown": 404,
    "method_not_allowed": 405,
    "ticket_unknown": 404,
    "unavailable": 503,
    "internal": 500,
}


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem as it is sent: ``application/problem+json``."""

    type: str
    """Address of the code's explanation."""
    title: str
    status: int
    detail: str = ""
    code: str
    """Stable; programs decide by it."""
    where: str = ""
    """The field that can't be read, as a path."""
    request: str = ""
    """Id of the request, to ask about it."""


class Problem(Refusal):
    """A refusal by a door, with headers of its own if need be; its status follows from its code unless given."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int = 0,
        where: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or DOOR_CODES.get(code, code), code=code)
        self.status = status or status_of(code)
        self.where = where
        self.headers: Mapping[str, str] = headers or {}


def status_of(code: str) -> int:
    """The HTTP status of a refusal's code: 409 unless its name or the table above says otherwise."""
    known = STATUSES.get(code)
    if known is not None:
        return known
    if code.endswith("_not_found"):
        return 404
    return 403 if code.endswith("_not_yours") else 409


def problem_of(error: Exception, words: Mapping[str, str], *, request: str = "") -> ProblemBody:
    """Put any exception as a problem; ``words`` explains the codes of the products."""
    where = ""
    if isinstance(error, Problem):
        code, status, detail, where = error.code, error.status, str(error), error.where
    elif isinstance(error, BadInput):
        known = error.code in words or error.code in STATUSES
        code, status, detail, where = error.code if known else "bad_input", 422, str(error), error.where
        status = status_of(code) if code in STATUSES else 422
    elif isinstance(error, Refusal):
        code, status, detail = error.code, status_of(error.code), words.get(error.code, str(error))
    elif isinstance(error, Fault):
        code, status, detail = "unavailable", 503, DOOR_CODES["unavailable"]
    else:
        code, status, detail = "internal", 500, DOOR_CODES["internal"]
    return ProblemBody(
        type=f"/docs/codes#{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        where=where,
        request=request,
    )


def headers_of(error: Exception) -> Mapping[str, str]:
    """Headers that go with an exception: what a problem brings, or when to try again."""
    if isinstance(error, Problem):
        return error.headers
    return {"Retry-After": "2"} if isinstance(error, Fault) and not isinstance(error, Closed) else {}
