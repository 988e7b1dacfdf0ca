"""Recovery: after a crash at any boundary, with any part of the state behind, damaged or gone, nothing differs."""

from __future__ import annotations

import dataclasses
import queue
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import apsw
import pytest

from formicary.base.entry import Entry
from formicary.base.errors import Corrupt
from formicary.kernel.records import BATCH_MAX
from formicary.machine.applied import Applied
from formicary.machine.checkpoint import KEPT, checkpoint_paths, read_checkpoint
from formicary.machine.machine import Machine
from formicary.machine.rows import COMMIT_ENTRIES
from formicary.machine.verify import replay
from formicary.products.example import PRODUCT

from tests.machine.products import TRIAL, Do, Plan
from tests.machine.scripts import ALICE, LogScript, busy_history


@pytest.fixture(scope="module")
def history() -> Sequence[Entry]:
    """A history in which everything happens."""
    return busy_history()


@pytest.fixture(scope="module")
def truth(history: Sequence[Entry]) -> Machine:
    """A machine that went through it without a stop."""
    return replay(Machine(None, [PRODUCT]), history)


def crash(machine: Machine, to: Path) -> Path:
    """What a killed process leaves: the files as the operating system has them, without anybody closing anything."""
    assert machine.folder is not None
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(machine.folder, to))


def recovered(folder: Path, history: Sequence[Entry], truth: Machine) -> Machine:
    """Recover, replay the rest of the log, and compare with the truth."""
    machine = Machine.recover(folder, [PRODUCT])
    start = machine.index
    replay(machine, history[start:])
    assert same(machine, truth)
    machine.check()
    return machine


def same(machine: Machine, truth: Machine) -> bool:
    """Whether two machines agree on everything that can be asked of them."""
    assert machine.tree is not None
    assert truth.tree is not None
    assert machine.index == truth.index
    assert machine.digest == truth.digest
    assert machine.tree.root() == truth.tree.root()
    assert machine.next_due() == truth.next_due()
    digests = [(machine.digests.at(index), truth.digests.at(index)) for index in range(1, truth.index + 1)]
    assert all(mine == theirs for mine, theirs in digests)
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'machine_effects' ORDER BY name"
    for (name,) in truth.rows.connection.execute(tables).fetchall():
        sql = f"SELECT * FROM {name} ORDER BY 1"  # noqa: S608 - a name out of the schema
        dumps = [one.rows.connection.execute(sql).fetchall() for one in (machine, truth)]
        assert dumps[0] == dumps[1], name
    live = [one.kernel.stored_accounts(0, one.kernel.accounts_count).tobytes() for one in (machine, truth)]
    return live[0] == live[1]


@pytest.mark.parametrize("commit_entries", [1, 3, COMMIT_ENTRIES])
@pytest.mark.parametrize("checkpoint_every", [1, 4, 100])
def test_a_crash_at_every_boundary(
    history: Sequence[Entry], truth: Machine, tmp_path: Path, checkpoint_every: int, commit_entries: int
) -> None:
    """Killed after any entry, with its newest checkpoint at once, a few entries back, or not there at all."""
    machine = Machine(tmp_path / "state", [PRODUCT], commit_entries=commit_entries)
    for entry in history:
        machine.step(entry)
        if entry.index % checkpoint_every == 0:
            machine.checkpoint()
        after = recovered(crash(machine, tmp_path / "crashed"), history, truth)
        assert after.damage == ()
        after.close()
    machine.close()


def test_a_crash_that_takes_back_what_sqlite_had_not_synced(
    history: Sequence[Entry], truth: Machine, tmp_path: Path
) -> None:
    """The rows fall back as far as to the last checkpoint; entries after it are run again."""
    machine = Machine.recover(tmp_path / "state", [PRODUCT])
    for entry in history:
        machine.step(entry)
        if entry.index % 5 == 0:
            machine.checkpoint()
        left = crash(machine, tmp_path / "crashed")
        if entry.index >= 5:
            (left / "rows.db-wal").unlink()
            (left / "rows.db-shm").unlink()
        after = recovered(left, history, truth)
        assert after.damage == ()
        after.close()
    machine.close()


