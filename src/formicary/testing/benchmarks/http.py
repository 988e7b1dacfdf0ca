"""What the public API does in a second, beside what one would otherwise run, in one run on one machine.

Every payment is authenticated, checked by wallet, guard and limits, and durable before it is answered. The rival is
``http_rival.py``: FastAPI over PostgreSQL, one transaction a payment, the same checks. The same generator loads both,
from a process of its own, on the same two (or more) processors.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from formicary.base.errors import Fault
from formicary.client.signing import Signer
from formicary.testing.benchmarks.http_load import Measured, closed_loop, connect, paced, request
from formicary.testing.benchmarks.http_server import ACCOUNTS
from formicary.testing.postgres import private_postgres

CONNECTIONS: Final = 64
PACE_PER_S: Final = 300
BATCH: Final = 8190
BATCH_CLIENTS: Final = 4
START_S: Final = 180.0
EUR_NUMBER: Final = 978
RIVAL_WORKERS: Final = (1, 2)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much to measure."""

    seconds: float = 10.0
    people: int = 4000
    folder: Path | None = None
    baseline: bool = True
    batches: bool = True


def run(settings: Settings, *, progress: Progress = lambda _what: None) -> dict[str, Any]:
    """Measure everything; return the figures by name."""
    figures: dict[str, Any] = {"connections": CONNECTIONS, "people": settings.people, "seconds": settings.seconds}
    with tempfile.TemporaryDirectory(prefix="formicary-http-", dir=settings.folder) as folder:
        progress(f"opening {settings.people:,} wallets")
        with _formicary(Path(folder), settings.people) as told:
            figures |= _measure_formicary(told, settings, progress)
    if settings.baseline:
        progress("opening the same wallets in PostgreSQL")
        figures |= _measure_rival(settings, progress)
        figures["ratio"] = figures["payments_per_s"] / figures["baseline_per_s"]
    return figures


