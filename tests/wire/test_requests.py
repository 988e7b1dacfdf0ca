"""Each request, through the socket and past it: a client gets exactly what the ledger in its own process gives."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput, Refusal
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.machine.commands import Command, encode
from formicary.machine.receipts import verify_receipt, verify_statement
from formicary.machine.replies import read_reply
from formicary.node import pages
from formicary.node.client import RemoteLedger, connect_async
from formicary.node.ledger import Ledger
from formicary.node.server import Server
from formicary.node.surface import Surface
from formicary.node.wire import Kind
from formicary.queries import AccountFilter, TransferFilter

from tests.wire.conftest import account_batch, transfer_batch
from tests.wire.rawclient import RawClient

BIG = 1 << 100
"""An id that needs both halves."""


@pytest.fixture
def filled(remote: RemoteLedger) -> RemoteLedger:
    """A ledger with four accounts and some history, made through the socket."""
    accounts = [Account(id=number, asset=978, code=1 + number % 2) for number in (1, 2, 3)]
    accounts.append(Account(id=BIG, asset=978, code=7, flags=AccountFlag.DEBITS_LIMITED, user_data=BIG))
    assert remote.accounts(accounts) == [AccountCode.OK] * 4
    remote.post(transfer_batch(1, 100))
    remote.post(transfer_batch(101, 50, debit=2, credit=3, amount=5))
    hold = Transfer(id=BIG + 1, debit=3, credit=1, amount=40, asset=978, code=9, flags=TransferFlag.HOLD)
    taken = msgspec.structs.replace(hold, id=BIG + 2, timeout=60)
    capture = Transfer(id=BIG + 3, hold_id=BIG + 2, amount=15, flags=TransferFlag.CAPTURE)
    assert remote.transfers([hold, taken, capture]) == [TransferCode.OK] * 3
    return remote


def same(one: object, other: object) -> bool:
    """Compare answers, with pages by their arrays."""
    if hasattr(one, "records") and hasattr(other, "records"):
        balances = np.array_equal(getattr(one, "balances", 0), getattr(other, "balances", 0))
        return balances and np.array_equal(one.records, other.records) and one.cursor == other.cursor  # type: ignore[attr-defined]
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)  # type: ignore[arg-type]
    return one == other


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.lookup_accounts([3, BIG, 404, 1]),
        lambda ledger: ledger.lookup_transfers([150, BIG + 1, 404, 1]),
        lambda ledger: ledger.lookup_accounts([]),
        lambda ledger: ledger.account(BIG),
        lambda ledger: ledger.account(404),
        lambda ledger: ledger.transfer(BIG + 1),
        lambda ledger: ledger.balance(3),
        lambda ledger: ledger.history(2),
        lambda ledger: ledger.history(2, limit=7, cursor=ledger.history(2, limit=7).cursor),
        lambda ledger: ledger.query(TransferFilter()),
        lambda ledger: ledger.query(TransferFilter(account=2, debits=False, newest_first=False, limit=3)),
        lambda ledger: ledger.query(TransferFilter(code=9)),
        lambda ledger: ledger.query(TransferFilter(time_max_ns=1)),
        lambda ledger: ledger.query_accounts(AccountFilter()),
        lambda ledger: ledger.query_accounts(AccountFilter(user_data=BIG, newest_first=True)),
        lambda ledger: ledger.balance_history(TransferFilter(account=3, limit=20)),
        lambda ledger: ledger.balance_as_of(3, ledger.transfer(120).time),
        lambda ledger: ledger.trial_balance(),
        lambda ledger: ledger.hold_status(404),
        lambda ledger: ledger.hold_status(BIG + 1),
        lambda ledger: ledger.hold_status(BIG + 2),
        lambda ledger: ledger.info()["ledger_id"],
        lambda ledger: ledger.info()["transfers"],
        lambda ledger: ledger.head().root,
        lambda ledger: ledger.receipt(120).data,
        lambda ledger: ledger.consistency(20).proof,
    ],
)
def test_an_answer_is_the_ledgers_own(filled: RemoteLedger, ledger: Ledger, ask: Callable[[Surface], object]) -> None:
    """The same value, of the same type, from either side of the socket."""
    here, there = ask(ledger), ask(filled)
    assert type(here) is type(there)
    assert same(here, there)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda ledger: ledger.balance(404), "account_not_found"),
        (lambda ledger: ledger.history(404), "account_not_found"),
        (lambda ledger: ledger.balance_as_of(404, 1), "account_not_found"),
        (lambda ledger: ledger.receipt(404), "transfer_not_found"),
        (lambda ledger: ledger.consistency(10**9), "size_unknown"),
        (lambda ledger: ledger.consistency(-1), "size_unknown"),
        (lambda ledger: ledger.query(TransferFilter(limit=0)), "bad_filter"),
        (lambda ledger: ledger.query(TransferFilter(cursor=10**9)), "bad_filter"),
        (lambda ledger: ledger.lookup_accounts([-1]), "wrong_id"),
        (lambda ledger: ledger.lookup_transfers([1 << 128]), "wrong_id"),
        (lambda ledger: ledger.lookup_transfers(range(8191)), "batch_too_long"),
    ],
)
def test_a_refusal_is_the_ledgers_own(
    filled: RemoteLedger, ledger: Ledger, ask: Callable[[Surface], object], code: str
) -> None:
    """The same code from either side of the socket."""
    for each in (ledger, filled):
        with pytest.raises(Refusal) as refused:
            ask(each)
        assert refused.value.code == code


def test_a_receipt_and_a_statement_can_be_checked(filled: RemoteLedger) -> None:
    """What came through the socket verifies, with the ledger's id as all that the holder knew before."""
    assert verify_receipt(filled.receipt(7), filled.ledger_id).trusted
    assert verify_statement(filled.consistency(0), filled.ledger_id).trusted


