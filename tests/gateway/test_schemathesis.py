"""The whole OpenAPI document, tried: as nobody, as a person, as an operator; what was drawn is answered as documented.

``FORMICARY_TRIES`` sets how many requests of each kind are drawn for each operation and role (default 1); ``make soak``
and a night may take 50.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from schemathesis import GenerationMode

from tests.gateway.trying import ROLES, Trial, World

TRIES = int(os.environ.get("FORMICARY_TRIES", "1"))
LIMIT_S = 90 + 120 * TRIES


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    """One town and its document for all roles."""
    logging.disable(logging.CRITICAL)
    world = World()
    yield Trial(world)
    world.close()
    logging.disable(logging.NOTSET)


def told(trial: Trial) -> str:
    """Everything that went wrong, in words; and forget it."""
    text = "\n".join(f"{what}\n   {why}" for what, why in trial.wrong.items())
    trial.wrong.clear()
    return text


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("role", ROLES)
def test_what_the_document_allows(trial: Trial, role: str) -> None:
    """Valid requests: no 5xx, and every answer has a status, a type, headers and a form that the document names."""
    for operation in trial.operations():
        trial.attempt(operation, role, examples=2 * TRIES, mode=GenerationMode.POSITIVE)
    assert not trial.wrong, told(trial)
    assert trial.statuses[200], "something worked"


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S)
def test_what_the_document_forbids(trial: Trial) -> None:
    """Requests whose body breaks its schema: refused in the documented form, and never a 5xx."""
    trial.statuses.clear()
    tried = 0
    for operation in trial.operations():
        if operation.body:
            trial.attempt(operation, "person", examples=TRIES, mode=GenerationMode.NEGATIVE)
            tried += 1
    assert tried > 80
    assert not trial.wrong, told(trial)
    assert sum(count for status, count in trial.statuses.items() if 400 <= status < 500) >= tried / 2
