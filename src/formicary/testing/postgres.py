"""A PostgreSQL server of one's own: made in a temporary folder, reached through a Unix socket, gone afterwards.

PostgreSQL refuses to run as root, so root runs it as the user ``postgres`` where there is one, else as ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from formicary.base.errors import Fault

_START_S_MAX: Final = 60.0
_STOP_S_MAX: Final = 30.0
_USER: Final = "formicary"


class PrivatePostgres:
    """One server. ``start`` and ``stop`` may alternate: what was committed is still there."""

    def __init__(self, folder: Path) -> None:
        self._binaries = postgres_binaries()
        self._data = folder / "data"
        self._socket = folder / "socket"
        self._log = folder / "server.txt"
        self._account = _unprivileged()
        self._server: subprocess.Popen[bytes] | None = None
        self._socket.mkdir()
        if self._account is not None:
            for path in (folder, self._socket):
                shutil.chown(path, self._account)
        self._run("initdb", "-D", str(self._data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    @property
    def address(self) -> str:
        """What a client connects to."""
        return f"postgresql://{_USER}@/postgres?host={self._socket}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-k", str(self._socket)]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(  # noqa: S603 - our own server
                [*command, "-c", "listen_addresses=", "-c", "recovery_init_sync_method=syncfs"],
                stdout=log,
                stderr=log,
                user=self._account,
                cwd="/",
            )
        deadline = time.monotonic() + _START_S_MAX
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Fault(f"PostgreSQL did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, *, crash: bool = False) -> None:
        """Stop the server: in order, or at once as if it had crashed."""
        server, self._server = self._server, None
        if server is None:
            return
        server.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        try:
            server.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    def _answers(self) -> bool:
        command = [str(self._binaries / "pg_isready"), "-q", "-h", str(self._socket), "-U", _USER]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own server

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own server
            [str(self._binaries / program), *arguments], capture_output=True, check=False, user=self._account, cwd="/"
        )
        if done.returncode:
            raise Fault(f"{program} failed: {done.stderr.decode(errors='replace')[-2000:]}")


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """Make a server, start it, and remove it with everything in it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="formicary-postgres-"))
    try:
        server = PrivatePostgres(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop(crash=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def postgres_binaries() -> Path:
    """The folder of ``initdb`` and ``postgres``: Debian's newest, else what is on the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    if on_path:
        folders.insert(0, Path(on_path).resolve().parent)
    usable = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    if not usable:
        raise Fault("PostgreSQL's server is not installed here (Debian: apt-get install postgresql)")
    return usable[-1]


def _unprivileged() -> str | None:
    """The user to run the server as; ``None`` for ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
