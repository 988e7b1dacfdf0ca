"""What is offered to all can be read by all who have signed in, and by nobody once its writer is erased."""

from __future__ import annotations

from typing import Any

from formicary.gateway.edge_values import write_time

from tests.gateway.town import SECOND, Person, Town

WORDS = ("A bench for the square", "Sawn", "Put up")


def words_of(pool: dict[str, Any]) -> tuple[str | None, ...]:
    """What a pool says of itself."""
    return pool["note"], *(stage["label"] for stage in pool["stages"])


def test_what_a_pool_makes_is_read_by_whoever_could_join(town: Town, ann: Person, bo: Person) -> None:
    """In its list, on its page, and beside the payment of who joined; erased, its maker's words are gone for all."""
    town.fund(bo, 20_00)
    stages = [{"weight": 1, "label": label} for label in WORDS[1:]]
    terms = {"asset": "EUR", "price_minor": 500, "places_min": 2, "places_max": 4, "stages": stages, "note": WORDS[0]}
    until = write_time(town.now_ns() + 3600 * SECOND)
    pool = ann.post("/v1/escrow/open_pool", until=until, **terms).json()["pool"]
    assert bo.get("/v1/escrow/pools").json()["items"][0]["note"] == WORDS[0]
    assert words_of(bo.get("/v1/escrow/pool", pool=pool).json()) == WORDS
    assert town.nobody.get("/v1/escrow/pool", pool=pool).status_code == 401
    assert bo.post("/v1/escrow/join_pool", pool=pool, places=1).status_code == 200
    assert bo.get("/v1/pay/activity").json()["items"][0]["note"] == WORDS[0]
    town.run(town.door.forget(ann.party))
    assert words_of(bo.get("/v1/escrow/pool", pool=pool).json()) == (None, None, None)
