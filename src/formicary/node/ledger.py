"""A ledger open in this process: ``formicary.open``.

::

    with formicary.open("shop.ledger") as ledger:          # creates it when new
        ledger.accounts([...]); ledger.transfers([...])     # typed objects, small batches
        ledger.post(array)                                  # numpy records, up to 8,190 a batch, codes back

Threads may share it. When a call returns, what it did is on disk; what it tells is on disk too.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from formicary.base.entry import Draft, EntryKind, seal_draft
from formicary.base.errors import Fault, FormicaryError
from formicary.base.ids import new_id
from formicary.kernel.kernel import warm_up
from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.log import MemoryLog, open_log
from formicary.machine.commands import Command, encode, pack_commands
from formicary.machine.genesis import BLINDING_KEY_BYTES, new_genesis, write_genesis
from formicary.machine.keys import SigningKey, create_key
from formicary.machine.machine import Machine
from formicary.machine.replies import read_reply
from formicary.machine.system import RotateKey
from formicary.machine.tree import warm_up as warm_up_sealing
from formicary.node.description import describe
from formicary.node.folder import Folder
from formicary.node.follower import Follower
from formicary.node.history import check_same_history
from formicary.node.notary import Notary
from formicary.node.pipeline import CHECKPOINT_EVERY, Pipeline
from formicary.node.reading import MachineReads
from formicary.node.rehearsal import rehearse
from formicary.node.surface import Codes, Records, Ticket, answered, check_batch
from formicary.node.verifying import Report, verify_ledger

if TYPE_CHECKING:
    from formicary.log import Log
    from formicary.machine.context import View
    from formicary.machine.events import Event, Outbox
    from formicary.machine.heads import SignedHead
    from formicary.machine.keys import Rotation
    from formicary.machine.receipts import HeadStatement, Receipt
    from formicary.machine.registry import Registry
    from formicary.products.anatomy import Product

Progress = Callable[[int, int], None]
"""Called with (entries done, entries in all) while a log is replayed."""


class Ledger(MachineReads):
    """The one writer of a ledger; made by :func:`open_ledger`."""

    def __init__(self, machine: Machine, log: Log, folder: Folder | None, **options: Any) -> None:  # noqa: ANN401
        self._machine = machine
        self._log = log
        self._folder = folder
        self._pipeline = Pipeline(machine, log, encode_commands=pack_commands, **options)
        keys, heads = (folder.keys, folder.heads) if folder else (None, None)
        self.notary = Notary(machine, self._pipeline.read, keys=keys, heads=heads)
        self._closed = False

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def submit_accounts(self, batch: Records) -> Ticket:
        """Queue up to BATCH_MAX accounts and return at once; the batch may not change before its ticket is done."""
        batch = check_batch(batch, ACCOUNT)
        return self._pipeline.submit_records(EntryKind.ACCOUNTS, batch) if len(batch) else answered([])

    def submit_transfers(self, batch: Records) -> Ticket:
        """Queue up to BATCH_MAX transfer records and return at once; batches are applied in the order submitted."""
        batch = check_batch(batch, TRANSFER)
        return self._pipeline.submit_records(EntryKind.TRANSFERS, batch) if len(batch) else answered([])

    def rehearse(self, accounts: Iterable[Records], transfers: Iterable[Records]) -> list[Codes]:
        """Try batches against the present state and undo them; return the codes that each would get, in order.

        Nothing is appended, and nobody sees it; all other work waits meanwhile.
        """
        self._pipeline.wait_sealed()
        now_ns = time.time_ns()
        codes: list[Codes] = self._read(lambda machine: rehearse(machine, accounts, transfers, now_ns=now_ns))
        return codes

    def command(self, command: bytes) -> bytes:
        """Run one encoded command and return its encoded reply."""
        reply: bytes = self._pipeline.submit_command(command).result()
        return reply

    def submit_command(self, command: bytes) -> Future[bytes]:
        """Queue one encoded command and return at once; the future's result is its encoded reply."""
        return self._pipeline.submit_command(command)

    def ask_in_loop(self, command: bytes) -> asyncio.Future[bytes]:
        """Queue one encoded command from an event loop; the loop's future gets its encoded reply."""
        return self._pipeline.ask_in_loop(command)

    def drive(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Let this thread's event loop apply the commands that it asks for; None gives that up again."""
        self._pipeline.drive(loop)

    # ── products ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def registry(self) -> Registry:
        """The one table of commands, queries, timers, events and codes."""
        return self._machine.registry

    def ask(self, product: str, question: Callable[[View], Any]) -> Any:  # noqa: ANN401 - whatever the question returns
        """Answer a quick question about a product's state, between two entries, once all it could see is durable."""
        return self._read(lambda machine: question(machine.view(product)))

    def listen(self, listener: Callable[[tuple[Event, ...]], None]) -> None:
        """Call ``listener`` with the events of each durable entry, from a thread of the ledger: quickly."""
        self._pipeline.listen(listener)

    def outbox(self, work: Callable[[Outbox, int], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
        """Let a subscriber read its events, or acknowledge them: ``work(outbox, newest durable entry)``."""
        return self._read(lambda machine: work(machine.rows.outbox, self._pipeline.durable))

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, function: Callable[[Machine], Any]) -> Any:  # noqa: ANN401 - whatever the function returns
        return self._pipeline.read(function)

    def info(self) -> dict[str, Any]:
        """Return what the ledger is and how far it has come, as plain values."""
        told: dict[str, Any] = self._read(describe)
        return told | {
            "path": str(self._folder.path) if self._folder else None,
            "recovered": getattr(self._log, "recovered", ""),
            "damage": [f"{damage.what}: {damage.why}" for damage in self._machine.damage],
        }

    @property
    def digest(self) -> bytes:
        """The digest over every entry so far and all it changed."""
        self._pipeline.wait_sealed()
        return self._machine.digest

    # ── receipts ────────────────────────────────────────────────────────────────────────────────────────────────

    def head(self) -> SignedHead:
        """Return the signed head of the tree over everything posted so far."""
        self._pipeline.wait_sealed()
        return self.notary.head()

    def receipt(self, transfer_id: int) -> Receipt:
        """Return the receipt of a stored transfer: a small file that its holder checks offline."""
        self._pipeline.wait_sealed()
        return self.notary.receipt(transfer_id)

    def consistency(self, old_size: int) -> HeadStatement:
        """Prove that nothing was rewritten since the tree had ``old_size`` leaves."""
        self._pipeline.wait_sealed()
        return self.notary.consistency(old_size)

    def rotate_key(self) -> Rotation:
        """Let a new key sign from now on; the change is on the log, and receipts carry the chain."""
        rotation = self.notary.new_rotation()
        command = Command(
            id=new_id().to_bytes(16, "little"),
            signer=b"",
            name="system.rotate_key",
            version=1,
            body=encode(RotateKey.of(rotation)),
        )
        reply = read_reply(self.command(encode(command)))
        if reply.code != "ok":
            raise Fault(f"the new key was not accepted: {reply.code}")
        return rotation

    # ── keeping ─────────────────────────────────────────────────────────────────────────────────────────────────

    def checkpoint(self) -> int:
        """Make the state durable as of now, so that the next opening replays nothing; return the entry's index."""
        return self._pipeline.checkpoint()

    def verify(self, progress: Progress | None = None) -> Report:
        """Read the whole log again, check every byte, replay it, and compare with the state; change nothing."""
        self._pipeline.wait_sealed()
        return verify_ledger(self._log, self._machine, progress=progress)

    def close(self) -> None:
        """Finish what was submitted, checkpoint, and let go of the ledger; closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as stack:
            stack.callback(self._log.close)
            stack.callback(self._machine.close)
            stack.callback(self.notary.close)
            self._pipeline.close()


@overload
def open_ledger(
    path: str | Path | None = None,
    *,
    create: bool = True,
    read_only: Literal[False] = False,
    log: str | None = None,
    note: str = "",
    products: Sequence[Product] = (),
    progress: Progress | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
    checkpoint_every: int = CHECKPOINT_EVERY,
) -> Ledger: ...


@overload
def open_ledger(
    path: str | Path,
    *,
    create: bool = True,
    read_only: Literal[True],
    log: str | None = None,
    products: Sequence[Product] = (),
    progress: Progress | None = None,
) -> Follower: ...


def open_ledger(
    path: str | Path | None = None,
    *,
    create: bool = True,
    read_only: bool = False,
    log: str | None = None,
    note: str = "",
    products: Sequence[Product] = (),
    progress: Progress | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
    checkpoint_every: int = CHECKPOINT_EVERY,
) -> Ledger | Follower:
    """Open the ledger in the folder ``path``, or one in memory when there is none.

    ``create`` makes it when it is not there, with ``note`` as the name that its receipts show; ``log`` is the address
    of a log elsewhere (``postgresql://…``), given once. ``read_only`` replays the log in memory beside a writer that
    may be running, and gives a :class:`Follower`. ``checkpoint_every`` is in accounts and transfers.

    Raises :class:`Locked` when another process writes, :class:`Corrupt` when the log is not as it was written,
    :class:`Refusal` when there is no such ledger.
    """
    if path is None:
        folder = None
    else:
        folder = Folder(Path(path))
        if create and not read_only and not folder.exists():
            folder.create(log or "")
    if read_only:
        assert folder is not None, "a ledger in memory has no other process"
        return Follower(folder.log_address(log), products=products, progress=progress)
    warm_up()
    warm_up_sealing()
    options = {"clock_ns": clock_ns, "checkpoint_every": checkpoint_every}
    opened = MemoryLog() if folder is None else open_log(folder.log_address(log))
    with _closed_on_failure(opened):
        if folder is not None:
            folder.note_products(product.name for product in products)
        key = _found(opened, folder, note=note, clock_ns=clock_ns)
        machine = Machine(None, products) if folder is None else Machine.recover(folder.state, products)
        with _closed_on_failure(machine):
            _replay(machine, opened, progress)
            _take_over(machine, opened, clock_ns)
            ledger = Ledger(machine, opened, folder, **options)
            if key is not None:
                ledger.notary.remember(key)
            return ledger


def _found(log: Log, folder: Folder | None, *, note: str, clock_ns: Callable[[], int]) -> SigningKey | None:
    """Write the first entry of an empty log, with a new key; return a key that only memory keeps."""
    if log.head.index:
        return None
    key = SigningKey(secrets.token_bytes(32)) if folder is None else create_key(folder.keys)
    now = clock_ns()
    blinding_key = secrets.token_bytes(BLINDING_KEY_BYTES)
    genesis = new_genesis(created_ns=now, blinding_key=blinding_key, public_key=key.public_key, note=note)
    log.append(Draft(index=1, time_ns=now, kind=EntryKind.GENESIS, body=write_genesis(genesis)))
    log.sync()
    return key if folder is None else None


def _replay(machine: Machine, log: Log, progress: Progress | None) -> None:
    """Step through what the newest checkpoint does not cover."""
    last, start = log.head.index, machine.index
    check_same_history(machine, log)
    for entry in log.read(start + 1):
        machine.step(entry)
        if progress is not None:
            progress(entry.index - start, last - start)
    machine.settle()


def _take_over(machine: Machine, log: Log, clock_ns: Callable[[], int]) -> None:
    """Write on the log that a new writer begins, so that followers drop what an old one might still append."""
    draft = Draft(
        index=machine.index + 1, time_ns=max(clock_ns(), log.head.time_ns + 1), kind=EntryKind.EPOCH, body=b""
    )
    entry = seal_draft(draft, epoch=log.epoch, parent=log.head.hash)
    log.append(draft)
    log.sync()
    machine.step(entry)


@contextmanager
def _closed_on_failure(resource: Any) -> Iterator[None]:  # noqa: ANN401 - anything that closes
    try:
        yield
    except (FormicaryError, AssertionError):
        resource.close()
        raise
