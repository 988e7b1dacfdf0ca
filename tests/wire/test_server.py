"""A server among clients that err, stall, flood or vanish: it refuses with a code, and serves the others."""

from __future__ import annotations

import random
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formicary.base.errors import Closed, Refusal
from formicary.kernel.codes import TransferCode
from formicary.node import wire
from formicary.node.client import RemoteLedger, connect
from formicary.node.ledger import Ledger
from formicary.node.server import Server
from formicary.node.wire import ANSWER, ERROR_KIND, Kind

from tests.wire.conftest import Serve, account_batch, transfer_batch
from tests.wire.rawclient import RawClient, closed_by_server


class HeldBack:
    """A real ledger whose codes come no sooner than the test lets them: a slow disk, to the server."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._gate = threading.Event()
        self.submitted: list[np.ndarray[Any, Any]] = []

    def submit_transfers(self, batch: np.ndarray[Any, Any]) -> Future[Any]:
        """Submit, and let the answer wait for the gate."""
        self.submitted.append(batch)
        held: Future[Any] = Future()
        done = self._ledger.submit_transfers(batch)
        threading.Thread(target=lambda: (self._gate.wait(20), held.set_result(done.result())), daemon=True).start()
        return held

    def open_gate(self) -> None:
        """Let all answers go."""
        self._gate.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def wait_until(true: Any, *, within_s: float = 10.0) -> bool:
    """Wait until a condition holds, for a while."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def still_serves(server: Server) -> bool:
    """Whether a proper client is served now."""
    with connect(str(server.address), timeout_s=60) as client:
        client.ping()
    return True


# ── bad frames ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "bad_magic"),
        (wire.HEADER.pack(wire.MAGIC, wire.BODY_MAX + 1, 5, Kind.POST_TRANSFERS, 0, 0), "frame_too_long"),
        (wire.HEADER.pack(wire.MAGIC, 0, 5, Kind.PING, 9, 0), "reserved_not_zero"),
        (wire.HEADER.pack(wire.MAGIC, 0, 5, Kind.PING, 0, 9), "reserved_not_zero"),
    ],
)
def test_lost_framing_is_said_and_ends_the_connection(served: Server, data: bytes, code: str) -> None:
    """After a header that can't be followed, the code comes with request 0, and then the end of the stream."""
    with RawClient(served.address) as client:
        client.socket.sendall(data)
        said = client.end()
    assert said is not None
    assert said.code == code
    assert still_serves(served)


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (99, b"", "unknown_kind"),
        (Kind.HELLO | ANSWER, bytes(40), "unknown_kind"),
        (Kind.POST_TRANSFERS, b"", "bad_length"),
        (Kind.POST_TRANSFERS, bytes(127), "bad_length"),
        (Kind.OPEN_ACCOUNTS, bytes(200), "bad_length"),
        (Kind.LOOKUP_TRANSFERS, bytes(15), "bad_length"),
        (Kind.LOOKUP_TRANSFERS, bytes(16 * 8191), "batch_too_long"),
        (Kind.RECEIPT, bytes(3), "bad_length"),
        (Kind.HELLO, wire.pack_hello(), "hello_repeated"),
    ],
)
def test_a_bad_request_is_refused_and_the_next_is_served(served: Server, kind: int, body: bytes, code: str) -> None:
    """Its frame is whole, so the connection goes on."""
    with RawClient(served.address) as client:
        refused = client.ask(kind, 41, body)
        assert refused.request == 41
        assert isinstance(refused.error, Refusal)
        assert refused.error.code == code
        assert client.ask(Kind.PING, 42, b"still here") == (Kind.PING | ANSWER, 42, b"still here")


def test_a_frame_cut_short_is_said(served: Server) -> None:
    """A client that ends its stream inside a frame is told so, if it still listens."""
    with RawClient(served.address) as client:
        client.socket.sendall(wire.pack_header(Kind.POST_TRANSFERS, 3, 1280) + bytes(1000))
        client.socket.shutdown(socket.SHUT_WR)
        said = client.end()
    assert said is not None
    assert said.code == "connection_lost"
    assert still_serves(served)


def test_a_client_that_only_ends_its_own_stream_gets_its_answers(served: Server) -> None:
    """Closing the sending half says "no more questions", not "no more answers"."""
    with RawClient(served.address) as client:
        for request in range(10, 15):
            client.send(Kind.PING, request)
        client.socket.shutdown(socket.SHUT_WR)
        answers = [client.receive() for _ in range(6)]
    assert [answer and answer.request for answer in answers] == [10, 11, 12, 13, 14, None]


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (Kind.PING, b"", "hello_expected"),
        (Kind.HELLO, b"", "hello_expected"),
        (Kind.HELLO, struct.pack("<HHI32s", 9, 0, 0, b""), "version_unsupported"),
    ],
)
def test_a_client_that_does_not_say_hello_is_not_let_in(served: Server, kind: int, body: bytes, code: str) -> None:
    """The first frame is a hello of this version, or the last."""
    with RawClient(served.address, hello=False) as client:
        client.send(kind, 1, body)
        said = client.end()
    assert said is not None
    assert said.code == code


