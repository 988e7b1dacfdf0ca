"""Bulk posting: JSON and raw records come to the same, each record has its code, and bad input is a clear 4xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.errors import BadInput, Refusal
from formicary.client import ApiRefusal, Client, NotAllowed
from formicary.gateway import batch
from formicary.kernel.objects import Transfer, transfer_records
from formicary.kernel.records import ACCOUNT, BATCH_MAX, TRANSFER, AccountFlag, TransferFlag

from tests.gateway.house import ALICE, EUR, OPERATOR, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("batch"))
    made.settle()
    yield made
    made.close()


@pytest.fixture(scope="module")
def operator(house: House) -> Iterator[Client]:
    """The institution's own system."""
    with house.client(OPERATOR, "ledger:write", "ledger:read", roles="operator") as client:
        yield client


def hexed(number: int) -> str:
    """An id as the API writes it."""
    return f"{number:032x}"


def account(number: int, *flags: str) -> dict[str, Any]:
    """An account in euros."""
    return {"id": hexed(number), "asset": "EUR", "code": 3, "flags": list(flags)}


def transfer(number: int, debit: int, credit: int, amount: int, **more: Any) -> dict[str, Any]:
    """A transfer in euros."""
    told = {"id": hexed(number), "debit": hexed(debit), "credit": hexed(credit), "amount_minor": amount}
    return told | {"asset": "EUR", "code": 4} | more


def test_accounts_and_transfers_get_their_codes(operator: Client) -> None:
    """Accepted, a retry, and refusals by the ledger's own names."""
    big = 2**127 + 5
    opened = operator.post("/v1/accounts:batch", [account(501), account(big, "debits_limited"), account(501)])
    assert opened["codes"] == ["OK", "OK", "EXISTS"]
    moves = [transfer(601, 501, big, 70), transfer(602, big, 501, 71), transfer(601, 501, big, 70)]
    assert operator.post("/v1/transfers:batch", moves)["codes"] == ["OK", "EXCEEDS_CREDITS", "EXISTS"]
    told = operator.get(f"/v1/accounts/{hexed(big)}")
    assert (told["credits_posted"], told["flags"]) == ("70", int(AccountFlag.DEBITS_LIMITED))
    assert operator.get(f"/v1/transfers/{hexed(601)}")["amount"] == "70"


def test_raw_records_get_raw_codes(operator: Client) -> None:
    """The same records as bytes, the codes as u16."""
    operator.post("/v1/accounts:batch", [account(511), account(512)])
    records = np.zeros(2, TRANSFER)
    records["id_lo"], records["debit_lo"], records["credit_lo"] = [611, 612], [511, 511], [512, 513]
    records["amount"], records["asset"], records["code"] = 5, EUR, 4
    codes = np.frombuffer(operator.post_records("/v1/transfers:batch", records.tobytes()), "<u2")
    assert codes.tolist() == [0, 101]


def test_a_hold_is_captured_in_linked_records(operator: Client) -> None:
    """Flags, hold and timeout reach the kernel."""
    operator.post("/v1/accounts:batch", [account(521), account(522)])
    held = transfer(621, 521, 522, 9, flags=["hold"], timeout_s=3600)
    capture = transfer(622, 521, 522, 9, flags=["capture", "linked"], hold=hexed(621))
    again = transfer(623, 521, 522, 1)
    assert operator.post("/v1/transfers:batch", [held, capture, again])["codes"] == ["OK", "OK", "OK"]


def test_columns_are_what_the_kernel_reads() -> None:
    """Every field of JSON lands in its field of the record, halves of ids the right way round."""
    number = 0x0123456789ABCDEF_FEDCBA9876543210
    body = [
        transfer(
            number,
            number + 1,
            number + 2,
            2**63 - 1,
            flags=["linked", "hold"],
            hold=hexed(7),
            timeout_s=9,
            user_data=hexed(number + 3),
            user_data_64=2**63 - 1,
            user_data_32=2**32 - 1,
        ),
        transfer(1, 2, 3, 4, asset="USD"),
    ]
    flags = TransferFlag.LINKED | TransferFlag.HOLD
    wanted = [
        Transfer(
            id=number,
            debit=number + 1,
            credit=number + 2,
            amount=2**63 - 1,
            asset=EUR,
            code=4,
            flags=flags,
            hold_id=7,
            timeout=9,
            user_data=number + 3,
            user_data_64=2**63 - 1,
            user_data_32=2**32 - 1,
        ),
        Transfer(id=1, debit=2, credit=3, amount=4, asset=840, code=4),
    ]
    assert batch.read_transfers(msgspec.json.encode(body)).tobytes() == transfer_records(wanted).tobytes()
    accounts = batch.read_accounts(msgspec.json.encode([account(number, "debits_limited", "linked")]))
    assert accounts.dtype == ACCOUNT
    assert (int(accounts["id_lo"][0]), int(accounts["id_hi"][0])) == (number % 2**64, number >> 64)
    assert accounts["flags"].tolist() == [3]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[1]",
        b"\xff",
        b"[" * 10_000,
        msgspec.json.encode([transfer(1, 2, 3, 4) | {"id": "x" * 32}]),
        msgspec.json.encode([transfer(1, 2, 3, 4) | {"id": " " * 16 + "0" * 16}]),
        msgspec.json.encode([transfer(1, 2, 3, 4) | {"flags": ["nonsense"]}]),
        msgspec.json.encode([transfer(1, 2, 3, 4) | {"asset": "???"}]),
        msgspec.json.encode([transfer(1, 2, 3, -4)]),
        msgspec.json.encode([transfer(1, 2, 3, 2**63)]),
        msgspec.json.encode([transfer(1, 2, 3, 4) | {"more": 1}]),
        msgspec.json.encode([transfer(1, 2, 3, 4)] * (BATCH_MAX + 1)),
    ],
)
def test_what_can_not_be_read_is_refused(body: bytes) -> None:
    """Nothing is posted of a batch that has one unreadable record."""
    with pytest.raises((BadInput, Refusal)):
        batch.read_transfers(body)


def test_doors_refuse_what_is_too_much_or_not_theirs(house: House, operator: Client) -> None:
    """Half a record, too many of them, and people without the scope."""
    for raw in (b"", b"x" * 127, bytes(128 * (BATCH_MAX + 1))):
        with pytest.raises(ApiRefusal) as refused:
            operator.post_records("/v1/transfers:batch", raw)
        assert 400 <= refused.value.status < 500
    with house.client(ALICE, "wallet:read") as alice, pytest.raises(NotAllowed):
        alice.post("/v1/transfers:batch", [])


def test_a_whole_batch_goes_through(operator: Client) -> None:
    """8,190 in one request, as JSON."""
    operator.post("/v1/accounts:batch", [account(531), account(532)])
    moves = [transfer(10_000 + number, 531, 532, 1) for number in range(BATCH_MAX)]
    answer = operator.post("/v1/transfers:batch", moves)
    assert answer["codes"] == ["OK"] * BATCH_MAX
    assert operator.get(f"/v1/accounts/{hexed(532)}")["credits_posted"] == str(BATCH_MAX)
