"""Random programs on several ledgers at once: the compiled kernel, its uncompiled twin and the obvious model.

After every step all that can be seen of them is compared, and the ledger's invariants are checked. The seeds are fixed
unless ``HYPOTHESIS_PROFILE=soak``. A last test breaks a model on purpose: a fuzzer that can't fail proves nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from formicary.kernel.codes import TransferCode
from formicary.kernel.kernel import Kernel, KernelCheckpoint
from formicary.kernel.records import AMOUNT_ALL, RECORD_BYTES, TRAIL_BYTES
from formicary.testing import raw, strategies
from formicary.testing.agreement import Agreement, Ledger, twin
from formicary.testing.invariants import check_invariants
from formicary.testing.model import Model
from formicary.testing.model_books import SECOND_NS, ModelAccount, ModelTransfer
from formicary.testing.model_rules import A, T
from formicary.testing.table_words import Row

START_NS = 1_700_000_000_000_000_000
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
pytestmark = [pytest.mark.timeout(0)] if SOAK else []
"""A soak ends by itself, or when somebody stops it."""
FILES = {"accounts": RECORD_BYTES, "transfers": RECORD_BYTES, "trails": TRAIL_BYTES}
PAGE = 4096
FRESH_IDS = 1000


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Copies of everything that can be seen of a ledger; a model has no trails."""

    accounts: bytes
    transfers: bytes
    trails: bytes
    next_expiry: int | None

    @classmethod
    def of(cls, ledger: Ledger) -> Snapshot:
        """Take one."""
        accounts = ledger.stored_accounts(0, ledger.accounts_count).tobytes()
        transfers = ledger.stored_transfers(0, ledger.transfers_count).tobytes()
        trails = b"" if isinstance(ledger, Model) else trails_of(ledger)
        return cls(accounts, transfers, trails, ledger.next_expiry())


def trails_of(kernel: Any) -> bytes:
    """Copy a kernel's trails."""
    trails: bytes = kernel.stored_trails(0, kernel.transfers_count).tobytes()
    return trails