_fuzzed = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_fuzzed
@given(data=st.binary(min_size=1, max_size=400), hello=st.booleans())
def test_random_bytes_do_not_trouble_the_server(served: Server, data: bytes, hello: bool) -> None:
    """Whatever arrives, before or after a hello, the server answers or hangs up, and serves the next client."""
    with RawClient(served.address, hello=hello) as client:
        client.socket.sendall(data)
        client.socket.shutdown(socket.SHUT_WR)
        client.end()
    assert wait_until(lambda: not served.connections)


@_fuzzed
@given(
    frames=st.lists(
        st.tuples(st.sampled_from([*Kind, 0, 77, 0x8003]), st.integers(0, 400), st.integers(0, 2**32)), max_size=8
    )
)
def test_random_frames_are_each_answered_in_order(served: Server, frames: list[tuple[int, int, int]]) -> None:
    """Well-framed nonsense of any kind and length: one answer a frame, in the order sent."""
    with RawClient(served.address) as client:
        for request, (kind, length, seed) in enumerate(frames, 100):
            client.send(kind, request, random.Random(seed).randbytes(length))
        answers = [client.receive() for _ in frames]
    assert [answer and answer.request for answer in answers] == list(range(100, 100 + len(frames)))


def test_hostile_clients_do_not_make_the_server_grow(served: Server) -> None:
    """Frames that promise much and hold little, a hundred times over: memory stays where it was."""
    promise = wire.pack_header(Kind.POST_TRANSFERS, 3, wire.BODY_MAX)

    def attack() -> None:
        with RawClient(served.address) as client:
            client.socket.sendall(promise + bytes(100))
        with RawClient(served.address) as client:
            client.socket.sendall((wire.pack_header(99, 3, 500_000) + bytes(500_000)) * 2)

    for _ in range(10):
        attack()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        attack()
    assert wait_until(lambda: not served.connections)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB: a few slots, not a hundred


# ── slow, silent and vanishing clients ──────────────────────────────────────────────────────────────────────────────


def test_a_client_that_stalls_inside_a_frame_is_cut_off(serve: Serve) -> None:
    """One byte now and then does not keep a frame open for ever."""
    server = serve(frame_s=0.3)
    with RawClient(server.address) as client:
        client.socket.sendall(wire.pack_header(Kind.POST_TRANSFERS, 3, 1280)[:10])
        said = client.end()
    assert said is not None
    assert said.code == "timed_out"


def test_a_client_that_asks_nothing_is_closed(serve: Serve) -> None:
    """A half-open connection does not hold its place for ever, and is told why it lost it."""
    server = serve(idle_s=0, frame_s=0.1)
    with RawClient(server.address) as client:
        said = client.end()
    assert said is not None
    assert said.code == "idle"


def test_a_client_that_never_says_hello_is_closed(serve: Serve) -> None:
    """A connection that says nothing at all ends after the time for a hello."""
    server = serve(hello_s=0.2)
    with RawClient(server.address, hello=False) as client:
        assert wait_until(lambda: closed_by_server(client.socket) or True)
    assert wait_until(lambda: not server.connections)


def test_a_slow_reader_is_cut_off_and_holds_up_nobody(serve: Serve) -> None:
    """A client that asks for much and reads nothing fills its own sockets; others are served all the while."""
    server = serve(frame_s=1.0)
    with RawClient(server.address) as glutton:
        glutton.socket.settimeout(0.2)
        with suppress(TimeoutError):
            for request in range(1, 200):
                glutton.send(Kind.PING, request, bytes(wire.BODY_MAX))
        assert request < 199
        started = time.monotonic()
        assert still_serves(server)
        assert time.monotonic() - started < 1.0
        assert wait_until(lambda: not server.connections)


def test_no_more_clients_than_the_limit(serve: Serve) -> None:
    """One too many is told so and turned away; when one leaves there is room again."""
    server = serve(connections=2)
    with RawClient(server.address), RawClient(server.address) as leaving:
        with pytest.raises(Closed) as refused:
            connect(str(server.address))
        assert refused.value.code == "too_many_connections"
        leaving.socket.close()
        assert wait_until(lambda: server.connections == 1)
        assert still_serves(server)


def test_a_client_that_vanishes_leaves_its_work_done(served: Server, remote: RemoteLedger) -> None:
    """What had arrived is posted all the same, and asking again answers EXISTS."""
    remote.open_accounts(account_batch(1, 2))
    batch = transfer_batch(100, 50)
    with RawClient(served.address) as vanishing:
        vanishing.send(Kind.POST_TRANSFERS, 1, batch.tobytes())
    assert wait_until(lambda: served.connections == 1)
    assert set(remote.post(batch).tolist()) == {TransferCode.EXISTS}
    assert remote.balance(2) == 50


