"""The server itself, on a real port: slow and endless heads are let go, requests under way may finish."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from formicary.gateway.server import HEAD_BYTES_MAX, GatewayServer, make_server

from tests.gateway.town import Town


class Served:
    """A gateway on a port of its own, in a thread."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.town = Town(port=self.port, body_s=1)
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
