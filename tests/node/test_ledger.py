"""The running ledger through its public door: ``formicary.open`` and what it gives."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import formicary
from formicary import Account, Transfer, TransferCode, TransferFlag
from formicary.base.entry import Draft, Entry, EntryKind
from formicary.base.errors import Closed, Diverged, Locked, Refusal, StorageFull
from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER
from formicary.log import MemoryLog
from formicary.node.ledger import Ledger

EUR = 978


def open_pair(ledger: Ledger) -> None:
    """Open accounts 1 and 2."""
    assert not any(ledger.accounts([Account(id=number, asset=EUR, code=1) for number in (1, 2)]))


def pay(number: int, amount: int = 5, **fields: int) -> Transfer:
    """A transfer from 1 to 2."""
    return Transfer(id=number, debit=1, credit=2, amount=amount, asset=EUR, code=1, **fields)


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    """Create, post, read, close, open again: everything is there."""
    with formicary.open(tmp_path / "shop.ledger") as ledger:
        open_pair(ledger)
        assert ledger.transfers([pay(1), pay(2)]) == [TransferCode.OK, TransferCode.OK]
        digest = ledger.digest
    with formicary.open(tmp_path / "shop.ledger", create=False) as ledger:
        assert ledger.balance(2) == 10
        assert [transfer.id for transfer in ledger.history(2, limit=50).transfers] == [2, 1]
        assert ledger.transfers([pay(1)]) == [TransferCode.EXISTS]
        assert ledger.digest != digest, "a new epoch and a new entry were added"
        assert ledger.verify().ok


def test_a_ledger_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Without ``create`` nothing is made; a folder in use for something else is left alone."""
    with pytest.raises(Refusal, match="no ledger"):
        formicary.open(tmp_path / "none", create=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(Refusal, match="not a ledger"):
        formicary.open(tmp_path / "mine")


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    """One process writes; others may open the ledger for reading meanwhile."""
    with formicary.open(tmp_path / "one") as ledger:
        open_pair(ledger)
        ledger.transfers([pay(1)])
        with pytest.raises(Locked):
            formicary.open(tmp_path / "one")
        with formicary.open(tmp_path / "one", read_only=True) as reader:
            assert reader.balance(2) == 5
            with pytest.raises(Refusal, match="reading only"):
                reader.transfers([pay(2)])


def test_a_follower_sees_what_is_posted_and_starts_from_its_own_state(tmp_path: Path) -> None:
    """A live follower catches up by itself; with a folder it goes on from there the next time."""
    with formicary.open(tmp_path / "one") as ledger:
        open_pair(ledger)
        with formicary.follow(tmp_path / "one", state=tmp_path / "copy") as follower:
            ledger.transfers([pay(1)])
            wait_for(lambda: follower.balance(2) == 5)
            assert follower.digest == ledger.digest
        ledger.transfers([pay(2)])
        with formicary.follow(tmp_path / "one", state=tmp_path / "copy", live=False) as follower:
            assert follower.balance(2) == 10
            assert follower.digest == ledger.digest


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds, not for ever."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)


def test_many_threads_post_together() -> None:
    """Small batches of many threads are answered each with its own codes, and share entries."""
    with formicary.open() as ledger:
        open_pair(ledger)

        def post(thread: int) -> None:
            for number in range(20):
                first = 1 + thread * 1000 + number * 2
                answers[thread] += ledger.transfers([pay(first), pay(first)])

        answers: list[list[TransferCode]] = [[] for _ in range(8)]
        threads = [threading.Thread(target=post, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(codes == [TransferCode.OK, TransferCode.EXISTS] * 20 for codes in answers)
        assert ledger.balance(2) == 8 * 20 * 5


def test_an_open_chain_does_not_draw_in_a_strangers_transfer() -> None:
    """A batch that ends inside a chain is refused alone, however many batches wait behind it."""
    with formicary.open() as ledger:
        open_pair(ledger)
        records = np.zeros(1, TRANSFER)
        records["id_lo"], records["debit_lo"], records["credit_lo"] = 1, 1, 2
        records["amount"], records["asset"], records["code"] = 5, EUR, 1
        linked, plain = records.copy(), records.copy()
        linked["flags"], plain["id_lo"] = TransferFlag.LINKED, 2
        tickets = [ledger.submit_transfers(batch) for batch in (linked, plain)]
        assert [ticket.result().tolist() for ticket in tickets] == [[TransferCode.CHAIN_OPEN], [TransferCode.OK]]


def test_batches_in_flight_keep_their_order() -> None:
    """Submitted batches are applied in order: each capture finds the hold of the batch before."""
    with formicary.open() as ledger:
        open_pair(ledger)
        tickets = []
        for number in range(1, 101):
            kind = TransferFlag.HOLD if number % 2 else TransferFlag.CAPTURE
            batch = np.zeros(1, TRANSFER)
            batch["id_lo"], batch["flags"], batch["amount"] = number, kind, 5
            if kind == TransferFlag.HOLD:
                batch["debit_lo"], batch["credit_lo"], batch["asset"], batch["code"] = 1, 2, EUR, 1
            else:
                batch["hold_lo"] = number - 1
            tickets.append(ledger.submit_transfers(batch))
        assert not any(ticket.result().any() for ticket in tickets)
        assert ledger.balance(2) == 50 * 5


@pytest.mark.parametrize("count", [0, 1, BATCH_MAX])
def test_sizes_of_a_batch(count: int) -> None:
    """A batch may be empty or full; one record more is refused before anything happens."""
    with formicary.open() as ledger:
        batch = np.zeros(count, ACCOUNT)
        batch["id_lo"] = np.arange(1, count + 1)
        batch["asset"], batch["code"] = EUR, 1
        assert not ledger.open_accounts(batch).any()
        assert ledger.info()["accounts"] == count
        with pytest.raises(formicary.BadInput, match="8,190"):
            ledger.open_accounts(np.zeros(BATCH_MAX + 1, ACCOUNT))


def test_an_idle_ledger_lets_holds_expire() -> None:
    """When a hold's time has come and nobody posts, the ledger ticks by itself."""
    now = [time.time_ns()]
    with formicary.open(clock_ns=lambda: now[0]) as ledger:
        open_pair(ledger)
        ledger.transfers([pay(1, flags=TransferFlag.HOLD, timeout=60)])
        assert ledger.account(1).debits_held == 5
        now[0] += 61 * 10**9
        wait_for(lambda: ledger.account(1).debits_held == 0)
        assert ledger.hold_status(1).state == "expired"


def test_receipts_before_and_after_a_change_of_keys(tmp_path: Path) -> None:
    """A receipt proves itself to whoever knows the ledger's id, whichever key signed it."""
    with formicary.open(tmp_path / "one", note="Corner shop") as ledger:
        open_pair(ledger)
        ledger.transfers([pay(1)])
        ledger_id = bytes.fromhex(ledger.info()["ledger_id"])
        before = ledger.receipt(1)
        ledger.rotate_key()
        ledger.transfers([pay(2)])
        after = ledger.receipt(2)
        for receipt in (before, after):
            verified = formicary.verify_receipt(formicary.parse_receipt(formicary.write_receipt(receipt)), ledger_id)
            assert verified.trusted
            assert verified.note == "Corner shop"
        assert before.head.key_id != after.head.key_id
        assert ledger.consistency(before.head.size).head.size == ledger.head().size
        with pytest.raises(Refusal, match="no transfer"):
            ledger.receipt(99)


def test_a_changed_state_is_found(tmp_path: Path) -> None:
    """Verifying replays the log: a digest that was written over does not agree with it."""
    with formicary.open(tmp_path / "one") as ledger:
        open_pair(ledger)
        ledger.transfers([pay(1)])
    digests = tmp_path / "one" / "state" / "digests"
    raw = bytearray(digests.read_bytes())
    raw[-40] ^= 1
    digests.write_bytes(raw)
    with formicary.open(tmp_path / "one") as ledger:
        report = ledger.verify()
        assert not report.ok
        assert "digest" in report.problems[0]


def test_state_can_be_thrown_away(tmp_path: Path) -> None:
    """State is what the log comes to: without it the ledger opens all the same."""
    with formicary.open(tmp_path / "one") as ledger:
        open_pair(ledger)
        ledger.transfers([pay(1)])
    for path in (tmp_path / "one" / "state").iterdir():
        path.unlink()
    with formicary.open(tmp_path / "one") as ledger:
        assert ledger.balance(2) == 5
        assert ledger.verify().ok


class FillingLog(MemoryLog):
    """A log whose disk is full from entry ``full_from`` on."""

    full_from = 1 << 62

    def append(self, draft: Draft) -> Entry:
        """Append, or say that there is no room."""
        if draft.index >= self.full_from and draft.kind == EntryKind.TRANSFERS:
            raise StorageFull("no room")
        return super().append(draft)


def test_a_full_disk_stops_the_ledger_with_a_plain_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be made durable is not acknowledged, and everything after it is refused until a new opening."""
    monkeypatch.setattr("formicary.node.ledger.MemoryLog", FillingLog)
    ledger = formicary.open()
    open_pair(ledger)
    assert ledger.transfers([pay(1)]) == [TransferCode.OK]
    FillingLog.full_from = ledger.info()["entries"] + 1
    with pytest.raises((Closed, StorageFull), match="no room"):
        ledger.transfers([pay(2)])
    with pytest.raises(Closed, match="no room"):
        ledger.transfers([pay(3)])
    with pytest.raises(Closed, match="no room"):
        ledger.balance(2)
    ledger.close()


def test_closing_twice_and_using_a_closed_ledger() -> None:
    """Closing is final and may be repeated."""
    ledger = formicary.open()
    ledger.close()
    ledger.close()
    with pytest.raises(Closed, match="closed"):
        ledger.transfers([pay(1)])


def test_a_log_that_lost_entries_is_refused(tmp_path: Path) -> None:
    """A state that knows more than its log shows that entries are gone: nothing goes on until somebody decides."""
    with formicary.open(tmp_path / "one") as ledger:
        open_pair(ledger)
    shutil.copytree(tmp_path / "one" / "log", tmp_path / "old")
    with formicary.open(tmp_path / "one") as ledger:
        ledger.transfers([pay(1)])
    shutil.rmtree(tmp_path / "one" / "log")
    shutil.copytree(tmp_path / "old", tmp_path / "one" / "log")
    with pytest.raises(Diverged, match="entries were lost"):
        formicary.open(tmp_path / "one")
    shutil.rmtree(tmp_path / "one" / "state")
    with formicary.open(tmp_path / "one") as ledger:
        assert ledger.balance(2) == 0


def test_the_state_of_another_ledger_is_refused(tmp_path: Path) -> None:
    """A state is of one log only."""
    for name in ("one", "other"):
        with formicary.open(tmp_path / name) as ledger:
            open_pair(ledger)
    shutil.rmtree(tmp_path / "one" / "state")
    shutil.copytree(tmp_path / "other" / "state", tmp_path / "one" / "state")
    with pytest.raises(Diverged, match="another log"):
        formicary.open(tmp_path / "one")
