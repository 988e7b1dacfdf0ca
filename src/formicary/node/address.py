"""Where a served ledger is found: ``unix:/path`` or ``tcp:127.0.0.1:PORT``, never another machine's address.

A Unix socket is guarded by its file's permissions, 0600 from the moment it exists. A TCP port on the loopback is open
to every user of the machine, so there a client shows a token: 32 random bytes in a file that only the owner may read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from formicary.base.errors import BadInput, Closed, Locked
from formicary.node.wire import TOKEN_BYTES

SOCKET_BUFFER_BYTES: Final = 4 << 20
"""Asked of the kernel for each direction; it grants what its own limit allows. A batch then takes few switches."""
UNIX_PATH_MAX: Final = 107
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system."""

    path: Path

    def __str__(self) -> str:
        """Write it as it is given on a command line."""
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A port of this machine's loopback; port 0 lets the system choose when listening."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as it is given on a command line."""
        return f"tcp:[{self.host}]:{self.port}" if ":" in self.host else f"tcp:{self.host}:{self.port}"


Address: TypeAlias = UnixAddress | TcpAddress


def parse_address(text: str | Path) -> Address:
    """Read an address; refuse one that is not this machine's."""
    scheme, _, rest = str(text).partition(":")
    if isinstance(text, Path) or (scheme == "unix" and rest):
        return _unix(Path(text) if isinstance(text, Path) else Path(rest))
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not port.isdecimal() or int(port) > 0xFFFF:
        raise BadInput(f"{text!s} is neither unix:/path nor tcp:127.0.0.1:PORT", where="address", code="bad_address")
    if host.strip("[]") not in LOOPBACK:
        raise BadInput(
            f"{host!r} is not the loopback: a ledger is served to this machine only",
            where="address",
            code="bad_address",
        )
    return TcpAddress("127.0.0.1" if host == "localhost" else host.strip("[]"), int(port))


def _unix(path: Path) -> UnixAddress:
    absolute = path.absolute()
    if len(os.fsencode(absolute)) > UNIX_PATH_MAX:
        raise BadInput(
            f"{absolute} is longer than the {UNIX_PATH_MAX} bytes that a socket's path may have",
            where="address",
            code="bad_address",
        )
    return UnixAddress(absolute)


def listen(address: Address, *, backlog: int) -> tuple[socket.socket, Address]:
    """Bind and listen; return the socket and the address it really has."""
    if isinstance(address, UnixAddress):
        return _listen_unix(address, backlog), address
    listener = socket.socket(_family(address))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    enlarge_buffers(listener)
    _bind(listener, (address.host, address.port), address)
    listener.listen(backlog)
    return listener, TcpAddress(address.host, listener.getsockname()[1])


def _listen_unix(address: UnixAddress, backlog: int) -> socket.socket:
    _remove_stale(address)
    listener = socket.socket(socket.AF_UNIX)
    os.fchmod(
        listener.fileno(), PRIVATE
    )  # before bind: Linux gives the file the socket's own mode, so it is never open
    _bind(listener, str(address.path), address)
    address.path.chmod(PRIVATE)  # for systems that don't
    listener.listen(backlog)
    return listener


def _bind(listener: socket.socket, place: str | tuple[str, int], address: Address) -> None:
    try:
        listener.bind(place)
    except OSError as error:
        listener.close()
        raise Locked(f"can't listen on {address}: {error.strerror}", code="address_in_use") from error


def _remove_stale(address: UnixAddress) -> None:
    """Remove the socket that a killed server left; refuse when one is listening there, or it is no socket at all."""
    try:
        mode = address.path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BadInput(f"{address.path} is there already and is no socket", where="address", code="bad_address")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        if probe.connect_ex(str(address.path)) == 0:
            raise Locked(f"another server is listening on {address}", code="address_in_use")
    with contextlib.suppress(FileNotFoundError):
        address.path.unlink()


def dial(address: Address, *, timeout_s: float) -> socket.socket:
    """Connect to a served ledger; raise Closed when nobody listens."""
    if isinstance(address, UnixAddress):
        connection = socket.socket(socket.AF_UNIX)
        place: str | tuple[str, int] = str(address.path)
    else:
        connection = socket.socket(_family(address))
        place = (address.host, address.port)
    enlarge_buffers(connection)
    connection.settimeout(timeout_s)
    try:
        connection.connect(place)
    except OSError as error:
        connection.close()
        raise Closed(f"nobody serves a ledger at {address}: {error.strerror or error}", code="not_serving") from error
    tune(connection)
    return connection


def _family(address: TcpAddress) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address.host else socket.AF_INET


def enlarge_buffers(connection: socket.socket) -> None:
    """Ask for buffers of several batches."""
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        connection.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)


def tune(connection: socket.socket) -> None:
    """Make a connection blocking (its time-outs are the kernel's), and send small frames at once."""
    connection.settimeout(None)
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def set_timeout(connection: socket.socket, option: int, seconds: float) -> None:
    """Set SO_RCVTIMEO or SO_SNDTIMEO: unlike Python's own time-out it keeps the socket blocking, one call a frame."""
    whole = int(seconds)
    connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", whole, int((seconds - whole) * 1e6)))


def token_file(ledger: Path) -> Path:
    """Return where a ledger keeps the token that its TCP clients show."""
    return ledger / "keys" / "serve.token"


def make_token(path: Path) -> bytes:
    """Return the token in ``path``, made first when the file is not there; only its owner may read it."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(TOKEN_BYTES) + "\n")
    if path.stat().st_mode & 0o077:
        raise BadInput("others may read it: chmod 600", where=str(path), code="token_exposed")
    return read_token(path)


def read_token(path: Path) -> bytes:
    """Read a token: 64 hexadecimal digits."""
    try:
        token = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise BadInput(str(error), where=str(path), code="bad_token") from error
    if len(token) != TOKEN_BYTES:
        raise BadInput(f"a token is {2 * TOKEN_BYTES} hexadecimal digits", where=str(path), code="bad_token")
    return token
