"""Everything that a living wallet consists of, in one process and a bank beside it.

``running`` opens the ledger, the vault and the doors' file in one folder, starts the sandbox bank as a process of its
own and the courier as a thread, makes the town where it is not whole yet, and takes all of it down again.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from formicary.gateway.banking import iban_of, keep_sender
from formicary.gateway.courier import Courier
from formicary.gateway.sandbox import enter_token
from formicary.gateway.server import open_door
from formicary.node.ledger import open_ledger
from formicary.products.bank import House, Houses, sandbox_houses
from formicary.stack import standard_products
from formicary.town.people import Townsperson
from formicary.town.seed import Seeder

if TYPE_CHECKING:
    from formicary.gateway.config import Config
    from formicary.gateway.door import Door

BANK_PACE_S: Final = 1.0
"""From an order to its booking at the sandbox bank."""
BANK_DAY_S: Final = 60.0
"""From one of its statements to the next: a bank day lasts a minute."""
BANK_STOP_S: Final = 5.0
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Town:
    """A town that runs, but does not serve yet."""

    door: Door
    shops: dict[str, bytes]
    tills: dict[str, bytes]
    coffee: bytes
    """The order of a coffee that anybody may pay; empty without a town."""

    def link(self, person: Townsperson | str, page: str = "") -> str:
        """The address that signs one in as somebody of the town."""
        alias = person if isinstance(person, str) else person.alias
        query = f"?to={page}" if page else ""
        return f"{self.door.config.public_origin}/enter/{alias}/{enter_token(self.door, alias)}{query}"


@contextmanager
def running(config: Config, *, empty: bool = False, progress: Progress = lambda _what: None) -> Iterator[Town]:
    """Open everything; ``empty`` leaves the town away. The caller serves ``town.door``."""
    with ExitStack() as stack:
        config.data.mkdir(parents=True, exist_ok=True)
        progress("the ledger")
        ledger = stack.enter_context(
            open_ledger(config.data / "ledger", note=config.name, products=standard_products(houses_of(config)))
        )
        door = open_door(config, ledger)
        stack.callback(door.close)
        bank = config.data / "bank"
        seeder = Seeder(door, bank, progress)
        if config.sandbox and not empty:
            asyncio.run(seeder.run())
        if config.sandbox:
            stack.enter_context(_sandbox_bank(config))
        stack.enter_context(_courier(door, config))
        yield Town(door, seeder.shops, seeder.tills, seeder.coffee)


def houses_of(config: Config) -> Houses:
    """The institution's own account as the settings name it; the sandbox bank's where they don't."""
    if not config.bank_iban:
        return sandbox_houses
    house = House(config.bank_iban, config.bank_bic, config.bank_holder or config.name)
    return lambda _asset: house


@contextmanager
def _sandbox_bank(config: Config) -> Iterator[None]:
    command = [sys.executable, "-m", "formicary.rails.sandbox_bank", "--folder", str(config.data / "bank")]
    pace = ["--pace", str(BANK_PACE_S), "--day", str(BANK_DAY_S), "--parent", str(os.getpid())]
    with (config.data / "bank.log").open("ab") as log:
        process = subprocess.Popen([*command, *pace], stdout=log, stderr=log)  # noqa: S603 - our own program
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(BANK_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _courier(door: Door, config: Config) -> Iterator[None]:
    courier = Courier(
        door.ledger,
        config.data / "bank",
        iban_of=partial(iban_of, door),
        houses=houses_of(config),
        keep_sender=partial(keep_sender, door),
    )
    stop = threading.Event()
    thread = threading.Thread(target=courier.run, args=(stop,), name="formicary-courier", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        courier.wake()
        thread.join()
