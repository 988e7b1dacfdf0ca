"""What people may ask of the example, what it answers, and what it tells the outside. Never changed, only added to."""

from __future__ import annotations

from typing import Literal

from formicary.products.anatomy import Amount, Bytes16, Message, TimeNs


class Join(Message, frozen=True):
    """Open a pocket for whoever signs."""


class Joined(Message, frozen=True):
    """The account that the pocket is."""

    pocket: Bytes16


class Fund(Message, frozen=True):
    """Put money from outside into the signer's pocket."""

    amount_minor: Amount


class Pledge(Message, frozen=True):
    """Set money aside for somebody until a time; until then it is neither theirs nor free."""

    taker: Bytes16
    amount_minor: Amount
    until_ns: TimeNs


class Pledged(Message, frozen=True):
    """The name of the new pledge."""

    pledge: Bytes16


class Keep(Message, frozen=True):
    """The giver pays what was pledged."""

    pledge: Bytes16


class Waive(Message, frozen=True):
    """The taker gives a pledge back."""

    pledge: Bytes16


class Lapse(Message, frozen=True):
    """Of a timer: the pledge's time is over."""

    pledge: Bytes16


class PledgeMade(Message, frozen=True):
    """Event: money was set aside."""

    pledge: Bytes16
    taker: Bytes16
    amount_minor: Amount


Ending = Literal["kept", "waived", "lapsed"]


class PledgeEnded(Message, frozen=True):
    """Event: a pledge was paid, given back, or ran out."""

    pledge: Bytes16
    how: Ending
