"""The digest depends on the log alone: not on the process, its hash seed, SQLite's plans, or how often it crashed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from formicary.machine.machine import Machine
from formicary.machine.rows import changes_digest
from formicary.machine.verify import replay
from formicary.products.example import PRODUCT

from tests.machine.digest_of import digest_of_history
from tests.machine.products import TRIAL, Do, Plan
from tests.machine.scripts import ALICE, LogScript

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = (
    "cbf17a5285bd2eb317a820c957c3cdcc1a08cefd9a8217f73d61618bea9a0d75"
    " 13ddeb8cd635d5cecfb7c183b19b2003aff1b9be8724e3cb70eab9a77073cc2a"
)
"""Digest and root of the busy history; whoever changes them changes the past of every ledger: docs/decisions/0004."""


def test_the_history_has_its_recorded_digest() -> None:
    """Whatever changes this changes every ledger's past."""
    assert digest_of_history(reverse=False) == GOLDEN


def test_rows_in_reverse_give_the_same_digest() -> None:
    """SQLite may return unordered rows in any order; no handler can tell."""
    assert digest_of_history(reverse=True) == GOLDEN


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_other_hash_seeds_give_the_same_digest(seed: str) -> None:
    """Another process walks its sets and dicts of strings in another order; no outcome can tell."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "FORMICARY_UNCOMPILED": "1"}
    command = [sys.executable, "-m", "tests.machine.digest_of", "reverse" if seed == "1" else ""]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == GOLDEN


def test_a_replay_is_equal_entry_by_entry() -> None:
    """Every digest on the way is the same, not only the last."""
    script = LogScript()
    script.say(ALICE, "trial.plan", Plan(3, 1_000, 1, "ok"))
    script.say(ALICE, "trial.do", Do(4, "refuse"))
    script.say(ALICE, "trial.do", Do(4, "ok"))
    machines = [replay(Machine(None, [TRIAL], reverse_unordered=odd), script.entries) for odd in (False, True)]
    digests = [[machine.digests.at(index) for index in range(1, 5)] for machine in machines]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 4


def test_a_change_in_one_row_changes_the_digest() -> None:
    """Two products that differ in one value that they write part at that very entry."""
    script = LogScript()
    script.say(ALICE, "trial.do", Do(4, "ok"))
    first = replay(Machine(None, [TRIAL]), script.entries[:1])
    other = replay(Machine(None, [TRIAL]), script.entries[:1])
    sql = """CREATE TRIGGER late AFTER INSERT ON trial_marks BEGIN UPDATE trial_marks SET how = 'other'; END"""
    other.rows.connection.execute(sql)
    assert first.digest == other.digest
    first.step(script.entries[1])
    other.step(script.entries[1])
    assert first.digest != other.digest


def test_the_order_of_changes_does_not_count_for_the_digest_of_rows() -> None:
    """The same rows at the end give the same digest, however they came about."""
    digests = []
    for order in ((1, 2, 3), (3, 1, 2)):
        machine = Machine(None, [TRIAL])
        machine.rows.begin()
        insert = "INSERT INTO trial_marks (seq, number, how) VALUES (?, 0, ?)"
        for seq in order:
            machine.rows.fenced["trial"].run(insert, seq, "x" if order[0] == 3 else "y")
        machine.rows.fenced["trial"].run("UPDATE trial_marks SET how = 'z'")
        digests.append(changes_digest(machine.rows.changes(1, ())))
    assert digests[0] == digests[1]


def test_a_float_in_a_row_is_found_before_it_gets_into_the_digest() -> None:
    """Should a float have come past every fence, the digest of rows is where it stops."""
    machine = Machine(None, [PRODUCT])
    machine.rows.connection.execute("CREATE TABLE loose (id INTEGER NOT NULL PRIMARY KEY, x)")
    machine.rows.begin()
    machine.rows.write_through()
    machine.rows.connection.execute("INSERT INTO loose VALUES (1, 0.5)")
    with pytest.raises(AssertionError, match="float"):
        changes_digest(machine.rows.changes(1, ()))
