"""One client of a served ledger: a thread that reads its requests, and one that answers them.

::

    socket ─► reader ── submits ──► ledger ─► ticket ─► answerer ─► socket
                ▲                                          │
                └───────────── a free slot ◄───────────────┘

A connection has as many slots as its window; each holds one request from before its first byte is read until its
answer is sent. A reader without a free slot does not read, so the sender's own socket fills and holds it back: memory
is bounded by construction, whatever a client does. Answers leave in the order of requests. Reads run on the answerer,
after the answers before them, so a client reads what it wrote. A batch is read from the socket into its slot and handed
over as it lies; the slot is not reused before its ticket is done.

No connection can hold up another: a slow reader stalls only its own answerer, and is cut off after a while.
"""

from __future__ import annotations

import contextlib
import hmac
import socket
import threading
import time
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from formicary.base.errors import Closed, Fault, FormicaryError, Refusal
from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.node import wire
from formicary.node.address import set_timeout, tune
from formicary.node.answers import answer
from formicary.node.channel import Buffer, Channel, Gone, Silent
from formicary.node.surface import Surface, Ticket
from formicary.node.wire import ANSWER, ERROR_KIND, FramingLost, Kind, Limits

WAKE_S: Final = 1.0
"""How often a silent connection's reader looks whether it has been idle for too long."""


class Host(Protocol):
    """What a connection needs of the server that it belongs to."""

    ledger: Surface
    ledger_id: bytes
    limits: Limits
    token: bytes | None
    stopping: bool

    def forget(self, connection: Connection) -> None:
        """Take a connection that has ended off the list."""

    def ledger_stopped(self, fault: Closed) -> None:
        """Hear that the ledger has failed for good."""


