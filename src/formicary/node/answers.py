"""What a server answers to each read: the request's body in, the answer's body out.

Batches are not here: they never become anything but records (see :mod:`formicary.node.connection`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec
import numpy as np

from formicary.node import bodies, pages
from formicary.node.channel import Buffer
from formicary.node.surface import ID, Records, Surface, ids_of
from formicary.node.wire import Kind

Answerer: TypeAlias = Callable[[Surface, memoryview], Buffer]


def answer(ledger: Surface, kind: Kind, body: memoryview) -> Buffer:
    """Ask the ledger and return the body of the answer; raises what the ledger raises."""
    return ANSWERERS[kind](ledger, body)


def _ids(body: memoryview) -> list[int]:
    return ids_of(np.frombuffer(body, ID))


def _raw(records: Records) -> Buffer:
    return np.ascontiguousarray(records).view(np.uint8)


ANSWERERS: Final[dict[Kind, Answerer]] = {
    Kind.PING: lambda _, body: bytes(body),
    Kind.LOOKUP_ACCOUNTS: lambda ledger, body: _raw(ledger.lookup_accounts(_ids(body))),
    Kind.LOOKUP_TRANSFERS: lambda ledger, body: _raw(ledger.lookup_transfers(_ids(body))),
    Kind.QUERY_TRANSFERS: lambda ledger, body: pages.pack_page(ledger.query(pages.read_filter(body))),
    Kind.QUERY_ACCOUNTS: lambda ledger, body: pages.pack_page(ledger.query_accounts(pages.read_account_filter(body))),
    Kind.BALANCE_HISTORY: lambda ledger, body: pages.pack_balance_page(ledger.balance_history(pages.read_filter(body))),
    Kind.BALANCE_AS_OF: lambda ledger, body: pages.pack_balances(ledger.balance_as_of(*bodies.read_moment(body))),
    Kind.HOLD_STATUS: lambda ledger, body: pages.pack_hold_status(ledger.hold_status(_ids(body)[0])),
    Kind.TRIAL_BALANCE: lambda ledger, _: pages.pack_trial_balance(ledger.trial_balance()),
    Kind.INFO: lambda ledger, _: msgspec.json.encode(ledger.info()),
    Kind.HEAD: lambda ledger, _: ledger.head().to_bytes(),
    Kind.CONSISTENCY: lambda ledger, body: bodies.pack_document(ledger.consistency(bodies.read_size(body))),
    Kind.RECEIPT: lambda ledger, body: bodies.pack_document(ledger.receipt(_ids(body)[0])),
    Kind.COMMAND: lambda ledger, body: ledger.command(bytes(body)),
}

assert set(ANSWERERS) == set(Kind) - {Kind.HELLO, Kind.OPEN_ACCOUNTS, Kind.POST_TRANSFERS}
