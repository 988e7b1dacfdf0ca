"""The standard products in the simulator: no crash, torn write or flipped bit loses a payment; books stay true."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from formicary.machine.context import Context
from formicary.products.anatomy import Message, Product
from formicary.stack import standard_products
from formicary.testing.product_client import ProductClient
from formicary.testing.simulator import LostWork, Simulation, town_world
from formicary.testing.trial import Trial


@pytest.mark.parametrize("seed", range(1, 5))
def test_seed(seed: int, tmp_path: Path) -> None:
    """Lives of crashes, full disks and flipped bits lose nothing acknowledged; invariants hold after each of them."""
    summary = Simulation(seed, tmp_path, world=town_world()).run(lives=5)
    assert summary.transfers


NOT_REACHED: dict[str, str] = {}
"""Commands that no client of a simulation is asked to reach, and why. There is none; a new command needs a plot."""
REQUESTS_MAX = 3_000


def test_every_command_is_accepted_somewhere() -> None:
    """What is simulated is no row of refusals: each command of each product is accepted, and the books stay true.

    Here nothing crashes, so that a long life is short; the same client lives through crashes in the other tests.
    """
    stack = standard_products()
    names = {f"{product.name}.{each.name}" for product in stack for each in product.commands}
    assert names.issuperset(NOT_REACHED), "what is excused is a command"
    chance = random.Random(21)
    town, client = Trial(stack, check=False), ProductClient(chance, stack)
    for number in range(REQUESTS_MAX):
        town.now_ns += chance.choice(client.pauses)
        client.learn(town.step(*client.request(town.now_ns)), town.machine.registry)
        if number % 50 == 0:
            town.machine.check()
        if client.accepted.keys() >= names - NOT_REACHED.keys():
            break
    town.machine.check()
    town.close()
    missing = names - NOT_REACHED.keys() - client.accepted.keys()
    assert not missing, f"nobody was allowed {sorted(missing)}; see formicary.testing.plots"
    assert len(client.codes) >= 60, "and others are refused, for many reasons"


def test_same_seed_same_history(tmp_path: Path) -> None:
    """A seed is the whole story here too: strategies, crashes and replies."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    once, again = (Simulation(5, folder, world=town_world()).run(lives=3) for folder in (first, second))
    assert once == again


def test_canary_of_the_disk(tmp_path: Path) -> None:
    """On a disk that only pretends to sync, acknowledged payments are lost, and the simulator says so."""

    def simulate_every_seed() -> None:
        for seed in range(1, 20):
            folder = tmp_path / str(seed)
            folder.mkdir()
            Simulation(seed, folder, world=town_world(), forgets_syncs=True).run(lives=6)

    with pytest.raises(LostWork):
        simulate_every_seed()


def falsified(stack: Sequence[Product], name: str, sql: str) -> tuple[Product, ...]:
    """A stack in which one command does its work, and then changes a row that it should not have touched."""
    product_name, _, command_name = name.partition(".")

    def false(product: Product) -> Product:
        if product.name != product_name:
            return product
        commands = tuple(
            replace(each, handler=lying(each.handler)) if each.name == command_name else each
            for each in product.commands
        )
        return replace(product, commands=commands)

    def lying(handler: Any) -> Any:
        def handle(context: Context, command: Message) -> Message | None:
            reply: Message | None = handler(context, command)
            context.rows.run(sql)
            return reply

        return handle

    return tuple(false(each) for each in stack)


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("pay.give", "UPDATE pay_packets SET rest_minor = 77777"),
        ("escrow.buy", "UPDATE escrow_orders SET held_minor = 77777"),
    ],
)
def test_canary_of_the_books(tmp_path: Path, name: str, sql: str) -> None:
    """A product whose rows say something else than its balances is found out by its own invariants."""
    world = town_world(falsified(standard_products(), name, sql))

    def simulate_every_seed() -> None:
        for seed in range(1, 30):
            folder = tmp_path / str(seed)
            folder.mkdir()
            Simulation(seed, folder, world=world).run(lives=4)

    with pytest.raises(AssertionError) as found:
        simulate_every_seed()
    assert not isinstance(found.value, LostWork), "the books, and not the disk"
    assert any(entry.path.name.startswith("invariants") for entry in found.traceback if hasattr(entry.path, "name"))
