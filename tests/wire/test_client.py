"""The client: the same methods as an open ledger, several requests in flight, and clear words when the line is lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from formicary.base.errors import BadInput, Closed, Diverged, Fault, Refusal
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.records import BATCH_MAX, TRANSFER
from formicary.node import wire
from formicary.node.client import RemoteLedger, connect
from formicary.node.ledger import Ledger, open_ledger
from formicary.node.line import Retry
from formicary.node.server import Server
from formicary.node.wire import ANSWER, Kind, Limits

from tests.wire.conftest import Serve, account_batch, transfer_batch


@contextmanager
def impostor(path: Path, *answers: bytes, hello: bool = True) -> Iterator[str]:
    """Listen like a server, welcome one client, and answer it with the bytes of the test's choice."""

    def play(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            client.recv(64)
            if hello:
                body = wire.pack_welcome(Limits(), bytes(16))
                client.sendall(wire.pack_header(Kind.HELLO | ANSWER, 0, len(body)) + body)
            for answer in answers:
                client.recv(1 << 20)
                client.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "impostor.sock"))
        listener.listen()
        thread = threading.Thread(target=play, args=(listener,), daemon=True)
        thread.start()
        yield f"unix:{path / 'impostor.sock'}"
        thread.join(5)


def test_a_full_batch_goes_through(remote: RemoteLedger) -> None:
    """8,190 accounts and transfers in one frame, the most that there may be."""
    assert set(remote.open_accounts(account_batch(*range(1, BATCH_MAX + 1))).tolist()) == {AccountCode.OK}
    batch = transfer_batch(1, BATCH_MAX)
    codes = remote.post(batch)
    assert codes.dtype == np.uint16
    assert codes.tolist() == [TransferCode.OK] * BATCH_MAX
    assert remote.post(batch).tolist() == [TransferCode.EXISTS] * BATCH_MAX
    assert remote.balance(2) == BATCH_MAX


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        (np.zeros(BATCH_MAX + 1, TRANSFER), "batch_too_long"),
        (np.zeros((2, 2), TRANSFER), "wrong_records"),
        (np.zeros(4, np.int64), "wrong_records"),
    ],
    ids=["too long", "two dimensions", "numbers"],
)
def test_a_wrong_batch_is_refused_before_it_is_sent(remote: RemoteLedger, batch: np.ndarray, code: str) -> None:
    """The same refusal as an open ledger's, and the connection is none the worse."""
    with pytest.raises(BadInput) as refused:
        remote.post(batch)
    assert refused.value.code == code
    remote.ping()


def test_an_empty_batch_has_no_codes(remote: RemoteLedger) -> None:
    """Nothing asked, nothing answered."""
    assert remote.post(np.zeros(0, TRANSFER)).tolist() == []


def test_every_other_record_of_an_array_can_be_posted(remote: RemoteLedger) -> None:
    """A view with a stride is made contiguous, so the right bytes travel."""
    remote.open_accounts(account_batch(1, 2))
    assert set(remote.post(transfer_batch(1, 20)[::2]).tolist()) == {TransferCode.OK}
    assert len(remote.lookup_transfers(range(1, 21))) == 10


def test_tickets_are_done_in_order(remote: RemoteLedger) -> None:
    """Many more requests than the window, each with its own codes, completed as they were sent."""
    remote.open_accounts(account_batch(1, 2))
    done: list[int] = []
    tickets = []
    for each in range(50):
        ticket = remote.submit_transfers(transfer_batch(1 + 10 * each, each % 9 + 1))
        ticket.add_done_callback(lambda _, each=each: done.append(each))
        tickets.append(ticket)
    assert [len(ticket.result()) for ticket in tickets] == [each % 9 + 1 for each in range(50)]
    assert done == list(range(50))


def test_a_callback_may_ask_again(remote: RemoteLedger) -> None:
    """The next batch can be sent from the last one's callback, as a pump does."""
    remote.open_accounts(account_batch(1, 2))
    second: list[object] = []
    finished = threading.Event()

    def ask_again(_: object) -> None:
        second.append(remote.submit_transfers(transfer_batch(2, 1)))
        finished.set()

    remote.submit_transfers(transfer_batch(1, 1)).add_done_callback(ask_again)
    assert finished.wait(5)
    remote.ping()
    assert remote.balance(2) == 2


