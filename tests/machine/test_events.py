"""The outbox: in order, at least once, no gaps, and pruned only behind the slowest subscriber."""

from __future__ import annotations

import pytest

from formicary.machine.machine import Machine
from formicary.machine.verify import replay

from tests.machine.products import TRIAL, Do
from tests.machine.scripts import ALICE, LogScript


@pytest.fixture
def machine() -> Machine:
    """A machine with events 1 to 6 in entries 2 to 7, some commands between them refused."""
    script = LogScript()
    for number in range(6):
        refused, done = (script.command(ALICE, "trial.do", Do(number, how)) for how in ("refuse", "ok"))
        script.commands(refused, done)
    return replay(Machine(None, [TRIAL]), script.entries)


def test_events_come_in_order_and_again_until_acknowledged(machine: Machine) -> None:
    """A subscriber that fails before it acknowledges reads the same again."""
    outbox = machine.rows.outbox
    outbox.subscribe("hooks")
    read = outbox.pending("hooks", through_entry=machine.index, limit=4)
    assert [event.number for event in read] == [1, 2, 3, 4]
    assert [event.entry for event in read] == [2, 3, 4, 5]
    assert outbox.pending("hooks", through_entry=machine.index, limit=4) == read
    outbox.acknowledge("hooks", 3)
    assert [event.number for event in outbox.pending("hooks", through_entry=machine.index)] == [4, 5, 6]
    outbox.acknowledge("hooks", 1)
    assert outbox.cursor("hooks") == 3
    assert {(event.product, event.kind) for event in read} == {("trial", "rang")}


def test_events_of_entries_that_are_not_durable_yet_wait(machine: Machine) -> None:
    """The outside never hears of what a crash could still undo."""
    outbox = machine.rows.outbox
    outbox.subscribe("hooks")
    assert outbox.pending("hooks", through_entry=1) == []
    assert [event.number for event in outbox.pending("hooks", through_entry=4)] == [1, 2, 3]


def test_pruning_keeps_what_the_slowest_subscriber_has_not_read(machine: Machine) -> None:
    """And nothing is pruned for nobody."""
    outbox = machine.rows.outbox
    assert outbox.prune() == 0
    outbox.subscribe("fast")
    outbox.subscribe("slow")
    outbox.acknowledge("fast", 6)
    assert outbox.prune() == 0
    outbox.acknowledge("slow", 2)
    assert outbox.prune() == 2
    outbox.unsubscribe("slow")
    assert outbox.prune() == 4
    assert outbox.pending("fast", through_entry=machine.index) == []


def test_a_late_subscriber_starts_where_it_says(machine: Machine) -> None:
    """And subscribing again does not move it."""
    outbox = machine.rows.outbox
    outbox.subscribe("late", after=5)
    outbox.subscribe("late")
    assert [event.number for event in outbox.pending("late", through_entry=machine.index)] == [6]
    with pytest.raises(AssertionError, match="has not subscribed"):
        outbox.cursor("nobody")


def test_pruning_and_cursors_are_outside_the_digest(machine: Machine) -> None:
    """What a node's subscribers do is its own affair: the next entry's digest is that of a node without any."""
    script = LogScript()
    for number in range(6):
        refused, done = (script.command(ALICE, "trial.do", Do(number, how)) for how in ("refuse", "ok"))
        script.commands(refused, done)
    machine.rows.outbox.subscribe("hooks", after=6)
    machine.rows.outbox.prune()
    entry = script.say(ALICE, "trial.do", Do(9, "ok"))
    assert machine.step(entry).events[0].number == 7
    assert machine.digest == replay(Machine(None, [TRIAL]), script.entries).digest
