"""The guard: holds what looks like a scam, says why, tells who is trusted, and gives it back for the asking."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import Access, CommandType, EventType, Product, QueryType, TimerType, schema_of
from formicary.products.guard import answers, commands, invariants
from formicary.products.guard.codes import CODES
from formicary.products.guard.handlers import operating, proposing, voices
from formicary.products.guard.offers import Watch
from formicary.products.guard.queries import questions

if TYPE_CHECKING:
    from formicary.products.guard.needs import Book, Payments, Purses

__all__ = ["Watch", "product"]

READ: Final = "guard:read"
WRITE: Final = "guard:write"
"""Scopes of what a key or token may do for a person."""


def product(*, purses: Purses, payments: Sequence[Payments], book: Book) -> Product:
    """The guard, with people's purses, everybody who places holds, and the list of all payments."""
    return Product(
        name="guard",
        schema=schema_of(__name__),
        steady=frozenset({"guard_marks", "guard_rulesets"}),
        commands=_commands(purses, payments, book),
        timers=(
            TimerType(
                name="end_hold", payload=commands.EndHold, handler=partial(operating.run_end_hold, payments, book)
            ),
        ),
        events=_EVENTS,
        queries=_queries(purses),
        codes=CODES,
        invariants=(
            invariants.every_hold_is_held,
            invariants.rings_have_members,
            invariants.rules_are_decided_by_two,
        ),
        on_genesis=operating.begin,
    )


def _commands(purses: Purses, payments: Sequence[Payments], book: Book) -> tuple[CommandType, ...]:
    return (
        CommandType(name="recall", body=commands.Recall, handler=partial(voices.recall, payments, book), scope=WRITE),
        CommandType(name="appeal", body=commands.Appeal, handler=voices.appeal, scope=WRITE),
        CommandType(
            name="report",
            body=commands.Report,
            handler=partial(voices.report, book),
            reply=commands.Reported,
            scope=WRITE,
        ),
        CommandType(
            name="decide",
            body=commands.Decide,
            handler=partial(operating.decide, purses, payments, book),
            access=Access.OPERATOR,
            scope=WRITE,
        ),
        CommandType(
            name="set_rules",
            body=commands.SetRules,
            handler=partial(operating.set_rules, purses),
            reply=commands.RulesSet,
            access=Access.DOOR,
        ),
        CommandType(
            name="propose_rules",
            body=commands.ProposeRules,
            handler=partial(proposing.propose_rules, purses),
            reply=commands.RulesProposal,
            access=Access.OPERATOR,
            scope=WRITE,
            confirm=True,
        ),
        CommandType(
            name="approve_rules",
            body=commands.ApproveRules,
            handler=partial(proposing.approve_rules, purses),
            reply=commands.RulesSet,
            access=Access.OPERATOR,
            confirm=True,
        ),
        CommandType(
            name="reject_rules",
            body=commands.RejectRules,
            handler=partial(proposing.reject_rules, purses),
            access=Access.OPERATOR,
        ),
    )


def _queries(purses: Purses) -> tuple[QueryType, ...]:
    return (
        QueryType(name="holds", asked=answers.AskHolds, answer=answers.Holds, question=questions.holds, scope=READ),
        QueryType(name="hold", asked=answers.AskHold, answer=answers.HoldShown, question=questions.hold, scope=READ),
        QueryType(
            name="cases",
            asked=answers.AskCases,
            answer=answers.Cases,
            question=partial(questions.cases, purses),
            access=Access.OPERATOR,
            scope=READ,
        ),
        QueryType(
            name="case",
            asked=answers.AskCase,
            answer=answers.CaseShown,
            question=partial(questions.case, purses),
            scope=READ,
        ),
        QueryType(
            name="rule_proposals",
            asked=answers.AskRuleProposals,
            answer=answers.RuleProposals,
            question=partial(questions.rule_proposals, purses),
            access=Access.OPERATOR,
            scope=READ,
        ),
        QueryType(
            name="rules",
            asked=answers.AskRules,
            answer=answers.Rules,
            question=questions.rules,
            access=Access.ANYONE,
        ),
    )


_EVENTS: Final = (
    EventType(kind="payment_held", payload=commands.PaymentHeld),
    EventType(kind="trusted_told", payload=commands.TrustedTold),
    EventType(kind="hold_ended", payload=commands.HoldEnded),
    EventType(kind="case_opened", payload=commands.CaseOpened),
    EventType(kind="case_decided", payload=commands.CaseDecided),
    EventType(kind="case_appealed", payload=commands.CaseAppealed),
    EventType(kind="rules_changed", payload=commands.RulesChanged),
    EventType(kind="rules_proposed", payload=commands.RulesProposed),
    EventType(kind="rules_decided", payload=commands.RulesDecided),
)
