"""Golden logs: each release's entries, kept as bytes with the digest they gave, replayed by every later version.

A change that makes one of them give another digest is a change of the rules, and needs a decision record and a version.
``python -m formicary.testing.golden FOLDER`` writes the one of this release; it is made once and never again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from pathlib import Path
from typing import Final

from formicary.base.entry import Draft, Entry, EntryKind, seal_draft
from formicary.machine.genesis import new_genesis, write_genesis
from formicary.machine.keys import PublicKey
from formicary.machine.machine import Machine
from formicary.products.example import PRODUCT
from formicary.testing.random_client import RandomClient

SEED: Final = 20261122
ENTRIES: Final = 400
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


def write(folder: Path, release: str) -> None:
    """Write the golden log of a release, unless it is there."""
    path = folder / f"{release}.jsonl.gz"
    if path.exists():
        raise SystemExit(f"{path} is there already: a golden log is never made again")
    made = entries()
    machine = Machine(None, (PRODUCT,))
    for entry in made:
        machine.step(entry)
    lines = [{"release": release, "entries": len(made), "digest": machine.digest.hex(), "root": _root(machine)}]
    lines += [{"time_ns": e.time_ns, "epoch": e.epoch, "kind": e.kind, "body": bytes(e.body).hex()} for e in made]
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode(), mtime=0))


def replay(path: Path, *, reverse_unordered: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """Replay a golden log: (what it gave at its release, what it gives now)."""
    recorded, *lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    machine, parent = Machine(None, (PRODUCT,), reverse_unordered=reverse_unordered), bytes(32)
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
    """Write this release's golden log."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--release", default="0.1.0")
    chosen = options.parse_args()
    write(chosen.folder, chosen.release)


if __name__ == "__main__":
    main()
