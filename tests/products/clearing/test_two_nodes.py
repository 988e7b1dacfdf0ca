"""Two real nodes pay each other while either is killed at random instants: both legs or none, for every payment."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from formicary.node.ledger import Ledger, open_ledger
from formicary.products.clearing import queries
from formicary.products.wallet.offers import Purses

from tests.products.clearing.node import EUR, PEOPLE, START_MINOR, party, products

KILLS = 12
KILLS_MIN = 4
BUDGET_S = 60
ROOT = Path(__file__).resolve().parents[3]


class Node:
    """One institution's process, and its folder."""

    def __init__(self, folder: Path, name: str, port: int) -> None:
        self.folder, self.name, self.port = folder, name, port
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self, other: Node) -> None:
        """Start it; it goes on where it was killed."""
        command = [sys.executable, "-m", "tests.products.clearing.node", str(self.folder), str(other.folder)]
        options = ["--port", str(self.port), "--name", self.name, "--other", other.name]
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=said, stderr=said)

    def wait_ready(self) -> None:
        """Until it takes connections."""
        assert self.process is not None
        while self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail(f"{self.name} ended: {(self.folder / 'said').read_text()[-2000:]}")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(timeout=30)


def free_ports() -> list[int]:
    """Two ports that nobody listens on."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return [first.getsockname()[1], second.getsockname()[1]]


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_both_legs_or_none_whoever_is_killed_when(tmp_path: Path) -> None:
    """Twelve kills at random instants, of either; then both heal, and the two ledgers are compared to the cent."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance, ports = random.Random(seed), free_ports()
    nodes = [Node(tmp_path / name, name, port) for name, port in zip(("ada", "bob"), ports, strict=True)]
    a, b = nodes
    a.start(b)
    b.start(a)
    began, kills = time.monotonic(), 0
    try:
        for node in nodes:
            node.wait_ready()
        while kills < KILLS and time.monotonic() - began < BUDGET_S:
            time.sleep(0.2 + chance.random() * 1.2)
            victim, other = chance.sample(nodes, 2)
            victim.kill()
            kills += 1
            time.sleep(chance.random() / 2)
            victim.start(other)
            victim.wait_ready()
        heal(nodes)
    finally:
        for node in nodes:
            if node.process is not None and node.process.poll() is None:
                node.kill()
    compare(nodes, kills)


def heal(nodes: list[Node]) -> None:
    """Let nobody pay any more, and wait until each has said and heard everything."""
    for node in nodes:
        (node.folder / "stop").touch()
    until = time.monotonic() + 60
    while not all((node.folder / "idle").exists() for node in nodes):
        for node in nodes:
            assert node.process is not None
            assert node.process.poll() is None, (node.folder / "said").read_text()[-2000:]
        assert time.monotonic() < until, "payments are under way for ever"
        time.sleep(0.1)
    for node in nodes:
        node.kill(signal.SIGTERM)


def compare(nodes: list[Node], kills: int) -> None:
    """Open both ledgers and hold them against each other."""
    ledgers = [open_ledger(node.folder / "ledger", products=products()) for node in nodes]
    try:
        sides = list(zip(ledgers, ledgers[::-1], nodes, strict=True))
        counts = {"captured": 0, "cancelled": 0, "refused": 0}
        for ledger, other, _ in sides:
            compare_payments(ledger, other, counts)
        first, second = (position(ledger) for ledger in ledgers)
        assert first == -second, "what one owes is what the other is owed"
        assert sum(money(ledger, node.name) for ledger, _, node in sides) == 2 * PEOPLE * START_MINOR
        for ledger in ledgers:
            assert ledger.trial_balance().balanced
            ledger._machine.check()
            report = ledger.verify()
            assert report.ok, report
        print(f"{kills} kills, {counts}, position {first}")
        assert kills >= KILLS_MIN, f"only {kills} kills in {BUDGET_S} s"
        assert counts["captured"] > kills, "payments went through while nodes were killed"
    finally:
        for ledger in ledgers:
            ledger.close()


def compare_payments(ledger: Ledger, other: Ledger, counts: dict[str, int]) -> None:
    """Each payment out has its leg at the other, or neither moved anything."""
    own = ledger.ask("clearing", queries.own).institution
    for row in ledger.ask("clearing", lambda view: list(queries.all_out(view))):
        leg = other.ask("clearing", lambda view, row=row: queries.incoming(view, own, row.transfer))
        counts[row.state] += 1
        assert not row.to_do
        if row.state == "captured":
            assert leg is not None
            assert (leg.state, leg.amount_minor, leg.asset) == ("captured", row.amount_minor, row.asset)
        else:
            assert leg is None or leg.state == "cancelled"
    known = {row.transfer for row in ledger.ask("clearing", lambda view: list(queries.all_out(view)))}
    for leg in other.ask("clearing", lambda view: list(queries.all_in(view))):
        assert leg.transfer in known, "a leg without its payment"


def position(ledger: Ledger) -> int:
    """What the institution owes the other, with nothing undecided."""

    def question(view: Any) -> int:
        total = 0
        for _, _, number in queries.accounts(view):
            account = view.account(number)
            assert account.debits_held == account.credits_held == 0
            total += account.credits_posted - account.debits_posted
        return total

    found: int = ledger.ask("clearing", question)
    return found


def money(ledger: Ledger, name: str) -> int:
    """What an institution's people have, with nothing held."""

    def question(view: Any) -> int:
        total = 0
        for number in range(PEOPLE):
            purse = Purses().purse(view, party(name, number), EUR)
            account = view.account(purse)
            assert account.debits_held == account.credits_held == 0
            total += account.credits_posted - account.debits_posted
        return total

    found: int = ledger.ask("wallet", question)
    return found
