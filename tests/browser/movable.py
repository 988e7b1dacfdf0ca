"""A gateway that browsers can reach and whose clock a test may move: days pass between two presses.

The server, the doors and the ledger are the real ones, in this process and on a port of this machine; only time is
told them. There is no bank here, and nobody lives in it before somebody signs up.
"""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from formicary.gateway.config import Config
from formicary.gateway.server import make_server, open_door
from formicary.node.ledger import open_ledger
from formicary.stack import standard_products
from formicary.testing.town_process import Browser, free_port

START_S: Final = 30.0
LONG_S: Final = 90 * 86_400
"""Sessions outlive the days that pass: they are not what is tried here."""
RATES: Final = ("rate_per_s", "rate_burst", "rate_nobody_per_s", "rate_nobody_burst", "rate_sign_in_per_minute")


class MovableTown:
    """An empty wallet that runs in a thread; :meth:`wait` moves its clock, for doors and ledger alike."""

    def __init__(self, folder: Path) -> None:
        self._ahead_ns = 0
        self._people: dict[str, Browser] = {}
        settings = dict.fromkeys(RATES, 100_000)
        config = Config(data=folder, port=free_port(), session_idle_s=LONG_S, session_absolute_s=LONG_S, **settings)  # type: ignore[arg-type]
        self.origin = config.public_origin
        self._ledger = open_ledger(folder / "ledger", products=standard_products(), clock_ns=self.now_ns)
        self._door = open_door(config, self._ledger, now_ns=self.now_ns)
        self._started = threading.Event()
        self._server = make_server(self._door, ready=self._started.set)
        self._thread = threading.Thread(target=self._serve, name="movable-town", daemon=True)

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._server.serve())

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(START_S), "the server did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self._people.values():
            person.close()
        self._server.should_exit = True
        self._thread.join(START_S)
        self._ledger.close()
        self._door.close()

    def now_ns(self) -> int:
        """The town's time."""
        return time.time_ns() + self._ahead_ns

    def wait(self, *, hours: int) -> None:
        """Let hours pass; somebody new then does something, for timers run at the start of an entry."""
        self._ahead_ns += hours * 3600 * 10**9
        self.newcomer("Somebody Else", f"somebody{len(self._people):03d}")

    def newcomer(self, name: str, alias: str) -> Browser:
        """Somebody who has just signed up with a PIN."""
        person = Browser(self.origin, alias).sign_up(name, alias)
        self._people[alias] = person
        return person

    def enter(self, alias: str) -> Browser:
        """Somebody who signed up before."""
        return self._people[alias]
