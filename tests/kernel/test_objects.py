"""Typed objects and records say the same, both ways, and what has no room in a record is named."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput
from formicary.kernel.codes import TransferCode
from formicary.kernel.kernel import Kernel
from formicary.kernel.objects import (
    ACCOUNT_BITS,
    SIGNED,
    TRANSFER_BITS,
    Account,
    Transfer,
    account_records,
    accounts_from,
    transfer_records,
    transfers_from,
)
from formicary.kernel.records import ACCOUNT, TRANSFER, AccountFlag, TransferFlag
from formicary.testing import raw

from tests.kernel.support import START_NS


def fields(bits: dict[str, int]) -> st.SearchStrategy[dict[str, int]]:
    """Any value that each field has room for."""
    return st.fixed_dictionaries({name: st.integers(0, 2**size - 1) for name, size in bits.items()})


def flagged(kind: type[AccountFlag | TransferFlag], values: dict[str, int]) -> dict[str, int]:
    """Give the flags their type."""
    return {**values, "flags": kind(values["flags"])}


@given(st.lists(fields(TRANSFER_BITS), max_size=4))
def test_transfers_there_and_back(rows: list[dict[str, int]]) -> None:
    """Every field comes back as it was."""
    transfers = [Transfer(**flagged(TransferFlag, row)) for row in rows]
    assert transfers_from(transfer_records(transfers)) == transfers


@given(st.lists(fields(ACCOUNT_BITS), max_size=4))
def test_accounts_there_and_back(rows: list[dict[str, int]]) -> None:
    """Every field comes back as it was."""
    accounts = [Account(**flagged(AccountFlag, row)) for row in rows]
    assert accounts_from(account_records(accounts)) == accounts


@given(st.lists(fields(TRANSFER_BITS), min_size=1, max_size=3))
def test_a_transfer_record_has_its_fields_in_their_places(rows: list[dict[str, int]]) -> None:
    """The packed bytes are those of a record whose fields were set by name."""
    packed = transfer_records([Transfer(**flagged(TransferFlag, row)) for row in rows])
    named = raw.transfers([{"hold" if name == "hold_id" else name: row[name] for name in row} for row in rows])
    assert packed.dtype == TRANSFER
    assert packed.tobytes() == named.tobytes()


@given(st.lists(fields(ACCOUNT_BITS), min_size=1, max_size=3))
def test_an_account_record_has_its_fields_in_their_places(rows: list[dict[str, int]]) -> None:
    """The packed bytes are those of a record whose fields were set by name."""
    packed = account_records([Account(**flagged(AccountFlag, row)) for row in rows])
    assert packed.dtype == ACCOUNT
    assert packed.tobytes() == raw.accounts(rows).tobytes()


@pytest.mark.parametrize(("name", "size"), TRANSFER_BITS.items())
def test_a_transfer_field_without_room_is_named(name: str, size: int) -> None:
    """Too large, negative, and not a number at all: the message says which record, which field and what it takes."""
    good = Transfer(id=1)
    for value in (1 << size, -1 if size != SIGNED else -(1 << size) - 1):
        with pytest.raises(BadInput, match=f"transfer 1, {name}: must be from .* to {2**size - 1}, not {value}"):
            transfer_records([good, msgspec.structs.replace(good, **{name: value})])
    with pytest.raises(BadInput, match=f"transfer 0, {name}: must be an integer, not float"):
        transfer_records([msgspec.structs.replace(good, **{name: 1.5})])


@pytest.mark.parametrize(("name", "size"), ACCOUNT_BITS.items())
def test_an_account_field_without_room_is_named(name: str, size: int) -> None:
    """Too large, negative, and not a number at all: the message says which record, which field and what it takes."""
    good = Account(id=1, asset=1, code=1)
    for value in (1 << size, -1 if size != SIGNED else -(1 << size) - 1):
        with pytest.raises(BadInput, match=f"account 1, {name}: must be from .* to {2**size - 1}, not {value}"):
            account_records([good, msgspec.structs.replace(good, **{name: value})])
    with pytest.raises(BadInput, match=f"account 0, {name}: must be an integer, not str"):
        account_records([msgspec.structs.replace(good, **{name: "1"})])


def test_what_is_no_transfer_is_named() -> None:
    """An account where a transfer is needed, and the reverse."""
    with pytest.raises(BadInput, match="transfer 0: Transfer is needed, not Account"):
        transfer_records([Account(id=1, asset=1, code=1)])  # type: ignore[list-item]
    with pytest.raises(BadInput, match="account 1: Account is needed, not dict"):
        account_records([Account(id=1, asset=1, code=1), {}])  # type: ignore[list-item]


def test_objects_go_through_a_kernel() -> None:
    """Opened and posted as objects, read back as objects, with what the ledger has set."""
    kernel = Kernel(None)
    wallet = Account(id=2**100, asset=840, code=10, flags=AccountFlag.DEBITS_LIMITED, user_data=7)
    bank = Account(id=2, asset=840, code=20)
    assert not kernel.open_accounts(account_records([wallet, bank]), START_NS).any()
    top_up = Transfer(id=3, debit=bank.id, credit=wallet.id, amount=500, asset=840, code=1)
    hold = Transfer(id=4, debit=wallet.id, credit=bank.id, amount=200, asset=840, code=1, flags=TransferFlag.HOLD)
    assert not kernel.post(transfer_records([top_up, hold]), START_NS).any()
    stored = transfers_from(kernel.stored_transfers(0, 2))
    assert stored[1] == msgspec.structs.replace(hold, time=START_NS + 1)
    seen = accounts_from(kernel.stored_accounts(0, 2))[0]
    assert seen == msgspec.structs.replace(wallet, debits_held=200, credits_posted=500, time=START_NS, transfers=2)


def test_a_negative_amount_is_the_kernels_to_refuse() -> None:
    """It has a code, and the code has a place in the order."""
    kernel = Kernel(None)
    batch = transfer_records([Transfer(id=1, debit=1, credit=2, amount=-5, asset=1, code=1)])
    assert kernel.post(batch, START_NS).tolist() == [TransferCode.AMOUNT_MUST_NOT_BE_NEGATIVE]


def test_nothing_makes_an_empty_batch() -> None:
    """No objects, no records, and the reverse."""
    assert transfer_records([]).shape == (0,)
    assert transfers_from(np.zeros(0, TRANSFER)) == []
