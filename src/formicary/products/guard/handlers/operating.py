"""What operators do: decide cases, and set the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from formicary.products.anatomy import TimerId
from formicary.products.guard import rules
from formicary.products.guard.codes import NODE
from formicary.products.guard.commands import CaseDecided, Decide, EndHold, RulesChanged, RulesSet, SetRules
from formicary.products.guard.handlers.cases import end_hold
from formicary.products.guard.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.machine.genesis import Genesis
    from formicary.products.guard.commands import Rule
    from formicary.products.guard.needs import Book, Payments, Purses


def begin(context: Context, _genesis: Genesis) -> None:
    """Set the first version of the rules."""
    _store(context, 1, rules.defaults(), NODE)


def set_rules(purses: Purses, context: Context, command: SetRules) -> RulesSet:
    """Let a new version of the rules speak from now on, said from the machine itself; people propose and approve."""
    purses.require_role(context, "operator")
    context.refuse_if(context.signer != NODE, "rules_by_two")
    code = rules.wrong(command.rules)
    context.refuse_if(bool(code), code)
    version = speak(context, command.rules, context.signer)
    purses.note_act(context, "guard_rules_set", detail=f"version {version}")
    return RulesSet(version)


def speak(context: Context, new: Sequence[Rule], by: bytes) -> int:
    """Let a version speak from the next payment on; answer its number. The old ones stay on record."""
    version = rows.ruleset(context).version + 1
    _store(context, version, new, by)
    context.emit(RulesChanged(version))
    return version


def _store(context: Context, version: int, new: Sequence[Rule], by: bytes) -> None:
    sql = "INSERT INTO guard_rulesets (version, rules, set_ns, set_by) VALUES (?, ?, ?, ?)"
    context.rows.run(sql, version, rules.store(tuple(new)), context.time_ns, by)


def decide(purses: Purses, payments: Sequence[Payments], book: Book, context: Context, command: Decide) -> None:
    """Release, return, stop or close a case, and tell its parties."""
    purses.require_role(context, "operator")
    found = rows.case(context, command.case)
    if found is None:
        context.refuse("case_not_found")
    holds = found.kind == "hold" and found.state in rows.LIVE
    context.refuse_if(found.state == "closed", "case_ended")
    context.refuse_if(command.decision == "close" and holds, "case_holds_money")
    context.refuse_if(command.decision in {"release", "return"} and not holds, "case_holds_no_money")
    if command.decision == "release":
        _unmark(context, found)
        end_hold(payments, book, context, found, "release")
    elif command.decision == "return":
        end_hold(payments, book, context, found, "return")
    elif command.decision == "close":
        _unmark(context, found)
        context.rows.run("UPDATE guard_cases SET state = 'closed' WHERE case_id = ?", found.case)
    else:
        _stop(context, found, holds=holds)
    sql = "UPDATE guard_cases SET decision = ?, decided_by = ?, decided_ns = ?, reason = ? WHERE case_id = ?"
    context.rows.run(sql, command.decision, context.signer, context.time_ns, command.reason, found.case)
    purses.note_act(context, f"guard_{command.decision}", subject=found.case)
    for party in _concerned(context, found):
        context.emit(CaseDecided(found.case, command.decision), subject=party)


def _stop(context: Context, case: rows.CaseRow, *, holds: bool) -> None:
    """Mark the payee, or all members of a ring; what is held stays held until it is recalled or decided."""
    for party in rows.members(context, case.case) or [case.payee]:
        context.rows.run("INSERT OR REPLACE INTO guard_marks (party, case_id) VALUES (?, ?)", party, case.case)
    if holds:
        context.cancel(TimerId(case.timer))
        context.rows.run("UPDATE guard_cases SET state = ? WHERE case_id = ?", rows.FROZEN, case.case)


def _unmark(context: Context, case: rows.CaseRow) -> None:
    context.rows.run("DELETE FROM guard_marks WHERE case_id = ?", case.case)


def _concerned(context: Context, case: rows.CaseRow) -> list[bytes]:
    return rows.members(context, case.case) or [case.payer, case.payee]


def run_end_hold(payments: Sequence[Payments], book: Book, context: Context, timer: EndHold) -> None:
    """The time is over and nobody recalled it: it is paid. Ending or stopping a hold cancels its timer."""
    found = rows.case(context, timer.case)
    assert found is not None, "cases are never deleted"
    assert found.state == rows.OPEN, "the timer of a case that is not open is cancelled"
    end_hold(payments, book, context, found, "release")
