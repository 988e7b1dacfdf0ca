"""How the rules change: an operator proposes a whole version, and somebody else approves it before it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.guard import rules
from formicary.products.guard.codes import PROPOSALS_MAX
from formicary.products.guard.commands import (
    ApproveRules,
    ProposeRules,
    RejectRules,
    RulesDecided,
    RulesProposal,
    RulesProposed,
    RulesSet,
)
from formicary.products.guard.handlers.operating import speak
from formicary.products.guard.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.guard.needs import Purses


def propose_rules(purses: Purses, context: Context, command: ProposeRules) -> RulesProposal:
    """Write a version down until somebody else decides; what could never speak is refused already.

    Refuses in this order: role_missing, what the rules lack, rules_moved, rules_same, rule_proposals_too_many.
    """
    purses.require_role(context, "operator")
    code = rules.wrong(command.rules)
    context.refuse_if(bool(code), code)
    current = rows.ruleset(context)
    context.refuse_if(command.based_on != current.version, "rules_moved")
    stored = rules.store(command.rules)
    context.refuse_if(stored == current.rules, "rules_same")
    context.refuse_if(rows.count_waiting(context) >= PROPOSALS_MAX, "rule_proposals_too_many")
    name = context.new_id("rules").to_bytes(16, "big")
    sql = """INSERT INTO guard_proposals (proposal, made_ns, maker, based_on, rules, state, checker, decided_ns,
             version) VALUES (?, ?, ?, ?, ?, 'waiting', NULL, 0, 0)"""
    context.rows.run(sql, name, context.time_ns, context.signer, command.based_on, stored)
    purses.note_act(context, "guard_rules_proposed", subject=name, detail=f"over version {command.based_on}")
    context.emit(RulesProposed(name), subject=context.signer)
    return RulesProposal(name)


def approve_rules(purses: Purses, context: Context, command: ApproveRules) -> RulesSet:
    """Let somebody else's version speak; refused when another has come to speak since (``rules_moved``)."""
    found = _to_decide(purses, context, command.proposal)
    context.refuse_if(found.based_on != rows.ruleset(context).version, "rules_moved")
    version = speak(context, rules.read(found.rules), context.signer)
    _decide(purses, context, found, "approved", version)
    return RulesSet(version)


def reject_rules(purses: Purses, context: Context, command: RejectRules) -> None:
    """Let somebody else's version come to nothing."""
    _decide(purses, context, _to_decide(purses, context, command.proposal), "rejected", 0)


def _to_decide(purses: Purses, context: Context, name: bytes) -> rows.ProposalRow:
    purses.require_role(context, "approver")
    found = rows.proposal(context, name)
    if found is None:
        context.refuse("rule_proposal_not_found")
    context.refuse_if(found.state != "waiting", "rule_proposal_decided")
    context.refuse_if(found.maker == context.signer, "rule_proposal_yours")
    return found


def _decide(purses: Purses, context: Context, found: rows.ProposalRow, state: str, version: int) -> None:
    sql = "UPDATE guard_proposals SET state = ?, checker = ?, decided_ns = ?, version = ? WHERE proposal = ?"
    context.rows.run(sql, state, context.signer, context.time_ns, version, found.proposal)
    detail = f"version {version}" if version else ""
    purses.note_act(context, f"guard_rules_{state}", subject=found.proposal, detail=detail)
    context.emit(RulesDecided(found.proposal, state == "approved"), subject=found.maker)
