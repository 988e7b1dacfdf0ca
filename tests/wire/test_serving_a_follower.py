"""A process that follows a log serves reads beside the writer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import formicary
from formicary import Account, Refusal, Transfer
from formicary.testing.served_load import serving


def test_reads_are_served_beside_the_writer(tmp_path: Path) -> None:
    """What the writer posts is soon read through the follower's socket; posting there is refused."""
    with formicary.open(tmp_path / "one") as ledger:
        ledger.accounts([Account(id=number, asset=978, code=1) for number in (1, 2)])
        with serving(tmp_path / "one", "--follow") as (_, address), formicary.connect(address) as reader:
            pay = Transfer(id=1, debit=1, credit=2, amount=5, asset=978, code=1)
            ledger.transfers([pay])
            ends = time.monotonic() + 20
            while reader.balance(2) != 5:
                assert time.monotonic() < ends, "the follower never caught up"
                time.sleep(0.02)
            assert [transfer.id for transfer in reader.history(2).transfers] == [1]
            with pytest.raises(Refusal, match="reading only"):
                reader.transfers([pay])
