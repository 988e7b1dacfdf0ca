"""Questions of operators, approvers and auditors: people, roles, proposals, parameters and what operators did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from formicary.products.wallet.answers import (
    Audit,
    AuditItem,
    ListAudit,
    ListPeople,
    ListProposals,
    Nothing,
    OfPerson,
    ParameterItem,
    Parameters,
    People,
    PersonAnswer,
    PersonItem,
    ProposalItem,
    Proposals,
    RoleItem,
    Roles,
)
from formicary.products.wallet.codes import NODE, PARAMETERS
from formicary.products.wallet.commands import Change
from formicary.products.wallet.handlers.operating import read_change
from formicary.products.wallet.offers import Purses
from formicary.products.wallet.queries import (
    PersonRow,
    account_items,
    aliases_count,
    contacts_count,
    counted,
    devices_count,
    person_row,
    refuse,
    roles_of,
)

if TYPE_CHECKING:
    from formicary.machine.context import View

READERS: Final = ("operator", "approver", "auditor")
"""Roles that may read what is here."""
NUMBER_MAX: Final = 2**63 - 1
ID_DIGITS: Final = 32
_PREFIX: Final = re.compile(r"[0-9a-f]{0,32}")
_PERSON: Final = "person, tier, state, self_frozen, operator_frozen, opened_ns"
_PROPOSAL: Final = "proposal, made_ns, maker, change, state, checker, decided_ns"


def people(view: View, who: bytes, asked: ListPeople) -> People:
    """Some people, by the beginning of their ids."""
    _require_reader(view, who)
    if not _PREFIX.fullmatch(asked.prefix):
        refuse("digest_unreadable")
    first = bytes.fromhex(asked.prefix.ljust(ID_DIGITS, "0"))
    last = bytes.fromhex(asked.prefix.ljust(ID_DIGITS, "f"))
    after = b"" if not asked.after else _id_after(asked.after)
    where, values = ("AND state = ?", (asked.state,)) if asked.state else ("", ())
    sql = f"""SELECT {_PERSON} FROM wallet_people WHERE person > ? AND person >= ? AND person <= ? {where}
              ORDER BY person LIMIT ?"""  # noqa: S608 - put together from our own constants
    rows = [PersonRow(*row) for row in view.rows.all(sql, after, first, last, *values, asked.limit + 1)]
    shown = rows[: asked.limit]
    following = shown[-1].person.hex() if len(rows) > asked.limit else ""
    return People(items=tuple(_person_item(row) for row in shown), next=following)


def person(view: View, who: bytes, asked: OfPerson) -> PersonAnswer:
    """One person, with balances."""
    _require_reader(view, who)
    row = person_row(view, asked.person)
    return PersonAnswer(
        person=_person_item(row),
        accounts=account_items(view, row.person),
        devices=devices_count(view, row.person),
        aliases=aliases_count(view, row.person),
        contacts=contacts_count(view, row.person),
        trusted=counted(view, "SELECT count(*) FROM wallet_trusted WHERE person = ? ORDER BY 1", row.person),
        roles=roles_of(view, row.person),
    )


def roles(view: View, who: bytes, _asked: Nothing) -> Roles:
    """Everybody with a role."""
    _require_reader(view, who)
    rows = view.rows.all("SELECT person, role FROM wallet_roles ORDER BY person, role")
    return Roles(items=tuple(RoleItem(person=person, role=role) for person, role in rows))


def proposals(view: View, who: bytes, asked: ListProposals) -> Proposals:
    """Some proposals, newest first."""
    _require_reader(view, who)
    made_ns, name = _proposal_after(asked.after) if asked.after else (NUMBER_MAX, b"")
    where, values = ("state = ? AND", (asked.state,)) if asked.state else ("", ())
    sql = f"""SELECT {_PROPOSAL} FROM wallet_proposals WHERE {where} (made_ns, proposal) < (?, ?)
              ORDER BY made_ns DESC, proposal DESC LIMIT ?"""  # noqa: S608 - the same
    rows = view.rows.all(sql, *values, made_ns, name, asked.limit + 1)
    items = [
        _proposal_item(
            read_change(change),
            who,
            proposal=proposal,
            made_ns=at_ns,
            maker=maker,
            state=state,
            checker=checker,
            decided_ns=decided_ns,
        )
        for proposal, at_ns, maker, change, state, checker, decided_ns in rows[: asked.limit]
    ]
    following = f"{items[-1].made_ns}.{items[-1].proposal.hex()}" if len(rows) > asked.limit else ""
    return Proposals(items=tuple(items), next=following)


def parameters(view: View, _who: bytes, _asked: Nothing) -> Parameters:
    """All parameters; they are public."""
    rows = view.rows.all("SELECT name, value FROM wallet_parameters ORDER BY name")
    return Parameters(
        items=tuple(
            ParameterItem(name=name, value=value, least=PARAMETERS[name].least, greatest=PARAMETERS[name].greatest)
            for name, value in rows
        )
    )


def audit(view: View, who: bytes, asked: ListAudit) -> Audit:
    """Some acts, newest first."""
    _require_reader(view, who)
    before = _number_after(asked.after) if asked.after else NUMBER_MAX
    sql = """SELECT number, at_ns, actor, action, subject, detail FROM wallet_audit WHERE number < ?
             ORDER BY number DESC LIMIT ?"""
    rows = view.rows.all(sql, before, asked.limit + 1)
    items = [
        AuditItem(
            number=number,
            at_ns=at_ns,
            actor=None if actor == NODE else actor,
            action=action,
            subject=subject.hex(),
            detail=detail,
        )
        for number, at_ns, actor, action, subject, detail in rows[: asked.limit]
    ]
    return Audit(items=tuple(items), next=str(items[-1].number) if len(rows) > asked.limit else "")


def _require_reader(view: View, who: bytes) -> None:
    if not any(Purses().has_role(view, who, role) for role in READERS):
        refuse("role_missing")


def _person_item(row: PersonRow) -> PersonItem:
    return PersonItem(
        person=row.person,
        tier=row.tier,
        state=row.state,
        frozen_by=row.frozen_by,
        reason=row.operator_frozen,
        opened_ns=row.opened_ns,
    )


def _proposal_item(
    change: Change,
    who: bytes,
    *,
    proposal: bytes,
    made_ns: int,
    maker: bytes,
    state: str,
    checker: bytes | None,
    decided_ns: int,
) -> ProposalItem:
    return ProposalItem(
        proposal=proposal,
        kind=str(change.__struct_config__.tag),
        state=state,
        maker=maker,
        made_ns=made_ns,
        checker=checker,
        decided_ns=decided_ns or None,
        mine=maker == who,
        tier=getattr(change, "tier", None),
        asset=getattr(change, "asset", None),
        payment_minor=getattr(change, "payment_minor", None),
        day_minor=getattr(change, "day_minor", None),
        year_minor=getattr(change, "year_minor", None),
        balance_minor=getattr(change, "balance_minor", None),
        name=getattr(change, "name", None),
        value=getattr(change, "value", None),
        person=getattr(change, "person", None),
        role=getattr(change, "role", None),
    )


def _id_after(text: str) -> bytes:
    if len(text) != ID_DIGITS or not _PREFIX.fullmatch(text):
        refuse("cursor_unreadable")
    return bytes.fromhex(text)


def _number_after(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        refuse("cursor_unreadable")
    return int(text)


def _proposal_after(text: str) -> tuple[int, bytes]:
    made_ns, _, name = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,19}", made_ns) or int(made_ns) > NUMBER_MAX:
        refuse("cursor_unreadable")
    return int(made_ns), _id_after(name)
