"""What the example needs of others: somebody who knows how much a person may pledge.

A product never imports another. It says here what it needs; whoever puts the machine together passes something that
has it (see ``product`` in ``__init__.py``). An object of another product gets that product's rows through
``context.for_product``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import Context


class Allowance(Protocol):
    """Knows the limits of people."""

    def pledge_minor_max(self, context: Context, person: bytes) -> int:
        """The largest single pledge of a person, in minor units."""
