"""Questions about the example's state; handlers, doors and tests ask the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from formicary.machine.context import View

OPEN: Final = "open"


class PledgeRow(NamedTuple):
    """One pledge, as it is now."""

    pledge: bytes
    giver: bytes
    taker: bytes
    amount_minor: int
    until_ns: int
    timer: int
    state: str


def pocket_of(view: View, person: bytes) -> int | None:
    """The account of a person's pocket."""
    found = view.rows.one("SELECT pocket FROM example_members WHERE person = ? ORDER BY person", person)
    return None if found is None else int.from_bytes(found[0], "big")


def pledge(view: View, name: bytes) -> PledgeRow | None:
    """One pledge by its name."""
    sql = """SELECT pledge, giver, taker, amount_minor, until_ns, timer, state FROM example_pledges
             WHERE pledge = ? ORDER BY pledge"""
    found = view.rows.one(sql, name)
    return None if found is None else PledgeRow(*found)


def open_pledges(view: View) -> list[PledgeRow]:
    """All pledges that have not ended."""
    sql = """SELECT pledge, giver, taker, amount_minor, until_ns, timer, state FROM example_pledges
             WHERE state = ? ORDER BY pledge"""
    return [PledgeRow(*row) for row in view.rows.all(sql, OPEN)]


def members(view: View) -> list[tuple[bytes, int]]:
    """Everybody's person id and pocket."""
    rows = view.rows.all("SELECT person, pocket FROM example_members ORDER BY person")
    return [(person, int.from_bytes(pocket, "big")) for person, pocket in rows]
