"""Rows of rules, edges, paces, cases and marks, as handlers, questions and tests read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from formicary.products.guard.codes import GIFTS_MAX, RING_FAN_MAX

if TYPE_CHECKING:
    from formicary.machine.fence import FencedRows

OPEN: Final = "open"
FROZEN: Final = "frozen"
LIVE: Final = (OPEN, FROZEN)
"""States of a case that is not at its end."""
CASE_COLUMNS: Final = """case_id, kind, payment, payer, payee, asset, amount_minor, reasons, state, opened_ns,
    until_ns, timer, opened_by, text, decision, decided_by, decided_ns, reason"""

assert GIFTS_MAX == RING_FAN_MAX == 8, "the LIMITs below say so too"


class HasRows(Protocol):
    """A context or a view of this product."""

    @property
    def rows(self) -> FencedRows:
        """The product's tables."""


class RulesetRow(NamedTuple):
    """One version of the rules."""

    version: int
    rules: bytes
    set_ns: int
    set_by: bytes


class ProposalRow(NamedTuple):
    """Rules that somebody proposed."""

    proposal: bytes
    made_ns: int
    maker: bytes
    based_on: int
    rules: bytes
    state: str
    checker: bytes | None
    decided_ns: int
    version: int


class EdgeRow(NamedTuple):
    """What went from one to another; ``sum_minor`` since ``since_ns``, a week at most."""

    first_ns: int
    last_day: int
    since_ns: int
    sum_minor: int


class PaceRow(NamedTuple):
    """What a payer paid in this window of time and in the one before."""

    since_ns: int
    payments: int
    sum_minor: int
    payments_before: int
    sum_before_minor: int


class Incoming(NamedTuple):
    """An edge that leads to somebody."""

    payer: bytes
    sum_minor: int


class CaseRow(NamedTuple):
    """One case, as it is now."""

    case: bytes
    kind: str
    payment: bytes | None
    payer: bytes
    payee: bytes
    asset: int
    amount_minor: int
    reasons: str
    state: str
    opened_ns: int
    until_ns: int
    timer: int
    opened_by: bytes | None
    text: bytes | None
    decision: str | None
    decided_by: bytes | None
    decided_ns: int | None
    reason: bytes | None

    @property
    def reasons_told(self) -> tuple[str, ...]:
        """The reasons, one by one."""
        return tuple(self.reasons.split(","))


def ruleset(where: HasRows) -> RulesetRow:
    """The version that speaks; there is one from the first entry on."""
    sql = "SELECT version, rules, set_ns, set_by FROM guard_rulesets ORDER BY version DESC LIMIT 1"
    found = where.rows.one(sql)
    assert found is not None, "the first entry sets rules"
    return RulesetRow(*found)


def edge(where: HasRows, *, payer: bytes, payee: bytes, asset: int) -> EdgeRow | None:
    """What went from one to another."""
    sql = """SELECT first_ns, last_day, since_ns, sum_minor FROM guard_edges
             WHERE payer = ? AND payee = ? AND asset = ? ORDER BY payer"""
    found = where.rows.one(sql, payer, payee, asset)
    return None if found is None else EdgeRow(*found)


def pace(where: HasRows, payer: bytes, asset: int) -> PaceRow | None:
    """How much a payer pays."""
    sql = """SELECT since_ns, payments, sum_minor, payments_before, sum_before_minor FROM guard_paces
             WHERE payer = ? AND asset = ? ORDER BY payer"""
    found = where.rows.one(sql, payer, asset)
    return None if found is None else PaceRow(*found)


def incoming(where: HasRows, payee: bytes, asset: int, *, from_day: int) -> list[Incoming]:
    """Eight edges that lead to somebody and were used since a day, those of the newest days first."""
    sql = """SELECT payer, sum_minor FROM guard_edges WHERE payee = ? AND asset = ? AND last_day >= ?
             ORDER BY last_day DESC, payer LIMIT 8"""
    return [Incoming(*row) for row in where.rows.all(sql, payee, asset, from_day)]


