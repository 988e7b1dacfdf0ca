"""Red packets: equal and drawn, for some and for all, returning what nobody opened."""

from __future__ import annotations

import pytest

from formicary.base.errors import Refusal
from formicary.products.guard.commands import Decide, Recall
from formicary.products.pay.answers import AskActivity, AskPacket, AskPackets
from formicary.products.pay.commands import Give, How, OpenPacket
from formicary.testing.trial import SECOND_NS, Trial, person

from tests.products.pay.plain import ALICE, BOB, CAROL, DAVE, EUR, Appoint, free, spent, town

PEOPLE = tuple(person(f"guest {number}") for number in range(12))


def give(trial: Trial, total: int, count: int, *people: bytes, how: How = "drawn", seconds: int = 3600) -> Give:
    """A packet that holds for an hour."""
    return Give(EUR, total, count, how, trial.now_ns + seconds * SECOND_NS, None, people)


@pytest.mark.parametrize("how", ["equal", "drawn"])
@pytest.mark.parametrize("total", [12, 13, 100_00])
def test_a_packet_is_opened_whole(how: How, total: int) -> None:
    """Each share is at least a cent, equal ones differ by at most one, and all of them are the whole."""
    trial = town(ALICE, *PEOPLE)
    given = trial.ok(ALICE, "pay.give", give(trial, total, 12, *PEOPLE, how=how))
    assert free(trial, ALICE) == 10_000_00 - total
    got = [trial.ok(each, "pay.open_packet", OpenPacket(given.packet)).amount_minor for each in PEOPLE]
    assert sum(got) == total
    assert min(got) >= 1
    assert how == "drawn" or max(got) - min(got) <= 1
    assert [free(trial, each) - 10_000_00 for each in PEOPLE] == got
    trial.wait(hours=2)
    assert free(trial, ALICE) == 10_000_00 - total
    assert trial.ask("pay.packet", ALICE, AskPacket(packet=given.packet)).state == "opened"
    trial.replay()


def test_drawn_shares_differ() -> None:
    """Drawing is not dividing: in twelve shares of a hundred euros not all are alike."""
    trial = town(ALICE, *PEOPLE)
    given = trial.ok(ALICE, "pay.give", give(trial, 100_00, 12))
    got = [trial.ok(each, "pay.open_packet", OpenPacket(given.packet)).amount_minor for each in PEOPLE]
    assert len(set(got)) > 6


def test_the_rest_returns() -> None:
    """What nobody opened is the giver's again at its time, and no longer counts as spent."""
    trial = town(ALICE, BOB, CAROL)
    given = trial.ok(ALICE, "pay.give", give(trial, 10_00, 2, BOB, CAROL, how="equal", seconds=60))
    trial.ok(BOB, "pay.open_packet", OpenPacket(given.packet))
    assert spent(trial, ALICE) == 10_00
    trial.wait(minutes=2)
    assert (free(trial, ALICE), spent(trial, ALICE)) == (9_995_00, 5_00)
    assert trial.refused(CAROL, "pay.open_packet", OpenPacket(given.packet)) == "packet_expired"
    shown = trial.ask("pay.activity", ALICE, AskActivity()).items
    assert [(item.kind, item.direction, item.amount_minor, item.other) for item in shown] == [
        ("packet_back", "in", 5_00, None),
        ("packet", "out", 10_00, None),
    ]
    (got,) = trial.ask("pay.activity", BOB, AskActivity()).items
    assert (got.kind, got.other, got.reference) == ("packet_opened", ALICE, given.packet)
    trial.replay()


def test_giving_is_refused_in_its_order() -> None:
    """Too little, somebody twice, fewer people than shares, the time, a stranger, and the money."""
    trial = town(ALICE, BOB)
    nobody = person("nobody")
    for command, code in (
        (give(trial, 1, 2, BOB, BOB, seconds=-9), "packet_too_small"),
        (give(trial, 3, 3, BOB, BOB, seconds=-9), "recipient_named_twice"),
        (give(trial, 3, 3, ALICE, BOB, seconds=-9), "recipient_named_twice"),
        (give(trial, 3, 3, nobody, BOB, seconds=-9), "too_few_recipients"),
        (give(trial, 3, 2, nobody, BOB, seconds=-9), "until_not_in_future"),
        (give(trial, 3, 2, nobody, BOB), "person_unknown"),
        (give(trial, 10_000_01, 1, BOB), "exceeds_credits"),
    ):
        assert trial.refused(ALICE, "pay.give", command) == code
    assert spent(trial, ALICE) == 0


