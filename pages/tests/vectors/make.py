# ruff: noqa: INP001 - a script among tests in another language
"""Write receipts.json: what the ledger's own library signs, which the check in the browser must agree with.

Run from the repository: ``.venv/bin/python pages/tests/vectors/make.py``. The same bytes every time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from formicary.machine.receipt_forms import write_bytes, write_json, write_text  # noqa: E402
from formicary.machine.receipts import HeadStatement, Receipt  # noqa: E402

from tests.receipts.world import World, reply  # noqa: E402

Document = Receipt | HeadStatement


def forms(document: Document) -> dict[str, str]:
    """Write a document in all its forms, as text."""
    return {
        "json": write_json(document).decode(),
        "hex": write_bytes(document).hex(),
        "text": write_text(document),
    }


def main() -> None:
    """Grow a small ledger, with two rotations of its key, and write what it signs on the way."""
    world = World()
    world.post(10, reply(1), reply(2, body=bytes(100)))
    early = {"receipts": [forms(world.receipt(leaf)) for leaf in (0, 9, 10, 11)], "head": forms(world.statement())}
    size = world.tree.size
    world.rotate()
    world.post(20)
    world.rotate()
    world.post(7, reply(3, body=bytes(300)))
    late = {"receipts": [forms(world.receipt(leaf)) for leaf in (0, 11, 25, 39)], "head": forms(world.statement(size))}
    other = World(keys=[type(world.keys[0])(bytes([99]) * 32)])
    other.post(12)
    made = {
        "ledger_id": world.genesis.ledger_id.hex(),
        "first_key": world.keys[0].public_key.hex(),
        "last_key": world.keys[-1].public_key.hex(),
        "early_size": size,
        "early": early,
        "late": late,
        "other_head": forms(other.statement(size)),
    }
    Path(__file__).with_name("receipts.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
