"""The example product: pledges. Small enough to read in one sitting, and the pattern for every other product."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import CommandType, EventType, Product, TimerType, schema_of
from formicary.products.example import commands, handlers, invariants
from formicary.products.example.codes import CODES

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.example.needs import Allowance


class FixedAllowance:
    """The same limit for everybody."""

    def __init__(self, minor_max: int) -> None:
        self._minor_max = minor_max

    def pledge_minor_max(self, _context: Context, _person: bytes) -> int:
        """See :class:`Allowance`."""
        return self._minor_max


def product(allowance: Allowance) -> Product:
    """The example, with somebody who knows the limits of people."""
    return Product(
        name="example",
        schema=schema_of(__name__),
        commands=(
            CommandType(name="join", body=commands.Join, handler=handlers.join, reply=commands.Joined),
            CommandType(name="fund", body=commands.Fund, handler=handlers.fund),
            CommandType(
                name="pledge",
                body=commands.Pledge,
                handler=partial(handlers.pledge, allowance),
                reply=commands.Pledged,
            ),
            CommandType(name="keep", body=commands.Keep, handler=handlers.keep),
            CommandType(name="waive", body=commands.Waive, handler=handlers.waive),
        ),
        timers=(TimerType(name="lapse", payload=commands.Lapse, handler=handlers.lapse),),
        events=(
            EventType(kind="pledge_made", payload=commands.PledgeMade),
            EventType(kind="pledge_ended", payload=commands.PledgeEnded),
        ),
        codes=CODES,
        invariants=(invariants.held_money_is_pledged, invariants.pockets_are_never_overdrawn),
        on_genesis=handlers.begin,
    )


PRODUCT: Final = product(FixedAllowance(100_000))
"""With a limit of a thousand euros a pledge."""
