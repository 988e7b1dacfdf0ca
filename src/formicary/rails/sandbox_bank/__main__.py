"""Runs a sandbox bank until it is stopped."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from formicary.base.errors import BadInput, FormicaryError
from formicary.products.bank import SANDBOX_HOUSE
from formicary.rails.sandbox_bank.bank import PAGE_BOOKINGS, Bank
from formicary.rails.sandbox_bank.manners import KINDS, Manners

MILLISECOND_NS: Final = 1_000_000
LOOK_S: Final = 0.05
"""How often the folders are looked at, at least."""


def options() -> argparse.ArgumentParser:
    """The command line."""
    kinds = "; ".join(f"{kind}: {meaning}" for kind, meaning in KINDS.items())
    parser = argparse.ArgumentParser(prog="python -m formicary.rails.sandbox_bank", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where orders and reports lie")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds from an order to its booking (1)")
    parser.add_argument("--day", type=float, default=60.0, help="seconds from statement to statement (60); 0: none")
    parser.add_argument("--misbehave", default="", help=f"kind=percent, with commas; all=percent. {kinds}")
    parser.add_argument("--seed", type=int, default=0, help="what goes wrong follows from it (0)")
    parser.add_argument("--page", type=int, default=PAGE_BOOKINGS, help="bookings on one page of a statement (10000)")
    parser.add_argument("--iban", default=SANDBOX_HOUSE.iban, help="the institution's account at this bank")
    parser.add_argument("--parent", type=int, default=0, help="process that it ends with; 0: none")
    parser.add_argument("--once", action="store_true", help="do what can be done now, close the day, and end")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the bank: until SIGTERM or SIGINT, or once."""
    chosen = options().parse_args(arguments)
    try:
        manners = Manners.parse(chosen.misbehave, seed=chosen.seed)
        pace_ns = round(chosen.pace * 1000) * MILLISECOND_NS
        if chosen.page < 1:
            raise BadInput("a page has one booking at least", where=f"--page {chosen.page}")
        bank = Bank(
            chosen.folder,
            iban=chosen.iban,
            pace_ns=0 if chosen.once else pace_ns,
            manners=manners,
            page_bookings=chosen.page,
        )
    except FormicaryError as error:
        sys.stderr.write(f"sandbox bank: {error}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sys.stdout.write(f"sandbox bank at {chosen.folder}\n")
    sys.stdout.flush()
    try:
        run(bank, stop, pace_s=chosen.pace, day_s=chosen.day, once=chosen.once, parent=chosen.parent)
    finally:
        bank.close()
    return 0


def run(bank: Bank, stop: threading.Event, *, pace_s: float, day_s: float, once: bool, parent: int = 0) -> None:
    """Step until told to stop, or until the parent is gone: two banks on one folder would disturb each other."""
    if once:
        while bank.step(time.time_ns()):
            pass
        bank.close_day(time.time_ns())
        return
    closes = time.monotonic() + day_s
    while not stop.is_set() and parent in {0, os.getppid()}:
        bank.step(time.time_ns())
        if day_s and time.monotonic() >= closes:
            bank.close_day(time.time_ns())
            closes += day_s
        stop.wait(max(LOOK_S, min(pace_s / 4, 0.5)))


if __name__ == "__main__":
    raise SystemExit(main())
