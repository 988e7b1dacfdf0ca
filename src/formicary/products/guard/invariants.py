"""What always holds of the guard, after every entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from formicary.kernel.records import TransferFlag
from formicary.products.guard.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import View

PAGE: Final = 1000
RING_MEMBERS_MIN: Final = 3


def live_holds(view: View) -> Iterator[rows.CaseRow]:
    """Every case that holds money."""
    for state in rows.LIVE:
        after_ns, name = -1, b""
        while True:
            sql = f"""SELECT {rows.CASE_COLUMNS} FROM guard_cases WHERE state = ? AND (opened_ns, case_id) > (?, ?)
                      ORDER BY opened_ns, case_id LIMIT 1000"""  # noqa: S608 - our own words
            page = [rows.CaseRow(*row) for row in view.rows.all(sql, state, after_ns, name)]
            yield from (case for case in page if case.kind == "hold")
            if len(page) < PAGE:
                break
            after_ns, name = page[-1].opened_ns, page[-1].case


def every_hold_is_held(view: View) -> None:
    """An open case of a hold has reasons, and its money is in a hold of the ledger, of that sum."""
    for case in live_holds(view):
        assert all(case.reasons_told), f"{case.case.hex()} has no reason"
        assert case.payment is not None, "a hold has a payment"
        hold = view.transfer(int.from_bytes(case.payment, "big"))
        assert hold is not None, f"{case.payment.hex()} is not in the ledger"
        assert hold.flags & TransferFlag.HOLD, f"{case.payment.hex()} is no hold"
        assert (hold.asset, hold.amount) == (case.asset, case.amount_minor), f"{case.payment.hex()} holds another sum"


def rings_have_members(view: View) -> None:
    """The newest hundred open rings have three members at least."""
    sql = """SELECT opened_ns, case_id FROM guard_cases WHERE state = 'open' AND kind = 'ring'
             ORDER BY opened_ns DESC, case_id LIMIT 100"""
    for _, case_id in view.rows.all(sql):
        assert len(rows.members(view, case_id)) >= RING_MEMBERS_MIN, f"{case_id.hex()} is no ring"


def rules_are_decided_by_two(view: View) -> None:
    """Nobody decided their own proposal, what was approved is the version that it became, and none waits decided."""
    for state in ("waiting", "approved", "rejected"):
        for row in rows.proposals(view, state, before=(2**63 - 1, b"\xff" * 16), limit=PAGE):
            assert (row.checker is None) == (state == "waiting"), f"{row.proposal.hex()} is {state} by {row.checker!r}"
            assert row.checker != row.maker, f"{row.proposal.hex()} was decided by its maker"
            assert (row.version > row.based_on) == (state == "approved"), f"{row.proposal.hex()} speaks unapproved"
            if row.version:
                sql = "SELECT rules FROM guard_rulesets WHERE version = ? ORDER BY version"
                assert view.rows.one(sql, row.version) == (row.rules,), f"{row.proposal.hex()} became something else"
