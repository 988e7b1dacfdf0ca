"""A receiver of webhooks on a loopback port, which fails when it is told to and keeps what it got."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass
class Got:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def told(self) -> dict[str, Any]:
        """Its JSON."""
        return dict(msgspec.json.decode(self.body))


class Receiver:
    """Answers each request with the next status of a plan, then with 204."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.plan: list[int] = []
        self.headers: dict[str, str] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Keep what came, and answer as planned."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.plan.pop(0) if receiver.plan else 204
                receiver.got.append(Got({name.lower(): value for name, value in self.headers.items()}, body, status))
                if status == 0:
                    self.connection.close()
                    return
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def accepted(self) -> list[Got]:
        """What was answered with a 2xx."""
        return [each for each in self.got if 200 <= each.status < 300]

    def wait(self, enough: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something is so."""
        until = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < until, f"got {[(each.status, each.body[:80]) for each in self.got]}"
            time.sleep(0.02)

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
