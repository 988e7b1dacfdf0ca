"""The client that waits: see :class:`Client`."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from formicary.client.calls import (
    PAGE,
    RAW,
    TIMEOUT_S,
    USER_AGENT,
    Call,
    SseReader,
    auth_of,
    command_call,
    json_call,
    may_try_again,
    no_answer,
    pause_s,
    query_call,
    read_answer,
)
from formicary.client.signing import Signer


class Client:
    """A client of one institution's API.

    ::

        with Client("https://bank.example", key="fk_live_…", private_key="…64 hex digits…") as bank:
            paid = bank.do("pay.send", payee="…", asset="EUR", amount_minor=500, purpose="goods", note=None)
            for item in bank.each("pay.activity", asset="EUR"):
                print(item["amount_minor"])

    Each command gets an idempotency key that stays the same over all attempts, so that a lost answer never pays twice.
    Refusals are raised as :class:`~formicary.client.problems.ApiRefusal` with their ``code``, and what stayed unknown
    after the last attempt as :class:`~formicary.client.problems.ApiFault`. Threads may share a client.
    """

    def __init__(
        self,
        origin: str,
        *,
        key: str = "",
        private_key: str | bytes = b"",
        token: str = "",
        timeout_s: float = TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Talk to ``origin`` (``https://host``) as a key that signs, by an OAuth token, or with a session's cookie."""
        self.signer = Signer(key, private_key) if key else None
        self._http = httpx.Client(
            base_url=origin,
            auth=auth_of(self.signer, token),
            timeout=timeout_s,
            headers={"User-Agent": USER_AGENT, "Origin": origin.rstrip("/")},
            transport=transport,
        )
        self._pick = random.Random()  # noqa: S311 - spreads retries

    # ── the table of commands and queries ───────────────────────────────────────────────────────────────────────

    def do(self, command: str, /, *, idempotency_key: str = "", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Run a command such as ``pay.send`` and return its reply; give a key of your own to go on after a crash."""
        reply: dict[str, Any] = self.send(command_call(command, fields, idempotency_key))
        return reply

    def ask(self, query: str, /, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is what it is
        """Ask a query such as ``wallet.accounts`` and return its answer."""
        answer: dict[str, Any] = self.send(query_call(query, params))
        return answer

    def each(self, query: str, /, *, limit: int = PAGE, **params: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        """Walk over all items of a query that answers in pages of ``limit``."""
        after: str | None = None
        while True:
            page = self.send(query_call(query, {**params, "limit": limit, "after": after}))
            yield from page["items"]
            after = page.get("next")
            if not after:
                return

    # ── any other route ─────────────────────────────────────────────────────────────────────────────────────────

    def get(self, path: str, **params: Any) -> Any:  # noqa: ANN401 - JSON is what it is
        """GET a path such as ``/v1/head``."""
        return self.send(json_call("GET", path, **params))

    def post(self, path: str, body: Any = None, *, idempotency_key: str = "") -> Any:  # noqa: ANN401 - JSON
        """POST a JSON body; without an idempotency key it is not sent again when no answer came."""
        return self.send(json_call("POST", path, body, key=idempotency_key))

    def delete(self, path: str) -> Any:  # noqa: ANN401 - JSON is what it is
        """DELETE a path such as ``/v1/webhooks/{id}``."""
        return self.send(json_call("DELETE", path))

    def post_records(self, path: str, records: bytes) -> bytes:
        """Post raw 128-byte records to ``/v1/transfers:batch`` or ``/v1/accounts:batch``; return u16 codes."""
        codes: bytes = self.send(Call("POST", path, content=records, headers={"Content-Type": RAW}))
        return codes

    def events(self, *, last_event_id: str = "", shop: str | None = None) -> Iterator[dict[str, Any]]:
        """Listen to what happens: ``{"id", "event", "data"}``, until the stream ends; go on from the last id."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        params = {"shop": shop} if shop else {}
        timeout = httpx.Timeout(TIMEOUT_S)
        with self._http.stream("GET", "/v1/events", params=params, headers=headers, timeout=timeout) as response:
            if response.is_error:
                response.read()
                read_answer(response)
            reader = SseReader()
            for line in response.iter_lines():
                event = reader.line(line)
                if event is not None:
                    yield event

    # ── one call ────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, call: Call) -> Any:  # noqa: ANN401 - JSON is what it is
        """Send a call, again where that is safe and makes sense, and return what was answered."""
        attempt = 0
        while True:
            response: httpx.Response | None = None
            try:
                response = self._http.request(
                    call.method, call.path, params=call.params, content=call.content or None, headers=call.headers
                )
            except httpx.TransportError as error:
                if not may_try_again(call, attempt, None):
                    raise no_answer(error) from error
            if response is not None and not may_try_again(call, attempt, response):
                return read_answer(response)
            time.sleep(pause_s(attempt, response, self._pick))
            attempt += 1

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def __enter__(self) -> Self:
        """Use the client in a ``with`` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
