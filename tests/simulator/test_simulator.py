"""Fixed seeds of the simulator, the canary that it must catch, real kills, and the golden logs."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from formicary.testing import golden
from formicary.testing.killing import kill_once
from formicary.testing.simulator import LostWork, Simulation

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("*.jsonl.gz"))


@pytest.mark.parametrize("seed", range(1, 13))
def test_seed(seed: int, tmp_path: Path) -> None:
    """Twelve lives of crashes, full disks and flipped bits lose nothing that was acknowledged."""
    summary = Simulation(seed, tmp_path).run(lives=12)
    assert summary.crashes
    assert summary.transfers


def test_same_seed_same_history(tmp_path: Path) -> None:
    """A seed is the whole story: run again, it ends in the same digest."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert Simulation(5, first).run(lives=6) == Simulation(5, second).run(lives=6)


def test_canary(tmp_path: Path) -> None:
    """On a disk that only pretends to sync, acknowledged work is lost, and the simulator says so."""

    def simulate_every_seed() -> None:
        for seed in range(1, 20):
            folder = tmp_path / str(seed)
            folder.mkdir()
            Simulation(seed, folder, forgets_syncs=True).run(lives=12)

    with pytest.raises(LostWork):
        simulate_every_seed()


def test_killed_processes(tmp_path: Path) -> None:
    """A process killed without warning under load loses nothing that it had acknowledged, three times in a row."""
    chance = random.Random(11)
    stored = [kill_once(tmp_path / "ledger", chance) for _ in range(3)]
    assert stored == sorted(stored)
    assert stored[-1]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
@pytest.mark.parametrize("reverse_unordered", [False, True])
def test_golden_log(path: Path, reverse_unordered: bool) -> None:
    """Every release's log still gives the digest and the root that it gave then."""
    then, now = golden.replay(path, reverse_unordered=reverse_unordered)
    assert now == then


def test_there_is_a_golden_log() -> None:
    """Without one the test above would check nothing."""
    assert GOLDEN
