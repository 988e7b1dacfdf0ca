"""Whole frames through a blocking socket: what the server and the client both do with one.

Time-outs are the socket's own (SO_RCVTIMEO, SO_SNDTIMEO), so that a batch of 1 MiB is one system call each way, made
without the interpreter lock; Python's time-outs would make every call non-blocking with a poll before it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import Closed
from formicary.node.wire import HEADER_BYTES, Header, pack_header, parse_header

Buffer: TypeAlias = bytes | bytearray | memoryview | npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class Gone(Closed):
    """The other side closed the connection; ``partial`` when it did so inside a frame."""

    code = "connection_lost"

    def __init__(self, message: str, *, partial: bool = False) -> None:
        super().__init__(message)
        self.partial = partial


class Silent(Closed):
    """Nothing came in time; ``partial`` when a frame had begun."""

    code = "timed_out"

    def __init__(self, message: str, *, partial: bool) -> None:
        super().__init__(message)
        self.partial = partial


class Channel:
    """Frames in and out of one socket. One thread may receive while another sends."""

    def __init__(self, connection: socket.socket, *, frame_s: float) -> None:
        self.socket = connection
        self._frame_s = frame_s
        self._header = bytearray(HEADER_BYTES)
        self._header_view = memoryview(self._header)

    def receive_header(self, *, body_max: int) -> Header:
        """Wait for the next frame's header."""
        self.receive_exactly(self._header_view, begun=False)
        return parse_header(self._header, body_max=body_max)

    def receive_exactly(self, into: memoryview, *, begun: bool = True) -> None:
        """Fill ``into``; ``begun`` says that its frame has begun, so that silence or an end of the stream cuts it."""
        received = 0
        deadline: float | None = None
        while received < len(into):
            count = self._receive(into[received:], begun=begun)
            begun = begun or count > 0
            if not begun:
                raise Silent("nothing came from the other side in time", partial=False)
            received += count
            if received < len(into):
                deadline = deadline or time.monotonic() + self._frame_s
                self._check(deadline)

    def _check(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise Silent("the other side stalled in the middle of a frame", partial=True)

    def _receive(self, into: memoryview, *, begun: bool) -> int:
        """Receive as much as comes before the socket's time-out, perhaps nothing."""
        try:
            count = self.socket.recv_into(into, 0, socket.MSG_WAITALL)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Gone(f"the connection broke: {error.strerror}", partial=begun) from error
        if not count:
            raise Gone("the other side closed the connection", partial=begun)
        return count

    def skip(self, length: int) -> None:
        """Read and forget the body of a refused frame, in small pieces."""
        scratch = memoryview(bytearray(min(length, 1 << 16)))
        while length:
            piece = scratch[: min(length, len(scratch))]
            self.receive_exactly(piece)
            length -= len(piece)

    def send(self, kind: int, request: int, body: Buffer = b"") -> None:
        """Send one frame, without joining header and body into a copy; raise Gone when it can't be sent in time."""
        length = memoryview(body).nbytes
        header = pack_header(kind, request, length)
        try:
            sent = self.socket.sendmsg([header, body])
            if sent < len(header) + length:
                self._send_rest([header, body], sent)
        except BlockingIOError:
            raise Gone("the other side took no data in time", partial=True) from None
        except OSError as error:
            raise Gone(f"the connection broke: {error.strerror}", partial=True) from error

    def _send_rest(self, parts: Sequence[Buffer], sent: int) -> None:
        """Finish a frame that one call sent only part of (a signal came, or the time-out passed)."""
        deadline = time.monotonic() + self._frame_s
        rest = memoryview(b"".join(memoryview(part).cast("B") for part in parts))[sent:]
        while rest:
            if time.monotonic() > deadline:
                raise BlockingIOError
            rest = rest[self.socket.send(rest) :]

    def hang_up(self) -> None:
        """End the connection both ways and wake whoever waits on it."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended already

    def close(self) -> None:
        """End the connection and free its descriptor; no thread may still be waiting on it."""
        self.hang_up()
        self.socket.close()
