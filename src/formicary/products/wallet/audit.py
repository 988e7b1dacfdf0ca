"""What operators do is written down, in order, for auditors; one row an act, nothing personal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from formicary.machine.context import Context


def note(own: Context, action: str, *, subject: bytes = b"", detail: str = "") -> None:
    """Add a row about the signer's act; ``own`` is a context of the wallet."""
    found = own.rows.one("SELECT number FROM wallet_audit ORDER BY number DESC LIMIT 1")
    number = 1 if found is None else int(found[0]) + 1
    sql = "INSERT INTO wallet_audit (number, at_ns, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)"
    own.rows.run(sql, number, own.time_ns, own.signer, action, subject, detail)