class LedgerMachine(RuleBasedStateMachine):
    """Programs of accounts, transfers, retries, time and savepoints."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Agreement(self.make_ledgers())
        self.now = START_NS
        self.fresh = itertools.count(FRESH_IDS)
        self.marks: list[tuple[list[object], Snapshot]] = []

    def make_ledgers(self) -> Mapping[str, Ledger]:
        """Say which ledgers are compared."""
        return {"kernel": Kernel(None), "model": Model()}

    @initialize()
    def begin(self) -> None:
        """Start with some accounts, so that short programs move money, too: three unlimited, two limited."""
        flags = (0, 0, A.DEBITS_LIMITED, A.CREDITS_LIMITED, 0)
        rows = [
            {"id": number, "asset": 1, "code": 1, "flags": int(flag)}
            for number, flag in zip(strategies.ACCOUNT_IDS, flags, strict=False)
        ]
        self.ledger.open_accounts(raw.accounts(rows), self.now)
        first = {"id": 1, "debit": 1, "credit": 3, "amount": 30, "asset": 1, "code": 1}
        self.ledger.post(raw.transfers([first, first | {"id": 2, "debit": 4, "credit": 1}]), self.now)

    @rule(rows=strategies.account_batches())
    def open_accounts(self, rows: list[Row]) -> None:
        """Ask for accounts."""
        self.ledger.open_accounts(raw.accounts([strategies.at(row, self.now) for row in rows]), self.now)

    @rule(rows=strategies.transfer_batches(), step=st.sampled_from((10, 1_000_000_000)))
    def post(self, rows: list[Row], step: int) -> None:
        """Ask for transfers; a little time may pass before, which lets imported ones in."""
        self.now += step
        batch = strategies.complete(rows, now=self.now, fresh=self.fresh, holds=[hold for hold, _ in self.open_holds()])
        self.ledger.post(raw.transfers(batch), self.now)
        self.check()

    @rule(rows=strategies.transfer_batches())
    def post_at_once(self, rows: list[Row]) -> None:
        """Ask for more transfers in the same instant."""
        self.post(rows, 0)

    @precondition(lambda self: self.ledger.first.transfers_count > 0)
    @rule(place=st.integers(0, 1000), changes=strategies.changes())
    def retry(self, place: int, changes: Row) -> None:
        """Ask for a stored transfer again, perhaps with a field changed."""
        stored = self.ledger.transfers()
        chosen = place % len(stored)
        request = strategies.altered(stored[chosen : chosen + 1], strategies.at(changes, self.now))
        self.ledger.post(request, self.now)

    @precondition(lambda self: self.open_holds())
    @rule(
        place=st.integers(0, 1000),
        flags=st.sampled_from((T.CAPTURE, T.RELEASE)),
        amount=st.integers(0, 9),
        offset=st.sampled_from((None, -1, 0, 1)),
    )
    def resolve(self, place: int, flags: int, amount: int, offset: int | None) -> None:
        """Capture or release a hold that is open: now, or in the last instant before it expires, or too late."""
        holds = self.open_holds()
        hold, expires_at = holds[place % len(holds)]
        if offset is not None and expires_at:
            self.now = max(self.now, expires_at + offset)
        whole_or_part = amount if flags == T.CAPTURE and amount else AMOUNT_ALL
        row = {"id": next(self.fresh), "hold": hold, "flags": int(flags), "amount": whole_or_part}
        self.ledger.post(raw.transfers([row]), self.now)
        self.check()

    @rule(step=strategies.steps())
    def wait(self, step: int) -> None:
        """Let time pass."""
        self.now += step

    @rule(limit=st.integers(0, 3))
    def expire(self, limit: int) -> None:
        """Record what has expired."""
        self.ledger.expire(self.now, limit)
        self.check()

    @precondition(lambda self: len(self.marks) < 3)
    @rule()
    def mark(self) -> None:
        """Remember the state, perhaps inside another savepoint."""
        self.marks.append((self.ledger.mark(), Snapshot.of(self.ledger.first)))

    @precondition(lambda self: self.marks)
    @rule()
    def undo(self) -> None:
        """Go back to the last savepoint: to the very bytes."""
        marks, before = self.marks.pop()
        self.ledger.undo(marks)
        assert Snapshot.of(self.ledger.first) == before

    @precondition(lambda self: self.marks)
    @rule()
    def keep(self) -> None:
        """Let a savepoint stand."""
        self.marks.pop()

    def open_holds(self) -> list[tuple[int, int]]:
        """Return the id of each hold that nothing has resolved, and when it expires, zero for never."""
        transfers = self.ledger.transfers()
        resolved = set(raw.wide(transfers, "hold"))
        fields = zip(*(transfers[name].tolist() for name in ("flags", "time", "timeout")), strict=True)
        return [
            (number, time + timeout * SECOND_NS if timeout else 0)
            for number, (flags, time, timeout) in zip(raw.wide(transfers, "id"), fields, strict=True)
            if flags & T.HOLD and number not in resolved
        ]

    def check(self) -> None:
        """Check what holds of every ledger."""
        check_invariants(self.ledger.accounts(), self.ledger.transfers())


class DiskMachine(LedgerMachine):
    """The same with a kernel on disk, which now and then is recovered from a copy of its folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="formicary-machine-"))
        self.live = self.folder / "0"
        self.checkpoint: tuple[KernelCheckpoint, Snapshot] | None = None
        super().__init__()

    def make_ledgers(self) -> Mapping[str, Ledger]:
        """Compare a kernel on disk with the model."""
        return {"kernel": Kernel(self.live), "model": Model()}

    @property
    def kernel(self) -> Any:
        """The live kernel."""
        return self.ledger.ledgers["kernel"]

    @precondition(lambda self: not self.marks)
    @rule()
    def remember_checkpoint(self) -> None:
        """Take a checkpoint; the program goes on."""
        checkpoint = self.kernel.checkpoint()
        self.kernel.sync(checkpoint)
        self.checkpoint = (checkpoint, Snapshot.of(self.kernel))

    @precondition(lambda self: self.checkpoint is not None)
    @rule(garbage=st.binary(min_size=1, max_size=40))
    def recover_the_checkpoint(self, garbage: bytes) -> None:
        """Recover an older checkpoint from the files as they are now: equal to what the ledger was then."""
        assert self.checkpoint is not None
        checkpoint, then = self.checkpoint
        folder = self.copied(checkpoint, garbage)
        recovered = Kernel.recover(folder, checkpoint)
        assert Snapshot.of(recovered) == then
        recovered.close()
        shutil.rmtree(folder)

    @precondition(lambda self: not self.marks)
    @rule(garbage=st.binary(min_size=1, max_size=40))
    def crash(self, garbage: bytes) -> None:
        """Go on with a kernel recovered from what is on disk, with garbage behind it."""
        before = Snapshot.of(self.kernel)
        checkpoint = self.kernel.checkpoint()
        self.kernel.sync(checkpoint)
        folder = self.copied(checkpoint, garbage)
        self.kernel.close()
        shutil.rmtree(self.live)
        self.live = folder
        self.ledger.ledgers["kernel"] = Kernel.recover(folder, checkpoint)
        assert Snapshot.of(self.kernel) == before

    def copied(self, checkpoint: KernelCheckpoint, garbage: bytes) -> Path:
        """Copy the live folder, with a page of ``garbage`` in each file right behind the checkpoint."""
        folder = self.folder / str(int(self.live.name) + 1)
        shutil.copytree(self.live, folder)
        counts = {"accounts": checkpoint.accounts, "transfers": checkpoint.transfers, "trails": checkpoint.transfers}
        for name, count in counts.items():
            with (folder / name).open("r+b") as file:
                file.seek(count * FILES[name])
                file.write((garbage * PAGE)[:PAGE])
        return folder

    def teardown(self) -> None:
        """Remove what was written."""
        self.kernel.close()
        shutil.rmtree(self.folder)


