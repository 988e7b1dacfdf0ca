"""Addresses and tokens: this machine only, and nobody but the owner."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from formicary.base.errors import BadInput, Locked
from formicary.node.address import (
    UNIX_PATH_MAX,
    TcpAddress,
    UnixAddress,
    listen,
    make_token,
    parse_address,
    read_token,
    token_file,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/shop.sock", UnixAddress(Path("/run/shop.sock"))),
        (Path("/run/shop.sock"), UnixAddress(Path("/run/shop.sock"))),
        ("tcp:127.0.0.1:7001", TcpAddress("127.0.0.1", 7001)),
        ("tcp:localhost:7001", TcpAddress("127.0.0.1", 7001)),
        ("tcp:[::1]:7001", TcpAddress("::1", 7001)),
    ],
)
def test_an_address_is_read(text: str | Path, address: UnixAddress | TcpAddress) -> None:
    """Sockets in the file system, and ports of the loopback."""
    assert parse_address(text) == address


def test_an_address_is_written_as_it_is_read() -> None:
    """What a server says of itself can be given to a client."""
    for text in ("unix:/run/shop.sock", "tcp:127.0.0.1:7001", "tcp:[::1]:7001"):
        assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/run/shop.sock",
        "unix:",
        "http://localhost",
        "tcp:7001",
        "tcp:127.0.0.1:",
        "tcp:127.0.0.1:http",
        "tcp:127.0.0.1:70000",
        "tcp:0.0.0.0:7001",
        "tcp:192.168.1.5:7001",
        "tcp:example.org:7001",
        "unix:/" + "x" * UNIX_PATH_MAX,
    ],
)
def test_another_machines_address_is_refused(text: str) -> None:
    """Anything but this machine's own, or no address at all."""
    with pytest.raises(BadInput) as refused:
        parse_address(text)
    assert refused.value.code == "bad_address"


def test_a_socket_belongs_to_its_owner(short_path: Path) -> None:
    """Mode 0600, whatever the umask."""
    listener, _ = listen(UnixAddress(short_path / "s"), backlog=1)
    with listener:
        assert stat.S_IMODE((short_path / "s").stat().st_mode) == 0o600


def test_a_socket_left_by_a_killed_server_is_replaced(short_path: Path) -> None:
    """Nobody listens on it any more."""
    address = UnixAddress(short_path / "s")
    for _ in range(2):
        listener, _ = listen(address, backlog=1)
        listener.close()
    assert address.path.exists()


def test_a_socket_in_use_is_left_alone(short_path: Path) -> None:
    """A second server on the same path is refused, and the first is still reached."""
    address = UnixAddress(short_path / "s")
    listener, _ = listen(address, backlog=5)
    with listener:
        with pytest.raises(Locked) as refused:
            listen(address, backlog=1)
        assert refused.value.code == "address_in_use"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(address.path))


def test_a_file_that_is_no_socket_is_left_alone(short_path: Path) -> None:
    """A mistyped path deletes nobody's data."""
    (short_path / "s").write_text("precious")
    with pytest.raises(BadInput):
        listen(UnixAddress(short_path / "s"), backlog=1)
    assert (short_path / "s").read_text() == "precious"


def test_a_port_in_use_is_refused() -> None:
    """With a code, not with a traceback."""
    listener, address = listen(TcpAddress("127.0.0.1", 0), backlog=1)
    assert isinstance(address, TcpAddress)
    with listener, pytest.raises(Locked):
        listen(address, backlog=1)


def test_a_token_is_made_once(tmp_path: Path) -> None:
    """32 random bytes, readable by the owner alone, the same ever after."""
    path = token_file(tmp_path)
    token = make_token(path)
    assert len(token) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_token(path) == read_token(path) == token
    assert make_token(token_file(tmp_path / "other")) != token


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """It would be no secret."""
    path = token_file(tmp_path)
    make_token(path)
    path.chmod(0o644)
    with pytest.raises(BadInput) as refused:
        make_token(path)
    assert refused.value.code == "token_exposed"


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_token_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """The file is named, since a person has to mend it."""
    path = tmp_path / "serve.token"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"serve\.token") as refused:
        read_token(path)
    assert refused.value.code == "bad_token"


def test_a_missing_token_file_is_said(tmp_path: Path) -> None:
    """With the file's name."""
    with pytest.raises(BadInput, match=r"serve\.token"):
        read_token(tmp_path / "serve.token")
