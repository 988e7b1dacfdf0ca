"""Logs for the machine's tests: entries made one by one, and a busy little history of the example product."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.entry import NO_PARENT, Draft, Entry, EntryKind, seal_draft
from formicary.kernel.records import ACCOUNT, TRANSFER, TransferFlag
from formicary.machine.commands import Command, encode, pack_commands
from formicary.machine.genesis import new_genesis, write_genesis
from formicary.machine.keys import SigningKey
from formicary.machine.machine import Machine
from formicary.products.anatomy import Message
from formicary.products.example import PRODUCT
from formicary.products.example.commands import Fund, Join, Keep, Pledge, Pledged, Waive

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND
KEY = SigningKey(bytes(range(32)))
ALICE, BOB, CAROL = (name.encode().rjust(16, b".") for name in ("alice", "bob", "carol"))


class LogScript:
    """A log in the making: each call adds an entry, a second after the one before it unless told otherwise."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.epoch = 1
        self._ids = itertools.count(1)
        body = write_genesis(
            new_genesis(created_ns=START_NS, blinding_key=bytes(16), public_key=KEY.public_key, note="test")
        )
        self.add(EntryKind.GENESIS, body)

    @property
    def now_ns(self) -> int:
        """Time of the newest entry."""
        return self.entries[-1].time_ns if self.entries else START_NS

    def add(self, kind: EntryKind, body: bytes = b"", *, time_ns: int | None = None, epoch: int | None = None) -> Entry:
        """Append an entry."""
        parent = self.entries[-1].hash if self.entries else NO_PARENT
        draft = Draft(len(self.entries) + 1, time_ns or self.now_ns + SECOND, kind, body)
        entry = seal_draft(draft, epoch=epoch or self.epoch, parent=parent)
        self.entries.append(entry)
        return entry

    def accounts(self, *ids: int, flags: int = 0) -> Entry:
        """Open accounts."""
        batch = np.zeros(len(ids), ACCOUNT)
        batch["id_lo"], batch["asset"], batch["code"], batch["flags"] = ids, 978, 1, flags
        return self.add(EntryKind.ACCOUNTS, batch.tobytes())

    def transfers(self, batch: npt.NDArray[Any], **more: Any) -> Entry:
        """Post a batch."""
        return self.add(EntryKind.TRANSFERS, batch.tobytes(), **more)

    def pay(self, *amounts: int, debit: int = 1, credit: int = 2, flags: int = 0, timeout: int = 0) -> Entry:
        """Post a transfer for each amount."""
        batch = np.zeros(len(amounts), TRANSFER)
        batch["id_lo"] = [next(self._ids) for _ in amounts]
        batch["debit_lo"], batch["credit_lo"], batch["amount"] = debit, credit, amounts
        batch["asset"], batch["code"], batch["flags"], batch["timeout"] = 978, 1, flags, timeout
        return self.transfers(batch)

    def hold(self, amount: int, *, seconds: int) -> Entry:
        """Hold an amount that expires by itself."""
        return self.pay(amount, flags=TransferFlag.HOLD, timeout=seconds)

    def command(self, signer: bytes, name: str, body: Message, *, command_id: bytes | None = None) -> bytes:
        """Encode a command under the next free id."""
        chosen = command_id or next(self._ids).to_bytes(16, "big")
        return encode(Command(chosen, signer, name, 1, encode(body)))

    def commands(self, *commands: bytes, **more: Any) -> Entry:
        """Put commands on the log as one entry."""
        return self.add(EntryKind.COMMANDS, pack_commands(commands), **more)

    def say(self, signer: bytes, name: str, body: Message, **more: Any) -> Entry:
        """Put one command on the log as an entry of its own."""
        return self.commands(self.command(signer, name, body), **more)


def busy_history() -> Sequence[Entry]:
    """A history in which everything happens.

    Raw batches, holds that expire, pledges that end in each way, refusals, retries, an unreadable command, a writer
    that was replaced, idle ticks that run timers.
    """
    script = LogScript()
    machine = Machine(None, [PRODUCT])
    done = 0

    def answers() -> list[bytes]:
        nonlocal done
        bodies: list[bytes] = []
        for entry in script.entries[done:]:
            bodies += [answer.reply.body for answer in machine.step(entry).answers]
        done = len(script.entries)
        return bodies

    script.accounts(1, 2, 3)
    script.pay(500, 20, 3)
    script.commands(*(script.command(person, "example.join", Join()) for person in (ALICE, BOB, CAROL)))
    script.hold(70, seconds=4)
    fund = script.command(ALICE, "example.fund", Fund(10_000))
    script.commands(fund, script.command(BOB, "example.fund", Fund(300)), fund)
    answers()
    soon, later = script.now_ns + 6 * SECOND, script.now_ns + 10_000 * SECOND
    script.commands(
        script.command(ALICE, "example.pledge", Pledge(BOB, 1_000, later)),
        script.command(ALICE, "example.pledge", Pledge(CAROL, 2_000, later)),
        script.command(ALICE, "example.pledge", Pledge(CAROL, 50, soon)),
        script.command(BOB, "example.pledge", Pledge(CAROL, 301, soon)),
        script.command(BOB, "example.pledge", Pledge(CAROL, 1, 5)),
    )
    kept, waived, lapsing = (msgspec.msgpack.decode(body, type=Pledged).pledge for body in answers()[:3])
    script.commands(fund, b"not a command", script.command(BOB, "example.keep", Keep(kept)))
    script.say(ALICE, "example.keep", Keep(kept))
    script.pay(7, 8)
    script.say(CAROL, "example.waive", Waive(waived))
    script.epoch = 2
    script.add(EntryKind.EPOCH)
    script.add(EntryKind.TICK, epoch=1)
    script.pay(1)
    script.pay(2)
    script.say(CAROL, "example.waive", Waive(lapsing))
    script.add(EntryKind.TICK)
    script.say(CAROL, "example.unheard_of", Join())
    script.pay(5, 6)
    answers()
    return script.entries