def any_paid(where: HasRows, payers: list[bytes], payee: bytes, asset: int) -> bool:
    """Whether one of at most eight has ever paid somebody."""
    eight = (payers + [payers[-1]] * GIFTS_MAX)[:GIFTS_MAX]
    sql = """SELECT payer FROM guard_edges WHERE payee = ? AND asset = ? AND payer IN (?, ?, ?, ?, ?, ?, ?, ?)
             ORDER BY payer LIMIT 1"""
    return where.rows.one(sql, payee, asset, *eight) is not None


def any_paid_by(where: HasRows, payer: bytes, payees: list[bytes], asset: int) -> bool:
    """Whether somebody has ever paid one of at most eight."""
    eight = (payees + [payees[-1]] * GIFTS_MAX)[:GIFTS_MAX]
    sql = """SELECT payee FROM guard_edges WHERE payer = ? AND asset = ? AND payee IN (?, ?, ?, ?, ?, ?, ?, ?)
             ORDER BY payee LIMIT 1"""
    return where.rows.one(sql, payer, asset, *eight) is not None


def is_marked(where: HasRows, party: bytes) -> bool:
    """Whether every payment to a party is held."""
    sql = "SELECT case_id FROM guard_marks WHERE party = ? ORDER BY case_id LIMIT 1"
    return where.rows.one(sql, party) is not None


def case(where: HasRows, name: bytes) -> CaseRow | None:
    """One case by its id."""
    sql = f"SELECT {CASE_COLUMNS} FROM guard_cases WHERE case_id = ? ORDER BY case_id"  # noqa: S608 - a constant
    found = where.rows.one(sql, name)
    return None if found is None else CaseRow(*found)


def hold_of(where: HasRows, payment: bytes) -> CaseRow | None:
    """The case of a held payment."""
    sql = f"""SELECT {CASE_COLUMNS} FROM guard_cases WHERE payment = ? AND kind = 'hold'
              ORDER BY case_id LIMIT 1"""  # noqa: S608 - a constant
    found = where.rows.one(sql, payment)
    return None if found is None else CaseRow(*found)


def members(where: HasRows, case_id: bytes) -> list[bytes]:
    """Who is in a ring, in the order in which the money went."""
    sql = "SELECT party, place FROM guard_members WHERE case_id = ? ORDER BY place, party"
    return [row[0] for row in where.rows.all(sql, case_id)]


def is_member(where: HasRows, case_id: bytes, party: bytes) -> bool:
    """Whether somebody is in a ring."""
    sql = "SELECT place FROM guard_members WHERE case_id = ? AND party = ? ORDER BY case_id"
    return where.rows.one(sql, case_id, party) is not None


_PROPOSAL: Final = "SELECT proposal, made_ns, maker, based_on, rules, state, checker, decided_ns, version"


def proposal(holder: HasRows, name: bytes) -> ProposalRow | None:
    """Proposed rules by the proposal's name."""
    found = holder.rows.one(f"{_PROPOSAL} FROM guard_proposals WHERE proposal = ? ORDER BY proposal", name)
    return None if found is None else ProposalRow(*found)


def proposals(holder: HasRows, state: str, *, before: tuple[int, bytes], limit: int) -> list[ProposalRow]:
    """Proposals in one state, newest first, before a place (time, name)."""
    sql = f"""{_PROPOSAL} FROM guard_proposals WHERE state = ? AND (made_ns, proposal) < (?, ?)
              ORDER BY made_ns DESC, proposal DESC LIMIT ?"""
    return [ProposalRow(*row) for row in holder.rows.all(sql, state, *before, limit)]


def count_waiting(holder: HasRows) -> int:
    """How many proposals nobody has decided."""
    found = holder.rows.one("SELECT count(*) FROM guard_proposals WHERE state = 'waiting' ORDER BY 1")
    assert found is not None, "a count has a row"
    return int(found[0])
