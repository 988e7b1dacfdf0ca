"""Payments over HTTP while the real server is killed: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.testing.http_soak import HttpSoak

SECONDS = 10.0
SEED = 20_260_722


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kill_dash_nine_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Four clients pay and retry while the server dies and comes back; then every cent and every answer is checked."""
    outcome = HttpSoak(tmp_path, SEED, clients=4).run(SECONDS)
    assert outcome.kills >= 1
    assert outcome.paid > 20
    assert outcome.unanswered > 0, "the kills hit the clients"
    assert outcome.retried > 10
