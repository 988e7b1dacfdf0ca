"""What the example does: money is set aside for somebody until it is kept, waived, or its time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AMOUNT_ALL, AccountFlag, TransferFlag
from formicary.products.anatomy import TimerId
from formicary.products.example import queries
from formicary.products.example.codes import ASSET, FUNDED, PLEDGED, POCKET, SOURCE, SOURCE_BOOK
from formicary.products.example.commands import (
    Ending,
    Fund,
    Join,
    Joined,
    Keep,
    Lapse,
    Pledge,
    Pledged,
    PledgeEnded,
    PledgeMade,
    Waive,
)

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.machine.genesis import Genesis
    from formicary.products.example.needs import Allowance

PERSON_BYTES = 16


def begin(context: Context, _genesis: Genesis) -> None:
    """Open the account that money comes from."""
    context.open_account(Account(id=SOURCE, asset=ASSET, code=SOURCE_BOOK))


def join(context: Context, _command: Join) -> Joined:
    """Give the signer a pocket that can't be overdrawn."""
    context.refuse_if(len(context.signer) != PERSON_BYTES, "signer_not_a_person")
    context.refuse_if(queries.pocket_of(context.view(), context.signer) is not None, "already_member")
    pocket = context.new_id("pocket")
    context.open_account(Account(id=pocket, asset=ASSET, code=POCKET, flags=AccountFlag.DEBITS_LIMITED))
    context.rows.run("INSERT INTO example_members (person, pocket) VALUES (?, ?)", context.signer, _bytes(pocket))
    return Joined(_bytes(pocket))


def fund(context: Context, command: Fund) -> None:
    """Put money from outside into the signer's pocket."""
    pocket = _pocket(context, context.signer, "not_a_member")
    context.transfer(
        Transfer(
            id=context.new_id("fund"),
            debit=SOURCE,
            credit=pocket,
            amount=command.amount_minor,
            asset=ASSET,
            code=FUNDED,
        )
    )


def pledge(allowance: Allowance, context: Context, command: Pledge) -> Pledged:
    """Hold the money, remember for whom, and set the timer that gives it back."""
    giver = _pocket(context, context.signer, "not_a_member")
    taker = _pocket(context, command.taker, "taker_not_a_member")
    context.refuse_if(giver == taker, "pledge_to_oneself")
    context.refuse_if(command.until_ns <= context.time_ns, "pledge_not_in_future")
    limit_minor = allowance.pledge_minor_max(context, context.signer)
    context.refuse_if(command.amount_minor > limit_minor, "pledge_above_allowance")
    hold = context.new_id("pledge")
    context.transfer(
        Transfer(
            id=hold,
            debit=giver,
            credit=taker,
            amount=command.amount_minor,
            asset=ASSET,
            code=PLEDGED,
            flags=TransferFlag.HOLD,
        )
    )
    name = _bytes(hold)
    timer = context.schedule(command.until_ns, "lapse", Lapse(name))
    sql = """INSERT INTO example_pledges (pledge, giver, taker, amount_minor, until_ns, timer, state)
             VALUES (?, ?, ?, ?, ?, ?, ?)"""
    values = (name, context.signer, command.taker, command.amount_minor, command.until_ns, timer, queries.OPEN)
    context.rows.run(sql, *values)
    context.emit(PledgeMade(name, command.taker, command.amount_minor), subject=command.taker)
    return Pledged(name)


def keep(context: Context, command: Keep) -> None:
    """Pay the whole pledge to its taker."""
    found = _open_pledge(context, command.pledge)
    context.refuse_if(found.giver != context.signer, "pledge_not_yours")
    _end(context, found, "kept")


def waive(context: Context, command: Waive) -> None:
    """Give the whole pledge back to its giver."""
    found = _open_pledge(context, command.pledge)
    context.refuse_if(found.taker != context.signer, "pledge_not_yours")
    _end(context, found, "waived")


def lapse(context: Context, timer: Lapse) -> None:
    """The time is over: the money is the giver's again. Ending a pledge cancels its timer, so this one is open."""
    _end(context, _open_pledge(context, timer.pledge), "lapsed")


def _open_pledge(context: Context, name: bytes) -> queries.PledgeRow:
    found = queries.pledge(context.view(), name)
    if found is None:
        context.refuse("pledge_not_found")
    context.refuse_if(found.state != queries.OPEN, "pledge_ended")
    return found


def _end(context: Context, pledge: queries.PledgeRow, how: Ending) -> None:
    """Resolve the hold one way or the other; nothing else may come of the pledge."""
    context.transfer(
        Transfer(
            id=context.new_id(how),
            hold_id=int.from_bytes(pledge.pledge, "big"),
            amount=AMOUNT_ALL,
            flags=TransferFlag.CAPTURE if how == "kept" else TransferFlag.RELEASE,
        )
    )
    context.cancel(TimerId(pledge.timer))
    context.rows.run("UPDATE example_pledges SET state = ? WHERE pledge = ?", how, pledge.pledge)
    context.emit(PledgeEnded(pledge.pledge, how), subject=pledge.giver)


def _pocket(context: Context, person: bytes, code: str) -> int:
    pocket = queries.pocket_of(context.view(), person)
    if pocket is None:
        context.refuse(code)
    return pocket


def _bytes(number: int) -> bytes:
    return number.to_bytes(16, "big")