def test_a_command_gets_its_reply(filled: RemoteLedger) -> None:
    """Bytes in, bytes out: an unknown command is refused by the machine, and a retry gets the same reply."""
    command = encode(Command(id=b"c" * 16, signer=b"", name="no.such", version=1, body=b""))
    reply = read_reply(filled.command(command))
    assert reply.code == "command_unknown"


def test_every_page_of_a_query_can_be_had(filled: RemoteLedger) -> None:
    """Cursors lead through all of an account's history, once each."""
    seen: list[int] = []
    page = filled.history(2, limit=40)
    while True:
        seen.extend(transfer.id for transfer in page.transfers)
        if not page.cursor:
            break
        page = filled.history(2, limit=40, cursor=page.cursor)
    assert seen == list(range(150, 0, -1))


def test_typed_objects_come_back_as_they_were_sent(filled: RemoteLedger) -> None:
    """Every field of a transfer survives two conversions and the wire; only the time is the ledger's."""
    sent = Transfer(
        id=BIG + 7, debit=1, credit=2, amount=9, asset=978, code=3, user_data=BIG + 1, user_data_64=64, user_data_32=32
    )
    assert filled.transfers([sent]) == [TransferCode.OK]
    stored = filled.transfer(BIG + 7)
    assert stored is not None
    assert msgspec.structs.replace(stored, time=0) == sent


