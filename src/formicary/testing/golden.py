"""Golden logs: each release's entries, kept as bytes with the digest they gave, replayed by every later version.

There are two of a release: one of the ledger alone, with every kind of entry, and one of the standard products, with
what a town does in some days. Beside them stands one example of each message of the products, as bytes: a later version
must read them and write them the same.

A change that makes one of them give another digest is a change of the rules, and needs a decision record and a version.
``python -m formicary.testing.golden FOLDER`` writes those of this release; each is made once and never again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from formicary.base.entry import Draft, Entry, EntryKind, seal_draft
from formicary.machine.commands import encode
from formicary.machine.genesis import new_genesis, write_genesis
from formicary.machine.keys import PublicKey
from formicary.machine.machine import Machine
from formicary.products.anatomy import Product
from formicary.products.example import PRODUCT
from formicary.stack import standard_products
from formicary.testing import examples
from formicary.testing.random_client import RandomClient

SEED: Final = 20261122
ENTRIES: Final = 400
TOWN_ENTRIES: Final = 120
TOWN: Final = "town-"
"""What the name of a golden log of the standard products begins with."""
MESSAGES: Final = "messages-"
SECOND: Final = 1_000_000_000
START_NS: Final = 1_790_000_000 * SECOND


def entries() -> list[Entry]:
    """Make the entries of this release's golden log: every kind of entry, from one seed."""
    chance = random.Random(SEED)
    client, made, now = RandomClient(chance), [], START_NS
    genesis = new_genesis(created_ns=START_NS, blinding_key=bytes(range(16)), public_key=PublicKey(bytes(range(32))))
    draft = Draft(index=1, time_ns=now, kind=EntryKind.GENESIS, body=write_genesis(genesis))
    made.append(seal_draft(draft, epoch=1, parent=bytes(32)))
    while len(made) < ENTRIES:
        now += chance.choice((1, SECOND, 20 * SECOND))
        kind, body = client.request(now)
        draft = Draft(index=len(made) + 1, time_ns=now, kind=kind, body=body)
        made.append(seal_draft(draft, epoch=1 + len(made) // 100, parent=made[-1].hash))
    return made


def town_entries() -> list[Entry]:
    """Make the entries of a golden log of the standard products: what a simulated town asks, from one seed."""
    from formicary.testing.product_client import ProductClient  # noqa: PLC0415 - Hypothesis: to make one, not to replay

    stack, chance = standard_products(), random.Random(SEED)
    client, now = ProductClient(chance, stack), START_NS
    made: list[Entry] = []
    machine = Machine(None, stack)
    genesis = new_genesis(created_ns=START_NS, blinding_key=bytes(range(16)), public_key=PublicKey(bytes(range(32))))
    kind, body = EntryKind.GENESIS, write_genesis(genesis)
    while len(made) < TOWN_ENTRIES:
        parent = made[-1].hash if made else bytes(32)
        made.append(seal_draft(Draft(index=len(made) + 1, time_ns=now, kind=kind, body=body), epoch=1, parent=parent))
        client.learn(machine.step(made[-1]), machine.registry)
        now += chance.choice(client.pauses)
        kind, body = client.request(now)
    machine.check()
    machine.close()
    return made


def message_bytes() -> dict[str, str]:
    """One example of each message of the standard products, made from its type alone: its bytes in hexadecimal."""
    found = examples.messages(standard_products())
    return {name: encode(examples.canonical(message)).hex() for name, message in found.items()}


def write(folder: Path, release: str) -> None:
    """Write what is golden of a release and not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    logs = (("", entries, (PRODUCT,)), (TOWN, town_entries, standard_products()))
    written = [_write_log(folder / f"{prefix}{release}.jsonl.gz", release, make, stack) for prefix, make, stack in logs]
    path = folder / f"{MESSAGES}{release}.json"
    there = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    now = message_bytes()
    if not any(written) and not now.keys() - there.keys():
        raise SystemExit(f"{folder} has all of {release}: what is golden is never made again")
    path.write_text(json.dumps(dict(sorted((now | there).items())), indent=1) + "\n", encoding="utf-8")


def _write_log(path: Path, release: str, make: Callable[[], list[Entry]], stack: tuple[Product, ...]) -> bool:
    """Write one golden log unless it is there; whether it was written."""
    if path.exists():
        return False
    made = make()
    machine = Machine(None, stack)
    for entry in made:
        machine.step(entry)
    lines = [{"release": release, "entries": len(made), "digest": machine.digest.hex(), "root": _root(machine)}]
    lines += [{"time_ns": e.time_ns, "epoch": e.epoch, "kind": e.kind, "body": bytes(e.body).hex()} for e in made]
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode(), mtime=0))
    return True


def replay(path: Path, *, reverse_unordered: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """Replay a golden log: (what it gave at its release, what it gives now)."""
    recorded, *lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    stack = standard_products() if path.name.startswith(TOWN) else (PRODUCT,)
    machine, parent = Machine(None, stack, reverse_unordered=reverse_unordered), bytes(32)
    for index, line in enumerate(lines, 1):
        body, kind = bytes.fromhex(line["body"]), EntryKind(line["kind"])
        entry = seal_draft(
            Draft(index=index, time_ns=line["time_ns"], kind=kind, body=body), epoch=line["epoch"], parent=parent
        )
        machine.step(entry)
        parent = entry.hash
    now = {"digest": machine.digest.hex(), "root": _root(machine)}
    machine.close()
    return {name: recorded[name] for name in now}, now


def _root(machine: Machine) -> str:
    assert machine.tree is not None
    return machine.tree.root().hex()


def main() -> None:
    """Write what is golden of this release."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--release", default="0.1.0")
    chosen = options.parse_args()
    write(chosen.folder, chosen.release)


if __name__ == "__main__":
    main()
