"""What the API answers when it does not do what was asked: typed, with the stable code to decide by.

::

    Refusal (formicary.base.errors)
    └── ApiRefusal              the API said no: ``code``, ``status``, ``where``
        ├── NotSignedIn         401: no session, a key that is not known, a signature that does not fit
        ├── NotAllowed          403: a role, a scope or a fresh confirmation is missing
        ├── NotFound            404
        ├── Conflict            409: the ledger refused it; the code says why
        └── TooMany             429: ``retry_after_s``
    Fault
    └── ApiFault                no answer, or 5xx, after every retry: whether it was done is not known
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from formicary.base.errors import Fault, Refusal


class ApiRefusal(Refusal):
    """The API said no."""

    def __init__(self, message: str, *, code: str, status: int, where: str = "", request: str = "") -> None:
        super().__init__(message, code=code)
        self.status = status
        self.where = where
        """The field that could not be read."""
        self.request = request
        """Id of the request, to ask the institution about it."""
        self.retry_after_s = 0


class NotSignedIn(ApiRefusal):
    """401: it is not known who asks."""


class NotAllowed(ApiRefusal):
    """403: whoever asks may not."""


class NotFound(ApiRefusal):
    """404: there is no such thing, or it is not for this caller."""


class Conflict(ApiRefusal):
    """409: a rule of the ledger or of a product stands against it."""


class TooMany(ApiRefusal):
    """429: wait ``retry_after_s`` seconds."""


class ApiFault(Fault):
    """No answer came, or none that says what happened; ask again with the same idempotency key."""

    code = "api_fault"


_KINDS = {401: NotSignedIn, 403: NotAllowed, 404: NotFound, 409: Conflict, 429: TooMany}


def problem_of(response: httpx.Response) -> ApiRefusal | ApiFault:
    """Read an answer of 4xx or 5xx as an exception."""
    try:
        told: Any = msgspec.json.decode(response.content)
        code, detail = str(told["code"]), str(told.get("detail") or told.get("title") or "")
        where, request = str(told.get("where", "")), str(told.get("request", ""))
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        code, detail, where, request = f"http_{response.status_code}", response.reason_phrase, "", ""
    if response.status_code >= 500:
        return ApiFault(f"{response.status_code}: {detail}", code=code)
    kind = _KINDS.get(response.status_code, ApiRefusal)
    refusal = kind(detail or code, code=code, status=response.status_code, where=where, request=request)
    refusal.retry_after_s = retry_after_s(response)
    return refusal


def retry_after_s(response: httpx.Response) -> int:
    """How many seconds the API asks to wait; 0 when it does not say."""
    text = response.headers.get("retry-after", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() and len(text) < 6 else 0
