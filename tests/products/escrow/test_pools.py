"""Pools made to order: not filled, all are refunded; filled, the maker is paid part by part as the members accept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from formicary.base.errors import Refusal
from formicary.products.escrow.answers import AskPool, AskPools
from formicary.products.escrow.codes import MANY
from formicary.products.escrow.commands import (
    AcceptPoolMilestone,
    CancelPool,
    DecidePool,
    JoinPool,
    LeavePool,
    OpenPool,
    PoolStage,
)
from formicary.testing.trial import Trial

from tests.products.escrow.support import DAY_NS, START_MINOR, new_town
from tests.products.escrow.town import ALICE, BOB, CAROL, EUR, JUDGE, STRANGER, USD, balance, lines, spent


@pytest.fixture
def town() -> Iterator[Trial]:
    """A town whose whole history replays to the same digest after each test."""
    made = new_town()
    yield made
    made.replay()
    made.close()


def offer(town: Trial, **changes: Any) -> OpenPool:
    """Bob makes three to six of something, 10.01 each, within a week, paid in three parts."""
    plain = OpenPool(
        asset=EUR,
        price_minor=1_001,
        places_min=3,
        places_max=6,
        until_ns=town.now_ns + 7 * DAY_NS,
        stages=(PoolStage(2, None), PoolStage(1, None), PoolStage(1, None)),
        note=None,
    )
    return msgspec.structs.replace(plain, **changes)


def opened(town: Trial, **changes: Any) -> bytes:
    """Bob has offered; the pool's id."""
    pool: bytes = town.ok(BOB, "escrow.open_pool", offer(town, **changes)).pool
    return pool


def seen(town: Trial, pool: bytes, who: bytes = ALICE) -> Any:
    """The pool as somebody sees it."""
    return town.ask("escrow.pool", who, AskPool(pool=pool))


def test_a_pool_tells_what_one_may_do(town: Trial) -> None:
    """A stranger joins, a member leaves or accepts once, the maker gives up; in the end nobody can do anything."""
    pool = opened(town)

    def may(who: bytes) -> tuple[str, ...]:
        found: tuple[str, ...] = seen(town, pool, who).may
        return found

    assert (may(ALICE), may(BOB)) == (("join_pool",), ("cancel_pool",))
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 4))
    assert (may(ALICE), may(CAROL)) == (("leave_pool",), ("join_pool",))
    town.ok(CAROL, "escrow.join_pool", JoinPool(pool, 2))
    assert seen(town, pool).members == 2
    assert (may(ALICE), may(BOB), may(JUDGE)) == (("accept_pool_milestone",), ("cancel_pool",), ())
    town.ok(CAROL, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1))
    assert (may(ALICE), may(CAROL)) == (("accept_pool_milestone",), ())
    town.ok(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1))
    assert may(CAROL) == ("accept_pool_milestone",), "the next part is voted on anew"
    town.ok(BOB, "escrow.cancel_pool", CancelPool(pool))
    assert [may(who) for who in (ALICE, BOB, CAROL)] == [()] * 3


def test_a_pool_that_does_not_fill_refunds_all(town: Trial) -> None:
    """Each member gets exactly what they paid, by itself."""
    pool = opened(town)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 1))
    town.ok(CAROL, "escrow.join_pool", JoinPool(pool, 1))
    assert balance(town, ALICE) == START_MINOR - 1_001
    town.wait(days=8)
    assert [balance(town, who) for who in (ALICE, BOB, CAROL)] == [START_MINOR] * 3
    assert (seen(town, pool).state, spent(town, CAROL)) == ("refunded", 0)
    assert [line[4] for line in lines(town)] == ["returned", "returned"]
    assert town.refused(JUDGE, "escrow.join_pool", JoinPool(pool, 1)) == "pool_closed"


def test_a_filled_pool_pays_the_maker_by_parts(town: Trial) -> None:
    """More than half of the places accept a part: it is paid; the shares add up to the cent."""
    pool = opened(town)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 2))
    town.ok(CAROL, "escrow.join_pool", JoinPool(pool, 1))
    town.wait(days=8)
    assert [stage.share_minor for stage in seen(town, pool).stages] == [1_502, 751, 750]
    town.ok(CAROL, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1))
    assert balance(town, BOB) == START_MINOR
    town.ok(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1))
    assert balance(town, BOB) == START_MINOR + 1_502
    for number in (2, 3):
        town.ok(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, number))
    assert (balance(town, BOB), seen(town, pool).state) == (START_MINOR + 3_003, "settled")
    assert [line[0] for line in lines(town)] == ["escrow"] * 2 + ["escrow_out"] * 3
    assert {line[4] for line in lines(town)} == {"paid"}


def test_the_last_place_starts_the_work(town: Trial) -> None:
    """Full is full: nobody joins or leaves afterwards, and the deadline is off."""
    pool = opened(town)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 4))
    assert town.refused(CAROL, "escrow.join_pool", JoinPool(pool, 3)) == "pool_full"
    town.ok(CAROL, "escrow.join_pool", JoinPool(pool, 2))
    assert seen(town, pool).state == "making"
    assert town.refused(ALICE, "escrow.leave_pool", LeavePool(pool)) == "pool_closed"
    assert town.machine.next_due() is None


def test_leaving_gives_the_money_back(town: Trial) -> None:
    """While the pool is open nobody is bound."""
    pool = opened(town)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 3))
    town.ok(ALICE, "escrow.leave_pool", LeavePool(pool))
    assert (balance(town, ALICE), seen(town, pool).places, spent(town, ALICE)) == (START_MINOR, 0, 0)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 1))
    assert seen(town, pool).my_places == 1


