"""HTTP/1.1 as our server speaks it: uvicorn's protocol with patience that ends, and a short way for what is whole.

A connection costs no timer for each request: one runs on from request to request, and looks when it goes off whether it
is late by then.

Most requests are there in one piece, and most answers are whole before a byte of them is sent. For these the server
offers, beside ASGI's messages, the extension :data:`EXTENSION` in a request's scope: a :class:`Whole`.
"""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from formicary.gateway.headers import RawHeaders

HEAD_BYTES_MAX: Final = 32 << 10
"""Bytes of a request's line and headers."""
EXTENSION: Final = "formicary.whole"
"""Name under which a scope's ``extensions`` have a request's :class:`Whole`."""
SLACK_S: Final = 0.01
"""A timer that goes off so much too early is on time: loops count in milliseconds."""
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_NEVER: Final = math.inf
_NO_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Whole:
    """A request that may have arrived whole, and its answer that is sent whole: what ASGI says in many messages."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        """The request's body if all of it is there, as ``receive`` would give it; None while there is more to come."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.response_complete:
            return None
        body = bytes(cycle.body)
        cycle.body = bytearray()
        cycle.flow.resume_reading()
        cycle.message_event.clear()  # whoever receives next waits for the end of the connection
        return body

    async def answer(self, status: int, headers: RawHeaders, lines: bytes, body: bytes) -> None:
        """Send head and body in one write, once the client has taken what was sent before.

        ``headers`` say the length too, where the status has one; ``lines`` are headers that were written before, each
        with its end. Raises ``ValueError`` for a value that would end its line: a bug, and nothing was sent.
        """
        cycle = self._cycle
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        assert not cycle.response_started, "one request, one answer"
        if _NO_VALUE.search(b"".join([value for _, value in headers])):
            message = "a header's value has a character that no value has"
            raise ValueError(message)
        head = [STATUS_LINE[status]]
        for name, value in (*cycle.default_headers, *headers):
            if name == b"connection":
                cycle.keep_alive = False
            else:
                head += (name, b": ", value, b"\r\n")
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"".join((*head, lines, end, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        # Or request and answer would hold each other until the collector comes, and then everybody waits for it.
        cycle.scope["extensions"] = {}
        cycle.on_response()


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose patience ends: a request has to arrive whole within a time, and its head within a size."""

    whole_s: float = 20.0

    _timer: asyncio.TimerHandle | None = None
    _timer_at = _NEVER
    _late_at = _NEVER
    """When this connection will have kept us waiting for too long, in the loop's time."""
    _arriving = True
    """Whether a request has to arrive: it has begun, or the connection is new."""
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection on which nothing comes is closed too."""
        super().connection_made(transport)
        self._wait(self.whole_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """The timer goes with the connection."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is complete."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES_MAX:
            self._end(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        if not self._arriving:
            self._arriving = True
            self._wait(self.whole_s)

    def on_headers_complete(self) -> None:
        """From here on the application bounds what comes."""
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()
        self.scope["extensions"] = {EXTENSION: Whole(self.cycle)}  # type: ignore[dict-item] # an extension of our own

    def on_message_complete(self) -> None:
        """A request has arrived whole; how long its answer takes is no matter of patience."""
        self._arriving = False
        self._late_at = _NEVER
        self._in_head = True
        super().on_message_complete()
        if self.cycle.response_complete:  # it was refused before it had arrived
            self._wait(self.timeout_keep_alive)

    def on_response_complete(self) -> None:
        """Go on to the next request that is there already, or wait for one, by this connection's own timer."""
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if not self._arriving:
                self._wait(self.timeout_keep_alive)

    def _wait(self, seconds: float) -> None:
        """Be patient for so long from now on, whatever was waited for before."""
        self._late_at = self.loop.time() + seconds
        if self._timer_at > self._late_at:
            if self._timer is not None:
                self._timer.cancel()
            self._set_timer()

    def _set_timer(self) -> None:
        self._timer_at = self._late_at
        self._timer = self.loop.call_at(self._late_at, self._look)

    def _look(self) -> None:
        """The timer went off: what it was set for may be done long since."""
        self._timer, self._timer_at = None, _NEVER
        if self._late_at <= self.loop.time() + SLACK_S:
            self._end(_TOO_SLOW if self._arriving else b"")
        elif self._late_at < _NEVER:
            self._set_timer()

    def _end(self, answer: bytes) -> None:
        """Say why, unless an answer is under way, and close."""
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle  # None before the first request, whatever its type says
        if answer and (cycle is None or cycle.response_complete):
            self.transport.write(answer)
        self.transport.close()
