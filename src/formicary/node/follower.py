"""A process that only reads: it tails any log, applies what it finds, and answers from its own copy of the state.

It takes no lock and writes nothing that the writer reads. What it answers is durable, and at most as old as its last
look at the log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from formicary.base.errors import Refusal
from formicary.log import is_postgres, open_log
from formicary.machine.machine import Machine
from formicary.node.description import describe
from formicary.node.folder import Folder
from formicary.node.history import check_same_history
from formicary.node.reading import MachineReads

if TYPE_CHECKING:
    from formicary.machine.heads import SignedHead
    from formicary.machine.receipts import HeadStatement, Receipt
    from formicary.node.surface import Records, Ticket
    from formicary.products.anatomy import Product

POLL_S: Final = 0.05
"""How often a live follower looks at the log."""


class Follower(MachineReads):
    """A read-only ledger; made by :func:`formicary.follow`, or by ``formicary.open(path, read_only=True)``."""

    def __init__(
        self,
        address: str | Path,
        *,
        state: Path | None = None,
        products: Sequence[Product] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Follow the log at ``address``; keep a state of one's own in the folder ``state``, or only in memory."""
        self._log = open_log(address, writer=False)
        self._machine = Machine(None, products) if state is None else Machine.recover(state, products)
        check_same_history(self._machine, self._log)
        self._keeps = state is not None
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None
        self.catch_up(progress)

    def catch_up(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Apply what the log has by now; return the index of the newest entry applied."""
        last, start = self._log.head.index, self._machine.index
        for entry in self._log.read(start + 1):
            with self._lock:
                self._machine.step(entry)
            if progress is not None:
                progress(entry.index - start, max(last, entry.index) - start)
        return self._machine.index

    def follow(self, poll_s: float = POLL_S) -> None:
        """Go on catching up in a thread, until closed."""
        assert self._thread is None, "it follows already"
        self._thread = threading.Thread(target=self._run, args=(poll_s,), name="formicary-follower", daemon=True)
        self._thread.start()

    def _run(self, poll_s: float) -> None:
        try:
            while not self._stop.wait(poll_s):
                self.catch_up()
        except BaseException as fault:  # noqa: BLE001 - readers must hear of it
            self._fault = fault

    def _read(self, function: Callable[[Machine], Any]) -> Any:  # noqa: ANN401 - whatever the function returns
        with self._lock:
            if self._fault is not None:
                raise self._fault
            return function(self._machine)

    @property
    def machine(self) -> Machine:
        """The follower's own state."""
        return self._machine

    @property
    def digest(self) -> bytes:
        """The digest as of the newest entry applied."""
        found: bytes = self._read(lambda machine: machine.digest)
        return found

    def info(self) -> dict[str, Any]:
        """Return what the ledger is and how far this copy of it has come, as plain values."""
        told: dict[str, Any] = self._read(describe)
        return told | {"read_only": True}

    def close(self) -> None:
        """Stop following, and keep the state when it has a folder."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._keeps and self._fault is None and self._machine.index:
            self._machine.checkpoint()
        self._machine.close()
        self._log.close()

    # ── what a follower can't do ────────────────────────────────────────────────────────────────────────────────

    def submit_accounts(self, batch: Records) -> Ticket:
        """Refused: only the writer appends."""
        _refuse(f"open {len(batch):,} accounts")

    def submit_transfers(self, batch: Records) -> Ticket:
        """Refused: only the writer appends."""
        _refuse(f"post {len(batch):,} transfers")

    def command(self, command: bytes) -> bytes:
        """Refused: only the writer appends."""
        _refuse(f"run a command of {len(command):,} bytes")

    def head(self) -> SignedHead:
        """Refused: only the writer has the keys to sign."""
        _refuse("sign a head")

    def receipt(self, transfer_id: int) -> Receipt:
        """Refused: only the writer has the keys to sign."""
        _refuse(f"sign a receipt of transfer {transfer_id}")

    def consistency(self, old_size: int) -> HeadStatement:
        """Refused: only the writer has the keys to sign."""
        _refuse(f"sign how it grew from {old_size:,} leaves")


def _refuse(what: str) -> NoReturn:
    raise Refusal(f"this ledger is open for reading only: it can't {what}", code="read_only")


def follow(
    path: str | Path, *, state: str | Path | None = None, products: Sequence[Product] = (), live: bool = True
) -> Follower:
    """Follow the ledger in the folder ``path``, or the log at an address, without disturbing its writer.

    ``state`` is a folder for the follower's own copy, so that it starts faster the next time; ``live`` goes on
    following in a thread, otherwise ask for :meth:`Follower.catch_up`.
    """
    address = path if is_postgres(path) else Folder(Path(path)).log_address()
    follower = Follower(address, state=None if state is None else Path(state), products=products)
    if live:
        follower.follow()
    return follower
