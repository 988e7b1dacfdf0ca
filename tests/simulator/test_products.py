"""The standard products in the simulator: no crash, torn write or flipped bit loses a payment; books stay true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from formicary.machine.context import Context
from formicary.products.anatomy import Message, Product
from formicary.stack import standard_products
from formicary.testing.product_client import ProductClient
from formicary.testing.simulator import LostWork, Simulation, World, town_world


@pytest.mark.parametrize("seed", range(1, 5))
def test_seed(seed: int, tmp_path: Path) -> None:
    """Lives of crashes, full disks and flipped bits lose nothing acknowledged; invariants hold after each of them."""
    summary = Simulation(seed, tmp_path, world=town_world()).run(lives=5)
    assert summary.transfers


def test_the_mix_reaches_every_product(tmp_path: Path) -> None:
    """What is simulated is no row of refusals: commands of each product are accepted, and many kinds of them."""
    stack = standard_products()
    clients: list[ProductClient] = []

    def client(chance: Any) -> ProductClient:
        clients.append(ProductClient(chance, stack))
        return clients[-1]

    for seed in (21, 22):
        folder = tmp_path / str(seed)
        folder.mkdir()
        Simulation(seed, folder, world=World(stack, client)).run(lives=6)
    accepted = {name for each in clients for name in each.accepted}
    assert {name.partition(".")[0] for name in accepted} >= {product.name for product in stack} - {"guard"}
    assert len(accepted) >= 25, sorted(accepted)
    assert sum(sum(each.accepted.values()) for each in clients) >= 150


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
