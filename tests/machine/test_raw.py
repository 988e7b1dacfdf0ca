"""The machine over raw batches: what an entry must be to count, and what applying and sealing it give."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from formicary.base.entry import EntryKind
from formicary.base.errors import BadInput, StorageReadOnly
from formicary.kernel.codes import TransferCode
from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER, TransferFlag
from formicary.machine.commands import pack_commands
from formicary.machine.digest import NO_DIGEST, advance
from formicary.machine.machine import Machine

from tests.machine.scripts import SECOND, LogScript


def started(*, accounts: int = 3) -> tuple[LogScript, Machine]:
    """A log with accounts 1, 2, 3 … and a machine at its end."""
    script, machine = LogScript(), Machine(None)
    script.accounts(*range(1, accounts + 1))
    for entry in script.entries:
        machine.step(entry)
    return script, machine


def test_a_new_machine_is_before_the_first_entry() -> None:
    """Index 0, no digest, nothing due."""
    machine = Machine(None)
    assert (machine.index, machine.time_ns, machine.epoch) == (0, 0, 0)
    assert machine.digest == NO_DIGEST
    assert machine.next_due() is None


def test_a_batch_is_posted_and_answered_with_codes() -> None:
    """The codes are the kernel's, the ranges say what was stored."""
    script, machine = started()
    applied = machine.step(script.pay(5, 0, 7))
    assert applied.codes is not None
    assert applied.codes.tolist() == [TransferCode.OK, TransferCode.AMOUNT_MUST_NOT_BE_ZERO, TransferCode.OK]
    assert applied.transfers == (0, 2)
    assert applied.accounts == (3, 3)
    assert machine.kernel.stored_accounts(0, 1)["debits_posted"][0] == 12
    assert machine.tree is not None
    assert machine.tree.size == 2


def test_applying_may_run_ahead_of_sealing() -> None:
    """A machine that seals later, all at once, ends at the same digest and root."""
    script, at_once = started()
    entries = [script.pay(*range(1, count)) for count in (3, 5, 9)]
    ahead = Machine(None)
    applied = [(entry, ahead.apply(entry)) for entry in script.entries]
    assert ahead.index == len(script.entries)
    assert ahead.sealed.index == 0
    for entry, outcome in applied:
        ahead.seal(entry, outcome)
    for entry in entries:
        at_once.step(entry)
    assert ahead.digest == at_once.digest
    assert ahead.tree is not None
    assert at_once.tree is not None
    assert ahead.tree.root() == at_once.tree.root()


def test_entries_are_sealed_in_order() -> None:
    """Sealing out of turn is a bug."""
    script, machine = started()
    first, second = script.pay(1), script.pay(2)
    machine.apply(first)
    later = machine.apply(second)
    with pytest.raises(AssertionError):
        machine.seal(second, later)


def test_the_digest_covers_each_part_of_the_outcome() -> None:
    """A change of any code, transfer, account, row digest or reason gives another digest."""
    script, machine = started()
    entry = script.pay(5, 6)
    applied = machine.apply(entry)
    transfers = machine.kernel.stored_transfers(*applied.transfers)
    openings = machine.kernel.stored_openings(0, 3)
    none = openings[:0]
    other = transfers.copy()
    other["user_data_32"][1] = 1
    assert applied.codes is not None
    digests = [
        advance(NO_DIGEST, entry.hash, applied, transfers=transfers, accounts=none),
        advance(bytes(31) + b"\1", entry.hash, applied, transfers=transfers, accounts=none),
        advance(NO_DIGEST, entry.parent, applied, transfers=transfers, accounts=none),
        advance(NO_DIGEST, entry.hash, applied, transfers=other, accounts=none),
        advance(NO_DIGEST, entry.hash, applied, transfers=transfers[:1], accounts=none),
        advance(NO_DIGEST, entry.hash, applied, transfers=transfers[:0], accounts=none),
        advance(NO_DIGEST, entry.hash, applied, transfers=transfers, accounts=openings),
        *(
            advance(NO_DIGEST, entry.hash, dataclasses.replace(applied, **change), transfers=transfers, accounts=none)
            for change in ({"codes": applied.codes + 1}, {"codes": None}, {"rows_digest": b"x"}, {"dropped": "x"})
        ),
    ]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("what", ["index", "parent", "time"])
def test_an_entry_out_of_its_place_is_a_bug(what: str) -> None:
    """A gap, a stranger's child and a time that stands still never come from a log; the machine stops, unchanged."""
    script, machine = started()
    if what == "time":
        wrong = script.add(EntryKind.TICK, time_ns=script.now_ns)
    else:
        skipped = script.pay(1)
        wrong = script.pay(2)
        if what == "parent":
            other = LogScript()
            other.accounts(9)
            wrong = other.pay(1)
        assert skipped.index == 3
    with pytest.raises(AssertionError):
        machine.apply(wrong)
    assert machine.index == 2


def test_the_entry_of_a_writer_that_was_replaced_is_dropped() -> None:
    """It takes its place in the chain and changes nothing, not even the time."""
    script, machine = started()
    script.epoch = 5
    machine.step(script.add(EntryKind.EPOCH))
    assert machine.epoch == 5
    before, time_ns = machine.digest, machine.time_ns
    stale = script.pay(9)
    late = script.add(EntryKind.TRANSFERS, stale.body, epoch=4, time_ns=stale.time_ns + 1)
    machine.step(stale)
    applied = machine.step(late)
    assert applied.dropped == "stale_epoch"
    assert applied.codes is None
    assert machine.kernel.transfers_count == 1
    assert machine.time_ns == stale.time_ns > time_ns
    assert machine.index == late.index
    assert machine.digest != before
    assert machine.step(script.pay(1)).dropped == ""