# ── order and back-pressure ─────────────────────────────────────────────────────────────────────────────────────────


def test_answers_come_in_the_order_of_requests(served: Server) -> None:
    """Batches, reads and refusals in one go: each answer in its turn, and a read sees at least what went before."""
    with RawClient(served.address) as client:
        client.send(Kind.OPEN_ACCOUNTS, 1, account_batch(1, 2).tobytes())
        for turn in range(6):
            client.send(Kind.POST_TRANSFERS, 10 + 3 * turn, transfer_batch(1 + 100 * turn, 100).tobytes())
            client.send(Kind.LOOKUP_ACCOUNTS, 11 + 3 * turn, struct.pack("<QQ", 2, 0))
            client.send(77, 12 + 3 * turn)
        answers = [client.receive() for _ in range(19)]
    assert [answer and answer.request for answer in answers] == [1, *range(10, 28)]
    posted = [struct.unpack_from("<q", answer.body, 40)[0] for answer in answers[2::3] if answer]
    assert posted == sorted(posted)
    assert all(seen >= 100 * turn for turn, seen in enumerate(posted, 1))
    assert posted[-1] == 600


@contextmanager
def flooding(client: RawClient, batches: int) -> Iterator[threading.Thread]:
    """Send batches from another thread for as long as the socket takes them."""

    def flood() -> None:
        for each in range(batches):
            client.send(Kind.POST_TRANSFERS, each + 1, transfer_batch(1 + each, 1).tobytes() * 8000)

    thread = threading.Thread(target=flood)
    thread.start()
    yield thread
    thread.join()


def test_the_window_is_never_exceeded(serve: Serve, ledger: Ledger) -> None:
    """A client that ignores its window is held back by its own socket: the server takes no request beyond it."""
    held = HeldBack(ledger)
    server = serve(held, window=3)
    with RawClient(server.address) as client, flooding(client, 20) as sender:
        assert wait_until(lambda: len(held.submitted) == 3)
        time.sleep(0.2)
        assert len(held.submitted) == 3
        assert sender.is_alive()
        held.open_gate()
        assert [answer.request for answer in (client.receive() for _ in range(20)) if answer] == list(range(1, 21))
    assert len(held.submitted) == 20


def test_a_buffer_is_not_reused_before_its_codes_are_known(serve: Serve, ledger: Ledger) -> None:
    """While tickets are open, no two batches share memory; afterwards the same few buffers serve on."""
    held = HeldBack(ledger)
    server = serve(held, window=4)
    with connect(str(server.address), timeout_s=60) as client:
        tickets = [client.submit_transfers(transfer_batch(1 + each, 1)) for each in range(4)]
        assert wait_until(lambda: len(held.submitted) == 4)
        places = {batch.ctypes.data for batch in held.submitted}
        assert [int(batch["id_lo"][0]) for batch in held.submitted] == [1, 2, 3, 4]
        held.open_gate()
        assert [len(ticket.result()) for ticket in tickets] == [1, 1, 1, 1]
        for each in range(10):
            client.post(transfer_batch(50 + each, 1))
    assert len(places) == 4
    assert {batch.ctypes.data for batch in held.submitted} == places


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_stops_answers_what_is_in_flight(serve: Serve, ledger: Ledger) -> None:
    """Requests that were read are answered, then the client is told; no new one connects."""
    held = HeldBack(ledger)
    server = serve(held)
    with RawClient(server.address) as client:
        for request in (1, 2):
            client.send(Kind.POST_TRANSFERS, request, transfer_batch(request, 1).tobytes())
        assert wait_until(lambda: len(held.submitted) == 2)
        stopping = threading.Thread(target=server.close)
        stopping.start()
        time.sleep(0.1)
        held.open_gate()
        answers = [client.receive() for _ in range(3)]
        stopping.join()
    assert [answer and answer.kind for answer in answers] == [Kind.POST_TRANSFERS | ANSWER] * 2 + [ERROR_KIND]
    assert answers[2] is not None
    assert answers[2].error.code == "stopping"
    with pytest.raises(Closed) as refused:
        connect(str(server.address))
    assert refused.value.code == "not_serving"


def test_a_ledger_that_has_failed_stops_its_server(serve: Serve, ledger: Ledger) -> None:
    """It must be opened anew, so the server gives up its place instead of refusing for ever."""
    server = serve()
    with connect(str(server.address)) as client:
        ledger.close()
        with pytest.raises(Closed):
            client.post(transfer_batch(1, 1))
    server.close()
    assert server.fault is not None
    assert server.fault.code == "closed"
