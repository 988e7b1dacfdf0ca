"""Escrow: money that waits between a buyer and a seller until goods or work have arrived, and pools made to order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from formicary.products.anatomy import Access, CommandType, EventType, Message, Product, QueryType, TimerType, schema_of
from formicary.products.escrow import answers, commands, handlers, invariants
from formicary.products.escrow.codes import CODES
from formicary.products.escrow.needs import Needs, NoCover, OnlyThemselves

if TYPE_CHECKING:
    from formicary.products.escrow.needs import Book, Cover, Purses, Receivers, Staff

READ = "escrow:read"
WRITE = "escrow:write"


def product(
    *,
    purses: Purses,
    receivers: Receivers,
    book: Book,
    cover: Cover | None = None,
    staff: Staff | None = None,
) -> Product:
    """Escrow, with purses to take from, accounts to pay into, and the activity list."""
    needs = Needs(purses, receivers, book, cover or NoCover(), staff or OnlyThemselves())
    return Product(
        name="escrow",
        schema=schema_of(__name__),
        commands=_commands(needs),
        timers=(
            TimerType(name="deadline", payload=commands.Deadline, handler=partial(handlers.deadline, needs)),
            TimerType(
                name="pool_deadline", payload=commands.PoolDeadline, handler=partial(handlers.pool_deadline, needs)
            ),
            TimerType(name="retry", payload=commands.Retry, handler=partial(handlers.retry, needs)),
        ),
        events=(
            EventType(kind="order_moved", payload=commands.OrderMoved),
            EventType(kind="pool_moved", payload=commands.PoolMoved),
            EventType(kind="payout_owed", payload=commands.PayoutOwed),
        ),
        queries=_queries(needs),
        codes=CODES,
        invariants=(invariants.rows_and_balances_agree, invariants.orders_are_whole, invariants.pools_are_whole),
    )


def _commands(needs: Needs) -> tuple[CommandType, ...]:
    def command(
        name: str,
        body: type[Message],
        handler: Any,  # noqa: ANN401 - each takes its own command
        *,
        reply: type[Message] | None = None,
        access: Access = Access.PARTY,
        confirm: bool = False,
    ) -> CommandType:
        bound = partial(handler, needs)
        return CommandType(
            name=name, body=body, handler=bound, reply=reply, access=access, scope=WRITE, confirm=confirm
        )

    return (
        command("buy", commands.Buy, handlers.buy, reply=commands.Bought),
        command("cancel", commands.Cancel, handlers.cancel),
        command("ship", commands.Ship, handlers.ship),
        command("deliver", commands.Deliver, handlers.deliver),
        command("confirm", commands.Confirm, handlers.confirm),
        command("extend", commands.Extend, handlers.extend),
        command("dispute", commands.Dispute, handlers.dispute),
        command("answer", commands.AnswerDispute, handlers.answer),
        command("decide", commands.Decide, handlers.decide, access=Access.OPERATOR, confirm=True),
        command("accept_milestone", commands.AcceptMilestone, handlers.accept_milestone),
        command("open_pool", commands.OpenPool, handlers.open_pool, reply=commands.PoolOpened),
        command("join_pool", commands.JoinPool, handlers.join, reply=commands.PoolJoined),
        command("leave_pool", commands.LeavePool, handlers.leave),
        command("accept_pool_milestone", commands.AcceptPoolMilestone, handlers.accept_stage),
        command("cancel_pool", commands.CancelPool, handlers.cancel_pool),
        command("decide_pool", commands.DecidePool, handlers.decide_pool, access=Access.OPERATOR, confirm=True),
        command("collect", commands.Collect, handlers.collect),
    )


def _queries(needs: Needs) -> tuple[QueryType, ...]:
    def query(
        name: str,
        asked: type[Any],
        answer: type[Any],
        question: Any,  # noqa: ANN401 - each takes its own parameters
        access: Access = Access.PARTY,
    ) -> QueryType:
        bound = partial(question, needs)
        return QueryType(name=name, asked=asked, answer=answer, question=bound, access=access, scope=READ)

    return (
        query("orders", answers.AskOrders, answers.Orders, answers.orders),
        query("order", answers.AskOrder, answers.OrderSeen, answers.order),
        query("disputes", answers.AskDisputes, answers.Orders, answers.disputes, Access.OPERATOR),
        query("pools", answers.AskPools, answers.Pools, answers.pools),
        query("pool", answers.AskPool, answers.PoolSeen, answers.pool),
        query("owed", answers.AskOwed, answers.Owed, answers.owed),
    )
