"""What operators do: tiers and freezes by one of them, and by two what changes limits, parameters and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from formicary.products.wallet import audit
from formicary.products.wallet.codes import FROZEN, NODE, PARAMETERS, PERSON_BYTES, PROPOSALS_MAX
from formicary.products.wallet.commands import (
    Appoint,
    Approve,
    Change,
    Dismiss,
    FreezePerson,
    Frozen,
    LimitChanged,
    ParameterChanged,
    ProposalDecided,
    ProposalMade,
    Propose,
    Proposed,
    Reject,
    RoleChanged,
    SetLimit,
    SetParameter,
    SetTier,
    TierChanged,
    UnfreezePerson,
    Unfrozen,
)
from formicary.products.wallet.handlers import standing
from formicary.products.wallet.limits import CURRENT_NUMBERS, Limits
from formicary.products.wallet.offers import Purses

if TYPE_CHECKING:
    from formicary.machine.context import Context

WAITING: Final = "waiting"
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[Change]] = msgspec.msgpack.Decoder(Change)


class Proposal(NamedTuple):
    """One proposal, as it is now."""

    proposal: bytes
    maker: bytes
    change: bytes
    state: str


# ── one operator ────────────────────────────────────────────────────────────────────────────────────────────────────


def set_tier(context: Context, command: SetTier) -> None:
    """Move a person to another tier; what they have spent stays counted."""
    Purses().require_role(context, "operator")
    found = standing.present(context, command.person)
    context.refuse_if(found.tier == command.tier, "tier_same")
    context.rows.run("UPDATE wallet_people SET tier = ? WHERE person = ?", command.tier, command.person)
    audit.note(context, "set_tier", subject=command.person, detail=f"T{command.tier}")
    context.emit(TierChanged(command.tier), subject=command.person)


def freeze_person(context: Context, command: FreezePerson) -> None:
    """Stop a person's payments."""
    Purses().require_role(context, "operator")
    found = standing.present(context, command.person)
    context.refuse_if(bool(found.operator_frozen), "already_frozen")
    standing.set_frozen(context, command.person, self_frozen=found.self_frozen, operator_frozen=command.reason)
    audit.note(context, "freeze_person", subject=command.person, detail=command.reason)
    context.emit(Frozen(command.person, command.reason), subject=command.person)


def unfreeze_person(context: Context, command: UnfreezePerson) -> None:
    """Undo an operator's freeze; the person's own holds on."""
    Purses().require_role(context, "operator")
    found = standing.present(context, command.person)
    context.refuse_if(found.state != FROZEN or not found.operator_frozen, "not_frozen")
    standing.set_frozen(context, command.person, self_frozen=found.self_frozen, operator_frozen="")
    audit.note(context, "unfreeze_person", subject=command.person, detail=found.operator_frozen)
    context.emit(Unfrozen(command.person, bool(found.self_frozen)), subject=command.person)


def appoint(context: Context, command: Appoint) -> None:
    """Give a role, from the machine's own command line: how the first two operators come to be."""
    context.refuse_if(context.signer != NODE, "role_missing")
    _apply(context, command)


def dismiss(context: Context, command: Dismiss) -> None:
    """Take a role, from the machine's own command line."""
    context.refuse_if(context.signer != NODE, "role_missing")
    _apply(context, command)


# ── two people ──────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(context: Context, command: Propose) -> Proposed:
    """Write a change down until somebody else decides; what could never be done is refused already."""
    context.refuse_if(len(context.signer) != PERSON_BYTES, "signer_not_a_person")
    Purses().require_role(context, "operator")
    _check(context, command.change)
    sql = "SELECT count(*) FROM wallet_proposals WHERE state = ? ORDER BY 1"
    context.refuse_if(standing.count(context, sql, WAITING) >= PROPOSALS_MAX, "proposals_too_many")
    name = context.new_id("proposal").to_bytes(16, "big")
    sql = """INSERT INTO wallet_proposals (proposal, made_ns, maker, change, state, checker, decided_ns)
             VALUES (?, ?, ?, ?, ?, NULL, 0)"""
    context.rows.run(sql, name, context.time_ns, context.signer, _encoder.encode(command.change), WAITING)
    audit.note(context, "propose", subject=name, detail=words(command.change))
    context.emit(ProposalMade(name), subject=context.signer)
    return Proposed(name)


