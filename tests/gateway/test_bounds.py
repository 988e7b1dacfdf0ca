"""What a request may be, and what is said about one that may not: problems, bounds, forgery, rates, ETags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from formicary.gateway.problems import DOOR_CODES, STATUSES, Problem, status_of
from formicary.gateway.rates import Buckets

from tests.gateway.town import Person, Town


def test_a_problem_says_what_and_where(shared: Person) -> None:
    """RFC 9457: type, title, status, detail, our code, the field, the request's id; never cached."""
    ann = shared
    found = ann.post("/v1/pay/send", payee=ann.id, asset="EUR", amount_minor="5", purpose="friend", note=None)
    body = found.json()
    assert found.headers["content-type"] == "application/problem+json"
    assert found.headers["cache-control"] == "no-store"
    assert body["type"] == "/docs/codes#bad_input"
    assert (body["status"], body["code"], body["where"]) == (422, "bad_input", "amount_minor")
    assert body["request"] == found.headers["x-request-id"]
    assert "Expected int" in body["detail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("payee", "XYZ"),
        ("payee", "AB" * 16),
        ("asset", "euro!"),
        ("amount_minor", 0),
        ("amount_minor", 10**15 + 1),
        ("amount_minor", 1.5),
        ("amount_minor", None),
        ("purpose", "bribe"),
        ("note", "x" * 1001),
        ("note", 7),
    ],
)
def test_a_wrong_field_is_named(shared: Person, field: str, value: Any) -> None:
    """Strict: nothing is guessed or cut."""
    fields = {"payee": shared.id, "asset": "EUR", "amount_minor": 5, "purpose": "friend", "note": None, field: value}
    found = shared.post("/v1/pay/send", **fields)
    assert (found.status_code, found.json()["where"]) == (422, field), found.text


def test_a_refusal_has_the_products_words(town: Town, ann: Person, bo: Person) -> None:
    """The code and the sentence that the product declares; 409 for a rule, 404 for what is not there."""
    found = ann.post("/v1/pay/send", payee=bo.id, asset="EUR", amount_minor=5, purpose="friend", note=None)
    assert found.status_code == 409
    lost = ann.post("/v1/guard/recall", payment="00" * 16)
    assert lost.status_code == 404, lost.text
    assert lost.json()["detail"] == town.door.codes[lost.json()["code"]]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "route_not_found"),
        ("GET", "/v1/wallet/open", 404, "route_not_found"),
        ("POST", "/v1/wallet/open", 404, "route_not_found"),
        ("DELETE", "/v1/wallet/me", 405, "method_not_allowed"),
        ("PUT", "/v1/profile", 405, "method_not_allowed"),
        ("GET", "/" + "x" * 3000, 404, "route_not_found"),
        ("GET", "/v1/wallet/people", 403, "forbidden"),
        ("GET", "/v1/parties?find=@ann&find=@bo", 422, "bad_input"),
        ("GET", "/v1/parties?find=@ann&nonsense=1", 422, "bad_input"),
        ("GET", "/v1/parties?find=" + "x" * 5000, 414, "bad_input"),
        ("GET", "/v1/parties?find=%ff%fe", 422, "bad_input"),
        ("GET", "/v1/pay/activity?limit=0", 422, "bad_input"),
        ("GET", "/v1/pay/activity?limit=many", 422, "bad_input"),
    ],
)
def test_addresses_that_lead_nowhere(shared: Person, method: str, path: str, status: int, code: str) -> None:
    """A clear answer for each; what is there for other methods is said."""
    found = shared.ask(method, path)
    assert (found.status_code, found.json()["code"]) == (status, code), found.text
    if status == 405:
        assert "GET" in found.headers["allow"]


