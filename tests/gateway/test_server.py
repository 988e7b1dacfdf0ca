"""The server itself, on a real port: slow and endless heads are let go, requests come whole, in parts or in rows."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from formicary.gateway.protocol import HEAD_BYTES_MAX, Whole
from formicary.gateway.server import GatewayServer, make_server

from tests.gateway.town import Town


class Served:
    """A gateway on a port of its own, in a thread."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.town = Town(port=self.port, body_s=1, idle_s=1)
        self.town.run(self.town.door.stop())
        self.ready = threading.Event()
        self.server: GatewayServer = make_server(self.town.door, self.town.app, ready=self.ready.set)
        self.server.config.install_signal_handlers = False  # type: ignore[attr-defined]
        self.server.config.http.whole_s = 2.5  # type: ignore[union-attr]
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)
        self.thread.start()
        assert self.ready.wait(20)

    def close(self) -> None:
        """Stop as a signal would."""
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.town.close()

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One server for this file."""
    made = Served()
    yield made
    made.close()


def test_it_answers(served: Served) -> None:
    """The same application, over HTTP."""
    found = httpx.get(f"http://127.0.0.1:{served.port}/openapi.json")
    assert found.status_code == 200
    assert "server" not in found.headers


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"POST /v1/sign-in/begin HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"])
def test_a_slow_client_is_let_go(served: Served, sent: bytes) -> None:
    """Whoever sends nothing, half a head or half a body is told so, and the connection closed."""
    with served.connect() as connection:
        connection.sendall(sent)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 408 ") or not sent


def test_an_endless_head_is_let_go(served: Served) -> None:
    """Headers have a bound, however they come."""
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        answer = b""
        try:
            for _ in range(2 * HEAD_BYTES_MAX // 1000):
                connection.sendall(b"x-filler: " + b"x" * 1000 + b"\r\n")
            while part := connection.recv(65536):
                answer += part
        except (BrokenPipeError, ConnectionResetError):
            return
    assert answer.startswith(b"HTTP/1.1 431 ")


HEALTH = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
BEGIN = b"POST /v1/sign-in/begin HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n"


def answer_of(connection: socket.socket, *, head_only: bool = False) -> tuple[int, dict[bytes, bytes], bytes]:
    """One answer: its status, headers and body; status 0 when the connection ended instead."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(1)
        if not part:
            assert not read, read
            return 0, {}, b""
        read += part
    first, *lines = read.rstrip(b"\r\n").split(b"\r\n")
    headers = {name: value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    assert len(headers) == len(lines), "a header twice"
    body = b""
    while not head_only and (missing := int(headers[b"content-length"]) - len(body)):
        body += connection.recv(missing)
    return int(first.split()[1]), headers, body


def test_requests_in_a_row_are_answered_in_a_row(served: Served) -> None:
    """Three at once on one connection, the second with a body, the last one asking to close."""
    with served.connect() as connection:
        connection.sendall(HEALTH + BEGIN % (2, b"") + b"{}" + HEALTH.replace(b"x\r\n", b"x\r\nconnection: close\r\n"))
        found = [answer_of(connection) for _ in range(3)]
        assert [status for status, _, _ in found] == [200, 200, 200]
        assert b"challenge" in found[1][2]
        assert [headers.get(b"connection", b"") for _, headers, _ in found] == [b"", b"", b"close"]
        assert all(headers[b"date"].endswith(b"GMT") for _, headers, _ in found)
        assert len({headers[b"x-request-id"] for _, headers, _ in found}) == 3
        assert connection.recv(1) == b""


def test_a_body_may_come_in_parts(served: Served) -> None:
    """Also after having asked whether to send it."""
    with served.connect() as connection:
        connection.sendall(BEGIN % (2, b"") + b"{")
        time.sleep(0.2)
        connection.sendall(b"}")
        assert answer_of(connection)[0] == 200
        connection.sendall(BEGIN % (2, b"expect: 100-continue\r\n"))
        assert answer_of(connection, head_only=True)[0] == 100
        connection.sendall(b"{}")
        assert answer_of(connection)[0] == 200


def test_a_head_without_its_body(served: Served) -> None:
    """HEAD says how long the body would be, and sends none of it."""
    with served.connect() as connection:
        connection.sendall(HEALTH.replace(b"GET", b"HEAD") + HEALTH)
        _, headers, _ = answer_of(connection, head_only=True)
        status, _, body = answer_of(connection)
        assert (status, len(body)) == (200, int(headers[b"content-length"]))


def test_a_connection_lives_for_as_long_as_it_is_used(served: Served) -> None:
    """Longer than any one patience while requests come, and no longer than the idle time after the last."""
    with served.connect() as connection:
        for _ in range(6):
            connection.sendall(HEALTH)
            assert answer_of(connection)[0] == 200
            time.sleep(0.6)
        begun = time.monotonic()
        connection.sendall(HEALTH)
        assert answer_of(connection)[0] == 200
        assert answer_of(connection)[0] == 0, "closed without a word"
        assert 0.8 < time.monotonic() - begun < 2


def test_a_body_that_was_refused_may_still_arrive(served: Served) -> None:
    """It is thrown away; the connection goes on, and ends when it is idle."""
    size = 70_000
    with served.connect() as connection:
        connection.sendall(BEGIN % (size, b""))
        assert answer_of(connection)[0] == 413
        connection.sendall(b" " * size + HEALTH)
        assert answer_of(connection)[0] == 200
        connection.sendall(BEGIN % (size, b""))
        assert answer_of(connection)[0] == 413
        connection.sendall(b" " * size)
        assert answer_of(connection)[0] == 0, "closed without a word"


def test_a_value_that_would_end_its_line_is_not_sent() -> None:
    """A header of ours can't be made to hold another one; nothing has gone out by then."""

    class Cycle:
        """A request that was answered by nothing yet."""

        flow = type("Flow", (), {"write_paused": False})
        disconnected = response_started = False

    with pytest.raises(ValueError, match="header"):
        asyncio.run(Whole(Cycle()).answer(200, [(b"location", b"/x\r\nset-cookie: a=b")], b"", b""))  # type: ignore[arg-type]