def approve(context: Context, command: Approve) -> None:
    """Let somebody else's change take effect; refused as a whole when it can't any more."""
    found = _to_decide(context, command.proposal)
    change = read_change(found.change)
    _check(context, change)
    _decide(context, found, approved=True)
    _apply(context, change)


def reject(context: Context, command: Reject) -> None:
    """Let somebody else's change come to nothing."""
    _decide(context, _to_decide(context, command.proposal), approved=False)


def read_change(body: bytes) -> Change:
    """The change of a proposal's row."""
    return _decoder.decode(body)


def words(change: Change) -> str:
    """A change in one line for the audit; people by their ids."""
    if isinstance(change, SetLimit):
        limits = f"{change.payment_minor}/{change.day_minor}/{change.year_minor}/{change.balance_minor}"
        return f"set_limit T{change.tier} {change.asset} {limits}"
    if isinstance(change, SetParameter):
        return f"set_parameter {change.name} {change.value}"
    verb = "appoint" if isinstance(change, Appoint) else "dismiss"
    return f"{verb} {change.person.hex()} {change.role}"


def _to_decide(context: Context, name: bytes) -> Proposal:
    Purses().require_role(context, "approver")
    sql = "SELECT proposal, maker, change, state FROM wallet_proposals WHERE proposal = ? ORDER BY proposal"
    row = context.rows.one(sql, name)
    if row is None:
        context.refuse("proposal_not_found")
    found = Proposal(*row)
    context.refuse_if(found.state != WAITING, "proposal_decided")
    context.refuse_if(found.maker == context.signer, "proposal_yours")
    return found


def _decide(context: Context, proposal: Proposal, *, approved: bool) -> None:
    state = "approved" if approved else "rejected"
    sql = "UPDATE wallet_proposals SET state = ?, checker = ?, decided_ns = ? WHERE proposal = ?"
    context.rows.run(sql, state, context.signer, context.time_ns, proposal.proposal)
    audit.note(context, "approve" if approved else "reject", subject=proposal.proposal)
    context.emit(ProposalDecided(proposal.proposal, approved), subject=proposal.maker)


def _check(context: Context, change: Change) -> None:
    """Refuse what can't take effect."""
    if isinstance(change, SetLimit):
        context.refuse_if(change.asset not in CURRENT_NUMBERS, "currency_unknown")
        limits = Limits(change.payment_minor, change.day_minor, change.year_minor, change.balance_minor)
        context.refuse_if(not limits.in_order, "limits_out_of_order")
    elif isinstance(change, SetParameter):
        known = PARAMETERS.get(change.name)
        if known is None:
            context.refuse("parameter_unknown")
        context.refuse_if(not known.least <= change.value <= known.greatest, "parameter_out_of_range")
    else:
        standing.present(context, change.person)
        sql = "SELECT role FROM wallet_roles WHERE person = ? AND role = ? ORDER BY person"
        given = context.rows.one(sql, change.person, change.role) is not None
        context.refuse_if(given and isinstance(change, Appoint), "role_given_already")
        context.refuse_if(not given and isinstance(change, Dismiss), "role_not_given")


def _apply(context: Context, change: Change) -> None:
    """Do what was decided."""
    _check(context, change)
    if isinstance(change, SetLimit):
        key, limits = (change.tier, change.asset), (change.payment_minor, change.day_minor, change.year_minor)
        context.rows.run("DELETE FROM wallet_limits WHERE tier = ? AND asset = ?", *key)
        sql = """INSERT INTO wallet_limits (tier, asset, payment_minor, day_minor, year_minor, balance_minor)
                 VALUES (?, ?, ?, ?, ?, ?)"""
        context.rows.run(sql, *key, *limits, change.balance_minor)
        context.emit(LimitChanged(*key))
    elif isinstance(change, SetParameter):
        context.rows.run("UPDATE wallet_parameters SET value = ? WHERE name = ?", change.value, change.name)
        context.emit(ParameterChanged(change.name, change.value))
    elif isinstance(change, Appoint):
        sql = "INSERT INTO wallet_roles (person, role) VALUES (?, ?)"
        context.rows.run(sql, change.person, change.role)
        context.emit(RoleChanged(change.person, change.role, given=True), subject=change.person)
    else:
        context.rows.run("DELETE FROM wallet_roles WHERE person = ? AND role = ?", change.person, change.role)
        context.emit(RoleChanged(change.person, change.role, given=False), subject=change.person)
    if context.signer == NODE:
        audit.note(context, "node", subject=b"", detail=words(change))
