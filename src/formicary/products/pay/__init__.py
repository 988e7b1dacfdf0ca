"""Payments from person to person: send, ask, split, red packets, standing orders; and everybody's activity list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import CommandType, EventType, Product, QueryType, TimerType, schema_of
from formicary.products.pay import answers, commands, invariants
from formicary.products.pay.codes import CODES
from formicary.products.pay.handlers import orders, packets, requests, sending
from formicary.products.pay.offers import Ledgerbook, Settlement
from formicary.products.pay.queries import questions

if TYPE_CHECKING:
    from formicary.products.pay.needs import Purses, Receivers, Watch

__all__ = ["Ledgerbook", "Settlement", "product"]

READ: Final = "pay:read"
WRITE: Final = "pay:write"
"""Scopes of what a key or token may do for a person."""


def product(*, purses: Purses, watch: Watch, receivers: Receivers) -> Product:
    """Payments, with people's purses, the guard's watch, and whoever else can be paid."""
    needs = sending.Needs(purses, watch, receivers)
    return Product(
        name="pay",
        schema=schema_of(__name__),
        commands=_commands(needs),
        timers=(
            TimerType(name="expire_request", payload=commands.ExpireRequest, handler=requests.expire_request),
            TimerType(
                name="expire_packet", payload=commands.ExpirePacket, handler=partial(packets.expire_packet, purses)
            ),
            TimerType(name="run_order", payload=commands.RunOrder, handler=partial(orders.run_order, needs)),
        ),
        events=_EVENTS,
        queries=_QUERIES,
        codes=CODES,
        invariants=(invariants.packets_hold_their_money, invariants.held_payments_are_held),
    )


def _commands(needs: sending.Needs) -> tuple[CommandType, ...]:
    given = (
        ("send", commands.Send, partial(sending.send, needs), commands.Sent),
        ("ask", commands.Ask, partial(requests.ask, needs), commands.AskMade),
        ("accept_request", commands.AcceptRequest, partial(requests.accept_request, needs), commands.Sent),
        ("decline_request", commands.DeclineRequest, requests.decline_request, None),
        ("withdraw_request", commands.WithdrawRequest, requests.withdraw_request, None),
        ("split", commands.Split, partial(requests.split, needs), commands.SplitMade),
        ("give", commands.Give, partial(packets.give, needs), commands.Given),
        ("open_packet", commands.OpenPacket, partial(packets.open_packet, needs), commands.PacketOpened),
        ("schedule", commands.Schedule, partial(orders.schedule, needs), commands.Scheduled),
        ("cancel_order", commands.CancelOrder, orders.cancel_order, None),
    )
    return tuple(
        CommandType(name=name, body=body, handler=handler, reply=reply, scope=WRITE)
        for name, body, handler, reply in given
    )


_EVENTS: Final = (
    EventType(kind="payment_made", payload=commands.PaymentMade),
    EventType(kind="payment_changed", payload=commands.PaymentChanged),
    EventType(kind="request_made", payload=commands.RequestMade),
    EventType(kind="request_ended", payload=commands.RequestEnded),
    EventType(kind="packet_given", payload=commands.PacketGiven),
    EventType(kind="packet_taken", payload=commands.PacketTaken),
    EventType(kind="packet_ended", payload=commands.PacketEnded),
    EventType(kind="order_failed", payload=commands.OrderFailed),
    EventType(kind="order_ended", payload=commands.OrderEnded),
)
_QUERIES: Final = tuple(
    QueryType(name=name, asked=asked, answer=answer, question=question, scope=READ)
    for name, asked, answer, question in (
        ("activity", answers.AskActivity, answers.Activity, questions.activity),
        ("payment", answers.AskPayment, answers.Movement, questions.payment),
        ("requests", answers.AskRequests, answers.Requests, questions.requests),
        ("request", answers.AskRequest, answers.RequestShown, questions.request),
        ("packets", answers.AskPackets, answers.Packets, questions.packets),
        ("packet", answers.AskPacket, answers.PacketShown, questions.packet),
        ("orders", answers.AskOrders, answers.Orders, questions.orders),
        ("spending", answers.AskSpending, answers.Spending, questions.spending),
    )
)
