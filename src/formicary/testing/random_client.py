"""A client of a simulation: random requests from a small world, and now and then an old request once more.

Ids, amounts and accounts come from small ranges, so that limits, duplicates, holds and chains meet all the time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from formicary.base.entry import EntryKind
from formicary.kernel.records import ACCOUNT, AMOUNT_ALL, TRANSFER, AccountFlag, TransferFlag
from formicary.machine.applied import Applied
from formicary.machine.commands import Command, encode, pack_commands
from formicary.machine.registry import Registry
from formicary.products.anatomy import Message
from formicary.products.example.commands import Fund, Join, Keep, Pledge, Waive

ACCOUNTS: Final = 12
ASSETS: Final = (978, 203)
SECOND: Final = 1_000_000_000
PEOPLE: Final = tuple(name.encode().rjust(16, b".") for name in ("ann", "bo", "cy"))
REMEMBERED: Final = 20
"""How far back a retry reaches."""
KINDS: Final = (
    TransferFlag(0),
    TransferFlag(0),
    TransferFlag.HOLD,
    TransferFlag.HOLD,
    TransferFlag.CAPTURE,
    TransferFlag.RELEASE,
    TransferFlag.BALANCING_DEBIT,
    TransferFlag.BALANCING_CREDIT,
    TransferFlag.FREEZING_DEBIT,
    TransferFlag.THAWING_DEBIT,
    TransferFlag.CLOSING_CREDIT | TransferFlag.BALANCING_CREDIT,
    TransferFlag.REOPENING_CREDIT,
)


class RandomClient:
    """Makes the bodies of entries, one after another."""

    pauses: Final = (1, SECOND, 20 * SECOND)
    """What may lie between two requests, in ns."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._transfers = 0
        self._commands = 0
        self._holds: list[int] = [1]
        self._sent: list[tuple[EntryKind, bytes]] = []

    def request(self, now_ns: int) -> tuple[EntryKind, bytes]:
        """Make the next request: (kind of entry, body)."""
        chance = self._chance
        if not self._sent:
            self._sent.append((EntryKind.ACCOUNTS, self._every_account()))
            return self._sent[0]
        if chance.random() < 0.15:
            return chance.choice(self._sent[-REMEMBERED:])
        kind = chance.choices(
            (EntryKind.TRANSFERS, EntryKind.ACCOUNTS, EntryKind.COMMANDS, EntryKind.TICK), (6, 1, 3, 1)
        )[0]
        bodies: dict[EntryKind, Callable[[], bytes]] = {
            EntryKind.TRANSFERS: self._transfers_body,
            EntryKind.ACCOUNTS: self._accounts_body,
            EntryKind.COMMANDS: lambda: self._commands_body(now_ns),
            EntryKind.TICK: bytes,
        }
        body = bodies[kind]()
        self._sent.append((kind, body))
        return kind, body

    def learn(self, applied: Applied, registry: Registry) -> None:
        """What is answered changes nothing: all names are this client's own."""

    def _every_account(self) -> bytes:
        return _accounts(range(1, ACCOUNTS + 1))

    def _accounts_body(self) -> bytes:
        return _accounts([self._chance.randint(1, ACCOUNTS + 4) for _ in range(self._chance.randint(1, 4))])

    def _transfers_body(self) -> bytes:
        batch = np.zeros(self._chance.randint(1, 12), TRANSFER)
        for record in batch:
            self._fill(record)
        if self._chance.random() < 0.9:  # a batch that ends inside a chain is refused, and that too must be replayed
            batch[-1]["flags"] = int(batch[-1]["flags"]) & ~TransferFlag.LINKED
        return batch.tobytes()

    def _fill(self, record: np.void) -> None:
        chance = self._chance
        kind = chance.choice(KINDS)
        self._transfers += 1
        record["id_lo"] = self._transfers if chance.random() < 0.95 else chance.randint(1, self._transfers)
        record["flags"] = kind | (TransferFlag.LINKED if chance.random() < 0.15 else 0)
        record["amount"] = chance.choice((chance.randint(0, 50), chance.randint(0, 500), AMOUNT_ALL))
        if kind & (TransferFlag.CAPTURE | TransferFlag.RELEASE):
            record["hold_lo"] = chance.choice(self._holds[-10:])
            return
        debit = chance.randint(1, ACCOUNTS)
        apart = len(ASSETS) * chance.randint(1, 3) if chance.random() < 0.95 else chance.randint(0, 3)
        record["debit_lo"], record["credit_lo"] = debit, (debit + apart - 1) % ACCOUNTS + 1
        record["asset"] = ASSETS[int(record["debit_lo"]) % len(ASSETS)]
        record["code"] = 1
        if kind & TransferFlag.HOLD:
            record["timeout"] = chance.choice((0, 5, 60))
            self._holds.append(int(record["id_lo"]))

    def _commands_body(self, now_ns: int) -> bytes:
        return pack_commands([self._command(now_ns) for _ in range(self._chance.randint(1, 5))])

    def _command(self, now_ns: int) -> bytes:
        chance = self._chance
        self._commands += 1
        name, message = self._example(now_ns)
        return encode(
            Command(
                id=self._commands.to_bytes(16, "big"),
                signer=chance.choice(PEOPLE),
                name=f"example.{name}",
                version=1,
                body=encode(message),
            )
        )

    def _example(self, now_ns: int) -> tuple[str, Message]:
        chance = self._chance
        until = now_ns + chance.randint(1, 60) * SECOND
        return chance.choice(
            (
                ("join", Join()),
                ("fund", Fund(chance.randint(1, 500))),
                ("pledge", Pledge(chance.choice(PEOPLE), chance.randint(1, 600), until)),
                ("keep", Keep(bytes(16))),
                ("waive", Waive(bytes(16))),
            )
        )


def _accounts(numbers: Sequence[int]) -> bytes:
    """Account records by number, which decides their asset and limit: the same number is the same account."""
    batch = np.zeros(len(numbers), ACCOUNT)
    for record, number in zip(batch, numbers, strict=True):
        record["id_lo"] = number
        record["asset"] = ASSETS[number % len(ASSETS)]
        record["code"] = 1
        record["flags"] = (0, AccountFlag.DEBITS_LIMITED, AccountFlag.CREDITS_LIMITED)[number % 3]
    return batch.tobytes()
