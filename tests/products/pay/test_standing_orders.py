"""A month of a sample of real standing orders through ``pay.schedule``; the example runs all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

EXAMPLES: Final = Path(__file__).resolve().parents[3] / "examples"
REAL: Final = EXAMPLES.parents[1] / "shared" / "data" / "czech_bank_1999" / "order.asc"


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the examples in a folder."""
    command = [sys.executable, str(EXAMPLES / words[0]), *words[1:]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "real", [pytest.param(True, marks=pytest.mark.skipif(not REAL.exists(), reason="no real orders here")), False]
)
def test_a_month_of_orders_is_accounted_for(real: bool, tmp_path: Path) -> None:
    """Every run is paid, some after a day in the guard's hands; every heller is where the file says."""
    orders = REAL
    if not real:
        orders = tmp_path / "orders.asc"
        assert run("make_orders.py", str(orders), "--orders", "120", folder=tmp_path).returncode == 0
    done = run("standing_orders_pay.py", "--orders", str(orders), "--sample", "120", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "120 runs paid" in done.stdout
    assert "every heller is accounted for" in done.stdout
