"""Serves a gateway over HTTP: bounds on connections, heads and time, and a stop that lets requests finish.

Behind TLS a reverse proxy stands in front; its address is in ``trusted_proxies``, and only from there is
``X-Forwarded-For`` believed.
"""

from __future__ import annotations

import gc
import shutil
import signal
import socket
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from formicary.gateway import logs
from formicary.gateway.app import Gateway
from formicary.gateway.door import Door
from formicary.gateway.protocol import PatientProtocol
from formicary.gateway.store import Store
from formicary.vault import FileKms, LocalKms, Vault

if TYPE_CHECKING:
    from formicary.gateway.config import Config
    from formicary.node.ledger import Ledger

GC_YOUNG: Final = 20_000
"""New objects between two looks for unreachable cycles; a request makes a few hundred, and hardly a cycle."""
SWITCH_S: Final = 0.0005
"""How long the event loop's thread may keep the interpreter's lock from one that waits. The ledger's logger needs it a
few times for each entry, and whoever paid waits with it: Python's own 5 ms would be most of their wait."""
BACKLOG: Final = 1024


def open_door(
    config: Config, ledger: Ledger, *, in_memory: bool = False, now_ns: Callable[[], int] = time.time_ns
) -> Door:
    """Put a door together: the vault, its key and the doors' own file lie in the folder ``data``, or in memory.

    What a door in memory hands to other programs as files lies in a folder of its own, gone when the process ends.
    """
    if in_memory:
        aside = Path(tempfile.mkdtemp(prefix="formicary-"))
        vault = Vault(None, LocalKms(bytes(32)), now_ns=now_ns)
        door = Door(ledger, replace(config, data=aside), vault=vault, store=Store(), now_ns=now_ns)
        weakref.finalize(door, shutil.rmtree, aside, ignore_errors=True)
        return door
    folder = config.data
    vault = Vault(folder / "vault", FileKms(folder / config.kms_key), now_ns=now_ns)
    store = Store(folder / "gateway.db")
    return Door(ledger, _with_own_id(config, store), vault=vault, store=store, now_ns=now_ns)


def _with_own_id(config: Config, store: Store) -> Config:
    """Settings with the institution's id, which it keeps for life: serving at another address changes nothing of it."""
    if config.institution_id:
        return config
    store.ensure("CREATE TABLE IF NOT EXISTS institution (one INTEGER NOT NULL PRIMARY KEY, id BLOB NOT NULL) STRICT")
    store.run("INSERT INTO institution VALUES (1, ?) ON CONFLICT (one) DO NOTHING", config.institution)
    row: Any = store.one("SELECT id FROM institution WHERE one = 1")
    return replace(config, institution_id=row[0].hex())


class GatewayServer(uvicorn.Server):
    """A server that says when it is ready, and tells its live streams to end before it waits for them."""

    def __init__(self, config: uvicorn.Config, door: Door, ready: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self._door = door
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started and self._ready is not None:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, end what lives on, let requests finish, stop."""
        await self._door.stop()
        await super().shutdown(sockets)


def make_server(
    door: Door,
    app: Any = None,  # noqa: ANN401 - any ASGI application
    *,
    ready: Callable[[], None] | None = None,
) -> GatewayServer:
    """A server for a door, to be awaited or run; ``ready`` is called once it takes connections."""
    config = door.config
    protocol = type("Protocol", (PatientProtocol,), {"whole_s": float(config.body_s + 5)})
    settings = uvicorn.Config(
        app or Gateway(door),
        host=config.host,
        port=config.port,
        http=protocol,
        loop="auto",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=config.trusted_proxies,
        limit_concurrency=config.connections_max,
        backlog=BACKLOG,
        timeout_keep_alive=config.idle_s,
        timeout_graceful_shutdown=config.stop_s,
    )
    return GatewayServer(settings, door, ready)


def serve(door: Door, *, ready: Callable[[], None] | None = None) -> None:
    """Serve until the process is told to stop (SIGTERM, SIGINT); ``ready`` is called once connections are taken.

    Raises what kept it from starting.
    """
    logs.set_up(level=logs.LEVELS[door.config.log_level])
    gc.collect()
    gc.freeze()  # what was loaded stays: nobody needs to look through all of it again and again
    gc.set_threshold(GC_YOUNG, 20, 20)
    sys.setswitchinterval(SWITCH_S)
    app = Gateway(door)
    # Uvicorn raises the signal again once it has stopped; what the caller has open is to be closed before the end.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        make_server(door, app, ready=ready).run()
    finally:
        signal.signal(signal.SIGTERM, before)
    if app.failure is not None:
        raise app.failure
