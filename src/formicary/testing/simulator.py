"""One seed drives clients, crashes, torn writes, flipped bits, full disks and restarts; the seed is the report.

A simulated node runs the real log and the real machine inline, on a disk that loses power at chosen operations, over
state files that a crash leaves in any condition beyond the last checkpoint. At every restart: each acknowledged entry
is there with the outcome that was told, nothing is there twice, debits equal credits, every product's invariants hold,
and the digest is the one that a replay of the log gives.

What the node runs and who asks is a :class:`World`: raw records and the example product, or the standard products with
a town of people, shops and banks.

Canaries show that the simulator can see: on a disk that only pretends to sync, it must find acknowledged work missing;
and in a product that keeps false books, it must find the falsehood.
"""

from __future__ import annotations

import random
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from formicary.base.entry import Draft, Entry, EntryKind
from formicary.base.errors import Corrupt, Fault, StorageFull
from formicary.log import FileLog, log_exists
from formicary.log.history import SEGMENT_SUFFIX
from formicary.machine.applied import Applied
from formicary.machine.genesis import new_genesis, write_genesis
from formicary.machine.keys import PublicKey
from formicary.machine.machine import Machine
from formicary.machine.registry import Registry
from formicary.machine.verify import verify
from formicary.products.anatomy import Product
from formicary.products.example import PRODUCT
from formicary.stack import standard_products
from formicary.testing.faulty_disk import FaultyDisk, PowerLoss
from formicary.testing.invariants import check_invariants
from formicary.testing.product_client import ProductClient
from formicary.testing.random_client import RandomClient

LOG: Final = Path("/ledger/log")
SECOND: Final = 1_000_000_000
SEGMENT_BYTES: Final = 16 << 10
REQUESTS_MAX: Final = 40
"""In one life at most; a life usually ends earlier, by a crash."""
ROOM_BYTES: Final = 40_000
"""What a disk that is about to fill up still takes."""


