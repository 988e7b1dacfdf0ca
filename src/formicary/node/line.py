"""One line to a served ledger: requests out in order, answers in, renewed when its policy says so.

Requests leave in the order of the calls, from whichever threads, at most as many unanswered as the server's window; one
more waits. A thread of the line's own receives the answers and completes the tickets, in the order of the requests.

A lost connection leaves open whether the last requests were done. Nothing is sent again unless a :class:`Retry` asks
for it; with one the line connects anew and sends, in their order, the requests that have no answer.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import Closed, Diverged, Fault, FormicaryError, Refusal
from formicary.node import wire
from formicary.node.address import Address, dial, set_timeout
from formicary.node.channel import Buffer, Channel, Gone, Silent
from formicary.node.wire import ANSWER, ERROR_KIND, Kind, Welcome

Decode: TypeAlias = Callable[[npt.NDArray[np.uint8]], Any]
"""What makes an answer's body into what its caller gets."""
PINGS_PER_IDLE: Final = 3
"""A quiet client pings this often within the time after which the server would close it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How a client connects anew after losing its server; the pause doubles from one attempt to the next."""

    attempts: int = 12
    pause_s: float = 0.05
    pause_max_s: float = 2.0

    def pauses(self) -> Iterable[float]:
        """Yield how long to wait before each attempt."""
        return (min(self.pause_s * 2**attempt, self.pause_max_s) for attempt in range(self.attempts))


@dataclass(slots=True)
class _Asked:
    """A request without its answer yet; the body is kept so that it can be sent again."""

    kind: Kind
    request: int
    body: Buffer
    decode: Decode
    sent_at: float
    ticket: Future[Any] = field(default_factory=Future)


