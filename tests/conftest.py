"""What every test shares: Hypothesis's profiles, and the rule that CI skips nothing for want of a program.

``HYPOTHESIS_PROFILE`` chooses between ``ci``, the default, which draws the same examples in every run so that a red
build is red again, and ``soak``, which draws new ones for as long as it is given.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,  # the first example pays for compiling the kernel
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # two shared cores: slowness says nothing about the strategy
)
settings.register_profile(
    "soak",
    max_examples=10_000,
    stateful_step_count=200,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def have_postgres() -> bool:
    """Whether PostgreSQL's own programs are on this machine; Debian keeps them off the path."""
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a program where it is missing; in CI that is a failure, for nobody reads CI's skips."""
    if item.get_closest_marker("postgres") is not None and not have_postgres():
        _missing("PostgreSQL's programs are missing: apt-get install postgresql")
    if item.get_closest_marker("browser") is not None and not shutil.which("chromium"):
        _missing("Chromium is missing: apt-get install chromium")


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