class Client(Protocol):
    """Makes requests from one seed, and may learn from what is answered."""

    @property
    def pauses(self) -> Sequence[int]:
        """What may lie between two requests, in ns."""

    def request(self, now_ns: int) -> tuple[EntryKind, bytes]:
        """The next request: (kind of entry, body)."""

    def learn(self, applied: Applied, registry: Registry) -> None:
        """Note what a request gave."""


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated: the products of the node, and who asks."""

    products: tuple[Product, ...]
    client: Callable[[random.Random], Client]


def ledger_world() -> World:
    """Raw accounts and transfers, and the example product."""
    return World((PRODUCT,), RandomClient)


def town_world(products: Sequence[Product] | None = None) -> World:
    """The standard products: people, shops, banks and orders; or others with the same commands."""
    stack = tuple(standard_products() if products is None else products)
    return World(stack, lambda chance: ProductClient(chance, stack))


class LostWork(AssertionError):
    """Something that was acknowledged is not there, or is there otherwise."""


@dataclass(slots=True)
class Summary:
    """What a simulation went through."""

    seed: int
    lives: int = 0
    crashes: int = 0
    full: int = 0
    flips: int = 0
    entries: int = 0
    transfers: int = 0
    digest: bytes = b""


class Node:
    """The log and the machine of one life, without threads: what is applied is sealed once it is durable."""

    def __init__(self, disk: FaultyDisk, state: Path, now_ns: int, products: Sequence[Product]) -> None:
        exists = log_exists(LOG, disk)
        self.log = (FileLog.open if exists else FileLog.create)(LOG, disk=disk, segment_bytes=SEGMENT_BYTES)
        if self.log.head.index == 0:
            genesis = new_genesis(created_ns=0, blinding_key=bytes(16), public_key=PublicKey(bytes(32)))
            self.log.append(Draft(index=1, time_ns=now_ns, kind=EntryKind.GENESIS, body=write_genesis(genesis)))
            self.log.sync()
        self.machine = Machine.recover(state, products)
        try:
            for entry in self.log.read(self.machine.index + 1):
                self.machine.step(entry)
            self.machine.settle()
        except BaseException:
            self.machine.close()
            raise
        self._unsealed: deque[tuple[Entry, Applied]] = deque()

    def append(self, now_ns: int, kind: EntryKind, body: bytes) -> Applied:
        """Log one request and apply it; nobody is told before :meth:`sync`."""
        time_ns = max(now_ns, self.machine.time_ns + 1)
        entry = self.log.append(Draft(index=self.machine.index + 1, time_ns=time_ns, kind=kind, body=body))
        applied = self.machine.apply(entry)
        self._unsealed.append((entry, applied))
        return applied

    def sync(self) -> list[Entry]:
        """Make everything durable and seal it; return what may now be acknowledged."""
        self.log.sync()
        done = []
        while self._unsealed:
            entry, applied = self._unsealed.popleft()
            self.machine.seal(entry, applied)
            done.append(entry)
        return done


class Simulation:
    """A ledger's many lives under one seed, in a folder for its state files."""

    def __init__(self, seed: int, folder: Path, *, world: World | None = None, forgets_syncs: bool = False) -> None:
        chosen = world or ledger_world()
        self._products = chosen.products
        self._chance = random.Random(seed)
        self._disk = FaultyDisk(seed)
        self._disk.forgets_syncs = forgets_syncs
        self._folder = folder
        self._state = folder / "state"
        self._client = chosen.client(self._chance)
        self._told: dict[int, tuple[bytes, bytes]] = {}
        self._now = SECOND
        self.summary = Summary(seed)

    def run(self, lives: int) -> Summary:
        """Live, crash and recover so many times, then come back once more in peace and check everything."""
        for _ in range(lives):
            self._draw_troubles()
            self._live(self._chance.randint(1, REQUESTS_MAX))
            self.summary.lives += 1
            if self._chance.random() < 0.2:
                self._flip_and_find()
        self._live(0)
        return self.summary

    def _draw_troubles(self) -> None:
        """Most lives end in a power loss, some on a full disk, some in peace."""
        disk, chance = self._disk, self._chance
        disk.crash_at = disk.operations + chance.randint(1, 80) if chance.random() < 0.7 else None
        disk.capacity = (
            sum(map(len, disk.files().values())) + chance.randint(0, ROOM_BYTES) if chance.random() < 0.2 else None
        )

    def _live(self, requests: int) -> None:
        node = None
        try:
            node = Node(self._disk, self._state, self._now, self._products)
            self._check(node)
            self._work(node, requests)
        except PowerLoss:
            self.summary.crashes += 1
        except StorageFull:
            self.summary.full += 1
        except Corrupt as corrupt:
            raise LostWork(f"seed {self.summary.seed}: a crash is not corruption: {corrupt}") from corrupt
        finally:
            self._end(node)

    def _work(self, node: Node, requests: int) -> None:
        """Clients ask, alone and in groups; what is durable is told, the rest may be asked again in another life."""
        chance = self._chance
        for _ in range(requests):
            self._now += chance.choice(self._client.pauses)
            kind, body = self._client.request(self._now)
            self._client.learn(node.append(self._now, kind, body), node.machine.registry)
            if chance.random() < 0.5:
                self._acknowledge(node)
                if chance.random() < 0.2:
                    node.machine.checkpoint()
        self._acknowledge(node)
        node.machine.check()

    def _acknowledge(self, node: Node) -> None:
        for entry in node.sync():
            digest = node.machine.digests.at(entry.index)
            assert digest is not None, "what is sealed has its digest"
            self._told[entry.index] = (entry.hash, digest)

    # ── the end of a life ───────────────────────────────────────────────────────────────────────────────────────

    def _end(self, node: Node | None) -> None:
        """Stop without warning: the disk keeps what it happens to, state beyond the checkpoint may be anything."""
        ruins = self._folder / "ruins"
        shutil.rmtree(ruins, ignore_errors=True)
        if self._state.exists():
            shutil.copytree(self._state, ruins)
        if node is not None:
            node.machine.close()
            with suppress(PowerLoss, Fault):
                node.log.close()
        if ruins.exists():
            self._wreck(ruins)
            shutil.rmtree(self._state)
            ruins.rename(self._state)
        self._disk.restart()
        self._disk.capacity = None

    def _wreck(self, state: Path) -> None:
        """Append rubbish where nothing is promised; sometimes lose the rows' newest commits."""
        for path in sorted(state.iterdir()):
            if path.name.startswith(("rows.db", "checkpoint")):
                continue
            if self._chance.random() < 0.5:
                with path.open("ab") as file:
                    file.write(self._chance.randbytes(self._chance.randint(1, 500)))
        if self._chance.random() < 0.3:
            for name in ("rows.db-wal", "rows.db-shm"):
                (state / name).unlink(missing_ok=True)

    def _flip_and_find(self) -> None:
        """On a copy of the disk, flip one bit of the log: reading it all must name the place, or lose nothing told."""
        files = self._disk.files()
        segments = sorted(path for path in files if path.suffix == SEGMENT_SUFFIX and files[path])
        if not segments:
            return
        path = self._chance.choice(segments)
        copy = FaultyDisk.holding(files)
        copy.flip(path, byte=self._chance.randrange(len(files[path])), bit=self._chance.randrange(8))
        try:
            log = FileLog.open(LOG, disk=copy, segment_bytes=SEGMENT_BYTES)
            log.verify()
        except Corrupt:
            self.summary.flips += 1
            return
        gone = [index for index in self._told if index > log.head.index]
        if gone:
            raise LostWork(f"seed {self.summary.seed}: one flipped bit, and entries {gone} vanished silently")

    # ── what must hold ──────────────────────────────────────────────────────────────────────────────────────────

    def _check(self, node: Node) -> None:
        """After every restart, before anything new is asked."""
        machine = node.machine
        entries = list(node.log.read(1))
        hashes = {entry.index: entry.hash for entry in entries}
        replayed = verify(entries, self._products, digests={machine.index: machine.digest}, invariants=False)
        for index, (entry_hash, digest) in self._told.items():
            if hashes.get(index) != entry_hash:
                raise LostWork(f"seed {self.summary.seed}: entry {index} was acknowledged and is gone")
            if replayed.digests.at(index) != digest:
                raise LostWork(f"seed {self.summary.seed}: entry {index} did something else than was told")
        machine.check()
        kernel = machine.kernel
        accounts = kernel.stored_accounts(0, kernel.accounts_count)
        transfers = kernel.stored_transfers(0, kernel.transfers_count)
        check_invariants(accounts, transfers)
        ids = np.stack([transfers["id_lo"], transfers["id_hi"]])
        assert np.unique(ids, axis=1).shape[1] == len(transfers), "no transfer is there twice"
        replayed.close()
        summary = self.summary
        summary.entries, summary.transfers, summary.digest = machine.index, len(transfers), machine.digest
