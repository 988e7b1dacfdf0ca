"""The machine: what an ordered log means. State is what you get by applying its entries; this is the only writer.

``apply`` computes what an entry does. ``seal`` chains the digest and grows the receipt tree; it is called in the same
order, perhaps later and on another thread. ``step`` is both at once. ``checkpoint`` makes the state durable as of the
newest sealed entry, from the sealing thread; ``recover`` goes back to the newest whole checkpoint, from where the
caller replays the log.

Invariants: entries are applied once each, in order, each the child of the one before; an ``apply`` that raises has
changed nothing; the digest depends on the log alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from formicary.base.entry import Entry, EntryKind
from formicary.base.errors import BadInput, Corrupt
from formicary.kernel.kernel import Kernel, KernelCheckpoint
from formicary.kernel.records import ACCOUNT, BATCH_MAX, RECORD_BYTES, TRANSFER
from formicary.machine.applied import MALFORMED_BODY, STALE_EPOCH, Applied, Codes
from formicary.machine.apply import EntryRun, Outcome
from formicary.machine.checkpoint import (
    Checkpoint,
    Damage,
    checkpoint_paths,
    read_checkpoint,
    set_aside,
    write_checkpoint,
)
from formicary.machine.commands import unpack_commands
from formicary.machine.context import View
from formicary.machine.digest import DigestFile, advance
from formicary.machine.durable import disk_faults
from formicary.machine.genesis import Genesis, read_genesis
from formicary.machine.registry import Registry
from formicary.machine.replies import Answer, read_reply
from formicary.machine.rows import COMMIT_ENTRIES, Effect, Rows, SchemaChanged, changes_digest, storage_faults
from formicary.machine.system import SYSTEM
from formicary.machine.timers import EXPIRIES_PER_ENTRY
from formicary.machine.tree import Tree
from formicary.products.anatomy import Product

NEVER: Final = 2**63 - 1
"""A time that no entry has."""
_RECORD_OF: Final = {EntryKind.ACCOUNTS: ACCOUNT, EntryKind.TRANSFERS: TRANSFER}
_OWN_FILES: Final = ("accounts", "transfers", "trails", "tree*", "digests", "rows.db*", "checkpoint-*")
_FOR_HANDLERS: Final = (EntryKind.GENESIS, EntryKind.COMMANDS)
_ONE_THREAD: Final = nullcontext()
"""For a caller who applies entries on the same thread."""


FLUSH_RECORDS: Final = 16_384
"""Sealed records from one beginning of writing to the next: enough for whole pages, little enough for any disk."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the log a machine is."""

    index: int
    time_ns: int
    epoch: int
    entry_hash: bytes


