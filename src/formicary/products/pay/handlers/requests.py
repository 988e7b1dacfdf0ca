"""Asking for money: requests, and bills that are split into several of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from formicary.base.money import split as divide
from formicary.products.anatomy import TimerId
from formicary.products.pay.codes import DAY_NS, REQUESTS_OPEN_MAX, SPLIT_DAYS, UNTIL_DAYS_MAX
from formicary.products.pay.commands import (
    AcceptRequest,
    Ask,
    AskMade,
    DeclineRequest,
    ExpireRequest,
    RequestEnded,
    RequestEnding,
    RequestMade,
    Sent,
    Split,
    SplitMade,
    WithdrawRequest,
)
from formicary.products.pay.handlers.sending import Needs, Payment, pay
from formicary.products.pay.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context


def check_until(context: Context, until_ns: int) -> None:
    """Refuse a time that has come, or is more than a year away."""
    context.refuse_if(until_ns <= context.time_ns, "until_not_in_future")
    context.refuse_if(until_ns > context.time_ns + UNTIL_DAYS_MAX * DAY_NS, "until_too_late")


def ask(needs: Needs, context: Context, command: Ask) -> AskMade:
    """Keep the request and tell the one who is asked."""
    _check_asker(needs, context, command.asset)
    context.refuse_if(command.payer == context.signer, "request_to_oneself")
    context.refuse_if(not needs.purses.is_person(context, command.payer), "person_unknown")
    check_until(context, command.until_ns)
    context.refuse_if(rows.requests_open(context, context.signer) >= REQUESTS_OPEN_MAX, "too_many_requests")
    return AskMade(_make(context, command, split_id=None))


def split(needs: Needs, context: Context, command: Split) -> SplitMade:
    """Divide a bill and ask each of the others for their share."""
    _check_asker(needs, context, command.asset)
    parties = [share.party for share in command.shares]
    context.refuse_if(len(set(parties)) < len(parties), "share_named_twice")
    amounts = divide(command.total_minor, [share.weight for share in command.shares])
    asked = [(party, amount) for party, amount in zip(parties, amounts, strict=True) if party != context.signer]
    context.refuse_if(not asked, "nobody_else_to_ask")
    context.refuse_if(any(amount == 0 for _, amount in asked), "share_too_small")
    for party, _ in asked:
        context.refuse_if(not needs.purses.is_person(context, party), "person_unknown")
    open_after = rows.requests_open(context, context.signer) + len(asked)
    context.refuse_if(open_after > REQUESTS_OPEN_MAX, "too_many_requests")
    name = context.new_id("split").to_bytes(16, "big")
    until_ns = context.time_ns + SPLIT_DAYS * DAY_NS
    made = tuple(
        _make(context, Ask(party, command.asset, amount, "friend", command.note, until_ns), split_id=name)
        for party, amount in asked
    )
    return SplitMade(name, made)


def _check_asker(needs: Needs, context: Context, asset: int) -> None:
    """Who asks must be able to get it."""
    context.refuse_if(not needs.purses.is_person(context, context.signer), "person_unknown")
    context.refuse_if(needs.purses.purse(context, context.signer, asset) is None, "currency_not_open")


def _make(context: Context, command: Ask, *, split_id: bytes | None) -> bytes:
    name = context.new_id("request").to_bytes(16, "big")
    timer = context.schedule(command.until_ns, "expire_request", ExpireRequest(name))
    context.rows.run(
        """INSERT INTO pay_requests (request, payee, payer, asset, amount_minor, purpose, note, split, made_ns,
           until_ns, timer, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        name,
        context.signer,
        command.payer,
        command.asset,
        command.amount_minor,
        command.purpose,
        command.note,
        split_id,
        context.time_ns,
        command.until_ns,
        timer,
        rows.OPEN,
    )
    event = RequestMade(name, context.signer, command.asset, command.amount_minor)
    context.emit(event, subject=command.payer)
    return name


def accept_request(needs: Needs, context: Context, command: AcceptRequest) -> Sent:
    """Pay a request, as any payment is paid."""
    found = _open(context, command.request, mine="payer")
    sent = pay(
        needs,
        context,
        Payment(
            payer=found.payer,
            payee=found.payee,
            asset=found.asset,
            amount_minor=found.amount_minor,
            purpose=found.purpose,
            note=found.note,
            kind="request",
            reference=found.request,
        ),
    )
    context.rows.run("UPDATE pay_requests SET payment = ? WHERE request = ?", sent.payment, found.request)
    _end(context, found, "accepted", tell=found.payee)
    return sent


def decline_request(context: Context, command: DeclineRequest) -> None:
    """Say no."""
    found = _open(context, command.request, mine="payer")
    _end(context, found, "declined", tell=found.payee)


def withdraw_request(context: Context, command: WithdrawRequest) -> None:
    """Take one's request back."""
    found = _open(context, command.request, mine="payee")
    _end(context, found, "withdrawn", tell=found.payer)


def expire_request(context: Context, timer: ExpireRequest) -> None:
    """The time is over. Ending a request cancels its timer, so this one is open."""
    found = rows.request(context, timer.request)
    assert found is not None, "requests are never deleted"
    assert found.state == rows.OPEN, "the timer of an ended request is cancelled"
    _end(context, found, "expired", tell=found.payee)


def _open(context: Context, name: bytes, *, mine: Literal["payer", "payee"]) -> rows.RequestRow:
    found = rows.request(context, name)
    if found is None:
        context.refuse("request_not_found")
    who = found.payer if mine == "payer" else found.payee
    context.refuse_if(who != context.signer, "request_not_yours")
    context.refuse_if(found.state != rows.OPEN, "request_ended")
    return found


def _end(context: Context, request: rows.RequestRow, how: RequestEnding, *, tell: bytes) -> None:
    context.cancel(TimerId(request.timer))
    context.rows.run("UPDATE pay_requests SET state = ? WHERE request = ?", how, request.request)
    context.emit(RequestEnded(request.request, how), subject=tell)
