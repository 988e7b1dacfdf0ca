"""Formicary: an open finance platform on one conserved ledger.

``open`` and ``open_async`` give a ledger in this process, ``connect`` one that another process serves, ``follow`` a
read-only copy that tails a log. Names are loaded when first used, so that a client need not load the ledger.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from formicary.base.errors import (
        BadInput,
        Closed,
        Corrupt,
        Diverged,
        Fault,
        Fenced,
        FormicaryError,
        Locked,
        Refusal,
        StorageFull,
        StorageReadOnly,
    )
    from formicary.base.ids import new_id
    from formicary.kernel.codes import AccountCode, TransferCode
    from formicary.kernel.objects import Account, Transfer
    from formicary.kernel.records import ACCOUNT, AMOUNT_ALL, BATCH_MAX, TRANSFER, AccountFlag, TransferFlag
    from formicary.machine.receipt_forms import parse_receipt
    from formicary.machine.receipts import Receipt, verify_receipt
    from formicary.node.asynchronous import AsyncLedger, open_async
    from formicary.node.client import RemoteLedger, connect, connect_async
    from formicary.node.follower import Follower, follow
    from formicary.node.ledger import Ledger
    from formicary.node.ledger import open_ledger as open  # noqa: A004 - formicary.open reads best
    from formicary.node.line import Retry
    from formicary.queries import AccountFilter, TransferFilter

_HOME: Final = {
    "ACCOUNT": "kernel.records",
    "AMOUNT_ALL": "kernel.records",
    "Account": "kernel.objects",
    "AccountCode": "kernel.codes",
    "AccountFilter": "queries",
    "AccountFlag": "kernel.records",
    "AsyncLedger": "node.asynchronous",
    "BATCH_MAX": "kernel.records",
    "BadInput": "base.errors",
    "Closed": "base.errors",
    "Corrupt": "base.errors",
    "Diverged": "base.errors",
    "Fault": "base.errors",
    "Fenced": "base.errors",
    "Follower": "node.follower",
    "FormicaryError": "base.errors",
    "Ledger": "node.ledger",
    "Locked": "base.errors",
    "Receipt": "machine.receipts",
    "Refusal": "base.errors",
    "RemoteLedger": "node.client",
    "Retry": "node.line",
    "StorageFull": "base.errors",
    "StorageReadOnly": "base.errors",
    "TRANSFER": "kernel.records",
    "Transfer": "kernel.objects",
    "TransferCode": "kernel.codes",
    "TransferFilter": "queries",
    "TransferFlag": "kernel.records",
    "connect": "node.client",
    "connect_async": "node.client",
    "follow": "node.follower",
    "new_id": "base.ids",
    "open": "node.ledger:open_ledger",
    "open_async": "node.asynchronous",
    "parse_receipt": "machine.receipt_forms",
    "verify_receipt": "machine.receipts",
    "write_receipt": "machine.receipt_forms:write_json",
}

__version__ = "0.1.0"
__all__ = [
    "ACCOUNT",
    "AMOUNT_ALL",
    "BATCH_MAX",
    "TRANSFER",
    "Account",
    "AccountCode",
    "AccountFilter",
    "AccountFlag",
    "AsyncLedger",
    "BadInput",
    "Closed",
    "Corrupt",
    "Diverged",
    "Fault",
    "Fenced",
    "Follower",
    "FormicaryError",
    "Ledger",
    "Locked",
    "Receipt",
    "Refusal",
    "RemoteLedger",
    "Retry",
    "StorageFull",
    "StorageReadOnly",
    "Transfer",
    "TransferCode",
    "TransferFilter",
    "TransferFlag",
    "connect",
    "connect_async",
    "follow",
    "new_id",
    "open",
    "open_async",
    "parse_receipt",
    "verify_receipt",
    "write_receipt",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    """Load a public name from where it lives."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'formicary' has no attribute {name!r}")
    module, _, renamed = home.partition(":")
    found = getattr(importlib.import_module(f"formicary.{module}"), renamed or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Every public name."""
    return sorted(__all__)
