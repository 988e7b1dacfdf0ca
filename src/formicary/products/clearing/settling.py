"""Positions are settled through the banks: what we owe by a payment of ours, what is owed to us by one that comes in.

An operator proposes, somebody else approves, and the money moves from the clearing account into the bank's transit in
one transfer. From then on it is a payment like any other: booked, or rejected or returned, which puts it back on the
clearing account, so that it is owed again. A payment of theirs is known by the reference that was drawn for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.clearing import queries
from formicary.products.clearing.codes import APPROVER, NODE, OPERATOR, SETTLEMENTS_MAX
from formicary.products.clearing.commands import (
    ApproveSettlement,
    ProposeSettlement,
    RejectSettlement,
    SetBank,
    SettlementMoved,
    SettlementProposal,
)
from formicary.products.clearing.handlers import account_with, other_institution

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.clearing.commands import SettlementState
    from formicary.products.clearing.needs import Needs
    from formicary.products.clearing.queries import SettlementRow

NOBODY = bytes(16)
NO_ACCOUNT = bytes(16)


def set_bank(needs: Needs, context: Context, command: SetBank) -> None:
    """Remember where an institution is paid; what waits for approval to another account is refused then."""
    _check_role(needs, context, OPERATOR)
    other_institution(context, command.institution)
    needs.rails.link_peer(
        context,
        party=command.institution,
        account_ref=command.account_ref,
        iban=command.iban,
        iban_digest=command.iban_digest,
        reference=command.reference,
    )
    needs.purses.note_act(context, "clearing_bank_set", subject=command.institution)


def propose_settlement(needs: Needs, context: Context, command: ProposeSettlement) -> SettlementProposal:
    """Write a settlement down until somebody else decides; no more than is owed now.

    Refuses in this order: clearing_role_missing, institution_unknown, settlement_no_bank, settlement_beyond_position,
    settlements_too_many.
    """
    _check_role(needs, context, OPERATOR)
    other_institution(context, command.institution)
    bank = needs.rails.peer_account(context, command.institution)
    if bank is None:
        context.refuse("settlement_no_bank")
    owed_minor = queries.owed_minor(context.view(), command.institution, command.asset)
    context.refuse_if(command.amount_minor > owed_minor, "settlement_beyond_position")
    too_many = len(queries.settlements(context.view(), "waiting", limit=SETTLEMENTS_MAX)) >= SETTLEMENTS_MAX
    context.refuse_if(too_many, "settlements_too_many")
    name = context.new_id("settlement").to_bytes(16, "big")
    kept = _insert(
        context, name, command.institution, command.asset, command.amount_minor,
        state="waiting", account_ref=bank.account_ref, maker=context.signer, payment=NOBODY,
    )  # fmt: skip
    needs.purses.note_act(context, "clearing_settlement_proposed", subject=name)
    _tell(context, kept)
    return SettlementProposal(name)


def approve_settlement(needs: Needs, context: Context, command: ApproveSettlement) -> None:
    """Let the money leave for the institution's bank, when it is still owed and the account is still the same."""
    found = _to_decide(needs, context, command.settlement)
    bank = needs.rails.peer_account(context, found.institution)
    changed = bank is None or bank.account_ref != found.account_ref
    context.refuse_if(changed, "settlement_account_changed")
    owed_minor = queries.owed_minor(context.view(), found.institution, found.asset)
    context.refuse_if(found.amount_minor > owed_minor, "settlement_beyond_position")
    payment = needs.rails.pay_out(
        context,
        party=found.institution,
        account=account_with(context, found.institution, found.asset),
        asset=found.asset,
        amount_minor=found.amount_minor,
        account_ref=found.account_ref,
    )
    _decide(needs, context, found._replace(state="sent", payment=payment))


def reject_settlement(needs: Needs, context: Context, command: RejectSettlement) -> None:
    """Let it come to nothing."""
    _decide(needs, context, _to_decide(needs, context, command.settlement)._replace(state="rejected"))


def settled_in(context: Context, *, party: bytes, payment: bytes, asset: int, amount_minor: int) -> None:
    """Note what an institution paid through the bank. ``context`` is clearing's."""
    kept = _insert(
        context, payment, party, asset, amount_minor,
        state="received", account_ref=NO_ACCOUNT, maker=NOBODY, payment=payment,
    )  # fmt: skip
    _tell(context, kept)


def _check_role(needs: Needs, context: Context, role: str) -> None:
    by_node = context.signer == NODE and role == OPERATOR
    has_role = by_node or needs.purses.has_role(context, context.signer, role)
    context.refuse_if(not has_role, "clearing_role_missing")


def _to_decide(needs: Needs, context: Context, name: bytes) -> SettlementRow:
    _check_role(needs, context, APPROVER)
    found = queries.settlement(context.view(), name)
    if found is None:
        context.refuse("settlement_not_found")
    context.refuse_if(found.state != "waiting", "settlement_decided")
    context.refuse_if(found.maker == context.signer, "settlement_yours")
    return found


def _decide(needs: Needs, context: Context, found: SettlementRow) -> None:
    sql = """UPDATE clearing_settlements SET state = ?, checker = ?, decided_ns = ?, payment = ?
             WHERE settlement = ?"""
    context.rows.run(sql, found.state, context.signer, context.time_ns, found.payment, found.settlement)
    needs.purses.note_act(context, f"clearing_settlement_{found.state}", subject=found.settlement)
    _tell(context, found)


def _insert(
    context: Context,
    name: bytes,
    institution: bytes,
    asset: int,
    amount_minor: int,
    *,
    state: SettlementState,
    account_ref: bytes,
    maker: bytes,
    payment: bytes,
) -> SettlementRow:
    kept = queries.SettlementRow(
        settlement=name,
        number=queries.next_settlement(context.view()),
        institution=institution,
        asset=asset,
        amount_minor=amount_minor,
        state=state,
        account_ref=account_ref,
        maker=maker,
        made_ns=context.time_ns,
        checker=None,
        decided_ns=0,
        payment=payment,
    )
    sql = """INSERT INTO clearing_settlements (settlement, number, institution, asset, amount_minor, state, account_ref,
             maker, made_ns, checker, decided_ns, payment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    context.rows.run(sql, *kept)
    return kept


def _tell(context: Context, row: SettlementRow) -> None:
    state: SettlementState = row.state  # type: ignore[assignment] # the column holds only these
    context.emit(SettlementMoved(row.settlement, row.institution, row.asset, row.amount_minor, state))
