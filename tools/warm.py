"""Compile what the ledger runs, once, into the cache beside the code, so that the first real use does not wait."""

from __future__ import annotations

import tempfile
from pathlib import Path

import formicary
from formicary import Account, Transfer


def main() -> None:
    """Use a small ledger on disk, and come back to it."""
    with tempfile.TemporaryDirectory(prefix="formicary-warm-") as folder:
        path = Path(folder) / "ledger"
        with formicary.open(path) as ledger:
            ledger.accounts([Account(id=number, asset=978, code=1) for number in (1, 2)])
            ledger.transfers([Transfer(id=1, debit=1, credit=2, amount=1, asset=978, code=1)])
        with formicary.open(path) as ledger:
            ledger.history(1)
            ledger.balance_as_of(1, ledger.info()["time_ns"])
            ledger.trial_balance()


if __name__ == "__main__":
    main()