@pytest.mark.parametrize("lost", [1, 2, 3, 6])
def test_rows_that_are_ahead_of_the_log_are_taken_back(
    history: Sequence[Entry], truth: Machine, tmp_path: Path, lost: int
) -> None:
    """Applying runs beside the log's own write: when that never happened, neither did the rows."""
    for end in range(lost + 2, len(history) + 1):
        machine = Machine(tmp_path / "state", [PRODUCT], commit_entries=1)
        for entry in history[:end]:
            machine.step(entry)
            if entry.index == end - lost:
                machine.checkpoint()
        left = crash(machine, tmp_path / "crashed")
        machine.close()
        after = Machine.recover(left, [PRODUCT])
        assert after.index == end - lost
        after.settle()
        after.check()
        assert after.rows.applied_index <= end - lost
        replay(after, history[end - lost :])
        assert same(after, truth)
        after.close()


def test_the_log_may_go_on_differently_after_its_tail_was_lost(tmp_path: Path) -> None:
    """New entries in the place of lost ones give what they would have given if the lost ones had never been."""
    script = LogScript()
    script.say(ALICE, "trial.plan", Plan(3, 1_000, 0, "ok"))
    kept = len(script.entries)
    script.pay(1)
    script.say(ALICE, "trial.plan", Plan(1, 5, 0, "ok"))
    machine = replay(Machine(tmp_path / "state", [TRIAL]), script.entries[:kept])
    machine.checkpoint()
    for entry in script.entries[kept:]:
        machine.step(entry)
    machine.close()
    del script.entries[kept:]
    after = Machine.recover(tmp_path / "state", [TRIAL])
    after.settle()
    for entry in (script.accounts(5), script.say(ALICE, "trial.plan", Plan(2, 5, 0, "ok")), script.pay(9)):
        after.step(entry)
    assert same(after, replay(Machine(None, [TRIAL]), script.entries))
    after.close()


def test_what_was_refused_is_not_repeated(tmp_path: Path) -> None:
    """Handlers and timers that had moved money before they refused: recovery moves only what stayed."""
    script = LogScript()
    for number in range(4):
        hows = ("ok", "refuse", "ok", "refuse") if number % 2 else ("refuse", "ok")
        script.commands(*(script.command(ALICE, "trial.do", Do(number, how)) for how in hows))
        script.say(ALICE, "trial.plan", Plan(2, 5, 0, "refuse" if number % 2 else "ok"))
    script.accounts(5, 6)
    truth = replay(Machine(None, [TRIAL]), script.entries)
    machine = replay(Machine(tmp_path / "state", [TRIAL]), script.entries[:1])
    machine.checkpoint()
    replay(machine, script.entries[1:])
    machine.close()
    after = Machine.recover(tmp_path / "state", [TRIAL])
    assert after.index == 1
    assert after.rows.applied_index == len(script.entries)
    replay(after, script.entries[1:])
    assert same(after, truth)
    after.close()


def test_handlers_may_post_more_than_one_batch(tmp_path: Path) -> None:
    """What an entry's handlers posted is repeated in batches that the kernel takes."""
    script = LogScript()
    script.accounts(11, 12)
    script.commands(*(script.command(ALICE, "trial.many", Do(900, "")) for _ in range(10)))
    truth = replay(Machine(None, [TRIAL]), script.entries)
    assert truth.kernel.transfers_count == 9000 > BATCH_MAX
    machine = replay(Machine(tmp_path / "state", [TRIAL]), script.entries[:1])
    machine.checkpoint()
    replay(machine, script.entries[1:])
    machine.close()
    after = replay(Machine.recover(tmp_path / "state", [TRIAL]), script.entries[1:])
    assert same(after, truth)
    after.close()


