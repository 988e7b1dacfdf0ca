"""The main job of ``make run``: a month of standing orders, on made orders, twice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"


def run(script: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the examples in a folder."""
    command = [sys.executable, str(EXAMPLES / script), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_month_is_posted_accounted_for_and_proven_and_posted_once(tmp_path: Path) -> None:
    """Every heller of the file is with its payee; a second run changes nothing; another file fails."""
    assert run("make_orders.py", "orders.asc", "--orders", "300", folder=tmp_path).returncode == 0
    first = run("standing_orders.py", "--orders", "orders.asc", folder=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "300 orders posted, 0 there already" in first.stdout
    assert "every heller is accounted for" in first.stdout
    assert re.search(r"^CZK +all +\S+ +(\S+) +\1 +0\.00$", first.stdout, re.MULTILINE)
    assert "accepted this" in first.stdout
    again = run("standing_orders.py", "--orders", "orders.asc", folder=tmp_path)
    assert again.returncode == 0
    assert "0 orders posted, 300 there already" in again.stdout
    run("make_orders.py", "other.asc", "--orders", "299", folder=tmp_path)
    other = run("standing_orders.py", "--orders", "other.asc", folder=tmp_path)
    assert other.returncode == 1
    assert "NOT what the file says" in other.stdout


def test_made_orders_are_the_same_every_time(tmp_path: Path) -> None:
    """So that what the page shows is what a reader sees."""
    for name in ("one.asc", "two.asc"):
        run("make_orders.py", name, folder=tmp_path)
    assert (tmp_path / "one.asc").read_bytes() == (tmp_path / "two.asc").read_bytes()
    assert len((tmp_path / "one.asc").read_text().splitlines()) == 6472