def test_opening_is_refused_in_its_order() -> None:
    """No packet, one's own, others', a second time, empty."""
    trial = town(ALICE, BOB, CAROL, DAVE)
    own = trial.ok(ALICE, "pay.give", give(trial, 10, 1, BOB))
    assert trial.refused(BOB, "pay.open_packet", OpenPacket(bytes(16))) == "packet_not_found"
    assert trial.refused(ALICE, "pay.open_packet", OpenPacket(own.packet)) == "packet_is_your_own"
    assert trial.refused(CAROL, "pay.open_packet", OpenPacket(own.packet)) == "packet_not_for_you"
    trial.ok(BOB, "pay.open_packet", OpenPacket(own.packet))
    assert trial.refused(BOB, "pay.open_packet", OpenPacket(own.packet)) == "packet_opened_before"
    for_all = trial.ok(ALICE, "pay.give", give(trial, 10, 1))
    trial.ok(CAROL, "pay.open_packet", OpenPacket(for_all.packet))
    assert trial.refused(DAVE, "pay.open_packet", OpenPacket(for_all.packet)) == "packet_empty"
    assert trial.refused(person("nobody"), "pay.open_packet", OpenPacket(for_all.packet)) == "packet_empty"


def test_a_packet_is_no_way_round_the_guard() -> None:
    """A large share to somebody new is held like a payment; recalled, it goes from the packet back to its giver."""
    trial = town(ALICE, BOB)
    given = trial.ok(ALICE, "pay.give", give(trial, 5_000_00, 1, BOB))
    opened = trial.ok(BOB, "pay.open_packet", OpenPacket(given.packet))
    assert (opened.state, free(trial, BOB)) == ("held", 10_000_00)
    trial.ok(ALICE, "guard.recall", Recall(opened.payment))
    assert (free(trial, ALICE), free(trial, BOB), spent(trial, ALICE)) == (10_000_00, 10_000_00, 0)
    trial.wait(days=2)
    trial.replay()


def test_a_held_share_is_paid_when_the_guard_lets_it_go() -> None:
    """By an operator at once."""
    trial = town(ALICE, BOB)
    trial.ok(CAROL, "wallet.appoint", Appoint("operator"))
    given = trial.ok(ALICE, "pay.give", give(trial, 5_000_00, 1, BOB))
    trial.ok(BOB, "pay.open_packet", OpenPacket(given.packet))
    held = trial.happened("guard.payment_held")[0]
    trial.ok(CAROL, "guard.decide", Decide(held.case, "release", None))
    assert free(trial, BOB) == 15_000_00
    trial.replay()


def test_a_packet_is_shown_to_whom_it_concerns() -> None:
    """The giver sees all, one who has not opened it not what is left; a stranger sees nothing."""
    trial = town(ALICE, BOB, CAROL, DAVE)
    given = trial.ok(ALICE, "pay.give", give(trial, 10_00, 2, BOB, CAROL, how="equal"))
    trial.ok(BOB, "pay.open_packet", OpenPacket(given.packet))
    seen = {who: trial.ask("pay.packet", who, AskPacket(packet=given.packet)) for who in (ALICE, BOB, CAROL)}
    assert [seen[who].rest_minor for who in (ALICE, BOB, CAROL)] == [5_00, 5_00, None]
    assert [seen[who].mine_minor for who in (ALICE, BOB, CAROL)] == [0, 5_00, 0]
    assert [len(seen[who].openings) for who in (ALICE, BOB, CAROL)] == [1, 1, 0]
    with pytest.raises(Refusal):
        trial.ask("pay.packet", DAVE, AskPacket(packet=given.packet))
    assert len(trial.ask("pay.packets", CAROL, AskPackets()).items) == 1
    assert len(trial.ask("pay.packets", ALICE, AskPackets(direction="out")).items) == 1