@pytest.mark.parametrize("size", [0, 1, 127, 129, 128 * (BATCH_MAX + 1)])
@pytest.mark.parametrize("kind", [EntryKind.ACCOUNTS, EntryKind.TRANSFERS])
def test_a_body_that_is_no_batch_is_dropped_by_rule(kind: EntryKind, size: int) -> None:
    """On a log that others write to, a bad body may stop no node: it does nothing, on all of them alike."""
    script, machine = started()
    applied = machine.step(script.add(kind, bytes(size)))
    assert applied.dropped == "malformed_body"
    assert applied.codes is None
    assert (machine.kernel.accounts_count, machine.kernel.transfers_count) == (3, 0)


@pytest.mark.parametrize("kind", [EntryKind.TICK, EntryKind.EPOCH])
def test_an_empty_kind_has_an_empty_body(kind: EntryKind) -> None:
    """Bytes where none belong are dropped by rule too."""
    script, machine = started()
    assert machine.step(script.add(kind)).dropped == ""
    assert machine.step(script.add(kind, b"?")).dropped == "malformed_body"


def test_a_batch_of_the_greatest_size_is_posted() -> None:
    """8,190 records are a batch."""
    script, machine = started()
    applied = machine.step(script.pay(*[1] * BATCH_MAX))
    assert applied.codes is not None
    assert not applied.codes.any()
    assert applied.transfers == (0, BATCH_MAX)


def test_a_log_begins_with_its_genesis_and_never_again() -> None:
    """Who the ledger is comes first; a second beginning is a bug, and so is a log without one."""
    script, machine = started()
    assert machine.genesis is not None
    assert machine.ledger_id == machine.genesis.ledger_id
    with pytest.raises(AssertionError):
        machine.apply(script.add(EntryKind.GENESIS, script.entries[0].body))
    garbled = LogScript()
    garbled.entries.clear()
    with pytest.raises(BadInput):
        Machine(None).apply(garbled.add(EntryKind.GENESIS, b"garbage"))
    garbled.entries.clear()
    without = Machine(None)
    tick = garbled.add(EntryKind.TICK)
    with pytest.raises(AssertionError):
        without.apply(tick)


def test_holds_expire_with_the_next_entry_of_any_kind() -> None:
    """The expiry is stored before what the entry itself does, and counts among its transfers."""
    script, machine = started()
    held = script.hold(50, seconds=10)
    machine.step(held)
    assert machine.next_due() == held.time_ns + 10 * SECOND
    applied = machine.step(script.pay(1, 2))
    assert applied.transfers == (1, 3)
    applied = machine.step(script.add(EntryKind.TICK, time_ns=held.time_ns + 10 * SECOND))
    assert applied.transfers == (3, 4)
    assert machine.kernel.stored_transfers(3, 4)["flags"][0] == TransferFlag.EXPIRY
    assert machine.next_due() is None
    assert machine.kernel.stored_accounts(0, 1)["debits_held"][0] == 0


def test_many_expiries_are_spread_over_entries() -> None:
    """An entry expires a batch of holds at most, and the rest stays due."""
    script, machine = started()
    for _ in range(2):
        machine.step(script.pay(*[1] * 5000, flags=TransferFlag.HOLD, timeout=10))
    later = script.now_ns + 60 * SECOND
    first = machine.step(script.add(EntryKind.TICK, time_ns=later))
    assert first.transfers[1] - first.transfers[0] == 8190
    assert (machine.next_due() or later) < later
    second = machine.step(script.add(EntryKind.TICK))
    assert second.transfers[1] - second.transfers[0] == 10_000 - 8190
    assert machine.next_due() is None


def test_a_read_only_body_is_fine() -> None:
    """The log hands out views of its own memory; nothing writes to them."""
    script, machine = started()
    batch = np.zeros(1, TRANSFER)
    batch["id_lo"], batch["debit_lo"], batch["credit_lo"], batch["amount"] = 1, 1, 2, 3
    batch["asset"], batch["code"] = 978, 1
    body = memoryview(batch.tobytes())
    assert body.readonly
    applied = machine.step(script.add(EntryKind.TRANSFERS, body))  # type: ignore[arg-type]
    assert applied.codes is not None
    assert applied.codes.tolist() == [0]
    assert ACCOUNT.itemsize == len(body)


def test_sealing_may_be_tried_again() -> None:
    """What a failed attempt left in the tree, because the disk was full, does not count."""
    script, machine = started()
    _, untroubled = started()
    entry = script.pay(1, 2, 3)
    applied = machine.apply(entry)
    assert machine.tree is not None
    machine.tree.append_transfers(machine.kernel.stored_transfers(0, 2))
    machine.tree.append_replies([b"half"])
    machine.seal(entry, applied)
    untroubled.step(entry)
    assert untroubled.tree is not None
    assert machine.tree.root() == untroubled.tree.root()
    assert machine.digest == untroubled.digest


def test_an_entry_that_fails_can_be_applied_again() -> None:
    """When the environment fails in the middle, holds that had just expired are held again, and nothing is left."""
    script, machine = started()
    machine.step(script.hold(50, seconds=5))
    machine.rows.connection.execute("PRAGMA query_only = ON")
    later = script.now_ns + 9 * SECOND
    entry = script.add(EntryKind.COMMANDS, pack_commands([b"unreadable"]), time_ns=later)
    with pytest.raises(StorageReadOnly):
        machine.apply(entry)
    assert machine.index == 3
    assert machine.kernel.transfers_count == 1
    assert machine.kernel.stored_accounts(0, 1)["debits_held"][0] == 50
    machine.rows.connection.execute("PRAGMA query_only = OFF")
    assert machine.step(entry).transfers == (1, 2)