def test_a_body_has_to_say_that_it_is_json(shared: Person) -> None:
    """A form of another site can't; a compressed one might be a bomb."""
    key = {"Idempotency-Key": "0123456789abcdef"}
    for headers in (
        {"Content-Type": "text/plain"},
        {},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ):
        found = shared.ask("POST", "/v1/wallet/freeze", content=b"{}", headers=key | headers)
        assert (found.status_code, found.json()["code"]) == (415, "media_type_refused")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 10_000,
        b"\xff\xfe",
        b'{"a":' * 5_000,
        b"null",
        b"[]",
        b'"text"',
        b'{"payee": "\\ud800"}',
        b'{"amount_minor": 1e999}',
        b'{"amount_minor": ' + b"9" * 5_000 + b"}",
        b"\x00" * 100,
    ],
)
def test_bad_json_is_the_callers_fault(shared: Person, body: bytes) -> None:
    """Deep, broken or strange: 400 or 422, never 500."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": "0123456789abcdef"}
    found = shared.ask("POST", "/v1/pay/send", content=body, headers=headers)
    assert found.status_code in {400, 422}, found.text
    assert found.json()["code"] == "bad_input"


def test_a_huge_body_is_not_read(town: Town, ann: Person) -> None:
    """Refused by its stated length before a byte is read; one without length as soon as it passes the bound."""
    read: list[int] = []

    async def endless() -> dict[str, Any]:
        read.append(1)
        return {"type": "http.request", "body": b" " * 10_000, "more_body": True}

    for headers, most in ([(b"content-length", b"1000000000")], 0), ([], 8):
        read.clear()
        status, body = town.run(raw(town, ann, "/v1/pay/send", headers, endless))
        assert (status, json.loads(body)["code"]) == (413, "body_too_large")
        assert len(read) <= most


def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    """Slow clients are let go after a while."""
    town = Town(body_s=1)

    async def never() -> dict[str, Any]:
        import asyncio

        await asyncio.sleep(60)
        raise AssertionError

    status, body = town.run(raw(town, town.nobody, "/v1/sign-in/begin", [], never))
    assert (status, json.loads(body)["code"]) == (408, "body_too_slow")

    async def broken_off() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    status, _ = town.run(raw(town, town.nobody, "/v1/sign-in/begin", [], broken_off))
    assert status == 400
    town.close()


async def raw(
    town: Town, person: Person, path: str, headers: list[tuple[bytes, bytes]], receive: Any
) -> tuple[int, bytes]:
    """One request straight to the application, with a ``receive`` of one's own."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    cookies = "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())
    common = [
        (b"content-type", b"application/json"),
        (b"cookie", cookies.encode()),
        (b"origin", person.origin.encode()),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": common + headers,
        "client": ("192.0.2.7", 1),
        "server": ("localhost", 80),
        "scheme": "http",
    }
    await town.app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "https://localhost:8080"}, False),
        ({"Origin": "http://localhost:8080.evil.example"}, False),
        ({"Origin": "", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": None, "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": None, "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": None}, False),
    ],
)
def test_another_sites_page_changes_nothing(ann: Person, headers: dict[str, str | None], allowed: bool) -> None:
    """A request with a cookie has to come from our own pages."""
    own = {key: value for key, value in headers.items() if value is not None}
    if "Origin" in headers and headers["Origin"] is None:
        del ann.client.headers["Origin"]
    found = ann.ask("POST", "/v1/wallet/freeze", json={}, headers={"Idempotency-Key": "0123456789abcdef"} | own)
    assert found.status_code == (200 if allowed else 403), found.text
    if not allowed:
        assert found.json()["code"] == "origin_refused"
    assert ann.get("/v1/wallet/me").json()["state"] == ("frozen" if allowed else "open")


@pytest.mark.parametrize("key", [None, "short", "x" * 65, "with space 0123456", "ümlaut0123456789"])
def test_a_command_needs_a_key(shared: Person, key: str | None) -> None:
    """16 to 64 visible ASCII characters."""
    headers = {} if key is None else {"Idempotency-Key": key.encode()}
    found = shared.ask("POST", "/v1/wallet/freeze", json={}, headers=headers)
    assert (found.status_code, found.json()["code"]) == (400, "idempotency_key_needed")