def test_without_being_settled_a_machine_notices_another_history_by_itself(tmp_path: Path) -> None:
    """A caller that forgets to say that the log has ended is saved by the hashes of the entries."""
    script = LogScript()
    machine = replay(Machine(tmp_path / "state", [TRIAL]), script.entries)
    machine.checkpoint()
    machine.step(script.say(ALICE, "trial.plan", Plan(3, 1_000, 0, "ok")))
    machine.close()
    del script.entries[1:]
    after = Machine.recover(tmp_path / "state", [TRIAL])
    after.step(script.say(ALICE, "trial.plan", Plan(1, 7, 0, "ok")))
    assert same(after, replay(Machine(None, [TRIAL]), script.entries))
    after.close()


def damage_middle(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "other version"])
def test_a_damaged_checkpoint_is_passed_over_and_reported(
    history: Sequence[Entry], truth: Machine, tmp_path: Path, how: str
) -> None:
    """The one before it serves; and when both are damaged, the log does."""
    state = tmp_path / "state"
    machine = Machine(state, [PRODUCT])
    for entry in history[:12]:
        machine.step(entry)
        if entry.index in (7, 11):
            machine.checkpoint()
    machine.close()
    newest, older = checkpoint_paths(state)
    for path, start, reported in ((newest, 7, 1), (older, 0, 2)):
        if how == "flipped":
            damage_middle(path)
        elif how == "cut":
            path.write_bytes(path.read_bytes()[:-10])
        elif how == "empty":
            path.write_bytes(b"")
        else:
            path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":9'))
        left = Path(shutil.copytree(state, tmp_path / f"copy{start}"))
        after = Machine.recover(left, [PRODUCT])
        assert after.index == start
        assert len(after.damage) == reported
        assert after.damage[0].what == newest.name
        replay(after, history[start:])
        assert same(after, truth)
        after.close()


@pytest.mark.parametrize("part", ["rows.db", "tree", "digests", "transfers", "trails", "accounts"])
@pytest.mark.parametrize("how", ["gone", "cut"])
def test_a_missing_or_cut_part_of_the_state_is_made_again_from_the_log(
    history: Sequence[Entry], truth: Machine, tmp_path: Path, part: str, how: str
) -> None:
    """Whatever a checkpoint vouches for and is not there makes that checkpoint useless, and the log is enough."""
    state = tmp_path / "state"
    machine = Machine(state, [PRODUCT])
    for entry in history[:14]:
        machine.step(entry)
    machine.checkpoint()
    machine.close()
    if how == "gone":
        (state / part).unlink()
    else:
        (state / part).write_bytes((state / part).read_bytes()[:100])
    after = Machine.recover(state, [PRODUCT])
    assert after.index == 0
    assert len(after.damage) == 1
    replay(after, history)
    assert same(after, truth)
    after.close()


def test_digests_beyond_the_checkpoint_are_forgotten(history: Sequence[Entry], tmp_path: Path) -> None:
    """Until an entry is replayed its digest is not known, whatever an earlier run had written down."""
    state = tmp_path / "state"
    machine = replay(Machine(state, [PRODUCT]), history[:5])
    machine.checkpoint()
    replay(machine, history[5:9])
    machine.close()
    after = Machine.recover(state, [PRODUCT])
    assert after.digests.at(5) == after.digest
    with pytest.raises(Corrupt):
        after.digests.at(6)
    after.close()


def test_other_tables_are_made_again_from_the_log(history: Sequence[Entry], truth: Machine, tmp_path: Path) -> None:
    """A new version of a product with another schema does not read the old one's rows."""
    state = tmp_path / "state"
    older = dataclasses.replace(PRODUCT, schema=PRODUCT.schema + "\n-- another time")
    machine = replay(Machine(state, [older]), history[:9])
    machine.checkpoint()
    machine.close()
    after = Machine.recover(state, [PRODUCT])
    assert "tables" in after.damage[0].why
    replay(after, history)
    assert same(after, truth)
    after.close()


