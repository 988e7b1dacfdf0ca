"""A client that knows only bytes: it can say what a proper client never would."""

from __future__ import annotations

import contextlib
import socket
from typing import NamedTuple, Self

from formicary.base.errors import FormicaryError
from formicary.node import wire
from formicary.node.address import Address, dial
from formicary.node.wire import ERROR_KIND, Kind


class Answer(NamedTuple):
    """A frame that came back."""

    kind: int
    request: int
    body: bytes

    @property
    def error(self) -> FormicaryError:
        """What an error frame says."""
        assert self.kind == ERROR_KIND, f"an answer of kind {self.kind:#x} is no error"
        return wire.parse_error(self.body)


class RawClient:
    """Frames and stray bytes on a socket of its own."""

    def __init__(self, address: Address, *, token: bytes = wire.NO_TOKEN, hello: bool = True) -> None:
        self.socket = dial(address, timeout_s=60)
        self.socket.settimeout(60)
        if hello:
            self.welcome = wire.parse_welcome(self.ask(Kind.HELLO, 1, wire.pack_hello(token)).body)

    def send(self, kind: int, request: int, body: bytes = b"") -> None:
        """Send a frame."""
        self.socket.sendall(wire.pack_header(kind, request, len(body)) + body)

    def receive(self) -> Answer | None:
        """Wait for the next frame; None when the server has closed the connection."""
        header = self._exactly(wire.HEADER_BYTES)
        if header is None:
            return None
        kind, request, length = wire.parse_header(header, body_max=wire.ANSWER_MAX)
        body = self._exactly(length)
        assert body is not None
        return Answer(kind, request, body)

    def ask(self, kind: int, request: int, body: bytes = b"") -> Answer:
        """Send a frame and wait for its answer."""
        self.send(kind, request, body)
        answer = self.receive()
        assert answer is not None, "the server closed the connection"
        return answer

    def end(self) -> FormicaryError | None:
        """Wait until the server closes the connection; return its last words, if it said any."""
        last = None
        with contextlib.suppress(ConnectionError):
            while (answer := self.receive()) is not None:
                if answer.request == 0:
                    last = answer.error
        return last

    def _exactly(self, length: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < length:
            piece = self.socket.recv(length - len(parts))
            if not piece:
                assert not parts, "the server closed the connection inside a frame"
                return None
            parts += piece
        return bytes(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def closed_by_server(client: socket.socket) -> bool:
    """Whether the other side has hung up."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True