def test_the_same_key_is_the_same_command(town: Town, ann: Person, bo: Person) -> None:
    """A retry gets the same reply and entry, with a sealed note too; another body under the key is refused."""
    town.fund(ann, 10_000)
    fields = {"payee": bo.id, "asset": "EUR", "amount_minor": 500, "purpose": "friend", "note": "For the cake"}
    headers = {"Idempotency-Key": "one-cake-2026-01-01"}
    first = ann.ask("POST", "/v1/pay/send", json=fields, headers=headers)
    assert first.status_code == 200, first.text
    again = ann.ask("POST", "/v1/pay/send", json=fields, headers=headers)
    assert (again.json(), again.headers["formicary-entry"]) == (first.json(), first.headers["formicary-entry"])
    other = ann.ask("POST", "/v1/pay/send", json=fields | {"amount_minor": 501}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "command_id_reused")
    for person in (ann, bo):
        newest = person.get("/v1/pay/activity").json()["items"][0]
        assert newest["note"] == "For the cake"
    balance = bo.get("/v1/wallet/accounts").json()["items"][0]["balance_minor"]
    assert balance == 500


def test_an_answer_that_did_not_change_is_not_sent_again(town: Town, ann: Person) -> None:
    """A weak ETag; If-None-Match gives 304 and no body; a change gives another tag. HEAD has the headers alone."""
    first = ann.get("/v1/wallet/accounts")
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    same = ann.ask("GET", "/v1/wallet/accounts", headers={"If-None-Match": f'"x", {tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert ann.ask("HEAD", "/v1/wallet/accounts").headers["etag"] == tag
    assert ann.ask("HEAD", "/v1/wallet/accounts").content == b""
    town.fund(ann, 100)
    assert ann.get("/v1/wallet/accounts").headers["etag"] != tag


def test_every_answer_has_the_headers_that_keep_browsers_safe(shared: Person) -> None:
    """Also a refusal's."""
    for path in ("/v1/wallet/me", "/v1/nothing", "/openapi.json"):
        headers = shared.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert len(headers["x-request-id"]) == 16


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    """By session once signed in, by address before; attempts to sign in are counted apart."""
    town = Town(rate_burst=20, rate_per_s=1)
    ann = town.person("Ann")
    answers = [ann.get("/v1/session") for _ in range(25)]
    assert [each.status_code for each in answers].count(429) >= 3
    limited = answers[-1]
    assert limited.json()["code"] == "rate_limited"
    assert int(limited.headers["retry-after"]) >= 1
    town.wait(seconds=int(limited.headers["retry-after"]))
    assert ann.get("/v1/session").status_code == 200
    town.close()
    town = Town(rate_sign_in_per_minute=3)
    codes = [town.nobody.post("/v1/sign-in/begin").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    town.close()


def test_a_bucket_fills_at_its_pace() -> None:
    """Burst at once, then one for each interval; one's emptiness is not another's."""
    buckets, now = Buckets(burst=3, per_minute=60), 10**18

    def takes(name: str, at_ns: int) -> bool:
        try:
            buckets.take(name, at_ns)
        except Problem:
            return False
        return True

    assert [takes("ann", now) for _ in range(4)] == [True, True, True, False]
    assert takes("bo", now)
    assert not takes("ann", now + 999_999_999)
    assert takes("ann", now + 1_000_000_000)
    assert not takes("ann", now + 1_000_000_001)
    assert [takes("ann", now + 10**12) for _ in range(4)] == [True, True, True, False]


def test_every_code_of_the_doors_has_words_and_a_status() -> None:
    """A code without words helps nobody; a status is one that HTTP knows."""
    for code, words in DOOR_CODES.items():
        assert words.endswith("."), code
        assert 400 <= status_of(code) < 600
    assert set(STATUSES) >= {"rate_limited", "unavailable", "internal"}