class Line:
    """Requests and answers of one connection, renewed when its policy says so."""

    def __init__(self, address: Address, *, token: bytes, timeout_s: float, retry: Retry | None) -> None:
        self._address = address
        self._token = token
        self._timeout_s = timeout_s
        self._retry = retry
        self._requests = itertools.count(1)
        self._sending = threading.Lock()
        self._asked: deque[_Asked] = deque()
        self._fault: FormicaryError | None = None
        self._closing = threading.Event()
        self._channel, self.welcome = self._greet()
        self._room = threading.Semaphore(self.welcome.window)
        self._receiver = threading.Thread(target=self._receive_answers, name="formicary-client", daemon=True)
        self._receiver.start()

    def _greet(self) -> tuple[Channel, Welcome]:
        """Connect and say hello; raise what the server has against us."""
        connection = dial(self._address, timeout_s=self._timeout_s)
        channel = Channel(connection, frame_s=self._timeout_s)
        set_timeout(connection, socket.SO_SNDTIMEO, self._timeout_s)
        set_timeout(connection, socket.SO_RCVTIMEO, self._timeout_s)
        with contextlib.suppress(Gone):  # when turned away before we spoke, why is waiting to be read
            channel.send(Kind.HELLO, 0, wire.pack_hello(self._token))
        try:
            welcome = self._read_welcome(channel)
        except FormicaryError:
            channel.close()
            raise
        patience_s = min(self._timeout_s, welcome.idle_s / PINGS_PER_IDLE)
        set_timeout(connection, socket.SO_RCVTIMEO, max(patience_s, 0.01))
        return channel, welcome

    @staticmethod
    def _read_welcome(channel: Channel) -> Welcome:
        header = channel.receive_header(body_max=wire.BODY_MAX)
        body = bytearray(header.length)
        channel.receive_exactly(memoryview(body))
        if header.kind == ERROR_KIND:
            raise wire.parse_error(body)
        if header.kind != Kind.HELLO | ANSWER or header.length != wire.WELCOME.size:
            raise Closed("what listens there does not serve a ledger", code="not_serving")
        return wire.parse_welcome(body)

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, kind: Kind, body: Buffer, decode: Decode) -> Future[Any]:
        """Send a request and return its ticket; waits while the window is full."""
        if threading.current_thread() is not self._receiver:
            self._room.acquire()
        elif not self._room.acquire(blocking=False):
            raise Refusal("a ticket's callback can't wait for room, which only it could make", code="window_full")
        return self._ask_in_turn(kind, body, decode)

    def _ask_in_turn(self, kind: Kind, body: Buffer, decode: Decode) -> Future[Any]:
        with self._sending:
            if self._fault is not None or self._closing.is_set():
                self._room.release()
                self._raise_closed()
            asked = _Asked(kind, next(self._requests), body, decode, time.monotonic())
            asked.ticket.set_running_or_notify_cancel()  # it is on its way: nobody can cancel it
            self._asked.append(asked)
            self._send(asked)
        return asked.ticket

    def _send(self, asked: _Asked) -> None:
        try:
            self._channel.send(asked.kind, asked.request, asked.body)
        except Gone:
            self._channel.hang_up()  # the receiver reads why, and then sends again or fails the ticket

    def _raise_closed(self) -> NoReturn:
        if self._fault is None or self._closing.is_set():
            raise Closed("the connection is closed")
        raise Closed(f"the connection is closed: {self._fault}", code=self._fault.code) from self._fault

    # ── receiving ───────────────────────────────────────────────────────────────────────────────────────────────

    def _receive_answers(self) -> None:
        while True:
            try:
                self._receive_answer()
            except Silent as silent:
                if silent.partial or not self._still_waits():
                    self._renew_or_fail(silent)
            except FormicaryError as error:
                self._renew_or_fail(error)
            if self._fault is not None:
                return

    def _receive_answer(self) -> None:
        header = self._channel.receive_header(body_max=wire.ANSWER_MAX)
        body = np.empty(header.length, np.uint8)
        self._channel.receive_exactly(memoryview(body))
        if header.request == 0 and header.kind == ERROR_KIND:
            raise wire.parse_error(memoryview(body))
        if not self._asked or self._asked[0].request != header.request:
            raise Fault(
                f"the server answered request {header.request}, which is not the next", code="answer_out_of_order"
            )
        asked = self._asked.popleft()
        self._room.release()
        if header.kind == ERROR_KIND:
            asked.ticket.set_exception(wire.parse_error(memoryview(body)))
            return
        try:
            result = asked.decode(body)
        except FormicaryError as error:
            asked.ticket.set_exception(error)
        except Exception as error:  # noqa: BLE001 - an answer that can't be read concerns its caller only
            unread = Fault(f"the answer can't be read: {error!r}", code="bad_answer")
            unread.__cause__ = error
            asked.ticket.set_exception(unread)
        else:
            asked.ticket.set_result(result)

    def _still_waits(self) -> bool:
        """After a silence: ping when nothing is asked; False when the oldest request has waited for too long."""
        oldest = next(iter(self._asked), None)
        if oldest is not None:
            return time.monotonic() - oldest.sent_at < self._timeout_s
        if self._room.acquire(blocking=False):
            with contextlib.suppress(Closed):
                self._ask_in_turn(Kind.PING, b"", bytes)
        return True

    # ── losing the connection ───────────────────────────────────────────────────────────────────────────────────

    def _renew_or_fail(self, error: FormicaryError) -> None:
        """Connect anew and send again what is not answered, or fail it all. New requests wait meanwhile."""
        self._channel.hang_up()
        with self._sending:
            if self._retry is not None and isinstance(error, Fault):
                for pause_s in self._retry.pauses():
                    if self._closing.wait(pause_s):
                        break
                    try:
                        self._renew()
                    except Closed as again:
                        error = again
                    except FormicaryError as refused:
                        error = refused
                        break
                    else:
                        return
            self._fail(error)

    def _renew(self) -> None:
        channel, welcome = self._greet()
        if welcome.ledger_id != self.welcome.ledger_id:
            channel.close()
            raise Diverged(f"the server now has another ledger, {welcome.ledger_id.hex()}", index=0)
        self._channel.close()
        self._channel, self.welcome = channel, welcome
        for asked in list(self._asked):
            asked.sent_at = time.monotonic()
            self._send(asked)

    def _fail(self, error: FormicaryError) -> None:
        """End for good: whoever waits learns why."""
        self._fault = error
        while self._asked:
            asked = self._asked.popleft()
            self._room.release()
            message = f"{error}; whether it was done is not known, and asking again with the same ids is safe"
            asked.ticket.set_exception(Closed(message, code=error.code))
        self._room.release()
        self._channel.close()

    def close(self) -> None:
        """Wait for what was asked, then hang up; closing twice is harmless."""
        wait([asked.ticket for asked in list(self._asked)], timeout=self._timeout_s)
        self._closing.set()
        self._channel.hang_up()
        if threading.current_thread() is not self._receiver:
            self._receiver.join(self._timeout_s)
