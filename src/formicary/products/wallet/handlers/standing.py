"""How people stand: what most handlers look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from formicary.products.wallet.codes import CLOSED, FROZEN, OPEN

if TYPE_CHECKING:
    from formicary.machine.context import Context


class Standing(NamedTuple):
    """How a person stands."""

    state: str
    self_frozen: int
    operator_frozen: str
    tier: int


def standing(context: Context, person: bytes) -> Standing | None:
    """How a person stands; None for who never had a wallet."""
    sql = "SELECT state, self_frozen, operator_frozen, tier FROM wallet_people WHERE person = ? ORDER BY person"
    found = context.rows.one(sql, person)
    return None if found is None else Standing(*found)


def present(context: Context, person: bytes) -> Standing:
    """How a person stands whose wallet is open or frozen; refuses person_unknown and person_closed."""
    found = standing(context, person)
    if found is None:
        context.refuse("person_unknown")
    context.refuse_if(found.state == CLOSED, "person_closed")
    return found


def active(context: Context) -> None:
    """Refuse person_unknown, person_closed and person_frozen of the signer."""
    context.refuse_if(present(context, context.signer).state == FROZEN, "person_frozen")


def purses(context: Context, person: bytes) -> list[tuple[int, int]]:
    """(asset, account) of a person, by asset."""
    rows = context.rows.all("SELECT asset, account FROM wallet_purses WHERE person = ? ORDER BY asset", person)
    return [(asset, int.from_bytes(account, "big")) for asset, account in rows]


def set_frozen(context: Context, person: bytes, *, self_frozen: int, operator_frozen: str) -> None:
    """Write who froze a person, and the state that follows."""
    state = FROZEN if self_frozen or operator_frozen else OPEN
    sql = "UPDATE wallet_people SET state = ?, self_frozen = ?, operator_frozen = ? WHERE person = ?"
    context.rows.run(sql, state, self_frozen, operator_frozen, person)


def count(context: Context, sql: str, *values: int | str | bytes) -> int:
    """The one number that a counting query answers."""
    found = context.rows.one(sql, *values)
    assert found is not None, "count(*) always answers"
    return int(found[0])