def test_a_callback_that_would_wait_for_ever_is_refused(serve: Serve) -> None:
    """Only the thread that runs callbacks makes room, so it can't wait for it."""
    refused: list[str] = []
    with connect(str(serve(window=1).address), timeout_s=60) as client:

        def fill(_: object) -> None:
            try:
                client.submit_transfers(transfer_batch(1, 1))
                client.submit_transfers(transfer_batch(2, 1))
            except Refusal as refusal:
                refused.append(refusal.code)

        client.submit_transfers(transfer_batch(3, 1)).add_done_callback(fill)
        client.ping()
    assert refused == ["window_full"]


def test_threads_may_share_a_client(remote: RemoteLedger) -> None:
    """Eight threads, one line: nobody gets another's codes."""
    remote.open_accounts(account_batch(1, 2))
    wrong: list[int] = []

    def work(first: int) -> None:
        for each in range(30):
            size = first + each % 5
            if len(remote.post(transfer_batch(first * 100_000 + each * 100, size))) != size:
                wrong.append(first)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_two_clients_share_the_ledger(served: Server) -> None:
    """What one posts the other sees; the same batch sent by both at once is done once."""
    batches = [transfer_batch(1 + 1000 * each, 1000) for each in range(10)]
    with connect(str(served.address)) as one, connect(str(served.address)) as other:
        one.open_accounts(account_batch(1, 2))
        pairs = [(one.submit_transfers(batch), other.submit_transfers(batch)) for batch in batches]
        for pair in pairs:
            assert [set(ticket.result().tolist()) for ticket in pair].count({TransferCode.OK}) == 1
        assert one.balance(2) == other.balance(2) == 10_000


# ── losing the connection ───────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_there_is_said(short_path: Path) -> None:
    """Connecting to nothing raises at once, with a code."""
    for address in (f"unix:{short_path / 'nothing.sock'}", "tcp:127.0.0.1:1"):
        with pytest.raises(Closed) as refused:
            connect(address)
        assert refused.value.code == "not_serving"


def test_something_else_listening_is_said(short_path: Path) -> None:
    """A port that answers in another language does not serve a ledger."""
    with impostor(short_path, b"", hello=False) as address, pytest.raises(Closed):
        connect(address, timeout_s=0.5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        wire.pack_header(Kind.PING | ANSWER, 999, 0),
        wire.pack_header(Kind.PING | ANSWER, 1, wire.ANSWER_MAX + 1),
        wire.pack_header(Kind.PING | ANSWER, 1, 100),
    ],
    ids=["garbage", "not the next", "too long", "cut short"],
)
def test_a_server_that_errs_ends_the_connection(short_path: Path, answer: bytes) -> None:
    """Bytes that are no answer fail what was asked; nothing is taken for an answer that is not."""
    with impostor(short_path, answer) as address, connect(address, timeout_s=5) as client:
        with pytest.raises(Closed, match="asking again with the same ids is safe"):
            client.ping()
        with pytest.raises(Closed, match="the connection is closed"):
            client.ping()


def test_an_answer_with_too_few_codes_is_not_believed(short_path: Path) -> None:
    """One code a record, or the caller gets none."""
    answer = wire.pack_header(Kind.POST_TRANSFERS | ANSWER, 1, 2) + bytes(2)
    with impostor(short_path, answer) as address, connect(address) as client, pytest.raises(Fault):
        client.post(transfer_batch(1, 2))


def test_a_server_that_never_answers_is_given_up(short_path: Path) -> None:
    """After the time allowed, the request fails and says that its outcome is not known."""
    started = time.monotonic()
    with impostor(short_path, b"") as address, connect(address, timeout_s=0.5) as client:
        ticket = client.submit_transfers(transfer_batch(1, 1))
        lost = ticket.exception()
    assert isinstance(lost, Closed)
    assert "not known" in str(lost)
    assert lost.code in {"timed_out", "connection_lost"}
    assert time.monotonic() - started < 5


def test_a_quiet_client_keeps_its_connection(serve: Serve) -> None:
    """It pings before the server would think it gone."""
    server = serve(idle_s=1, frame_s=0.2)
    with connect(str(server.address)) as client:
        time.sleep(2.5)
        client.ping()


def test_a_closed_client_says_so(remote: RemoteLedger) -> None:
    """After close, and close again, asking raises."""
    remote.close()
    remote.close()
    with pytest.raises(Closed, match="the connection is closed"):
        remote.ping()


