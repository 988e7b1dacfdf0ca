"""What doors may ask of the guard. A party learns why and how long; other people's cases are for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.base.errors import Refusal
from formicary.products.guard import answers
from formicary.products.guard.codes import CODES, REASONS
from formicary.products.guard.queries import rows
from formicary.products.guard.rules import table_of

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.products.guard.commands import Rule
    from formicary.products.guard.needs import Purses

_CURSOR_BYTES: Final = 24
_LATEST: Final = (2**63 - 1, b"\xff" * 16)
_EARLIEST: Final = (-1, b"")


def refuse(code: str) -> Refusal:
    """The refusal of a question."""
    return Refusal(CODES[code], code=code)


def place(after: str, start: tuple[int, bytes]) -> tuple[int, bytes]:
    """Where a page begins: after the row of a cursor; a cursor that is none of ours begins at the start."""
    try:
        raw = bytes.fromhex(after)
    except ValueError:
        return start
    return (int.from_bytes(raw[:8], "big", signed=True), raw[8:]) if len(raw) == _CURSOR_BYTES else start


def _page(found: list[rows.CaseRow], limit: int) -> tuple[list[rows.CaseRow], str]:
    page = found[:limit]
    more = (page[-1].opened_ns.to_bytes(8, "big", signed=True) + page[-1].case).hex() if len(found) > limit else ""
    return page, more


def _told(row: rows.CaseRow) -> tuple[answers.ReasonShown, ...]:
    return tuple(answers.ReasonShown(name=name, words=REASONS[name]) for name in row.reasons_told)


def holds(view: View, who: bytes, asked: answers.AskHolds) -> answers.Holds:
    """Holds of one direction, newest first; those that have ended too."""
    side = "payer" if asked.direction == "out" else "payee"
    sql = f"""SELECT {rows.CASE_COLUMNS} FROM guard_cases WHERE {side} = ? AND kind = 'hold'
              AND (opened_ns, case_id) < (?, ?) ORDER BY opened_ns DESC, case_id DESC LIMIT ?"""  # noqa: S608 - ours
    found = view.rows.all(sql, who, *place(asked.after, _LATEST), asked.limit + 1)
    page, more = _page([rows.CaseRow(*row) for row in found], asked.limit)
    return answers.Holds(items=tuple(_hold(view, row, who) for row in page), next=more)


def hold(view: View, who: bytes, asked: answers.AskHold) -> answers.HoldShown:
    """The hold of one payment, for its two sides."""
    found = rows.hold_of(view, asked.payment)
    if found is None or who not in {found.payer, found.payee}:
        raise refuse("held_payment_not_found")
    return _hold(view, found, who)


def _hold(view: View, row: rows.CaseRow, who: bytes) -> answers.HoldShown:
    assert row.payment is not None, "a hold has a payment"
    goes_out = row.payer == who
    sql = "SELECT at_ns FROM guard_appeals WHERE case_id = ? AND party = ? ORDER BY case_id"
    return answers.HoldShown(
        case=row.case,
        payment=row.payment,
        direction="out" if goes_out else "in",
        other=row.payee if goes_out else row.payer,
        asset=row.asset,
        amount_minor=row.amount_minor,
        reasons=_told(row),
        state=row.state,  # type: ignore[arg-type]
        held_ns=row.opened_ns,
        until_ns=None if row.state == rows.FROZEN else row.until_ns,
        recallable=goes_out and row.state in rows.LIVE,
        appealed=view.rows.one(sql, row.case, who) is not None,
    )


def cases(purses: Purses, view: View, who: bytes, asked: answers.AskCases) -> answers.Cases:
    """Cases in one state, oldest first."""
    if not purses.has_role(view, who, "operator"):
        raise refuse("cases_for_operators")
    sql = f"""SELECT {rows.CASE_COLUMNS} FROM guard_cases WHERE state = ? AND (opened_ns, case_id) > (?, ?)
              ORDER BY opened_ns, case_id LIMIT ?"""  # noqa: S608 - our own words
    found = view.rows.all(sql, asked.state, *place(asked.after, _EARLIEST), asked.limit + 1)
    page, more = _page([rows.CaseRow(*row) for row in found], asked.limit)
    return answers.Cases(items=tuple(_case(view, row, who=None) for row in page), next=more)


def case(purses: Purses, view: View, who: bytes, asked: answers.AskCase) -> answers.CaseShown:
    """One case, for operators whole, and for a party without what is others'."""
    found = rows.case(view, asked.case)
    if found is None:
        raise refuse("case_not_found")
    if purses.has_role(view, who, "operator"):
        return _case(view, found, who=None)
    in_ring = found.kind == "ring" and rows.is_member(view, found.case, who)
    if found.kind == "ring" and not in_ring:
        raise refuse("case_not_found")
    if found.kind != "ring" and who not in _seen_by(found):
        raise refuse("case_not_found")
    return _case(view, found, who=who)


