"""Health, readiness, metrics and logs: the truth, and nothing personal."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import structlog

from formicary.gateway import health, logs

from tests.gateway.house import ALICE, OPERATOR, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("health"))
    made.settle()
    yield made
    made.close()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, with the filter on."""
    out = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.set_up(stream=out, level=logging.DEBUG)  # a quick request that went well is told at this level
    yield out
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def test_it_answers_and_is_ready(house: House) -> None:
    """Both say so without signing in."""
    assert httpx.get(f"{house.origin}/health").json()["status"] == "ok"
    ready = httpx.get(f"{house.origin}/ready").json()
    assert (ready["status"], ready["ledger"], ready["vault"], ready["store"]) == ("ready", "ok", "ok", "ok")
    assert ready["entry"] > 1


def test_it_says_what_is_not_ready(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that fails is named, and the status is 503."""

    def fail() -> Any:
        raise RuntimeError("a secret in words")

    monkeypatch.setattr(house.ledger, "info", fail)
    answer = httpx.get(f"{house.origin}/ready")
    assert (answer.status_code, answer.json()["ledger"]) == (503, "failed")
    assert "secret" not in answer.text


def test_metrics_are_for_this_machine_and_operators(house: House) -> None:
    """Counted by route, not by address; a proxy's clients are refused."""
    httpx.get(f"{house.origin}/v1/entries/77777")
    text = httpx.get(f"{house.origin}/metrics").text
    assert 'formicary_requests_total{method="GET",route="/v1/entries/{index}",status="404"}' in text
    assert 'formicary_refusals_total{code="entry_not_found"}' in text
    assert "77777" not in text
    documented = [
        line.split("``")[1] for line in (health.__doc__ or "").splitlines() if line.startswith("``formicary_")
    ]
    assert len(documented) > 8
    shown = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert {name for name in shown if not name.endswith("_created")} == set(documented)
    proxied = httpx.get(f"{house.origin}/metrics", headers={"X-Forwarded-For": "93.184.216.34"})
    assert proxied.status_code == 403


def test_a_request_is_one_line_without_names(house: House, lines: io.StringIO) -> None:
    """The route stands there, not the address; no query, no party."""
    with house.client(ALICE, "wallet:read") as client:
        client.ask("wallet.me")
        httpx.get(f"{house.origin}/v1/parties?find=alice@example.com")
    told = [msgspec.json.decode(line) for line in lines.getvalue().splitlines()]
    assert {"event", "level", "time", "request", "route", "status", "milliseconds"} <= set(told[0])
    assert "example.com" not in lines.getvalue()
    assert ALICE.hex() not in lines.getvalue()


def test_what_is_not_listed_or_not_plain_is_left_out(lines: io.StringIO) -> None:
    """Unknown fields go; texts that could be a person's become their length; errors lose their words."""
    try:
        int("Alice Example, +49 170 1234567")
    except ValueError as error:
        logs.log().error(
            "request", route="/v1/x", name="Alice", reason="alice@example.com", code="+491701234567", exc_info=error
        )
    logging.getLogger("some.library").warning("told about %s", "Bob Example")
    text = lines.getvalue()
    for secret in ("Alice", "alice", "49170", "1234567", "Bob"):
        assert secret not in text
    first, second = (msgspec.json.decode(line) for line in text.splitlines())
    assert (first["error"], first["route"], first["reason"]) == ("ValueError", "/v1/x", "<17 characters>")
    assert first["places"][0].startswith("test_health.py:")
    assert second["event"] == "library"


def test_ids_and_times_are_plain() -> None:
    """They have long numbers and are no one's phone."""
    for text in ("0123456789abcdef", "2026-11-22T05:00:00.123456Z", "evt_0123456789ab_12", "GET", "127.0.0.1:8080"):
        assert logs._plain(text) == text
    for text in ("1234567", "+49 170 123456789", "a@b.de", "x" * 200, "Zoë"):
        assert logs._plain(text) != text
    assert OPERATOR
