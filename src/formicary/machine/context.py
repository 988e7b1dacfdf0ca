"""What a handler is given, and all it may touch: time, ids, rows, accounts, transfers, timers, events.

A handler is a plain function of a context and a command. Everything it learns comes from the log, through here, so the
same log gives the same state on every node. A refusal raised anywhere in a handler undoes all it did through its
context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from formicary.base.entry import Entry, EntryKind
from formicary.base.errors import Refusal
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.kernel import Kernel
from formicary.kernel.objects import (
    Account,
    Transfer,
    account_records,
    accounts_from,
    transfer_records,
    transfers_from,
)
from formicary.kernel.records import BATCH_MAX, RECORD_BYTES, TransferFlag
from formicary.machine.commands import encode
from formicary.machine.events import Event
from formicary.machine.fence import FencedRows
from formicary.machine.registry import Registry
from formicary.machine.rows import Rows
from formicary.machine.timers import Timer
from formicary.machine.totals import totals_by_code
from formicary.products.anatomy import Message, Product, TimerId

ID_BYTES: Final = 16
TIME_MAX: Final = 2**63 - 1
SUBJECT_BYTES_MAX: Final = 32
Records = npt.NDArray[Any]


class Posted:
    """The records that handlers got into the kernel during one entry, in order, to do the same after a crash."""

    def __init__(self, kernel: Kernel, time_ns: int) -> None:
        self._kernel = kernel
        self._time_ns = time_ns
        self._parts: list[tuple[EntryKind, bytes]] = []

    @property
    def length(self) -> int:
        """How many parts there are: a point to come back to."""
        return len(self._parts)

    def cut(self, length: int) -> None:
        """Forget what came after a point; the kernel undoes it by itself."""
        del self._parts[length:]

    def open(self, batch: Records) -> AccountCode:
        """Open one account."""
        code = AccountCode(int(self._kernel.open_accounts(batch, self._time_ns)[0]))
        if code is AccountCode.OK:
            self._parts.append((EntryKind.ACCOUNTS, batch.tobytes()))
        return code

    def post(self, batch: Records) -> list[TransferCode]:
        """Post one transfer, or one chain of linked ones."""
        codes = [TransferCode(code) for code in self._kernel.post(batch, self._time_ns).tolist()]
        if codes and codes[0] is TransferCode.OK:  # one transfer or one chain: all of it is accepted, or nothing
            self._parts.append((EntryKind.TRANSFERS, batch.tobytes()))
        return codes

    def batches(self) -> list[tuple[int, bytes]]:
        """Everything posted, as few batches: neighbours of one kind together, no chain cut in two."""
        merged: list[tuple[EntryKind, bytearray]] = []
        for kind, records in self._parts:
            if merged and merged[-1][0] == kind and len(merged[-1][1]) + len(records) <= BATCH_MAX * RECORD_BYTES:
                merged[-1][1].extend(records)
            else:
                merged.append((kind, bytearray(records)))
        return [(int(kind), bytes(records)) for kind, records in merged]


class View:
    """What an invariant or a question may see: the state of one product, read only."""

    def __init__(self, kernel: Kernel, rows: Rows, product: str, *, time_ns: int) -> None:
        self._kernel = kernel
        self._all_rows = rows
        self.rows = rows.fenced[product]
        self.time_ns = time_ns
        """Time of the newest entry, in ns since 1970."""

    def for_product(self, name: str) -> View:
        """The same moment as another product sees it: for what that product tells this one (``needs.py``)."""
        return View(self._kernel, self._all_rows, name, time_ns=self.time_ns)

    def account(self, account_id: int) -> Account | None:
        """An account as it is now, with its balances; None when it was never opened."""
        row = self._kernel.find_account(account_id)
        return None if row < 0 else accounts_from(self._kernel.stored_accounts(row, row + 1))[0]

    def totals(self, asset: int) -> list[tuple[int, int, int]]:
        """(account code, posted debits, posted credits) of all accounts of an asset added up, in order of the code.

        Reads every account: for a daily report, not for a payment.
        """
        return totals_by_code(self._kernel, asset)

    def transfer(self, transfer_id: int) -> Transfer | None:
        """A stored transfer."""
        index = self._kernel.find_transfer(transfer_id)
        return None if index < 0 else transfers_from(self._kernel.stored_transfers(index, index + 1))[0]


class Shared:
    """What all contexts of one entry share."""

    def __init__(self, entry: Entry, kernel: Kernel, rows: Rows, registry: Registry) -> None:
        self.entry = entry
        self.kernel = kernel
        self.rows = rows
        self.registry = registry
        self.posted = Posted(kernel, entry.time_ns)
        self.events: list[Event] = []


class Context:
    """One handler's view of the ledger, for one command, timer or genesis."""

    def __init__(self, shared: Shared, product: Product, *, source: bytes, signer: bytes = b"") -> None:
        self._shared = shared
        self._product = product
        self._source = source
        self._ids = 0
        self.signer = signer
        """Pseudonymous id of who sent the command; empty in a timer."""
        self.rows: FencedRows = shared.rows.fenced[product.name]
        """The product's own tables."""

    @property
    def time_ns(self) -> int:
        """Now: the entry's time, in ns since 1970."""
        return self._shared.entry.time_ns

    @property
    def entry_index(self) -> int:
        """The entry that is being applied."""
        return self._shared.entry.index

    def new_id(self, label: str) -> int:
        """A new id of 127 bits, never zero: a keyed hash of the entry, the command, the label and a count.

        The same on every node and in no other command; nobody can know it before the entry is on the log.
        """
        self._ids += 1
        text = encode((self._product.name, self._source, self._ids, label))
        digest = blake3(text, key=self._shared.entry.hash).digest(length=ID_BYTES)
        return int.from_bytes(digest, "little") >> 1 or 1

    def refuse(self, code: str) -> NoReturn:
        """Refuse with a code of the product; its words come from the product's own list."""
        raise Refusal(self._shared.registry.codes.get(code, code), code=code)

    def refuse_if(self, broken: bool, code: str) -> None:  # noqa: FBT001 - reads as a rung: refuse_if(amount > limit, …)
        """One rung of a ladder of refusals."""
        if broken:
            self.refuse(code)

    def for_product(self, name: str) -> Context:
        """The same command as another product sees it: for what that product offers to this one (``needs.py``).

        Only code of the other product may use it; tests/tidy keeps products from importing one another.
        """
        product = self._shared.registry.products[name]
        return Context(self._shared, product, source=self._source, signer=self.signer)

    # ── money ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def open_account(self, account: Account) -> None:
        """Open an account, or refuse with the kernel's code in lower case."""
        code = self._shared.posted.open(account_records([account]))
        if code is not AccountCode.OK:
            raise Refusal(f"account {account.id}: {code.name.lower()}", code=code.name.lower())

    def transfer(self, transfer: Transfer) -> None:
        """Post a transfer, or refuse with the kernel's code in lower case."""
        code = self.try_transfer(transfer)
        if code is not TransferCode.OK:
            raise Refusal(f"transfer {transfer.id}: {code.name.lower()}", code=code.name.lower())

    def try_transfer(self, transfer: Transfer) -> TransferCode:
        """Post a transfer and answer the kernel's code, for a handler that knows what to do when it is refused."""
        assert not transfer.flags & TransferFlag.LINKED, "a chain is posted as one: see chain()"
        return self._shared.posted.post(transfer_records([transfer]))[0]

    def chain(self, transfers: Sequence[Transfer]) -> None:
        """Post transfers that succeed or fail as one; refuse with the code of the first that failed."""
        records = transfer_records(transfers)
        assert 0 < len(records) <= BATCH_MAX, "a chain fits one batch"
        records["flags"][:-1] |= np.uint16(TransferFlag.LINKED)
        for transfer, code in zip(transfers, self._shared.posted.post(records), strict=True):
            if code not in {TransferCode.OK, TransferCode.CHAIN_FAILED}:
                raise Refusal(f"transfer {transfer.id}: {code.name.lower()}", code=code.name.lower())

    def balance(self, account_id: int) -> Account:
        """An account as it is now, with its balances; refused with ``account_not_found`` when it was never opened."""
        account = self.view().account(account_id)
        if account is None:
            raise Refusal(f"account {account_id} was never opened", code="account_not_found")
        return account

    def view(self) -> View:
        """What a question of this product may see."""
        return View(self._shared.kernel, self._shared.rows, self._product.name, time_ns=self.time_ns)

    # ── time, and the outside ───────────────────────────────────────────────────────────────────────────────────────

    def schedule(self, due_ns: int, name: str, payload: Message) -> TimerId:
        """Let the product's timer ``name`` run at ``due_ns``; when that is past, with the next entry."""
        assert 0 < due_ns <= TIME_MAX, "a timer is due after 1970 and before 2262"
        self._shared.registry.timer_of(self._product.name, name, payload)
        number = TimerId(self._shared.rows.count("timers"))
        self._shared.rows.timers.add(Timer(number, due_ns, self._product.name, name, encode(payload)))
        return number

    def cancel(self, timer: TimerId) -> bool:
        """Take a timer of this product back; False when it has run already."""
        return self._shared.rows.timers.remove(timer, product=self._product.name)

    def emit(self, event: Message, *, subject: bytes = b"") -> None:
        """Tell the outside, once this entry is durable; ``subject`` is the pseudonymous id of whom it concerns."""
        assert len(subject) <= SUBJECT_BYTES_MAX, "a subject has 32 bytes at most"
        shared = self._shared
        kind = shared.registry.kind_of_event(self._product.name, event)
        number = shared.rows.count("events")
        told = Event(number, shared.entry.index, self._product.name, kind, encode(event), subject)
        shared.events.append(told)