def test_close_waits_for_what_was_asked(served: Server, ledger: Ledger) -> None:
    """Tickets submitted before close have their codes after it."""
    client = connect(str(served.address))
    client.open_accounts(account_batch(1, 2))
    tickets = [client.submit_transfers(transfer_batch(1 + each, 1)) for each in range(8)]
    client.close()
    assert [ticket.result(0).tolist() for ticket in tickets] == [[TransferCode.OK]] * 8
    assert ledger.balance(2) == 8


def test_without_a_retry_nothing_is_sent_again(serve: Serve) -> None:
    """The line is lost: every call raises from now on, also after a server is back."""
    server = serve()
    with connect(str(server.address)) as client:
        server.close()
        with pytest.raises(Closed):
            client.ping()
        serve()
        with pytest.raises(Closed):
            client.ping()


def test_with_a_retry_a_client_finds_the_next_server(serve: Serve, ledger: Ledger) -> None:
    """The server goes and comes back under a client that goes on posting; each transfer is done once."""
    server = serve()
    with connect(str(server.address), retry=Retry(attempts=20, pause_s=0.02)) as client:
        client.open_accounts(account_batch(1, 2))
        answers: list[int] = []

        def post(rounds: range) -> None:
            for each in rounds:
                answers.extend(client.post(transfer_batch(1 + each, 1)).tolist())

        post(range(50))
        worker = threading.Thread(target=post, args=(range(50, 400),))
        worker.start()
        for _ in range(2):
            time.sleep(0.05)
            server.close()
            server = serve()
        worker.join()
    assert len(answers) == 400
    assert set(answers) <= {TransferCode.OK, TransferCode.EXISTS}
    assert ledger.balance(2) == 400


def test_a_retry_does_not_go_on_for_ever(serve: Serve) -> None:
    """When no server comes back, the call fails after the attempts allowed."""
    server = serve()
    with connect(str(server.address), retry=Retry(attempts=3, pause_s=0.01)) as client:
        server.close()
        with pytest.raises(Closed) as lost:
            client.ping()
    assert lost.value.code == "not_serving"


def test_another_ledger_at_the_same_address_is_not_posted_to(serve: Serve) -> None:
    """After connecting anew the ledger's id is compared: what is not answered never goes into a stranger's books."""
    server = serve()
    with open_ledger(None) as other, connect(str(server.address), retry=Retry(pause_s=0.01)) as client:
        server.close()
        serve(other)
        with pytest.raises(Closed) as lost:
            client.post(transfer_batch(1, 1))
        assert lost.value.code == Diverged.code
        assert len(other.lookup_transfers([1])) == 0


# ── TCP and its token ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tcp(serve: Serve) -> Callable[[bytes | Path | None], RemoteLedger]:
    """Connect to a server on the loopback that wants a token."""
    server = serve(listen="tcp:127.0.0.1:0", token=b"s" * 32)
    return lambda token: connect(str(server.address), token=token, timeout_s=60)


def test_the_token_opens_the_port(tcp: Callable[[bytes | Path | None], RemoteLedger], tmp_path: Path) -> None:
    """Given as bytes, or as the file that holds it."""
    file = tmp_path / "serve.token"
    file.write_text((b"s" * 32).hex() + "\n")
    for token in (b"s" * 32, file):
        with tcp(token) as client:
            client.ping()


@pytest.mark.parametrize("token", [None, b"t" * 32])
def test_without_the_token_nobody_enters(
    tcp: Callable[[bytes | Path | None], RemoteLedger], token: bytes | None
) -> None:
    """No token or a wrong one: refused with a code, before anything can be asked."""
    with pytest.raises(Refusal) as refused:
        tcp(token)
    assert refused.value.code == "bad_token"


def test_a_port_without_a_token_is_not_opened(serve: Serve) -> None:
    """Every user of the machine could post to it."""
    with pytest.raises(Refusal) as refused:
        serve(listen="tcp:127.0.0.1:0")
    assert refused.value.code == "token_needed"


def test_an_error_of_one_request_is_that_requests_alone(remote: RemoteLedger) -> None:
    """A refused receipt does not disturb the batch behind it."""
    remote.open_accounts(account_batch(1, 2))
    with pytest.raises(Refusal):
        remote.receipt(404)
    assert remote.post(transfer_batch(1, 1)).tolist() == [TransferCode.OK]