class TwinMachine(LedgerMachine):
    """The same with the uncompiled twin as well; slower, so it runs fewer programs."""

    def make_ledgers(self) -> Mapping[str, Ledger]:
        """Compare all three."""
        return {"kernel": Kernel(None), "twin": twin()(None), "model": Model()}


def chosen(**few: int) -> settings:
    """Give a machine its settings: ``few`` programs in every run, the profile's own in a soak."""
    return settings() if SOAK else settings(**few)  # type: ignore[arg-type]


TestMemory = LedgerMachine.TestCase
TestMemory.settings = chosen(max_examples=80, stateful_step_count=40)
TestDisk = DiskMachine.TestCase
TestDisk.settings = chosen(max_examples=40, stateful_step_count=40)
TestTwin = TwinMachine.TestCase
TestTwin.settings = chosen(max_examples=20, stateful_step_count=30)


class PassesTheLimit(Model):
    """Lets an account with a limit go one unit too far."""

    def _wrong_sums(self, t: ModelTransfer) -> TransferCode:
        code = super()._wrong_sums(t)
        account = self.books.accounts[t.debit]
        is_off_by_one = t.amount == account.available_for_debit() + 1
        return TransferCode.OK if code == TransferCode.EXCEEDS_CREDITS and is_off_by_one else code


class ExpiresLate(Model):
    """Takes a hold's last instant for one more."""

    def _wrong_hold(self, t: ModelTransfer, now: int) -> TransferCode:
        return super()._wrong_hold(t, now - 1)


class KeepsTheRest(Model):
    """Forgets to give back what a part capture leaves."""

    def _move(self, t: ModelTransfer, debit: ModelAccount, credit: ModelAccount) -> None:
        super()._move(t, debit, credit)
        if t.has(T.CAPTURE):
            rest = self.books.transfers[self.books.index_of[t.hold_id]].amount - t.amount
            debit.debits_held += rest
            credit.credits_held += rest


class ForgetsToUndo(Model):
    """Leaves the first records of a failed chain in place."""

    def _all_or_none(self, chain: list[Any], act: Any) -> list[int]:
        return [code for request in chain for code in super(ForgetsToUndo, self)._all_or_none([request], act)]


@pytest.mark.parametrize("canary", [PassesTheLimit, ExpiresLate, KeepsTheRest, ForgetsToUndo])
def test_a_broken_ledger_is_caught(canary: type[Model]) -> None:
    """The same programs, run on the model and on one with a small mistake, find the mistake."""

    class Canary(LedgerMachine):
        """The machine, with a ledger that is wrong on purpose."""

        def make_ledgers(self) -> Mapping[str, Ledger]:
            """Compare the broken ledger with the model."""
            return {"broken": canary(), "model": Model()}

    few = settings(max_examples=8000, stateful_step_count=40, derandomize=True, phases=[Phase.generate], database=None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Canary, settings=few)
