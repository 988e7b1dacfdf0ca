"""The client for asyncio: see :class:`AsyncClient`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
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


class AsyncClient:
    """The same as :class:`formicary.client.Client`, for asyncio.

    ::

        async with AsyncClient("https://bank.example", token="fa_…") as bank:
            me = await bank.ask("wallet.me")
            async for item in bank.each("pay.activity"):
                print(item["amount_minor"])
    """

    def __init__(
        self,
        origin: str,
        *,
        key: str = "",
        private_key: str | bytes = b"",
        token: str = "",
        timeout_s: float = TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Talk to ``origin`` (``https://host``) as a key that signs, by an OAuth token, or with a session's cookie."""
        self.signer = Signer(key, private_key) if key else None
        self._http = httpx.AsyncClient(
            base_url=origin,
            auth=auth_of(self.signer, token),
            timeout=timeout_s,
            headers={"User-Agent": USER_AGENT, "Origin": origin.rstrip("/")},
            transport=transport,
        )
        self._pick = random.Random()  # noqa: S311 - spreads retries

    # ── the table of commands and queries ───────────────────────────────────────────────────────────────────────

    async def do(self, command: str, /, *, idempotency_key: str = "", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Run a command such as ``pay.send`` and return its reply; give a key of your own to go on after a crash."""
        reply: dict[str, Any] = await self.send(command_call(command, fields, idempotency_key))
        return reply

    async def ask(self, query: str, /, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is what it is
        """Ask a query such as ``wallet.accounts`` and return its answer."""
        answer: dict[str, Any] = await self.send(query_call(query, params))
        return answer

    async def each(self, query: str, /, *, limit: int = PAGE, **params: Any) -> AsyncIterator[dict[str, Any]]:  # noqa: ANN401
        """Walk over all items of a query that answers in pages of ``limit``."""
        after: str | None = None
        while True:
            page = await self.send(query_call(query, {**params, "limit": limit, "after": after}))
            for item in page["items"]:
                yield item
            after = page.get("next")
            if not after:
                return

    # ── any other route ─────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, path: str, **params: Any) -> Any:  # noqa: ANN401 - JSON is what it is
        """GET a path such as ``/v1/head``."""
        return await self.send(json_call("GET", path, **params))

    async def post(self, path: str, body: Any = None, *, idempotency_key: str = "") -> Any:  # noqa: ANN401 - JSON
        """POST a JSON body; without an idempotency key it is not sent again when no answer came."""
        return await self.send(json_call("POST", path, body, key=idempotency_key))

    async def delete(self, path: str) -> Any:  # noqa: ANN401 - JSON is what it is
        """DELETE a path such as ``/v1/webhooks/{id}``."""
        return await self.send(json_call("DELETE", path))

    async def post_records(self, path: str, records: bytes) -> bytes:
        """Post raw 128-byte records to ``/v1/transfers:batch`` or ``/v1/accounts:batch``; return u16 codes."""
        codes: bytes = await self.send(Call("POST", path, content=records, headers={"Content-Type": RAW}))
        return codes

    async def events(self, *, last_event_id: str = "", shop: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Listen to what happens: ``{"id", "event", "data"}``, until the stream ends; go on from the last id."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        params = {"shop": shop} if shop else {}
        timeout = httpx.Timeout(TIMEOUT_S)
        async with self._http.stream("GET", "/v1/events", params=params, headers=headers, timeout=timeout) as response:
            if response.is_error:
                await response.aread()
                read_answer(response)
            reader = SseReader()
            async for line in response.aiter_lines():
                event = reader.line(line)
                if event is not None:
                    yield event

    # ── one call ────────────────────────────────────────────────────────────────────────────────────────────────

    async def send(self, call: Call) -> Any:  # noqa: ANN401 - JSON is what it is
        """Send a call, again where that is safe and makes sense, and return what was answered."""
        attempt = 0
        while True:
            response: httpx.Response | None = None
            try:
                response = await self._http.request(
                    call.method, call.path, params=call.params, content=call.content or None, headers=call.headers
                )
            except httpx.TransportError as error:
                if not may_try_again(call, attempt, None):
                    raise no_answer(error) from error
            if response is not None and not may_try_again(call, attempt, response):
                return read_answer(response)
            await asyncio.sleep(pause_s(attempt, response, self._pick))
            attempt += 1

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Use the client in an ``async with`` block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()
