"""Load over HTTP: keep-alive connections that each send one request, wait for its answer, and send the next.

The same generator drives every server that is compared. Requests are made beforehand as bytes, so that what it costs
on the same machine is small and equal; it speaks just enough HTTP/1.1 for answers with a Content-Length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

ANSWER_S_MAX: Final = 30.0
"""Longer than this without an answer ends the run."""
_LENGTH: Final = b"content-length:"


@dataclass(slots=True)
class Measured:
    """What the clients saw."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    failures: list[bytes] = field(default_factory=list)
    """The first few answers that were not 2xx."""

    @property
    def accepted(self) -> int:
        """Requests that were answered 2xx."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)

    @property
    def per_s(self) -> float:
        """Accepted requests per second."""
        return self.accepted / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """A quantile of the time from sending a request to its whole answer, in milliseconds."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


class Connection(asyncio.Protocol):
    """One client: at most one request under way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send a request; the future's result is (status, whole answer)."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Gather an answer until it is whole."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        place = head.find(_LENGTH)
        length = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self._buffer) < end + 4 + length or self._answer is None:
            return
        answer, self._buffer = self._buffer[: end + 4 + length], self._buffer[end + 4 + length :]
        waiting, self._answer = self._answer, None
        waiting.set_result((int(answer[9:12]), answer))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for an answer learns that none will come."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def closed_loop(
    port: int, clients: Sequence[Callable[[], bytes]], *, seconds: float, warm_s: float = 1.0
) -> Measured:
    """Let each client send its next request as soon as the last was answered; the first ``warm_s`` do not count."""
    connections = await connect(port, len(clients))
    measured = Measured()
    begin = time.perf_counter() + warm_s
    end = begin + seconds

    async def run(connection: Connection, make: Callable[[], bytes]) -> None:
        while (sent := time.perf_counter()) < end:
            status, answer = await asyncio.wait_for(connection.ask(make()), ANSWER_S_MAX)
            _note(measured, status, answer, since=sent, counts=sent >= begin)

    await asyncio.gather(*(run(connection, make) for connection, make in zip(connections, clients, strict=True)))
    measured.seconds = seconds
    for connection in connections:
        connection.close()
    return measured


async def paced(port: int, clients: Sequence[Callable[[], bytes]], *, per_s: float, seconds: float) -> Measured:
    """Send at a steady rate whatever the answers do; a wait for a free connection counts as time to answer."""
    connections = await connect(port, len(clients))
    free: asyncio.Queue[int] = asyncio.Queue()
    for number in range(len(connections)):
        free.put_nowait(number)
    measured = Measured(seconds=seconds)

    async def send(due: float) -> None:
        number = await free.get()
        status, answer = await asyncio.wait_for(connections[number].ask(clients[number]()), ANSWER_S_MAX)
        free.put_nowait(number)
        _note(measured, status, answer, since=due, counts=True)

    begin = time.perf_counter()
    tasks = []
    for number in range(int(per_s * seconds)):
        due = begin + number / per_s
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(send(max(due, begin))))
    await asyncio.gather(*tasks)
    for connection in connections:
        connection.close()
    return measured


async def connect(port: int, count: int) -> list[Connection]:
    """Open so many keep-alive connections."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, "127.0.0.1", port) for _ in range(count)]
    return [connection for _, connection in made]


def _note(measured: Measured, status: int, answer: bytes, *, since: float, counts: bool) -> None:
    if counts:
        measured.latencies_s.append(time.perf_counter() - since)
        measured.statuses[status] = measured.statuses.get(status, 0) + 1
    if not 200 <= status < 300 and len(measured.failures) < 3:
        measured.failures.append(answer[:2000])


def request(
    method: str, path: str, body: bytes = b"", *, host: str = "127.0.0.1", headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    """One request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