class Slot:
    """Room for one request's body; its memory is taken when first needed, and only as far as it is touched."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._memory: npt.NDArray[np.uint8] | None = None

    def room(self, length: int) -> memoryview:
        """Return the first ``length`` bytes, to be filled."""
        if self._memory is None:
            self._memory = np.empty(self._size, np.uint8)
        return memoryview(self._memory)[:length]


@dataclass(slots=True)
class Pending:
    """A request that was read and not yet answered: by a ticket, by a read still to be made, or by an error."""

    kind: int
    request: int
    slot: Slot
    ticket: Ticket | None = None
    body: memoryview | None = None
    error: FormicaryError | None = None


class Connection:
    """One client, from its hello to its end."""

    def __init__(self, host: Host, client: socket.socket) -> None:
        limits = host.limits
        self._host = host
        self._limits = limits
        self._channel = Channel(client, frame_s=limits.frame_s)
        self._free: SimpleQueue[Slot | None] = SimpleQueue()
        self._pending: SimpleQueue[Pending | None] = SimpleQueue()
        self._last_words: FormicaryError | None = None
        self._reader = threading.Thread(target=self._run, name="formicary-reader", daemon=True)
        self._answerer = threading.Thread(target=self._answer_requests, name="formicary-answerer", daemon=True)

    def start(self) -> None:
        """Greet the client and serve it, on threads of its own."""
        self._reader.start()

    def _run(self) -> None:
        tune(self._channel.socket)
        set_timeout(self._channel.socket, socket.SO_SNDTIMEO, self._limits.frame_s)
        try:
            if self._greeted():
                self._serve()
        finally:
            self._channel.close()
            self._host.forget(self)

    # ── hello ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _greeted(self) -> bool:
        """Let the client in when its hello is right and comes soon; tell it why not otherwise."""
        set_timeout(self._channel.socket, socket.SO_RCVTIMEO, self._limits.hello_s)
        try:
            header = self._channel.receive_header(body_max=wire.HELLO.size)
            if header.kind != Kind.HELLO or header.length != wire.HELLO.size:
                raise FramingLost(
                    f"the first frame of a connection is HELLO, {wire.HELLO.size} bytes", code="hello_expected"
                )
            self._check_hello(header.length)
            welcome = wire.pack_welcome(self._limits, self._host.ledger_id)
            self._channel.send(Kind.HELLO | ANSWER, header.request, welcome)
        except FormicaryError as error:
            self._say_goodbye(error)
            return False
        return True

    def _check_hello(self, length: int) -> None:
        body = bytearray(length)
        self._channel.receive_exactly(memoryview(body))
        token = wire.parse_hello(body)
        if self._host.token is not None and not hmac.compare_digest(token, self._host.token):
            raise FramingLost("the token is not the one in this ledger's keys/serve.token", code="bad_token")

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        for _ in range(self._limits.window):
            self._free.put(Slot(self._limits.body_bytes))
        set_timeout(self._channel.socket, socket.SO_RCVTIMEO, min(WAKE_S, self._limits.frame_s))
        self._answerer.start()
        try:
            self._read_requests()
        except FormicaryError as error:
            self._last_words = error
        finally:
            self._pending.put(None)
            self._answerer.join()

    def _read_requests(self) -> None:
        while not self._host.stopping:
            slot = self._free.get()
            if slot is None:
                return
            header = self._next_header()
            if header is None:
                return
            self._pending.put(self._begin(header, slot))
        raise Closed("the server is stopping; what is not answered may be sent again to the next one", code="stopping")

    def _next_header(self) -> wire.Header | None:
        """Wait for a request, not for ever; None when the client has hung up between two frames."""
        deadline = time.monotonic() + self._limits.idle_s
        while True:
            try:
                return self._channel.receive_header(body_max=self._limits.body_bytes)
            except Silent as silent:
                if silent.partial:
                    raise
                if time.monotonic() > deadline:
                    raise Closed(f"nothing was asked for {self._limits.idle_s} seconds", code="idle") from None
            except Gone as gone:
                if gone.partial:
                    raise
                if self._host.stopping:
                    raise Closed(
                        "the server is stopping; what is not answered may be sent again to the next one",
                        code="stopping",
                    ) from None
                return None

    def _begin(self, header: wire.Header, slot: Slot) -> Pending:
        """Read a request's body and, when it is a batch, submit it."""
        pending = Pending(header.kind, header.request, slot)
        try:
            kind = wire.check_request(header, self._limits)
        except Refusal as refused:
            self._channel.skip(header.length)
            pending.error = refused
            return pending
        body = slot.room(header.length)
        self._channel.receive_exactly(body)
        try:
            if kind == Kind.POST_TRANSFERS:
                pending.ticket = self._host.ledger.submit_transfers(np.frombuffer(body, TRANSFER))
            elif kind == Kind.OPEN_ACCOUNTS:
                pending.ticket = self._host.ledger.submit_accounts(np.frombuffer(body, ACCOUNT))
            else:
                pending.body = body
        except FormicaryError as error:
            pending.error = error
        return pending

    # ── answering ───────────────────────────────────────────────────────────────────────────────────────────────

    def _answer_requests(self) -> None:
        try:
            while (pending := self._pending.get()) is not None:
                self._send_answer(pending)
                self._free.put(pending.slot)
            if self._last_words is not None:
                self._say_goodbye(self._last_words)
        except Gone:
            self._channel.hang_up()  # the client is gone: wakes a reader that waits for its next byte
        finally:
            self._free.put(None)  # and one that waits for a slot

    def _send_answer(self, pending: Pending) -> None:
        try:
            body = self._answer(pending)
        except FormicaryError as error:
            self._channel.send(ERROR_KIND, pending.request, wire.pack_error(error))
            if isinstance(error, Closed):
                self._host.ledger_stopped(error)
        except Exception as error:  # noqa: BLE001 - a bug stops its ledger; the client hears that, and no trace of ours
            fault = Fault(f"the ledger failed: {type(error).__name__}", code="fault")
            self._channel.send(ERROR_KIND, pending.request, wire.pack_error(fault))
        else:
            self._channel.send(pending.kind | ANSWER, pending.request, body)

    def _answer(self, pending: Pending) -> Buffer:
        if pending.error is not None:
            raise pending.error
        if pending.ticket is not None:
            return np.ascontiguousarray(pending.ticket.result(), dtype="<u2")
        assert pending.body is not None
        return answer(self._host.ledger, Kind(pending.kind), pending.body)

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _say_goodbye(self, error: FormicaryError) -> None:
        """Say in a last frame, of request 0, why the connection ends; the client may be gone already."""
        with contextlib.suppress(Gone):
            self._channel.send(ERROR_KIND, 0, wire.pack_error(error))

    def finish(self) -> None:
        """Read no further request; what was read is still answered."""
        with contextlib.suppress(OSError):
            self._channel.socket.shutdown(socket.SHUT_RD)

    def wait(self, deadline: float) -> None:
        """Wait for the end, until ``deadline`` on the monotonic clock; then cut the connection off."""
        self._reader.join(max(0.0, deadline - time.monotonic()))
        if self._reader.is_alive():
            self._channel.hang_up()
            self._free.put(None)
