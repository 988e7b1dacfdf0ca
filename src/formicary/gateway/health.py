"""Is it well: ``/health`` and ``/ready`` for who starts and watches the process, ``/metrics`` for Prometheus.

``/health`` answers as long as the process can answer at all; ``/ready`` when the ledger, the vault and the doors' store
do what they are for, and no longer when the server is stopping. Metrics are for the machine itself and for operators.

============================================  =======================================================================
``formicary_requests_total``                  counter: requests answered, by ``method``, ``route`` and ``status``
``formicary_request_seconds``                 histogram: how long they took, by ``route``
``formicary_refusals_total``                  counter: refusals, by ``code``
``formicary_ledger_entries``                  gauge: entries of the log
``formicary_ledger_accounts``                 gauge: accounts
``formicary_ledger_transfers``                gauge: stored transfers
``formicary_ledger_unsealed_entries``         gauge: entries that are applied and not yet sealed
``formicary_ledger_age_seconds``              gauge: time since the newest entry
``formicary_live_streams``                    gauge: open streams of live events
``formicary_webhooks``                        gauge: webhooks, by ``state``
``formicary_build_info``                      gauge, always 1: ``version``
============================================  =======================================================================
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from formicary.gateway.live import Live
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Observer, Route, Seen
from formicary.gateway.shared import NANOSECONDS, shared
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door

READY_S: Final = 2.0
"""How long the ledger may take to answer before we say that we are not ready."""
BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
CODES: Final = {"metrics_refused": "Metrics are for this machine itself and for operators."}


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"]
    version: str
    sandbox: bool


class Ready(msgspec.Struct, frozen=True):
    """Whether it does what it is for; each part says ``ok`` or what is wrong in one word."""

    status: Literal["ready", "not_ready"]
    ledger: str
    vault: str
    store: str
    entry: int


class Metrics:
    """Counts requests, and looks at the ledger when asked.

    What is counted for every request is counted in plain numbers by the event loop; Prometheus' forms are made of them
    when it asks.
    """

    def __init__(self, door: Door) -> None:
        self.registry = CollectorRegistry()
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._times: defaultdict[str, _Times] = defaultdict(_Times)
        self._refusals: Counter[str] = Counter()
        self._known_codes = door.codes
        self.registry.register(self)
        self.registry.register(_LedgerCollector(door))

    def answered(self, seen: Seen) -> None:
        """Count one answer, by its route's path with its braces; by ``none`` where there was no route."""
        route = seen.path or "none"
        self._answers[seen.method, route, seen.status] += 1
        self._times[route].note(seen.seconds)
        if seen.code:
            self._refusals[seen.code if seen.code in self._known_codes else "other"] += 1

    def collect(self) -> Iterator[Metric]:
        """Give what was counted so far; from any thread."""
        requests = CounterMetricFamily("formicary_requests", "Requests answered.", labels=["method", "route", "status"])
        for (method, route, status), count in tuple(self._answers.items()):
            requests.add_metric([method, route, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily("formicary_request_seconds", "How long they took.", labels=["route"])
        for route, times in tuple(self._times.items()):
            seconds.add_metric([route], times.buckets(), times.seconds)
        yield seconds
        refusals = CounterMetricFamily("formicary_refusals", "Refusals.", labels=["code"])
        for code, count in tuple(self._refusals.items()):
            refusals.add_metric([code], count)
        yield refusals

    def text(self) -> bytes:
        """Write all metrics in Prometheus' text form; blocks."""
        return generate_latest(self.registry)


class _Times:
    """How long the answers of one route took: how many within each bound of :data:`BUCKETS`, and in all."""

    __slots__ = ("_counts", "seconds")

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with how many took no longer, as Prometheus counts."""
        return list(zip((*map(str, BUCKETS), "+Inf"), accumulate(self._counts), strict=True))


class _LedgerCollector:
    """Asks the ledger when Prometheus asks."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give every gauge."""
        told = self._door.ledger.info()
        unsealed = max(0, told["entries"] - told["sealed"]["entry"])
        age_s = max(0.0, (self._door.now_ns() - told["time_ns"]) / NANOSECONDS)
        yield GaugeMetricFamily("formicary_ledger_entries", "Entries of the log.", told["entries"])
        yield GaugeMetricFamily("formicary_ledger_accounts", "Accounts.", told["accounts"])
        yield GaugeMetricFamily("formicary_ledger_transfers", "Stored transfers.", told["transfers"])
        yield GaugeMetricFamily("formicary_ledger_unsealed_entries", "Not yet sealed.", unsealed)
        yield GaugeMetricFamily("formicary_ledger_age_seconds", "Since the newest entry.", age_s)
        yield GaugeMetricFamily("formicary_live_streams", "Open streams.", shared(self._door, Live).count)
        hooks = GaugeMetricFamily("formicary_webhooks", "Webhooks.", labels=["state"])
        sql = "SELECT state, count(*) FROM gateway_webhooks GROUP BY state ORDER BY state"
        for state, count in self._door.store.all(sql):
            hooks.add_metric([str(state)], int(count or 0))
        yield hooks
        build = GaugeMetricFamily("formicary_build_info", "This build.", labels=["version"])
        build.add_metric([version("formicary")], 1)
        yield build


class HealthRoutes:
    """The routes' handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._stopping = False
        self.metrics = shared(door, Metrics)
        door.on_stop(self._stop)

    async def _stop(self) -> None:
        self._stopping = True

    async def health(self, _: Asked) -> Health:
        """Answer that we answer."""
        return Health("ok", version("formicary"), self._door.config.sandbox)

    async def ready(self, _: Asked) -> Response:
        """Look at every part."""
        ledger, entry = "ok", 0
        try:
            async with asyncio.timeout(READY_S):
                entry = (await self._door.aside(self._door.ledger.info))["entries"]
        except TimeoutError:
            ledger = "slow"
        except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
            ledger = getattr(error, "code", "failed")
        vault = await _works(self._door.aside(self._door.vault.digest, "health", ""))
        store = await _works(self._door.store.do(lambda store: store.one("SELECT 1")))
        if self._stopping:
            ledger = "stopping"
        good = ledger == vault == store == "ok"
        told = Ready("ready" if good else "not_ready", ledger, vault, store, entry)
        return Response(msgspec.json.encode(told), 200 if good else 503, media_type="application/json")

    async def show(self, asked: Asked) -> Response:
        """Write the metrics for this machine or for an operator."""
        if "operator" not in asked.caller.roles and not _is_local(asked):
            raise Problem("metrics_refused", CODES["metrics_refused"], status=403)
        text = await self._door.aside(self.metrics.text)
        return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _works(work: Any) -> str:  # noqa: ANN401 - anything to wait for
    begun = time.monotonic()
    try:
        async with asyncio.timeout(READY_S):
            await work
    except Exception:  # noqa: BLE001 - whatever it is, we are not ready
        return "slow" if time.monotonic() - begun >= READY_S else "failed"
    return "ok"


def _is_local(asked: Asked) -> bool:
    """Whether the request comes from this machine, and was not passed on by a proxy on it."""
    client = asked.request.client
    if client is None or "x-forwarded-for" in asked.request.headers or "forwarded" in asked.request.headers:
        return False
    try:
        return ipaddress.ip_address(client.host).is_loopback
    except ValueError:
        return False


def observers(door: Door) -> list[Observer]:
    """Count every request that was answered."""
    return [shared(door, Metrics).answered]


def routes(door: Door) -> list[Route]:
    """The routes of health and metrics."""
    health = shared(door, HealthRoutes)
    anyone: dict[str, Any] = {"method": "GET", "access": Access.ANYONE}
    return [
        Route(path="/health", handle=health.health, summary="Whether the process answers.", answer=Health, **anyone),
        Route(path="/ready", handle=health.ready, summary="Whether it does what it is for.", answer=Ready, **anyone),
        Route(
            path="/metrics",
            handle=health.show,
            summary="Metrics for Prometheus, from this machine or for operators.",
            media="text/plain",
            codes=("metrics_refused",),
            **anyone,
        ),
    ]
