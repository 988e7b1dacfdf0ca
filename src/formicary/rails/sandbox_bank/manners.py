"""How the sandbox bank misbehaves: at stated rates, and by a seed, so that a bad month can be had again.

Whether something happens to a payment follows from the seed, the kind and the payment's own name alone, not from when
the bank gets to it or how often it was killed meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from formicary.base.errors import BadInput

KINDS: Final = {
    "late": "a booking is told of long after it was made",
    "duplicate": "a notification is sent twice, under two names",
    "returned": "a payment is booked and comes back",
    "partial": "a payment is booked in two parts",
    "rejected": "a payment is refused",
    "fee": "a fee is taken with a payment, unasked",
    "unreferenced": "a customer's transfer loses its reference",
    "torn": "half a file is sent before the whole one",
}
ALWAYS: Final = 100


class Manners:
    """Decides what goes wrong; ``rates`` are in percent, by kind."""

    def __init__(self, rates: Mapping[str, int] | None = None, *, seed: int = 0) -> None:
        self.rates = dict(rates or {})
        self.seed = seed
        for kind, rate in self.rates.items():
            if kind not in KINDS or not 0 <= rate <= ALWAYS:
                raise BadInput(f"a kind of {', '.join(KINDS)} and a rate of 0 to 100 percent", where=f"{kind}={rate}")

    @classmethod
    def parse(cls, text: str, *, seed: int) -> Manners:
        """Read ``late=10,duplicate=5``; ``all=5`` sets every kind."""
        rates: dict[str, int] = {}
        for part in filter(None, text.split(",")):
            kind, _, rate = part.partition("=")
            if not rate.isascii() or not rate.isdigit():
                raise BadInput("write kind=percent", where=part)
            rates |= dict.fromkeys(KINDS, int(rate)) if kind == "all" else {kind: int(rate)}
        return cls(rates, seed=seed)

    def does(self, kind: str, name: str) -> bool:
        """Whether this goes wrong with the thing of this name."""
        rate = self.rates.get(kind, 0)
        return bool(rate) and self.draw(kind, name, ALWAYS) < rate

    def draw(self, kind: str, name: str, below: int) -> int:
        """A number below a bound that follows from the seed and the name."""
        digest = hashlib.sha256(f"{self.seed}/{kind}/{name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % below