def _seen_by(row: rows.CaseRow) -> tuple[bytes | None, ...]:
    """A hold is for both its sides; a report for who made it, so that nobody learns from it who reported them."""
    return (row.opened_by,) if row.kind == "report" else (row.payer, row.payee)


def _case(view: View, row: rows.CaseRow, *, who: bytes | None) -> answers.CaseShown:
    whole = who is None
    members = rows.members(view, row.case)
    sides_shown = whole or row.kind != "ring"
    sql = "SELECT party, text, at_ns FROM guard_appeals WHERE case_id = ? ORDER BY at_ns, party"
    appeals = [each for each in view.rows.all(sql, row.case) if whole or each[0] == who]
    return answers.CaseShown(
        case=row.case,
        kind=row.kind,  # type: ignore[arg-type]
        payment=row.payment,
        payer=row.payer if sides_shown else None,
        payee=row.payee if sides_shown else None,
        asset=row.asset,
        amount_minor=row.amount_minor,
        reasons=_told(row),
        state=row.state,  # type: ignore[arg-type]
        opened_ns=row.opened_ns,
        until_ns=row.until_ns or None if row.state != rows.FROZEN else None,
        opened_by=row.opened_by if whole or row.opened_by == who else None,
        text=row.text if whole or row.opened_by == who else None,
        members=tuple(party for party in members if whole or party == who),
        appeals=tuple(answers.AppealShown(party=party, text=text, at_ns=at_ns) for party, text, at_ns in appeals),
        decision=row.decision,  # type: ignore[arg-type]
        decided_by=row.decided_by if whole else None,
        decided_ns=row.decided_ns,
        reason=row.reason,
    )


def rules(view: View, _who: bytes, asked: answers.AskRules) -> answers.Rules:
    """One version of the rules: they are public."""
    found = rows.ruleset(view)
    if asked.version is not None:
        sql = "SELECT version, rules, set_ns, set_by FROM guard_rulesets WHERE version = ? ORDER BY version"
        row = view.rows.one(sql, asked.version)
        if row is None:
            raise refuse("rules_not_found")
        found = rows.RulesetRow(*row)
    items = tuple(map(_rule, table_of(found.rules).values()))
    return answers.Rules(version=found.version, set_ns=found.set_ns, items=items)


def rule_proposals(purses: Purses, view: View, who: bytes, asked: answers.AskRuleProposals) -> answers.RuleProposals:
    """Proposals in one state, newest first; for whoever makes, decides or audits them."""
    if not any(purses.has_role(view, who, role) for role in ("operator", "approver", "auditor")):
        raise refuse("rule_proposals_for_operators")
    found = rows.proposals(view, asked.state, before=place(asked.after, _LATEST), limit=asked.limit + 1)
    page = found[: asked.limit]
    more = ""
    if len(found) > asked.limit:
        more = (page[-1].made_ns.to_bytes(8, "big", signed=True) + page[-1].proposal).hex()
    return answers.RuleProposals(items=tuple(_proposal(row, who) for row in page), next=more)


def _proposal(row: rows.ProposalRow, who: bytes) -> answers.RuleProposal:
    return answers.RuleProposal(
        proposal=row.proposal,
        state=row.state,  # type: ignore[arg-type] # the column holds only these
        maker=row.maker,
        made_ns=row.made_ns,
        based_on=row.based_on,
        items=tuple(map(_rule, table_of(row.rules).values())),
        checker=row.checker,
        decided_ns=row.decided_ns or None,
        version=row.version or None,
        mine=row.maker == who,
    )


def _rule(rule: Rule) -> answers.RuleShown:
    return answers.RuleShown(
        kind=rule.kind,
        source=rule.source,
        asset=rule.asset or None,
        minor=rule.minor,
        count=rule.count,
        window_s=rule.window_s,
        percent=rule.percent,
        words=REASONS[rule.kind],
    )
