"""The running ledger's threads: one orders and applies, one makes durable, one seals, one keeps checkpoints.

::

    submit ──► sequencer ── entry ──► logger   hash chain is set; write, then one sync for all that waits
                   │                    │
                   │ apply              └─ durable ─┐
                   ▼                                ├─► ticket: both applied and durable
                 applied ───────────────────────────┘
                   │
                   └────── entry, applied ──► sealer ──► keeper
                                          digest, leaves  checkpoints, never ahead of the durable log; folding

The sequencer is the only writer of state, so reads that must be exact run on it too, between entries. An entry may be
applied before it is durable, but nothing of it is told to anyone until it is both; when the log fails, memory is ahead
of it, and the whole pipeline stops for good with that fault.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from formicary.base.entry import Draft, Entry, EntryKind, body_hash, seal_draft
from formicary.base.errors import Closed
from formicary.kernel.records import BATCH_MAX, RECORD_BYTES
from formicary.node.work import Asked, Driver, Outcome, Work, answers_of, bytes_of, ends_in_open_chain, fail_all

if TYPE_CHECKING:
    from formicary.log.port import Log
    from formicary.machine.applied import Applied
    from formicary.machine.events import Event
    from formicary.machine.machine import Machine

RECORDS_IN_FLIGHT_MAX: Final = 16 * BATCH_MAX
"""Submitted and not yet answered; a submitter beyond that waits."""
UNSEALED_MAX: Final = 64
"""Entries that sealing may trail behind posting: well below a second at full speed."""
COMMANDS_GROUP_MAX: Final = 512
"""Commands in one entry."""
GATHER_S: Final = 0.001
"""How long an event loop gathers commands for one entry: what an entry costs is shared by all of them."""
PUMPED_MAX: Final = 48
"""Commands that an event loop applies before it looks at its connections again."""
READS_PUT_OFF_MAX: Final = 64
"""Reads that wait for the entry that is being gathered when they come."""
CHECKPOINT_EVERY: Final = 1_000_000
"""Records from one checkpoint to the next: what recovery has to replay at most, in accounts and transfers."""
HASHED_AHEAD_MIN: Final = 1024
"""Records from which a batch is hashed by whoever submits it; smaller ones are mostly joined with others."""
NANOSECONDS: Final = 1_000_000_000
TURN_S: Final = 0.001
"""How long work may come in between two ticks that are both due."""
IDLE_S: Final = 0.5
"""How often at least an idle sequencer looks for timers that are due; each read looks too, each entry runs them."""

assert RECORDS_IN_FLIGHT_MAX >= BATCH_MAX
assert BATCH_MAX * UNSEALED_MAX <= CHECKPOINT_EVERY


class Pipeline:
    """Order, apply, make durable, seal; see the module's picture."""

    def __init__(
        self,
        machine: Machine,
        log: Log,
        *,
        encode_commands: Callable[[Sequence[Any]], bytes],
        clock_ns: Callable[[], int] = time.time_ns,
        checkpoint_every: int = CHECKPOINT_EVERY,
    ) -> None:
        self.machine = machine
        self._log = log
        self._encode_commands = encode_commands
        self._clock_ns = clock_ns
        self._checkpoint_every = checkpoint_every
        self._parent = log.head.hash
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._to_log: SimpleQueue[Entry | None] = SimpleQueue()
        self._to_seal: SimpleQueue[tuple[Entry, Applied] | None] = SimpleQueue()
        self._to_keep: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._turn = threading.Condition()
        self._in_flight = 0
        self._durable = log.head.index
        self._sealed = machine.index
        self._outcomes: deque[Outcome] = deque()
        self._held_back: Work | None = None
        self._baton = threading.Lock()
        self._driver: Driver | None = None
        self._applying: Sequence[Work | Asked] = ()
        self._applier = 0
        self._reads: deque[Work] = deque()
        self._folding = False
        self._fault: BaseException | None = None
        self._closing = False
        self._kept = machine.sealed.records
        self._listeners: tuple[Callable[[tuple[Event, ...]], None], ...] = ()
        self._threads = [
            threading.Thread(target=self._guarded, args=(run,), name=f"formicary-{run.__name__[5:]}", daemon=True)
            for run in (self._run_sequencer, self._run_logger, self._run_sealer, self._run_keeper)
        ]
        for thread in self._threads:
            thread.start()

    # ── submitting ──────────────────────────────────────────────────────────────────────────────────────────────

    def submit_records(self, kind: EntryKind, batch: np.ndarray) -> Future[np.ndarray]:
        """Queue raw records; the ticket's result is their codes. The batch may not change until then."""
        assert kind in (EntryKind.ACCOUNTS, EntryKind.TRANSFERS)
        assert 0 < len(batch) <= BATCH_MAX
        hashed = body_hash(bytes_of(batch)) if len(batch) >= HASHED_AHEAD_MIN else b""
        return self._submit(Work(kind, batch, len(batch), hashed))

    def submit_command(self, command: Any) -> Future[Any]:  # noqa: ANN401 - the machine's own command type
        """Queue one command; the ticket's result is its reply."""
        return self._submit(Work(EntryKind.COMMANDS, command, 1))

    def drive(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Apply the commands that this thread's event loop asks for on this very thread, until None is given.

        Handlers speak to SQLite, which lets go of the interpreter's lock at each statement: two busy threads would hand
        it to and fro all the time, and that costs more than the work.
        """
        while self._driver is not None and self._driver.waiting and self._fault is None:
            self._pump()
        self._driver = None if loop is None else Driver(loop)

    def ask_in_loop(self, command: Any) -> asyncio.Future[Any]:  # noqa: ANN401 - the machine's own command type
        """Submit a command from an event loop; the future of that loop gets its reply."""
        driver = self._driver
        if driver is None or driver.loop is not asyncio.get_running_loop():
            return asyncio.wrap_future(self.submit_command(command))
        with self._turn:
            self._refuse_when_stopped()
            self._in_flight += 1
        ticket = driver.loop.create_future()
        driver.waiting.append(Asked(command, ticket))
        if len(driver.waiting) == 1:
            driver.loop.call_later(GATHER_S, self._pump)
        return ticket

    def _pump(self) -> None:
        """Apply what the event loop has gathered: one entry, and the rest in the loop's next round."""
        driver = self._driver
        if driver is None or not driver.waiting:
            return
        group = [driver.waiting.popleft() for _ in range(min(len(driver.waiting), PUMPED_MAX))]
        try:
            with self._applies(group):
                self._append_and_apply(EntryKind.COMMANDS, group, driver)
        except BaseException as fault:  # noqa: BLE001 - as in every thread of the pipeline
            self._stop(fault)
            return
        if driver.waiting:
            driver.loop.call_soon(self._pump)

    @contextmanager
    def _applies(self, work: Sequence[Work | Asked]) -> Iterator[None]:
        """Be the one that applies; who fails in it leaves its work for :meth:`_stop` to answer."""
        with self._baton:
            self._applying, self._applier = work, threading.get_ident()
            yield
            self._applying, self._applier = (), 0

    def read(self, function: Callable[[Machine], Any]) -> Any:  # noqa: ANN401 - whatever the function returns
        """Run a quick read between entries; its result is given once all that it could see is durable."""
        return self._submit(Work(None, function, 0)).result()

    def listen(self, listener: Callable[[tuple[Event, ...]], None]) -> None:
        """Call ``listener`` with the events of each entry that is durable; it must be quick and raise nothing.

        For live views, which may miss some at a restart. Whoever may miss none reads the outbox.
        """
        self._listeners += (listener,)

    def _submit(self, work: Work) -> Future[Any]:
        with self._turn:
            while self._in_flight and self._in_flight + work.size > RECORDS_IN_FLIGHT_MAX and self._fault is None:
                self._turn.wait()
            self._refuse_when_stopped()
            self._in_flight += work.size
            self._queue.put(work)
        return work.ticket

    def _refuse_when_stopped(self) -> None:
        if self._fault is not None:
            message = f"the ledger stopped and must be opened again: {self._fault}"
            raise Closed(message) from self._fault
        if self._closing:
            message = "the ledger is closed"
            raise Closed(message)

    # ── the sequencer: order and apply ──────────────────────────────────────────────────────────────────────────

    def _run_sequencer(self) -> None:
        while True:
            work = self._next_work()
            if work is None:
                break
            group = [work] if work.kind is None else self._group(work)
            with self._applies(group):
                if work.kind is None:
                    self._answer_read(work)
                else:
                    self._append_and_apply(work.kind, group)
            while self._reads:
                read = self._reads.popleft()
                with self._applies([read]):
                    self._answer_read(read)
        self._to_log.put(None)
        self._to_seal.put(None)

    def _next_work(self) -> Work | None:
        if self._held_back is not None:
            work, self._held_back = self._held_back, None
            return work
        while True:
            try:
                return self._queue.get(timeout=self._patience_s())
            except Empty:
                with self._applies([]):
                    self._tick_when_due()

    def _patience_s(self) -> float:
        """How long to wait for work: until something is due by itself, but not for ever, and not busily."""
        with self._baton:
            due = self.machine.next_due()
        left_s = IDLE_S if due is None else (due - self._clock_ns()) / NANOSECONDS
        return min(max(left_s, TURN_S), IDLE_S)

    def _tick_when_due(self) -> None:
        """Let time pass for timers; what one entry may not run waits for the next, and others' work goes between."""
        due = self.machine.next_due()
        if due is not None and due <= self._clock_ns():
            self._append_and_apply(EntryKind.TICK, [])

    def _group(self, first: Work) -> list[Work]:
        """Take what waits behind ``first`` and fits into one entry with it: group commit.

        A read in between is put off until the entry is applied. It then sees more than it had to, which is what it
        would have seen a moment later; an entry for each piece between two reads would cost far more.
        """
        group, size = [first], first.size
        limit = COMMANDS_GROUP_MAX if first.kind == EntryKind.COMMANDS else BATCH_MAX
        while size < limit and not ends_in_open_chain(group[-1]):
            try:
                work = self._queue.get_nowait()
            except Empty:
                break
            if work is not None and work.kind is None and len(self._reads) < READS_PUT_OFF_MAX:
                self._reads.append(work)
                continue
            if work is None or work.kind != first.kind or size + work.size > limit:
                self._held_back = work
                if work is None:
                    self._queue.put(None)
                break
            group.append(work)
            size += work.size
        return group

    def _append_and_apply(self, kind: EntryKind, group: Sequence[Work | Asked], driver: Driver | None = None) -> None:
        entry = self._chain(kind, self._encode(kind, group), group[0].hashed if len(group) == 1 else b"")
        self._to_log.put(entry)
        applied = self.machine.apply(entry)
        with self._turn:
            answers, size = answers_of(kind, group, applied), sum(work.size for work in group)
            self._outcomes.append(Outcome(entry.index, answers, size, applied.events, driver))
            while entry.index - self._sealed > UNSEALED_MAX and self._fault is None:
                self._turn.wait()
        self._to_seal.put((entry, applied))
        if self.machine.rows.wants_folding and not self._folding:
            self._folding = True
            self._to_keep.put(self._fold)
        self._settle()

    def _chain(self, kind: EntryKind, body: bytes | memoryview, hashed: bytes) -> Entry:
        time_ns = max(self._clock_ns(), self.machine.time_ns + 1)
        draft = Draft(index=self.machine.index + 1, time_ns=time_ns, kind=kind, body=body)
        entry = seal_draft(draft, epoch=self._log.epoch, parent=self._parent, hashed=hashed)
        self._parent = entry.hash
        return entry

    def _encode(self, kind: EntryKind, group: Sequence[Work | Asked]) -> bytes | memoryview:
        if kind == EntryKind.TICK:
            return b""
        if kind == EntryKind.COMMANDS:
            return self._encode_commands([work.body for work in group])
        if len(group) == 1:
            return bytes_of(group[0].body)
        return bytes_of(np.concatenate([work.body for work in group]))

    def _answer_read(self, work: Work) -> None:
        self._tick_when_due()
        try:
            value = work.body(self.machine)
        except Exception as error:  # noqa: BLE001 - a read changes nothing, so its failure is its caller's alone
            work.ticket.set_exception(error)
            return
        with self._turn:
            self._outcomes.append(Outcome(self.machine.index, [(work.ticket, value)], 0))
        self._settle()

    # ── the logger: write and sync ──────────────────────────────────────────────────────────────────────────────

    def _run_logger(self) -> None:
        running = True
        while running:
            entries = [self._to_log.get()]
            while not self._to_log.empty():
                entries.append(self._to_log.get())
            for entry in entries:
                if entry is None:
                    running = False
                else:
                    self._log.append(entry)
            if self._log.head.index > self._durable:
                self._log.sync()
                with self._turn:
                    self._durable = self._log.head.index
                    self._turn.notify_all()
                self._settle()

    def _settle(self) -> None:
        """Answer every submission that is both applied and durable, in order."""
        with self._turn:
            ready = []
            while self._outcomes and (self._outcomes[0].index <= self._durable or self._fault is not None):
                ready.append(self._outcomes.popleft())
            self._in_flight -= sum(outcome.size for outcome in ready)
            durable, fault = self._durable, self._fault
            self._turn.notify_all()
        for outcome in ready:
            if outcome.index > durable:
                outcome.fail(Closed(f"not known to be durable: {fault}"))
                continue
            outcome.tell()
            if outcome.events:
                for listener in self._listeners:
                    listener(outcome.events)

    # ── the sealer: digest, leaves, checkpoints ─────────────────────────────────────────────────────────────────

    def _run_sealer(self) -> None:
        while (item := self._to_seal.get()) is not None:
            entry, applied = item
            self.machine.seal(entry, applied)
            with self._turn:
                self._sealed = entry.index
                self._turn.notify_all()
            if self.machine.sealed.records - self._kept >= self._checkpoint_every:
                self._kept = self.machine.sealed.records
                self._to_keep.put(self._checkpoint_sealed)
        self._to_keep.put(None)

    # ── the keeper: checkpoints, and tidying up behind the rows ──────────────────────────────────────────────────

    def _run_keeper(self) -> None:
        while (work := self._to_keep.get()) is not None:
            work()

    def _fold(self) -> None:
        self.machine.fold(self._baton)
        self._folding = False

    def _checkpoint_sealed(self) -> int:
        """Checkpoint what is sealed, never ahead of the durable log; a machine in memory has nothing to keep."""
        index = self._sealed
        self.wait_durable(index)
        if self.machine.folder is not None:
            self.machine.checkpoint(self._baton)
        return index

    def checkpoint(self) -> int:
        """Checkpoint everything applied so far; return its entry's index."""
        self.wait_sealed()
        done: Future[int] = Future()
        with self._turn:
            self._refuse_when_stopped()
            self._to_keep.put(lambda: done.set_result(self._checkpoint_sealed()))
        return done.result()

    @property
    def durable(self) -> int:
        """Index of the newest entry that is on disk."""
        return self._durable

    def wait_durable(self, index: int) -> None:
        """Block until entry ``index`` is durable."""
        with self._turn:
            while self._durable < index and self._fault is None:
                self._turn.wait()
            if self._fault is not None:
                self._refuse_when_stopped()

    def wait_sealed(self) -> None:
        """Block until everything applied so far is durable and sealed."""
        index = self.read(lambda machine: machine.index)
        with self._turn:
            while self._sealed < index and self._fault is None:
                self._turn.wait()
            if self._fault is not None:
                self._refuse_when_stopped()

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Finish what was submitted, seal it, stop the threads, and checkpoint."""
        with self._turn:
            if self._closing:
                return
            self._closing = True
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        if self._fault is None:
            self._checkpoint_sealed()

    @property
    def fault(self) -> BaseException | None:
        """What stopped the pipeline, if anything did."""
        return self._fault

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as fault:  # noqa: BLE001 - whatever it is, no thread may go on without the others
            self._stop(fault)

    def _stop(self, fault: BaseException) -> None:
        """Fail every ticket that is not answered, and let all threads end."""
        with self._turn:
            self._fault = self._fault or fault
            failed_applying = self._applier == threading.get_ident()
            unanswered: list[Any] = [work.ticket for work in self._applying] if failed_applying else []
            self._turn.notify_all()
        self._settle()
        unanswered += self._drain_queue()
        fail_all(unanswered, self._fault)
        for queue in (self._queue, self._to_log, self._to_seal, self._to_keep):
            queue.put(None)

    def _drain_queue(self) -> list[Any]:
        tickets: list[Any] = [read.ticket for read in self._reads]
        tickets += [] if self._driver is None else [work.ticket for work in self._driver.waiting]
        tickets += [] if self._held_back is None else [self._held_back.ticket]
        while not self._queue.empty():
            work = self._queue.get()
            if work is not None:
                tickets.append(work.ticket)
        return tickets


assert BATCH_MAX * RECORD_BYTES < 1 << 20
