"""A real ``formicary up`` as a process of its own, to drive by HTTP, to kill without warning, and to start again.

::

    with TownProcess(folder) as town:
        alice = town.enter("alice")
        paid = alice.done("/v1/pay/send", payee=ben, asset="EUR", amount_minor=500, purpose="friend", note=None)

Invariant: whatever was started here ends here. Each town is the leader of a process group, which is ended with it, and
no wait is without a bound.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from formicary.town.people import PIN

START_S: Final = 90.0
"""Longest start: the first one makes the town."""
STOP_S: Final = 20.0
REQUEST_S: Final = 20.0
MONEY_S: Final = 30.0
"""Longest wait for money from the sandbox bank."""
PLENTY: Final = "1000000"
SETTINGS: Final = {
    "FORMICARY_RATE_PER_S": PLENTY,
    "FORMICARY_RATE_BURST": PLENTY,
    "FORMICARY_RATE_NOBODY_PER_S": PLENTY,
    "FORMICARY_RATE_NOBODY_BURST": PLENTY,
    "FORMICARY_RATE_SIGN_IN_PER_MINUTE": PLENTY,
}
"""One machine plays everybody, so that limits for each address would only slow it down."""
_KEYS: Final = itertools.count(1)
_NUMBERS: Final = itertools.count(1)
_RUN: Final = secrets.token_hex(6)


class Refused(Exception):
    """The API said no: ``status``, ``code`` and the whole problem."""

    def __init__(self, path: str, response: httpx.Response) -> None:
        self.status = response.status_code
        try:
            self.problem: dict[str, Any] = response.json()
        except ValueError:
            self.problem = {}
        self.code = str(self.problem.get("code", ""))
        super().__init__(f"{path}: {self.status} {self.code} {self.problem.get('detail', response.text[:200])}")


def fresh_key() -> str:
    """An idempotency key that nobody used before."""
    return f"key-{_RUN}-{next(_KEYS):09d}"


class Browser:
    """Somebody's browser: a cookie jar, and the two ways to ask."""

    def __init__(self, origin: str, alias: str = "") -> None:
        self.origin = origin
        self.alias = alias
        self.http = httpx.Client(
            base_url=origin, headers={"Origin": origin}, timeout=REQUEST_S, follow_redirects=False, trust_env=False
        )
        self.id = ""

    def get(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
        """Ask; raises :class:`Refused`."""
        return _read(path, self.http.get(path, params=query))

    def done(self, path: str, *, idempotency_key: str = "", **fields: Any) -> Any:  # noqa: ANN401 - JSON
        """Tell, under an idempotency key; raises :class:`Refused`."""
        headers = {"Idempotency-Key": idempotency_key or fresh_key()}
        return _read(path, self.http.post(path, json=fields, headers=headers))

    def patch(self, path: str, **fields: Any) -> Any:  # noqa: ANN401 - JSON
        """Change; raises :class:`Refused`."""
        return _read(path, self.http.patch(path, json=fields))

    def delete(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
        """Delete; raises :class:`Refused`."""
        return _read(path, self.http.delete(path, params=query))

    def refused(self, path: str, **fields: Any) -> Refused:  # noqa: ANN401 - JSON
        """Tell what must be refused, and answer the refusal."""
        try:
            answer = self.done(path, **fields)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"{path} was to be refused, and answered {answer}")

    def sign_up(self, name: str, alias: str | None, currency: str = "EUR") -> Self:
        """Open a wallet with a PIN; the browser has its session."""
        begun = self.done("/v1/sign-up/begin", name=name, alias=alias, currency=currency, language="en")
        self.done("/v1/sign-up/finish", ticket=begun["ticket"], pin=PIN)
        return self.knows_itself()

    def sign_in(self) -> Self:
        """Sign in by alias and PIN."""
        self.done("/v1/sign-in/pin", alias=self.alias, pin=PIN)
        return self.knows_itself()

    def confirm(self) -> None:
        """Show the PIN once more."""
        begun = self.done("/v1/confirm/begin")
        self.done("/v1/confirm/finish", ticket=begun["ticket"], pin=PIN)

    def knows_itself(self) -> Self:
        """Learn whose session this is."""
        self.id = self.get("/v1/session")["person"]["id"]
        return self

    def money(self, asset: str = "EUR") -> dict[str, int]:
        """``balance_minor``, ``available_minor`` and ``held_minor`` of one currency."""
        for account in self.get("/v1/wallet/accounts")["items"]:
            if account["asset"] == asset:
                return {name: account[name] for name in ("balance_minor", "available_minor", "held_minor")}
        raise AssertionError(f"no {asset} account")

    def close(self) -> None:
        """End the connections."""
        self.http.close()


class TownProcess:
    """A folder, and the ``formicary up`` that runs on it. ``settings`` are environment variables."""

    def __init__(
        self, folder: Path, *, port: int = 0, empty: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.empty = empty
        self.settings = {**SETTINGS, **(settings or {})}
        self.told: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._browsers: dict[str, Browser] = {}

    @property
    def origin(self) -> str:
        """Where it is reached."""
        return f"http://localhost:{self.port}"

    @property
    def data(self) -> Path:
        """What it keeps."""
        return self.folder / "data"

    @property
    def stdout(self) -> Path:
        """All that it wrote to its standard output, over all its lives."""
        return self.folder / "stdout.log"

    @property
    def stderr(self) -> Path:
        """All that it wrote to its standard error."""
        return self.folder / "stderr.log"

    # ── its life ────────────────────────────────────────────────────────────────────────────────────────────────

    def launch(self) -> None:
        """Start it, and do not wait."""
        assert self.process is None or self.process.poll() is not None, "it runs"
        program = Path(sys.executable).with_name("formicary")
        command = [str(program), "up", "--data", str(self.data), "--port", str(self.port)]
        flags = ["--json", *(["--empty"] if self.empty else [])]
        self._read_from = self.stdout.stat().st_size if self.stdout.exists() else 0
        with self.stdout.open("ab") as out, self.stderr.open("ab") as err:
            self.process = subprocess.Popen(  # noqa: S603 - ourselves
                [*command, *flags], stdout=out, stderr=err, env={**os.environ, **self.settings}, start_new_session=True
            )

    def wait_ready(self, seconds: float = START_S) -> Self:
        """Until it has printed its addresses, which it does once it takes connections."""
        assert self.process is not None
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            with self.stdout.open("rb") as out:
                out.seek(self._read_from)
                lines = out.read().splitlines(keepends=True)
            for line in lines:
                if line.startswith(b"{") and line.endswith(b"\n"):
                    self.told = json.loads(line)
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.end()
        raise AssertionError(f"formicary up did not start: {self.stderr.read_text(errors='replace')[-3000:]}")

    def start(self) -> Self:
        """Start it, and wait until it is ready."""
        self.launch()
        return self.wait_ready()

    def kill(self) -> None:
        """``kill -9`` of the gateway's process alone, as a power cut would hit it; the bank beside it lives on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_S)

    def stop(self) -> int:
        """Ask it to stop, and wait; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
        status = self.process.poll()
        self.end()
        return -signal.SIGKILL if status is None else status

    def end(self) -> None:
        """End whatever is left of it, at once."""
        for browser in self._browsers.values():
            browser.close()
        self._browsers.clear()
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ── its people ──────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, alias: str) -> Browser:
        """A browser in which somebody of the town is signed in: by the printed link where there is one, else by PIN."""
        if alias in self._browsers:
            return self._browsers[alias]
        browser = Browser(self.origin, alias)
        links = [link for link in self.told.get("enter", {}).values() if f"/enter/{alias}/" in link]
        if links:
            answer = browser.http.get(links[0])
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
            browser.knows_itself()
        else:
            browser.sign_in()
        self._browsers[alias] = browser
        return browser

    def newcomer(self, name: str, alias: str | None = None, currency: str = "EUR") -> Browser:
        """Somebody who has just signed up."""
        browser = Browser(self.origin, alias or "").sign_up(name, alias, currency)
        self._browsers[f"newcomer {browser.id}"] = browser
        return browser

    def somebody(self, name: str, money_minor: int = 0, *, tier: int = 0, asset: str = "EUR") -> Browser:
        """A newcomer with an alias; an operator raises the limits, and the sandbox bank brings the money."""
        person = self.newcomer(name, f"{name.split(maxsplit=1)[0].lower()}{next(_NUMBERS):03d}", asset)
        if tier:
            self.enter("olivia").done("/v1/wallet/set_tier", person=person.id, tier=tier)
        if money_minor:
            person.done("/v1/sandbox/bank-transfer", asset=asset, amount_minor=money_minor)
            until = time.monotonic() + MONEY_S
            while person.money(asset)["available_minor"] != money_minor:
                assert time.monotonic() < until, "the bank's transfer did not come"
                time.sleep(0.1)
        return person

    def nobody(self) -> Browser:
        """A browser that is not signed in."""
        if "" not in self._browsers:
            self._browsers[""] = Browser(self.origin)
        return self._browsers[""]


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _read(path: str, response: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if response.is_error:
        raise Refused(path, response)
    return response.json() if response.content else None
