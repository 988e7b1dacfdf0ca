"""What the bank's commands do: people link and withdraw, the courier tells what was booked, operators clear up."""

from __future__ import annotations

from formicary.products.bank.handlers.attesting import attest
from formicary.products.bank.handlers.operators import assign, send_back, take_own
from formicary.products.bank.handlers.people import link_account, take_reference, unlink_account, withdraw
from formicary.products.bank.handlers.rail import booked, instructed, listed, rejected, returned, statement

__all__ = [
    "assign",
    "attest",
    "booked",
    "instructed",
    "link_account",
    "listed",
    "rejected",
    "returned",
    "send_back",
    "statement",
    "take_own",
    "take_reference",
    "unlink_account",
    "withdraw",
]
