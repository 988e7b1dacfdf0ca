"""A real server process: it stops cleanly when told to, and survives what happens to processes."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from formicary.base.errors import Closed
from formicary.kernel.codes import TransferCode
from formicary.node.client import connect
from formicary.node.ledger import open_ledger
from formicary.node.line import Retry
from formicary.testing.served_load import FORMICARY, served_load, serving

from tests.tidy.source import ROOT
from tests.wire.conftest import account_batch, transfer_batch

FOREVER = Retry(attempts=200, pause_s=0.05, pause_max_s=0.2)


@pytest.fixture
def folder(short_path: Path) -> Iterator[Path]:
    """Where the ledger of a test lies."""
    return short_path / "shop.ledger"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_after_what_is_in_flight(folder: Path, number: signal.Signals) -> None:
    """Exit code 0, the socket removed, and every code that was given stands in the ledger that is opened next."""
    with serving(folder) as (server, address):
        mode = stat.S_IMODE((folder / "serve.sock").stat().st_mode)
        assert mode == 0o600
        with connect(address) as client:
            client.open_accounts(account_batch(1, 2))
            tickets = [client.submit_transfers(transfer_batch(1 + 8000 * each, 8000)) for each in range(8)]
            server.send_signal(number)
            answered = 0
            for ticket in tickets:
                try:
                    answered += sum(code == TransferCode.OK for code in ticket.result().tolist())
                except Closed:
                    break
        assert server.wait(60) == 0
        assert not (folder / "serve.sock").exists()
    with open_ledger(folder) as ledger:
        assert ledger.balance(2) >= answered


@pytest.mark.crash
def test_a_killed_server_loses_nothing_that_it_answered(folder: Path) -> None:
    """SIGKILL under load, a new server on the same socket, and a client that goes on: each transfer is done once."""
    codes: list[int] = []

    def post(address: str) -> None:
        with connect(address, retry=FOREVER) as client:
            client.open_accounts(account_batch(1, 2))
            tickets = [client.submit_transfers(transfer_batch(1 + 500 * each, 500)) for each in range(300)]
            for ticket in tickets:
                codes.extend(ticket.result().tolist())

    with serving(folder) as (first, address):
        client = threading.Thread(target=post, args=(address,))
        client.start()
        time.sleep(0.3)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    with serving(folder):
        client.join(90)
        assert not client.is_alive()
        with connect(address) as checking:
            assert checking.balance(2) == 300 * 500
    assert len(codes) == 300 * 500
    assert set(codes) <= {TransferCode.OK, TransferCode.EXISTS}


@pytest.mark.crash
def test_a_killed_client_disturbs_nobody(folder: Path) -> None:
    """Its batches are done whole or not at all, and others go on."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[2]); from formicary.node.client import connect;"
        "from tests.wire.conftest import transfer_batch; c = connect(sys.argv[1]); print('up', flush=True);"
        "[c.submit_transfers(transfer_batch(10**9 + 8000 * i, 8000)) for i in range(10**6)]"
    )
    with serving(folder) as (_, address), connect(address) as other:
        other.open_accounts(account_batch(1, 2))
        with subprocess.Popen([sys.executable, "-c", script, address, str(ROOT)], stdout=subprocess.PIPE) as victim:
            assert victim.stdout is not None
            assert victim.stdout.readline() == b"up\n"
            for each in range(40):
                assert other.post(transfer_batch(1 + each, 1)).tolist() == [TransferCode.OK]
            victim.kill()
        assert other.post(transfer_batch(41, 1)).tolist() == [TransferCode.OK]
        deadline = time.monotonic() + 10
        while (balance := other.balance(2)) % 8000 != 41 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert balance % 8000 == 41


def test_a_second_server_of_a_ledger_is_refused(folder: Path) -> None:
    """One writer: the second says that the ledger is locked, and exits with 3; the first serves on."""
    with serving(folder) as (_, address):
        command = [*FORMICARY, "ledger", "serve", str(folder)]
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert second.returncode == 3
        assert second.stderr.startswith("error[locked]: ")
        with connect(address) as client:
            client.ping()


def test_serving_on_a_port_makes_a_token(folder: Path) -> None:
    """The token's file belongs to its owner alone, and opens the port."""
    with serving(folder, "--listen", "tcp:127.0.0.1:0") as (_, address):
        token = folder / "keys" / "serve.token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        with connect(address, token=token) as client:
            client.open_accounts(account_batch(1, 2))
            assert client.post(transfer_batch(1, 3)).tolist() == [TransferCode.OK] * 3


def test_one_client_process_loads_the_server() -> None:
    """The load that the benchmark measures runs whole: nothing refused, every batch timed."""
    load = served_load(accounts=100, transfers=40_000)
    assert load.refused == 0
    assert load.transfers == 40_000
    assert load.transfers_per_s > 0
    assert load.batch_p99_ms > 0


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing: apt-get install gcc")
def test_the_client_in_c_follows_the_page(folder: Path, tmp_path: Path) -> None:
    """Another language needs nothing but docs/reference/protocol.md."""
    source = ROOT / "examples" / "client_in_c" / "client.c"
    program = tmp_path / "client"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2"]
    subprocess.run(["gcc", *flags, "-o", program, source], check=True)
    with serving(folder) as (_, address):
        ran = subprocess.run([program, address.removeprefix("unix:")], capture_output=True, text=True, check=False)
    exists = " 41" * 3
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "hello: version 1, batch 8190, window 8",
        "accounts: 0 0",
        "transfers: 0 0 0",
        f"again:{exists}",
        "account 1001: debits 300, credits 0",
        "account 1002: debits 0, credits 300",
    ]
    assert os.access(program, os.X_OK)


def test_a_folder_without_a_ledger_is_not_served(folder: Path) -> None:
    """A mistyped path makes no new ledger."""
    command = [*FORMICARY, "ledger", "serve", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.startswith("error[ledger_missing]: ")
    assert not folder.exists()
