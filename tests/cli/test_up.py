"""``formicary up`` as the process that it is: what keeps it from starting, and how it and its bank end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from formicary.node.ledger import open_ledger
from formicary.stack import standard_products
from formicary.testing.town_process import TownProcess

pytestmark = [pytest.mark.slow]

WAIT_S = 20.0


@pytest.fixture
def town(tmp_path: Path) -> Iterator[TownProcess]:
    """A wallet without a town, which runs."""
    made = TownProcess(tmp_path, empty=True)
    made.start()
    yield made
    made.end()


def start(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run ``formicary up`` where it can't start."""
    program = Path(sys.executable).with_name("formicary")
    command = [str(program), "up", "--empty", "--json", "--data", str(folder), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def children(pid: int) -> dict[int, str]:
    """The processes that a process started, with their command lines."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            words = stat.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):
            continue  # it ended meanwhile
        if parent == pid:
            found[int(stat.parent.name)] = words
    return found


def bank_of(town: TownProcess) -> int:
    """The process of its sandbox bank."""
    assert town.process is not None
    (bank,) = [pid for pid, words in children(town.process.pid).items() if "formicary.rails.sandbox_bank" in words]
    return bank


def runs(pid: int) -> bool:
    """Whether a process is alive; one that nobody has buried yet is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pid: int) -> bool:
    """Whether a process ends soon."""
    until = time.monotonic() + WAIT_S
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not runs(pid)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """It says so, names the port and what to do, and has opened and made nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = start(tmp_path / "data", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"127.0.0.1:{port}: another program listens on this port" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_address_that_this_machine_does_not_have(tmp_path: Path) -> None:
    """The same, by the address."""
    done = start(tmp_path / "data", "--port", "0", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert "this machine does not have this address" in done.stderr


def test_a_folder_that_is_in_use(town: TownProcess) -> None:
    """A second one on the same folder is refused, and the first one and its bank go on."""
    bank = bank_of(town)
    done = start(town.data, "--port", "0")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error[locked]" in done.stderr
    assert "Traceback" not in done.stderr
    assert httpx.get(f"{town.origin}/health").status_code == 200
    assert runs(bank)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_it_ends_well(town: TownProcess, number: signal.Signals) -> None:
    """Told to stop, or by Ctrl-C: status 0 (130 for Ctrl-C), no child left, the folder free, everything in it."""
    person = town.newcomer("Ann Lee", "ann.lee")
    bank = bank_of(town)
    assert town.process is not None
    town.process.send_signal(number)
    status = town.process.wait(WAIT_S)
    assert status in ({0} if number is signal.SIGTERM else {0, 130})
    assert not runs(bank)
    assert "Traceback" not in town.stderr.read_text()
    with open_ledger(town.data / "ledger", products=standard_products()) as ledger:
        found = ledger.ask("wallet", lambda view: view.rows.all("SELECT person FROM wallet_people ORDER BY person"))
    assert bytes.fromhex(person.id) in {row[0] for row in found}


def test_a_bank_whose_wallet_was_killed_ends_by_itself(town: TownProcess) -> None:
    """No bank stays behind to disturb the next one, which starts on the same folder."""
    bank = bank_of(town)
    town.kill()
    assert ends(bank)
    town.start()
    assert bank_of(town) != bank
    assert json.loads(town.stdout.read_text().splitlines()[-1])["health"] == f"{town.origin}/health"


def test_a_bank_that_is_told_to_stop_stops(tmp_path: Path) -> None:
    """SIGTERM ends it with status 0, and so does a parent that is gone when it starts."""
    command = [sys.executable, "-m", "formicary.rails.sandbox_bank", "--folder", str(tmp_path / "bank")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bank:
        assert bank.stdout is not None
        assert bank.stdout.readline() == f"sandbox bank at {tmp_path / 'bank'}\n"
        bank.terminate()
        assert bank.wait(WAIT_S) == 0
    gone = subprocess.run([*command, "--parent", "1"], capture_output=True, timeout=WAIT_S, check=False)
    assert gone.returncode == 0
