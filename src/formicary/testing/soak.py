"""``make soak SECONDS=…``: simulations under ever new seeds and real kills, until the time is up or something breaks.

The seed of a failure is printed; ``--seed`` runs that one again.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from formicary.testing.killing import kill_once
from formicary.testing.simulator import Simulation, Summary, World, ledger_world, town_world

LIVES: Final = (20, 8)
"""Of one simulation, by its world; each life replays all that came before it."""
SIMULATIONS_PER_KILL: Final = 2


WORLDS: Final[tuple[Callable[[], World], ...]] = (ledger_world, town_world)
"""What is simulated in turn: raw records with the example product, and the standard products."""


def simulate(seed: int) -> Summary:
    """Run one seed in a folder of its own: even ones are of the ledger alone, odd ones of the standard products."""
    world = WORLDS[seed % len(WORLDS)]()
    with TemporaryDirectory(prefix="formicary-soak-") as folder:
        return Simulation(seed, Path(folder), world=world).run(LIVES[seed % len(LIVES)])


def soak(seconds: float, first_seed: int, console: Console) -> None:
    """Simulate and kill in turn for so many seconds."""
    ends, seed, kills = time.monotonic() + seconds, first_seed, 0
    totals = Summary(first_seed)
    with TemporaryDirectory(prefix="formicary-kill-") as folder:
        while time.monotonic() < ends:
            for _ in range(SIMULATIONS_PER_KILL):
                one = simulate(seed)
                totals.lives += one.lives
                totals.crashes += one.crashes
                totals.full += one.full
                totals.flips += one.flips
                seed += 1
            stored = kill_once(Path(folder) / "ledger", random.Random(seed))
            kills += 1
            console.print(
                f"seeds {first_seed}–{seed - 1}: {totals.lives} lives, {totals.crashes} power losses, "
                f"{totals.full} full disks, {totals.flips} flipped bits found; "
                f"{kills} processes killed over {stored:,} transfers"
            )


def main() -> None:
    """Read the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, help="run this one simulation only")
    chosen = options.parse_args()
    console = Console(soft_wrap=True)
    if chosen.seed is not None:
        console.print(simulate(chosen.seed))
        return
    first = int(time.time())
    try:
        soak(chosen.seconds, first, console)
    except BaseException:
        console.print(
            f"[red]failed[/]; the newest seed named above or in the trace is the one to run again, from {first}"
        )
        raise


if __name__ == "__main__":
    main()
