"""Serve one ledger to the other processes of this machine: accept clients, turn away too many, stop in order.

Each client is a :class:`~formicary.node.connection.Connection` with threads of its own, so none can hold up another.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from pathlib import Path
from typing import Self

from formicary.base.errors import Closed, Refusal
from formicary.node import wire
from formicary.node.address import UnixAddress, listen, parse_address, set_timeout, tune
from formicary.node.channel import Channel, Gone
from formicary.node.connection import Connection
from formicary.node.surface import Surface
from formicary.node.wire import ERROR_KIND, Limits


class Server:
    """A ledger behind a socket. The ledger stays its owner's: closing the server does not close it.

    ``fault`` is what the ledger died of, if that is why the server stopped.
    """

    def __init__(
        self, ledger: Surface, address: str | Path, *, token: bytes | None = None, limits: Limits | None = None
    ) -> None:
        self.ledger = ledger
        self.limits = limits or Limits()
        self.token = token
        self.ledger_id = bytes.fromhex(str(ledger.info()["ledger_id"]))
        self.stopping = False
        self.fault: Closed | None = None
        wanted = parse_address(address)
        if not isinstance(wanted, UnixAddress) and token is None:
            raise Refusal(
                "a TCP port is open to every user of this machine: serve it with a token", code="token_needed"
            )
        self._connections: set[Connection] = set()
        self._turn = threading.Lock()
        self._listener, self.address = listen(wanted, backlog=self.limits.connections)
        self._listener.settimeout(0)  # a client that gives up between select and accept may not hold us there
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Serve on a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="formicary-server", daemon=True)
        self._thread.start()
        return self

    def run(self) -> None:
        """Serve until :meth:`request_stop`, then finish what is in flight."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_receiver, selectors.EVENT_READ)
            while not self.stopping:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._listener in ready and not self.stopping:
                    self._accept()
        self._drain()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            # The client left before it was let in, or this process has no descriptor to spare: others go on.
            time.sleep(0.01)
            return
        if not self._let_in(client):
            _turn_away(client, self.limits.connections)

    def _let_in(self, client: socket.socket) -> bool:
        """Start serving a client; False when there is no room for it, or no thread to be had."""
        connection = Connection(self, client)
        with self._turn:
            room = len(self._connections) < self.limits.connections
            if room:
                self._connections.add(connection)
        if not room:
            return False
        try:
            connection.start()
        except RuntimeError:
            self.forget(connection)
            return False
        return True

    @property
    def connections(self) -> int:
        """How many clients are connected now, greeted or not."""
        with self._turn:
            return len(self._connections)

    def forget(self, connection: Connection) -> None:
        """Take a connection that has ended off the list."""
        with self._turn:
            self._connections.discard(connection)

    def request_stop(self) -> None:
        """Ask :meth:`run` to end; safe in a signal handler, and twice."""
        self.stopping = True
        with contextlib.suppress(OSError):
            self._wake_sender.send(b"\0")

    def ledger_stopped(self, fault: Closed) -> None:
        """Stop as well when the ledger has failed for good: it must be opened anew, and its next server is found."""
        self.fault = self.fault or fault
        self.request_stop()

    def close(self) -> None:
        """Stop, and wait until everything in flight is answered."""
        self.request_stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _drain(self) -> None:
        self._listener.close()
        if isinstance(self.address, UnixAddress):
            self.address.path.unlink(missing_ok=True)
        with self._turn:
            connections = list(self._connections)
        for connection in connections:
            connection.finish()
        deadline = time.monotonic() + self.limits.drain_s
        for connection in connections:
            connection.wait(deadline)
        self._wake_sender.close()
        self._wake_receiver.close()

    def __enter__(self) -> Self:
        """Serve in a ``with`` block."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.close()


def _turn_away(client: socket.socket, connections: int) -> None:
    """Tell a client that there is no room; a small frame into an empty socket can't block."""
    message = f"{connections} clients are connected already, which is as many as this server takes"
    with contextlib.closing(client), contextlib.suppress(Gone):
        tune(client)
        set_timeout(client, socket.SO_SNDTIMEO, 1.0)
        Channel(client, frame_s=1.0).send(ERROR_KIND, 0, wire.pack_error(Closed(message, code="too_many_connections")))
