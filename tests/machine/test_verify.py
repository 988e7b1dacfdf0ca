"""Verifying a history by computing it again, and saying where two part."""

from __future__ import annotations

import dataclasses

import pytest

from formicary.base.errors import Diverged
from formicary.machine.machine import Machine
from formicary.machine.verify import compare, replay, verify
from formicary.products.anatomy import CommandType

from tests.machine.products import TRIAL, Do, Told, do
from tests.machine.scripts import ALICE, LogScript


def script_of(*numbers: int) -> LogScript:
    """A log with a command for each number, from entry 2 on."""
    script = LogScript()
    for number in numbers:
        script.say(ALICE, "trial.do", Do(number, "ok"))
    return script


def test_a_true_history_verifies() -> None:
    """Every digest and root that the node wrote down is computed again."""
    entries = script_of(1, 2, 3).entries
    node = replay(Machine(None, [TRIAL]), entries)
    assert node.tree is not None
    digests = {index: node.digests.at(index) for index in range(1, 5)}
    roots = {size: node.tree.root(size) for size in (1, 4, 6)}
    checked = verify(entries, [TRIAL], digests=digests, roots=roots, invariants=True)
    assert checked.digest == node.digest


def test_a_wrong_digest_is_named_by_its_entry() -> None:
    """The first entry that does not match is where the histories part."""
    entries = script_of(1, 2, 3).entries
    with pytest.raises(Diverged) as found:
        verify(entries, [TRIAL], digests={3: bytes(32), 4: bytes(32)})
    assert found.value.index == 3


def test_a_log_that_is_too_short_does_not_verify() -> None:
    """A missing tail is a divergence too."""
    entries = script_of(1, 2, 3).entries
    node = replay(Machine(None, [TRIAL]), entries)
    with pytest.raises(Diverged, match="ends here") as found:
        verify(entries[:3], [TRIAL], digests={4: node.digest})
    assert found.value.index == 3


@pytest.mark.parametrize(("size", "why"), [(4, "not the one that was signed"), (7, "has 6 leaves")])
def test_a_wrong_root_does_not_verify(size: int, why: str) -> None:
    """A signed head that the log does not lead to."""
    with pytest.raises(Diverged, match=why):
        verify(script_of(1, 2, 3).entries, [TRIAL], roots={size: bytes(32)})


def test_two_logs_part_at_their_first_different_entry() -> None:
    """Compared by what they hold; a shorter log that agrees so far agrees."""
    whole, other = script_of(1, 2, 3, 4), script_of(1, 2, 7, 4)
    assert compare(whole.entries, whole.entries[:3], [TRIAL]) == 3
    with pytest.raises(Diverged, match="different entries") as found:
        compare(whole.entries, other.entries, [TRIAL])
    assert found.value.index == 4


def test_two_versions_of_a_product_part_at_their_first_different_outcome() -> None:
    """The same log through changed code: what a release must check before it goes out."""

    def changed(context: object, command: Do) -> Told:
        told = do(context, command)  # type: ignore[arg-type]
        return Told("changed") if command.number == 2 else told

    newer = dataclasses.replace(TRIAL, commands=(CommandType(name="do", body=Do, handler=changed, reply=Told),))
    with pytest.raises(Diverged, match="different outcomes") as found:
        compare(script_of(1, 2, 3).entries, script_of(1, 2, 3).entries, [TRIAL], [newer])
    assert found.value.index == 3