def test_two_checkpoints_are_kept_and_the_effects_that_they_need(history: Sequence[Entry], tmp_path: Path) -> None:
    """State does not grow with the number of checkpoints, and no kept checkpoint lacks an effect after it."""
    state = tmp_path / "state"
    machine = Machine(state, [PRODUCT])
    for entry in history:
        machine.step(entry)
        machine.checkpoint()
        paths = checkpoint_paths(state)
        assert [read_checkpoint(path).index for path in paths] == [entry.index, entry.index - 1][
            : min(entry.index, KEPT)
        ]
    effects = machine.rows.connection.execute("SELECT min(entry), count(*) FROM machine_effects").fetchall()
    assert effects[0][1] <= 3
    assert not list(state.glob("*.new"))
    machine.close()


def test_a_checkpoint_is_of_what_was_sealed_not_of_what_was_applied(
    history: Sequence[Entry], truth: Machine, tmp_path: Path
) -> None:
    """Applying runs ahead; a checkpoint taken meanwhile holds the sealed part, and recovery starts there."""
    state = tmp_path / "state"
    machine = Machine(state, [PRODUCT])
    applied = [machine.apply(entry) for entry in history]
    for entry, outcome in zip(history[:10], applied, strict=False):
        machine.seal(entry, outcome)
    assert machine.checkpoint().index == 10
    left = crash(machine, tmp_path / "crashed")
    machine.close()
    assert read_checkpoint(checkpoint_paths(left)[0]).index == 10
    recovered(left, history, truth).close()


def test_a_sealer_on_another_thread_takes_checkpoints_meanwhile(
    history: Sequence[Entry], truth: Machine, tmp_path: Path
) -> None:
    """One thread applies as fast as it can, another seals, takes a checkpoint and folds after each entry."""
    machine = Machine(tmp_path / "state", [PRODUCT])
    waiting: queue.SimpleQueue[tuple[Entry, Applied] | None] = queue.SimpleQueue()
    baton = threading.Lock()

    def seal_all() -> int:
        count = 0
        while (work := waiting.get()) is not None:
            machine.seal(*work)
            count = machine.checkpoint(baton).index
            machine.fold(baton)
        return count

    with ThreadPoolExecutor(1) as pool:
        sealer = pool.submit(seal_all)
        for entry in history:
            with baton:
                applied = machine.apply(entry)
            waiting.put((entry, applied))
        waiting.put(None)
        assert sealer.result() == len(history)
    assert same(machine, truth)
    left = crash(machine, tmp_path / "crashed")
    machine.close()
    after = recovered(left, history, truth)
    assert after.damage == ()
    after.close()


def test_after_folding_the_rows_write_ahead_log_begins_anew(
    history: Sequence[Entry], truth: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would otherwise grow for as long as the ledger is busy."""
    monkeypatch.setattr("formicary.machine.rows.FOLD_PAGES", 8)
    machine = Machine(tmp_path / "state", [PRODUCT], commit_entries=1)
    folded, longest = 0, 0
    for entry in history:
        machine.step(entry)
        if machine.rows.wants_folding:
            longest = max(longest, frames_in_use(machine))
            machine.fold(nullcontext())
            folded += 1
            assert not machine.rows.wants_folding
    assert folded > 1
    assert longest < 100
    assert same(machine, truth)
    left = crash(machine, tmp_path / "crashed")
    machine.close()
    recovered(left, history, truth).close()


def frames_in_use(machine: Machine) -> int:
    """How long SQLite's write-ahead log is, in pages, counted from where it last began anew."""
    other = apsw.Connection(str(machine.rows.path))
    try:
        ((_, frames, _),) = other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    finally:
        other.close()
    return int(frames)


def test_a_checkpoint_reads_back_or_is_corrupt(history: Sequence[Entry], tmp_path: Path) -> None:
    """Every flipped bit of the file is found."""
    machine = replay(Machine(tmp_path / "state", [PRODUCT]), history)
    written = machine.checkpoint()
    machine.close()
    (path,) = checkpoint_paths(tmp_path / "state")
    assert read_checkpoint(path) == written
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(Corrupt):
            read_checkpoint(path)


def test_a_machine_in_memory_has_no_checkpoints(truth: Machine) -> None:
    """There is nothing to come back to."""
    with pytest.raises(AssertionError):
        truth.checkpoint()