class Machine:
    """Accounts, rows, timers, events, receipts: everything that the log says, and nothing else."""

    def __init__(
        self,
        folder: Path | None,
        products: Sequence[Product] = (),
        *,
        checkpoint: Checkpoint | None = None,
        reverse_unordered: bool = False,
        commit_entries: int = COMMIT_ENTRIES,
    ) -> None:
        """Begin empty, over whatever lies in ``folder`` (in memory when it is None), or as of a checkpoint of it.

        Raises a fault when the folder does not hold what the checkpoint says; see :meth:`recover`.
        """
        start = checkpoint or Checkpoint()
        self.folder = folder
        self.damage: tuple[Damage, ...] = ()
        self.registry = Registry((SYSTEM, *products))
        if folder is not None and checkpoint is None:
            _clear(folder)
        self.genesis: Genesis | None = None
        self._genesis_body = b""
        self.tree: Tree | None = None
        with ExitStack() as opened:
            self.rows = Rows(
                folder and folder / "rows.db",
                tuple(self.registry.products.values()),
                reverse_unordered=reverse_unordered,
                commit_entries=commit_entries,
            )
            opened.callback(self.rows.close)
            self.digests = DigestFile(folder and folder / "digests")
            opened.callback(self.digests.close)
            self.kernel = Kernel(folder) if folder is None or checkpoint is None else self._recover(folder, checkpoint)
            opened.pop_all()
        self._at = Position(start.index, start.time_ns, start.epoch, start.entry_hash)
        self.sealed = self._flushed = start
        self._timer_ns = self._next_timer()

    # ── where it is ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def index(self) -> int:
        """Index of the newest entry that was applied; 0 before the first."""
        return self._at.index

    @property
    def time_ns(self) -> int:
        """Time of the newest entry that was not dropped, in ns since 1970."""
        return self._at.time_ns

    @property
    def epoch(self) -> int:
        """Epoch of the newest writer seen."""
        return self._at.epoch

    @property
    def entry_hash(self) -> bytes:
        """Hash of the newest entry that was applied: the parent of the next."""
        return self._at.entry_hash

    @property
    def digest(self) -> bytes:
        """The digest after the newest entry that was *sealed*."""
        return self.sealed.digest

    @property
    def ledger_id(self) -> bytes:
        """Who this ledger is: 16 bytes, known from the first entry on."""
        assert self.genesis is not None, "the log has no first entry yet"
        return self.genesis.ledger_id

    def next_due(self) -> int | None:
        """When something is next due by itself, in ns since 1970: an idle node appends a tick then."""
        due = min(self.kernel.next_expiry() or NEVER, self._timer_ns)
        return None if due == NEVER else due

    # ── the heart ───────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, entry: Entry) -> Applied:
        """Apply an entry and seal it."""
        applied = self.apply(entry)
        self.seal(entry, applied)
        return applied

    def apply(self, entry: Entry) -> Applied:
        """Compute what the next entry of the log does. Raises only faults and bugs, and then has changed nothing."""
        at = self._at
        assert entry.index == at.index + 1, f"entry {entry.index} comes after {at.index}"
        assert entry.parent == at.entry_hash, f"entry {entry.index} is not the child of {at.index}"
        assert (entry.index == 1) == (entry.kind == EntryKind.GENESIS), "a log begins with its genesis, and once"
        if entry.epoch < at.epoch:
            return self._drop(entry)
        assert entry.time_ns > at.time_ns, f"entry {entry.index}: time does not go on"
        mark = self.kernel.mark()
        try:
            outcome = self._do(entry)
        except BaseException:
            self.rows.rollback()
            self.kernel.undo(mark)
            raise
        self._at = Position(entry.index, entry.time_ns, entry.epoch, entry.hash)
        return Applied(
            index=entry.index,
            time_ns=entry.time_ns,
            codes=outcome.codes,
            transfers=(mark.transfers, self.kernel.transfers_count),
            accounts=(mark.accounts, self.kernel.accounts_count),
            answers=outcome.answers,
            events=outcome.events,
            rows_digest=outcome.rows_digest,
            dropped=outcome.dropped,
        )

    def _drop(self, entry: Entry) -> Applied:
        """Pass over an entry of a writer that had been replaced; whoever wrote it was not told that it counts."""
        self._at = Position(entry.index, self._at.time_ns, self._at.epoch, entry.hash)
        transfers, accounts = self.kernel.transfers_count, self.kernel.accounts_count
        return Applied(
            index=entry.index,
            time_ns=self._at.time_ns,
            codes=None,
            transfers=(transfers, transfers),
            accounts=(accounts, accounts),
            dropped=STALE_EPOCH,
        )

    def _do(self, entry: Entry) -> Outcome:
        """Expire holds; then let handlers run, repeat what they did before a crash, or post the batch alone."""
        if (self.kernel.next_expiry() or NEVER) <= entry.time_ns:
            self.kernel.expire(entry.time_ns, EXPIRIES_PER_ENTRY)
        if entry.index <= self.rows.applied_index:
            effect = self.rows.effect(entry.index)
            if effect is not None and effect.entry_hash == entry.hash:
                return self._repeat(entry, effect)
            if effect is None and entry.kind not in _FOR_HANDLERS:
                return self._post(entry)
            self._rewind(entry.index - 1)
        if entry.kind in _FOR_HANDLERS or entry.time_ns >= self._timer_ns:
            with storage_faults(self.rows.path):
                return self._run(entry)
        return self._post(entry)

    def _post(self, entry: Entry) -> Outcome:
        """Post the batch that an entry carries, if it carries one: the hot path, without rows or objects."""
        dtype = _RECORD_OF.get(entry.kind)
        if dtype is None:
            return Outcome(dropped=MALFORMED_BODY if len(entry.body) else "")
        if not 0 < len(entry.body) <= BATCH_MAX * RECORD_BYTES or len(entry.body) % RECORD_BYTES:
            return Outcome(dropped=MALFORMED_BODY)
        return Outcome(codes=self._post_records(entry.kind, entry.body, entry.time_ns))

    def _post_records(self, kind: int, records: bytes | memoryview, time_ns: int) -> Codes:
        if kind == EntryKind.TRANSFERS:
            return self.kernel.post(np.frombuffer(records, TRANSFER), time_ns)
        return self.kernel.open_accounts(np.frombuffer(records, ACCOUNT), time_ns)

    def _run(self, entry: Entry) -> Outcome:
        """Run timers and handlers, then the entry's own batch if it has one, in one transaction of the rows."""
        self.rows.begin()
        run = EntryRun(entry, self.kernel, self.rows, self.registry)
        if entry.time_ns >= self._timer_ns:
            run.timers()
        dropped, codes = "", None
        if entry.kind == EntryKind.GENESIS:
            self._found(entry, run)
        elif entry.kind == EntryKind.COMMANDS:
            commands = unpack_commands(entry.body)
            dropped = MALFORMED_BODY if commands is None else ""
            run.commands(commands or [])
        else:
            posted = self._post(entry)
            dropped, codes = posted.dropped, posted.codes
        changes = self.rows.changes(entry.index, run.events)
        effect = run.effect(changes_digest(changes))
        self.rows.end(entry.index, effect, changes)
        self._timer_ns = self._next_timer()
        return Outcome(codes, tuple(run.answers), tuple(run.events), effect.rows_digest, dropped)

    def _repeat(self, entry: Entry, effect: Effect) -> Outcome:
        """Do again to the kernel what handlers did before a crash; the rows have it already."""
        for kind, records in effect.batches:
            codes = self._post_records(EntryKind(kind), records, entry.time_ns)
            assert not codes.any(), f"entry {entry.index}: what was accepted once is refused now"
        if entry.kind == EntryKind.GENESIS:
            self._found(entry, None)
        dropped, codes_now = "", None
        if entry.kind == EntryKind.COMMANDS:
            dropped = MALFORMED_BODY if unpack_commands(entry.body) is None else ""
        elif entry.kind != EntryKind.GENESIS:
            posted = self._post(entry)
            dropped, codes_now = posted.dropped, posted.codes
        answers = tuple(
            Answer(read_reply(data), data, is_leaf=is_leaf, replayed=replayed)
            for data, is_leaf, replayed in effect.replies
        )
        return Outcome(codes_now, answers, self.rows.outbox.of_entry(entry.index), effect.rows_digest, dropped)

    def _found(self, entry: Entry, run: EntryRun | None) -> None:
        """Learn who this ledger is."""
        genesis = read_genesis(bytes(entry.body))
        if run is not None:
            run.genesis(genesis)
        self._genesis_body, self.genesis = bytes(entry.body), genesis
        self.tree = self._open_tree(genesis)

    # ── sealing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def seal(self, entry: Entry, applied: Applied) -> None:
        """Chain the digest over an applied entry and add its leaves to the tree.

        In the order of the entries, from any one thread at a time, while later entries are applied. A fault (a full
        disk) leaves the entry unsealed, and sealing it may be tried again.
        """
        last = self.sealed
        assert applied.index == entry.index == last.index + 1, f"sealed {last.index}, asked for {entry.index}"
        assert self.tree is not None, "the first entry of a log is its genesis"
        transfers = self.kernel.stored_transfers(*applied.transfers)
        openings = self.kernel.stored_openings(*applied.accounts)
        digest = advance(last.digest, entry.hash, applied, transfers=transfers, accounts=openings)
        if self.tree.size != last.leaves:
            self.tree.truncate(last.leaves)
        self.tree.append_transfers(transfers)
        self.tree.append_replies([answer.data for answer in applied.answers if answer.is_leaf])
        self.digests.put(entry.index, digest)
        self.sealed = Checkpoint(
            index=entry.index,
            time_ns=applied.time_ns,
            epoch=max(entry.epoch, last.epoch),
            entry_hash=entry.hash,
            digest=digest,
            genesis=self._genesis_body,
            accounts=applied.accounts[1],
            transfers=applied.transfers[1],
            leaves=self.tree.size,
            replies=self.tree.replies,
            rows_index=entry.index if applied.rows_digest else last.rows_index,
        )
        assert self.sealed.leaves == self.sealed.transfers + self.sealed.replies, "a leaf for each transfer and reply"
        self.kernel.write_out(_kernel_part(self.sealed))
        if self.sealed.records - self._flushed.records >= FLUSH_RECORDS:
            self._begin_flush()

    def _begin_flush(self) -> None:
        """Let the disk write steadily what is sealed, or a checkpoint would ask for all of it at once."""
        assert self.tree is not None
        self.kernel.begin_flush(_kernel_part(self._flushed), _kernel_part(self.sealed))
        self.tree.begin_flush(self._flushed.leaves)
        self._flushed = self.sealed

    def fold(self, between_entries: AbstractContextManager[object]) -> None:
        """Tidy up behind the rows, which takes long; from another thread, while entries are applied.

        While ``between_entries`` is entered, none is.
        """
        if self.folder is not None:
            self.rows.fold(between_entries)

    def checkpoint(self, between_entries: AbstractContextManager[object] = _ONE_THREAD) -> Checkpoint:
        """Make the state durable as of the newest sealed entry; from another thread, while entries are applied.

        While ``between_entries`` is entered, none is. What is sealed must be durable on the log by then: a checkpoint
        ahead of its log would be of another history.
        """
        assert self.folder is not None, "a machine in memory has no checkpoints"
        assert self.tree is not None, "there is nothing to keep yet"
        sealed = self.sealed
        self.rows.make_durable(between_entries)
        self.kernel.sync(KernelCheckpoint(sealed.accounts, sealed.transfers))
        self.tree.sync()
        self.digests.sync()
        oldest = write_checkpoint(self.folder, sealed)
        self.rows.prune_effects(through=oldest)
        return sealed

    # ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def recover(cls, folder: Path, products: Sequence[Product] = (), *, reverse_unordered: bool = False) -> Machine:
        """Open the state in ``folder`` as of its newest whole checkpoint, or begin empty when there is none.

        The caller then steps through the log from ``machine.index + 1`` to its end, and calls :meth:`settle` before
        anything new is appended. ``machine.damage`` says what was found unusable on the way.
        """
        damage: list[Damage] = []
        for path in checkpoint_paths(folder):
            try:
                found = read_checkpoint(path)
                machine = cls(folder, products, checkpoint=found, reverse_unordered=reverse_unordered)
            except (Corrupt, SchemaChanged, BadInput) as error:
                damage.append(Damage(path.name, str(error)))
                set_aside(path)
            else:
                machine.damage = tuple(damage)
                return machine
        machine = cls(folder, products, reverse_unordered=reverse_unordered)
        machine.damage = tuple(damage)
        return machine

    def settle(self) -> None:
        """End recovery: the log has been replayed to its end, so rows of entries beyond it never happened."""
        if self.rows.applied_index > self.index:
            self._rewind(self.index)

    def _rewind(self, index: int) -> None:
        self.rows.rewind(index)
        assert self.rows.applied_index <= index, f"the rows can't go back to entry {index}"
        self._timer_ns = self._next_timer()

    def _recover(self, folder: Path, checkpoint: Checkpoint) -> Kernel:
        """Open all that a checkpoint vouches for, and cut it to what the checkpoint says."""
        if self.rows.applied_index < checkpoint.rows_index:
            what = f"entry {self.rows.applied_index}, and the checkpoint needs {checkpoint.rows_index}"
            raise Corrupt(f"the rows end at {what}", file=str(self.rows.path), record=0, offset=0)
        self._genesis_body, self.genesis = checkpoint.genesis, read_genesis(checkpoint.genesis)
        self.tree = self._open_tree(self.genesis)
        self.tree.truncate(checkpoint.leaves)
        self.digests.truncate(checkpoint.index)
        return Kernel.recover(folder, KernelCheckpoint(checkpoint.accounts, checkpoint.transfers))

    def _open_tree(self, genesis: Genesis) -> Tree:
        return Tree(self.folder and self.folder / "tree", genesis.blinding_key)

    def _next_timer(self) -> int:
        due = self.rows.timers.next_due()
        return NEVER if due is None else due

    # ── other uses ──────────────────────────────────────────────────────────────────────────────────────────────────

    def check(self) -> None:
        """Assert every product's invariants; after any entry they hold."""
        for product in self.registry.products.values():
            for invariant in product.invariants:
                invariant(self.view(product.name))

    def view(self, product: str) -> View:
        """The state of one product as it is now, for its questions; from the thread that applies, between entries."""
        return View(self.kernel, self.rows, product, time_ns=self.time_ns)

    def close(self) -> None:
        """Let go of all files; what is beyond the newest checkpoint is replayed from the log next time."""
        self.rows.close()
        self.kernel.close()
        self.digests.close()
        if self.tree is not None:
            self.tree.close()


def _kernel_part(checkpoint: Checkpoint) -> KernelCheckpoint:
    return KernelCheckpoint(checkpoint.accounts, checkpoint.transfers)


def _clear(folder: Path) -> None:
    """Delete the machine's own files: what was in them can be made again from the log."""
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in _OWN_FILES:
            for path in sorted(folder.glob(pattern)):
                path.unlink()