def test_tasks_share_a_connection(served: Server) -> None:
    """``connect_async``: many callers, one transfer each, each with its own code."""

    async def run() -> list[TransferCode]:
        async with connect_async(str(served.address), timeout_s=60) as ledger:
            await ledger.accounts([Account(id=number, asset=978, code=1) for number in (1, 2)])
            transfers = [Transfer(id=1 + n // 2, debit=1, credit=2, amount=1, asset=978, code=1) for n in range(200)]
            codes = await asyncio.gather(*(ledger.transfer(transfer) for transfer in transfers))
            assert await ledger.balance(2) == 100
            return codes

    codes = asyncio.run(run())
    assert codes == [TransferCode.OK, TransferCode.EXISTS] * 100


# ── filters and pages as bytes ──────────────────────────────────────────────────────────────────────────────────────

_times = st.integers(0, 2**62)
_filters = st.builds(
    TransferFilter,
    account=st.integers(0, 2**128 - 1),
    debits=st.just(value=True),
    credits=st.booleans(),
    time_min_ns=_times,
    time_max_ns=_times.map(lambda time: 2**62 + time),
    asset=st.integers(0, 2**32 - 1),
    code=st.integers(0, 2**16 - 1),
    user_data=st.integers(0, 2**128 - 1),
    user_data_64=st.integers(0, 2**64 - 1),
    user_data_32=st.integers(0, 2**32 - 1),
    newest_first=st.booleans(),
    limit=st.integers(1, 8190),
    cursor=st.integers(0, 2**63 - 1),
)


@given(_filters)
def test_a_filter_is_read_as_it_was_written(wanted: TransferFilter) -> None:
    """Every field, up to its last bit."""
    assert pages.read_filter(memoryview(pages.pack_filter(wanted))) == wanted


@given(_filters)
def test_a_filter_of_accounts_is_read_as_it_was_written(wanted: TransferFilter) -> None:
    """Every field that the two kinds of filter share."""
    shared = {name: getattr(wanted, name) for name in AccountFilter.__struct_fields__}
    accounts = AccountFilter(**shared)
    assert pages.read_account_filter(memoryview(pages.pack_account_filter(accounts))) == accounts


@pytest.mark.parametrize(
    ("kind", "offset", "value"),
    [
        (Kind.QUERY_TRANSFERS, 50, 8),
        (Kind.QUERY_TRANSFERS, 127, 1),
        (Kind.QUERY_ACCOUNTS, 0, 1),
        (Kind.QUERY_ACCOUNTS, 50, 1),
        (Kind.QUERY_TRANSFERS, 55, 255),
    ],
)
def test_a_filter_that_means_nothing_is_refused(served: Server, kind: Kind, offset: int, value: int) -> None:
    """An undefined flag, a reserved byte, a side or account where none can be, a limit beyond the batch."""
    body = bytearray(128)
    struct.pack_into("<I", body, 52, 10)
    body[offset] = value
    with RawClient(served.address) as client:
        refused = client.ask(kind, 1, bytes(body)).error
    assert isinstance(refused, Refusal)
    assert refused.code == "bad_filter"


def test_a_filter_of_another_language_needs_little(filled: RemoteLedger, served: Server) -> None:
    """An account and a limit, zeros elsewhere: both sides, no end of time, oldest first."""
    body = bytearray(128)
    struct.pack_into("<Q", body, 0, 2)
    struct.pack_into("<I", body, 52, 3)
    with RawClient(served.address) as client:
        answer = client.ask(Kind.QUERY_TRANSFERS, 1, bytes(body))
    cursor, _ = struct.unpack_from("<qq", answer.body)
    assert len(answer.body) == 16 + 3 * 128
    assert [struct.unpack_from("<Q", answer.body, 16 + 128 * each)[0] for each in range(3)] == [1, 2, 3]
    assert cursor == filled.history(2, limit=3, newest_first=False).cursor


def test_sums_beyond_64_bits_travel(filled: RemoteLedger) -> None:
    """JSON carries integers of any length, and so does the trial balance."""
    trial = filled.trial_balance()
    asset = msgspec.structs.replace(trial.assets[0], debits_posted=1 << 90, credits_posted=1 << 90)
    huge = msgspec.structs.replace(trial, assets=(asset,))
    packed = pages.pack_trial_balance(huge)
    assert pages.read_trial_balance(np.frombuffer(packed, np.uint8)) == huge
    assert json.loads(packed)["assets"][0]["debits_posted"] == 1 << 90


def test_an_open_chain_is_refused_before_it_is_sent(served: Server) -> None:
    """A lone LINKED record would draw a stranger's transfer into its chain."""

    async def run() -> None:
        async with connect_async(str(served.address), timeout_s=60) as ledger:
            lone = Transfer(id=1, debit=1, credit=2, amount=1, asset=978, code=1, flags=TransferFlag.LINKED)
            with pytest.raises(BadInput):
                await ledger.transfer(lone)

    asyncio.run(run())


def test_accounts_are_opened_together_or_not_at_all(remote: RemoteLedger) -> None:
    """Linked records of one frame stay one chain."""
    batch = account_batch(1, 2, 3)
    batch["flags"][:2] = AccountFlag.LINKED
    batch["asset"][2] = 0
    codes = [AccountCode(code) for code in remote.open_accounts(batch).tolist()]
    assert codes == [AccountCode.CHAIN_FAILED] * 2 + [AccountCode.ASSET_MUST_NOT_BE_ZERO]
