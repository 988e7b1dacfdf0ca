"""The Python client against a transport that misbehaves: retries that never do a thing twice, errors by their codes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from formicary.base.errors import BadInput
from formicary.client import (
    ApiFault,
    ApiRefusal,
    AsyncClient,
    Client,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Signer,
    TooMany,
    calls,
)
from formicary.client.calls import ATTEMPTS_MAX, SseReader

ORIGIN = "https://bank.example"
Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(calls, "WAIT_S_MAX", 0.0)


class Script:
    """Answers requests with what it is told, one after the other, and keeps them."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer, or raise it."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return httpx.Response(status, json=body)


def client_of(script: Script, **options: Any) -> Client:
    """A client whose network is the script."""
    return Client(ORIGIN, transport=httpx.MockTransport(script), **options)


def test_a_command_keeps_its_key_over_attempts_and_signs_each_anew() -> None:
    """Lost answers and restarts: one idempotency key, new signatures."""
    script = Script(httpx.ReadError("gone"), (503, {}), {"payment": "00"})
    with client_of(script, key="fk_test_a", private_key=bytes(32)) as client:
        assert client.do("pay.send", payee="00", asset="EUR", amount_minor=5) == {"payment": "00"}
    keys = {request.headers["idempotency-key"] for request in script.requests}
    signatures = {request.headers["signature"] for request in script.requests}
    assert (len(script.requests), len(keys), len(signatures)) == (3, 1, 3)
    assert script.requests[0].url.path == "/v1/pay/send"
    assert "content-digest" in script.requests[0].headers


def test_what_may_not_be_done_twice_is_not_sent_twice() -> None:
    """A POST without a key is sent once, unless the API says that it did nothing."""
    script = Script(httpx.ReadError("gone"))
    with client_of(script) as client, pytest.raises(ApiFault) as fault:
        client.post("/v1/webhooks", {})
    assert (len(script.requests), fault.value.code) == (1, "api_unreachable")
    limited = Script((429, {}), {"ok": True})
    with client_of(limited) as client:
        assert client.post("/v1/webhooks", {}) == {"ok": True}


def test_attempts_end() -> None:
    """After the last one the fault tells that it is not known what happened."""
    script = Script((503, {"code": "unavailable", "detail": "no"}))
    with client_of(script) as client, pytest.raises(ApiFault) as fault:
        client.ask("wallet.me")
    assert (len(script.requests), fault.value.code) == (ATTEMPTS_MAX, "unavailable")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotSignedIn), (403, NotAllowed), (404, NotFound), (409, Conflict), (422, ApiRefusal), (413, ApiRefusal)],
)
def test_refusals_are_typed_and_carry_their_code(status: int, kind: type[ApiRefusal]) -> None:
    """By status for who catches kinds, by code for who decides."""
    told = {"code": "limit_day", "detail": "Too much today.", "where": "amount_minor", "request": "r1"}
    with client_of(Script((status, told))) as client, pytest.raises(kind) as refused:
        client.do("pay.send")
    assert (refused.value.code, refused.value.status) == ("limit_day", status)
    assert (refused.value.where, refused.value.request, str(refused.value)) == ("amount_minor", "r1", "Too much today.")


def test_an_answer_that_is_no_problem_is_still_an_error() -> None:
    """A proxy's page of HTML has no code of ours."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="<html>", headers={"Retry-After": "x"})

    with Client(ORIGIN, transport=httpx.MockTransport(answer)) as client, pytest.raises(NotFound) as refused:
        client.get("/v1/nothing")
    assert refused.value.code == "http_404"

    def busy(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json={"code": "rate_limited"}, headers={"Retry-After": "7"})

    with Client(ORIGIN, transport=httpx.MockTransport(busy)) as client, pytest.raises(TooMany) as limited:
        client.get("/v1/head")
    assert limited.value.retry_after_s == 7


def test_pages_are_walked_to_their_end() -> None:
    """The cursor of one page asks for the next."""
    script = Script({"items": [{"n": 1}, {"n": 2}], "next": "c"}, {"items": [{"n": 3}], "next": ""})
    with client_of(script, token="fa_x") as client:
        assert [item["n"] for item in client.each("pay.activity", asset="EUR")] == [1, 2, 3]
    assert [dict(request.url.params) for request in script.requests] == [
        {"asset": "EUR", "limit": "100"},
        {"asset": "EUR", "limit": "100", "after": "c"},
    ]
    assert script.requests[0].headers["authorization"] == "Bearer fa_x"


def test_the_asynchronous_client_does_the_same() -> None:
    """Commands, retries, pages and refusals."""
    script = Script(
        (503, {}), {"ok": True}, {"items": [1], "next": "c"}, {"items": [2]}, (404, {"code": "x_not_found"})
    )

    async def run() -> None:
        transport = httpx.MockTransport(script)
        async with AsyncClient(ORIGIN, key="fk_test_a", private_key="00" * 32, transport=transport) as client:
            assert await client.do("pay.send", idempotency_key="k" * 16) == {"ok": True}
            assert [item async for item in client.each("pay.activity")] == [1, 2]
            with pytest.raises(NotFound):
                await client.get("/v1/receipts/1")

    asyncio.run(run())
    assert [request.headers.get("idempotency-key") for request in script.requests[:2]] == ["k" * 16] * 2


def test_wrong_names_and_keys_are_refused_before_anything_is_sent() -> None:
    """A command is product.name; a private key has 32 bytes."""
    script = Script({})
    with client_of(script) as client:
        for name in ("pay", "pay.", "pay.send/../x", ".send", "pay send"):
            with pytest.raises(BadInput):
                client.do(name)
    for private_key in ("", "00", "zz" * 32, bytes(31)):
        with pytest.raises(BadInput):
            Signer("fk_test_a", private_key)
    with pytest.raises(BadInput):
        Signer("fk_test_\N{SNOWMAN}", bytes(32)).headers("GET", ORIGIN)
    assert script.requests == []


def test_events_are_put_together_from_lines() -> None:
    """Comments, several lines of data, ids that stay, names that don't."""
    reader = SseReader()
    lines = ["retry: 1", ": hello", "", "id: 7", "event: pay.x", 'data: {"a":', "data: 1}", "", "data: 2", "", ""]
    events = [event for line in lines if (event := reader.line(line)) is not None]
    assert events == [{"id": "7", "event": "pay.x", "data": {"a": 1}}, {"id": "7", "event": "message", "data": 2}]
