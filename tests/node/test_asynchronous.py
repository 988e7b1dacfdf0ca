"""Many tasks, one transfer each: grouped into entries, answered each with its own code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import formicary
from formicary import Account, AsyncLedger, BadInput, Transfer, TransferCode, TransferFlag


def pay(number: int, **fields: int) -> Transfer:
    """A transfer of one cent from account 1 to account 2."""
    return Transfer(id=number, debit=1, credit=2, amount=1, asset=978, code=1, **fields)


async def open_pair(ledger: AsyncLedger) -> None:
    """Open accounts 1 and 2 from two tasks."""
    codes = await asyncio.gather(*(ledger.account(Account(id=each, asset=978, code=1)) for each in (1, 2)))
    assert not any(codes)


def test_many_callers_share_entries(tmp_path: Path) -> None:
    """A thousand tasks are answered, and need far fewer entries than a thousand."""

    async def story() -> None:
        async with formicary.open_async(tmp_path / "one") as ledger:
            await open_pair(ledger)
            codes = await asyncio.gather(*(ledger.transfer(pay(number)) for number in range(1, 1001)))
            assert codes == [TransferCode.OK] * 1000
            assert await ledger.transfer(pay(7)) == TransferCode.EXISTS
            assert await ledger.balance(2) == 1000
            info = await ledger.read("info")
            assert info["entries"] < 100

    asyncio.run(story())


def test_a_chain_stays_whole() -> None:
    """A chain is one call; a call that leaves a chain open is refused before it is sent."""

    async def story() -> None:
        async with formicary.open_async() as ledger:
            await open_pair(ledger)
            chain = [pay(1, flags=TransferFlag.LINKED), pay(2, hold_id=9)]
            codes = await asyncio.gather(ledger.transfers(chain), ledger.transfer(pay(3)))
            assert codes == [[TransferCode.CHAIN_FAILED, TransferCode.HOLD_ID_MUST_BE_ZERO], TransferCode.OK]
            with pytest.raises(BadInput, match="LINKED"):
                await ledger.transfer(pay(4, flags=TransferFlag.LINKED))

    asyncio.run(story())


def test_a_bad_record_fails_its_own_group_only() -> None:
    """What can't be packed is told to its caller, and the ledger goes on."""

    async def story() -> None:
        async with formicary.open_async() as ledger:
            await open_pair(ledger)
            with pytest.raises(BadInput):
                await ledger.transfer(pay(-1))
            assert await ledger.transfer(pay(1)) == TransferCode.OK

    asyncio.run(story())


def test_a_cancelled_caller_disturbs_nobody() -> None:
    """Cancelling a task takes nothing back: the transfer stands, and the others are answered."""

    async def story() -> None:
        async with formicary.open_async() as ledger:
            await open_pair(ledger)
            tasks = [asyncio.create_task(ledger.transfer(pay(number))) for number in range(1, 11)]
            await asyncio.sleep(0)
            tasks[3].cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(answers[3], asyncio.CancelledError)
            assert [answer for answer in answers if not isinstance(answer, BaseException)] == [TransferCode.OK] * 9
            assert await ledger.balance(2) in {9, 10}

    asyncio.run(story())