# ── Formicary ───────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _formicary(folder: Path, people: int) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "formicary.testing.benchmarks.http_server", "--folder", str(folder)]
    with subprocess.Popen([*command, "--people", str(people)], stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ours
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            if not line:
                raise Fault(f"the gateway did not start (exit status {server.wait()})")
            yield json.loads(line)
        finally:
            server.terminate()


def _measure_formicary(told: dict[str, Any], settings: Settings, progress: Progress) -> dict[str, Any]:
    port, people = told["port"], told["people"]
    ids = [person["person"] for person in people]
    chance = random.Random(1)

    def client(mine: Sequence[dict[str, str]]) -> Callable[[], bytes]:
        keys = itertools.count()
        name = secrets.token_hex(8)
        turns = itertools.cycle(mine)

        def make() -> bytes:
            payer = next(turns)
            payee = ids[(int(payer["person"], 16) + chance.randrange(len(ids) - 1)) % len(ids)]
            body = b'{"payee":"%s","asset":"EUR","amount_minor":1,"purpose":"friend","note":null}' % payee.encode()
            headers = [
                ("cookie", payer["cookie"]),
                ("origin", told["origin"]),
                ("idempotency-key", f"{name}{next(keys):08d}"),
            ]
            return request("POST", "/v1/pay/send", body, headers=headers)

        return make

    clients = [client(people[number::CONNECTIONS]) for number in range(CONNECTIONS)]
    progress(f"payments as fast as {CONNECTIONS} connections send them")
    full = asyncio.run(closed_loop(port, clients, seconds=settings.seconds))
    _check(full)
    progress(f"{PACE_PER_S} payments a second")
    steady = asyncio.run(paced(port, clients, per_s=PACE_PER_S, seconds=settings.seconds))
    _check(steady)
    figures = {
        "payments_per_s": full.per_s,
        "payments_p99_ms": full.quantile_ms(0.99),
        "paced_per_s": float(PACE_PER_S),
        "paced_p50_ms": steady.quantile_ms(0.50),
        "paced_p99_ms": steady.quantile_ms(0.99),
    }
    if settings.batches:
        progress("bulk transfers")
        figures |= _measure_batches(told, settings)
    return figures


def _measure_batches(told: dict[str, Any], settings: Settings) -> dict[str, float]:
    signer = _bulk_key(told)
    url = f"{told['origin']}/v1/transfers:batch"
    host = told["origin"].partition("//")[2]
    chance = np.random.default_rng(1)
    numbers = itertools.count(1)

    def prepare() -> bytes:
        paying = chance.integers(1, ACCOUNTS + 1, BATCH)
        paid = 1 + (paying + chance.integers(0, ACCOUNTS - 1, BATCH)) % ACCOUNTS
        rows = (
            f'{{"id":"{next(numbers):032x}","debit":"{debit:032x}","credit":"{credit:032x}",'
            f'"amount_minor":1,"asset":"EUR","code":1}}'
            for debit, credit in zip(paying.tolist(), paid.tolist(), strict=True)
        )
        return f"[{','.join(rows)}]".encode()

    # Made beforehand and used once: what it costs to write JSON is the sender's affair.
    count = max(4, int(settings.seconds) * 40)
    ready = iter([prepare() for _ in range(count)])

    def make() -> bytes:
        body = next(ready)
        headers = tuple(signer.headers("POST", url, body).items())
        return request("POST", "/v1/transfers:batch", body, host=host, headers=headers)

    measured = asyncio.run(_drain(told["port"], make))
    return {"batch_transfers_per_s": BATCH * measured.accepted / measured.seconds}


async def _drain(port: int, make: Callable[[], bytes]) -> Measured:
    """Send until there are no more batches."""
    measured = Measured()
    connections = await connect(port, BATCH_CLIENTS)

    async def send(connection: Any) -> None:  # noqa: ANN401
        while True:
            try:
                asked = make()
            except StopIteration:
                return
            status, answer = await connection.ask(asked)
            measured.statuses[status] = measured.statuses.get(status, 0) + 1
            if status >= 300:
                measured.failures.append(answer[:2000])

    started = time.perf_counter()
    await asyncio.gather(*(send(connection) for connection in connections))
    measured.seconds = time.perf_counter() - started
    _check(measured)
    return measured


def _bulk_key(told: dict[str, Any]) -> Signer:
    """Let the operator make a key that posts in bulk."""
    headers = {"cookie": told["people"][0]["cookie"], "origin": told["origin"]}
    body = {"scopes": ["ledger:write"], "label": "bench"}
    answer = httpx.post(f"{told['origin']}/v1/keys", json=body, headers=headers)
    answer.raise_for_status()
    made = answer.json()
    return Signer(made["key"], made["private_key"])


# ── the rival ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _measure_rival(settings: Settings, progress: Progress) -> dict[str, Any]:
    best: dict[str, Any] = {}
    for workers in RIVAL_WORKERS:
        with private_postgres() as postgres:
            people = _rival_people(postgres.address, settings.people)
            with _rival(postgres.address, workers) as port:
                progress(f"the rival with {workers} worker(s)")
                measured = asyncio.run(closed_loop(port, _rival_clients(people), seconds=settings.seconds))
                _check(measured)
        found = {
            "baseline_per_s": measured.per_s,
            "baseline_p99_ms": measured.quantile_ms(0.99),
            "baseline_workers": workers,
        }
        if measured.per_s > best.get("baseline_per_s", 0):
            best = found
    return best


def _rival_people(address: str, count: int) -> list[tuple[str, str]]:
    import psycopg  # noqa: PLC0415 - only with the baseline

    from formicary.testing.benchmarks.http_rival import SCHEMA  # noqa: PLC0415

    people = [(f"{number:032x}", secrets.token_urlsafe(32)) for number in range(1, count + 1)]
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        cursor.executemany("INSERT INTO person VALUES (%s, 'open', false, 2)", [(person,) for person, _ in people])
        sql = "INSERT INTO session VALUES (%s, %s, now() + interval '1 day')"
        cursor.executemany(sql, [(token, person) for person, token in people])
        cursor.executemany("INSERT INTO purse VALUES (%s, 978, 500000)", [(person,) for person, _ in people])
        cursor.execute("ANALYZE")
    return people


@contextmanager
def _rival(address: str, workers: int) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "formicary.testing.benchmarks.http_rival:app", "--port", str(port)]
    options = ["--workers", str(workers), "--log-level", "error", "--no-access-log", "--loop", "uvloop"]
    surroundings = {**os.environ, "RIVAL_DATABASE": address}
    with subprocess.Popen([*command, *options], env=surroundings) as server:  # noqa: S603 - ours
        try:
            deadline = time.monotonic() + START_S
            while time.monotonic() < deadline:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/openapi.json")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield port
        finally:
            server.terminate()


def _rival_clients(people: Sequence[tuple[str, str]]) -> list[Callable[[], bytes]]:
    chance = random.Random(1)

    def client(mine: Sequence[tuple[str, str]]) -> Callable[[], bytes]:
        keys, turns, name = itertools.count(), itertools.cycle(mine), secrets.token_hex(8)

        def make() -> bytes:
            person, token = next(turns)
            payee = people[(int(person, 16) + chance.randrange(len(people) - 1)) % len(people)][0]
            body = b'{"payee":"%s","asset":978,"amount_minor":1,"purpose":"friend"}' % payee.encode()
            headers = [("cookie", f"session={token}"), ("idempotency-key", f"{name}{next(keys):08d}")]
            return request("POST", "/v1/pay/send", body, headers=headers)

        return make

    return [client(people[number::CONNECTIONS]) for number in range(CONNECTIONS)]


def _check(measured: Measured) -> None:
    """A refused request is a broken benchmark."""
    assert not measured.failures, measured.failures[0].decode(errors="replace")