def test_a_maker_who_gives_up_returns_what_is_left(town: Trial) -> None:
    """What was paid for accepted parts stays paid; the rest goes back by places, and the cents add up."""
    pool = opened(town)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 4))
    town.ok(CAROL, "escrow.join_pool", JoinPool(pool, 2))
    town.ok(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1))
    assert town.refused(ALICE, "escrow.cancel_pool", CancelPool(pool)) == "pool_not_yours"
    town.ok(BOB, "escrow.cancel_pool", CancelPool(pool))
    assert balance(town, BOB) == START_MINOR + 3_004
    assert (balance(town, ALICE), balance(town, CAROL)) == (START_MINOR - 4_004 + 2_002, START_MINOR - 2_002 + 1_000)
    kinds = sorted(line[:1] + line[4:] for line in lines(town))
    assert kinds == [("escrow", "paid")] * 2 + [("escrow_back", "paid")] * 2 + [("escrow_out", "paid")]
    assert ("escrow_out", MANY, BOB, 3_004, "paid") in lines(town)
    assert town.refused(BOB, "escrow.cancel_pool", CancelPool(pool)) == "pool_not_making"


def test_an_arbiter_ends_a_pool_that_got_stuck(town: Trial) -> None:
    """So much for the maker; members share the rest."""
    pool = opened(town, places_max=3)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 1))
    town.ok(CAROL, "escrow.join_pool", JoinPool(pool, 2))
    assert town.refused(BOB, "escrow.decide_pool", DecidePool(pool, 1, None)) == "not_an_arbiter"
    assert town.refused(JUDGE, "escrow.decide_pool", DecidePool(pool, 3_004, None)) == "award_above_held"
    town.ok(JUDGE, "escrow.decide_pool", DecidePool(pool, 1_000, None))
    shares = (balance(town, ALICE) - START_MINOR + 1_001, balance(town, CAROL) - START_MINOR + 2_002)
    assert sorted(shares) == [668, 1_335]
    assert balance(town, BOB) == START_MINOR + 1_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until_ns": 1, "places_min": 9}, "pool_deadline_past"),
        ({"until_ns": 2**62, "places_min": 9}, "pool_deadline_far"),
        ({"places_min": 7, "price_minor": 10**15}, "pool_places_out_of_order"),
        ({"price_minor": 10**15, "asset": USD}, "pool_too_large"),
        ({"asset": USD}, "currency_not_open"),
    ],
)
def test_the_ladder_of_opening(town: Trial, changes: dict[str, Any], code: str) -> None:
    """Each rung refuses before the ones below it."""
    assert town.refused(BOB, "escrow.open_pool", offer(town, **changes)) == code


def test_the_ladder_of_taking_part(town: Trial) -> None:
    """Who may join, leave and accept, and when."""
    pool = opened(town)
    assert town.refused(ALICE, "escrow.join_pool", JoinPool(bytes(16), 1)) == "pool_not_found"
    assert town.refused(BOB, "escrow.join_pool", JoinPool(pool, 1)) == "order_with_oneself"
    assert town.refused(ALICE, "escrow.join_pool", JoinPool(pool, 7)) == "pool_full"
    assert town.refused(STRANGER, "escrow.join_pool", JoinPool(pool, 1)) == "person_unknown"
    assert town.refused(ALICE, "escrow.leave_pool", LeavePool(pool)) == "pool_not_joined"
    assert town.refused(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1)) == "pool_not_making"
    assert town.refused(JUDGE, "escrow.decide_pool", DecidePool(pool, 0, None)) == "pool_not_making"
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 3))
    assert town.refused(ALICE, "escrow.join_pool", JoinPool(pool, 1)) == "pool_joined"
    town.ok(JUDGE, "escrow.join_pool", JoinPool(pool, 3))
    assert town.refused(CAROL, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1)) == "pool_not_joined"
    assert town.refused(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 4)) == "milestone_not_found"
    assert (
        town.refused(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 2)) == "pool_milestone_not_next"
    )
    town.ok(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1))
    assert balance(town, BOB) == START_MINOR, "exactly half of the places is not more than half"
    assert town.refused(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, 1)) == "pool_vote_cast"
    assert town.refused(JUDGE, "escrow.decide_pool", DecidePool(pool, 0, None)) == "arbiter_is_party"


def test_lists_of_pools(town: Trial) -> None:
    """Open ones, one's own, and those one has joined."""
    first, second = opened(town), opened(town, places_min=1, places_max=1)
    town.ok(ALICE, "escrow.join_pool", JoinPool(second, 1))
    for which, who, pools in (
        ("open", STRANGER, [first]),
        ("making", STRANGER, [second]),
        ("mine", BOB, [second, first]),
        ("joined", ALICE, [second]),
        ("joined", CAROL, []),
    ):
        answer = town.ask("escrow.pools", who, AskPools(which=which))  # type: ignore[arg-type]
        assert [line.pool for line in answer.items] == pools, which
    with pytest.raises(Refusal) as caught:
        seen(town, bytes(16))
    assert caught.value.code == "pool_not_found"


def test_cents_too_few_for_every_part(town: Trial) -> None:
    """A part whose share is nothing is accepted all the same."""
    stages = (PoolStage(1, None),) * 3
    pool = opened(town, price_minor=1, places_min=1, places_max=1, stages=stages)
    town.ok(ALICE, "escrow.join_pool", JoinPool(pool, 1))
    for number in (1, 2, 3):
        town.ok(ALICE, "escrow.accept_pool_milestone", AcceptPoolMilestone(pool, number))
    assert (balance(town, BOB), seen(town, pool).state) == (START_MINOR + 1, "settled")
