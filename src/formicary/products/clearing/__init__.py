"""Clearing: payments between this institution and others, each with a ledger of its own; both legs or none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from formicary.products.anatomy import Access, CommandType, EventType, Message, Product, QueryType, TimerType, schema_of
from formicary.products.clearing import answers, commands, handlers, invariants, settling
from formicary.products.clearing.codes import CODES
from formicary.products.clearing.needs import Needs, NoRails

if TYPE_CHECKING:
    from formicary.products.clearing.needs import Book, Purses, Rails, Receivers, Watch

READ = "clearing:read"
WRITE = "clearing:write"


def product(*, purses: Purses, receivers: Receivers, watch: Watch, book: Book, rails: Rails | None = None) -> Product:
    """Clearing, with purses to take from and pay into, the guard, the activity list, and a bank to settle through."""
    needs = Needs(purses, receivers, watch, book, rails or NoRails())
    return Product(
        name="clearing",
        schema=schema_of(__name__),
        commands=_commands(needs),
        timers=(TimerType(name="offer_ends", payload=commands.OfferEnds, handler=partial(handlers.offer_ends, needs)),),
        events=(
            EventType(kind="out_moved", payload=commands.OutMoved),
            EventType(kind="in_moved", payload=commands.InMoved),
            EventType(kind="position_noticed", payload=commands.PositionNoticed),
            EventType(kind="settlement_moved", payload=commands.SettlementMoved),
        ),
        queries=_queries(needs),
        codes=CODES,
        invariants=(
            partial(invariants.positions_are_the_payments, needs),
            invariants.what_is_undecided_is_to_do,
            invariants.settlements_are_decided_by_two,
        ),
    )


def _commands(needs: Needs) -> tuple[CommandType, ...]:
    def command(
        name: str,
        body: type[Message],
        handler: Any,  # noqa: ANN401 - each takes its own command
        *,
        reply: type[Message] | None = None,
        access: Access = Access.DOOR,
        confirm: bool = False,
    ) -> CommandType:
        bound = partial(handler, needs)
        scope = WRITE if access is Access.PARTY else ""
        return CommandType(
            name=name, body=body, handler=bound, reply=reply, access=access, scope=scope, confirm=confirm
        )

    return (
        command("add_institution", commands.AddInstitution, handlers.add_institution),
        command("send_out", commands.SendOut, handlers.send_out, reply=commands.SentOut),
        command("cancel_out", commands.CancelOut, handlers.cancel_out, access=Access.PARTY),
        command("accepted_out", commands.AcceptedOut, handlers.accepted_out),
        command("refused_out", commands.RefusedOut, handlers.refused_out),
        command("told_out", commands.ToldOut, handlers.told_out),
        command("offered_in", commands.OfferedIn, handlers.offered_in),
        command("captured_in", commands.CapturedIn, handlers.captured_in),
        command("cancelled_in", commands.CancelledIn, handlers.cancelled_in),
        command("set_bank", commands.SetBank, settling.set_bank),
        command(
            "propose_settlement",
            commands.ProposeSettlement,
            settling.propose_settlement,
            reply=commands.SettlementProposal,
            access=Access.OPERATOR,
            confirm=True,
        ),
        command(
            "approve_settlement",
            commands.ApproveSettlement,
            settling.approve_settlement,
            access=Access.OPERATOR,
            confirm=True,
        ),
        command("reject_settlement", commands.RejectSettlement, settling.reject_settlement, access=Access.OPERATOR),
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
        scope = "" if access is Access.ANYONE else READ
        return QueryType(name=name, asked=asked, answer=answer, question=bound, access=access, scope=scope)

    return (
        query("institutions", answers.AskInstitutions, answers.Institutions, answers.institutions, Access.ANYONE),
        query("transfers", answers.AskTransfers, answers.Transfers, answers.transfers),
        query("settlements", answers.AskSettlements, answers.Settlements, answers.settlements, Access.OPERATOR),
        query("positions", answers.AskPositions, answers.Positions, answers.positions, Access.OPERATOR),
    )
