"""What a ledger is and how far it has come, as plain values for people and scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from formicary.machine.machine import Machine


def describe(machine: Machine) -> dict[str, Any]:
    """Describe a machine that has its genesis."""
    assert machine.genesis is not None
    return {
        "ledger_id": machine.ledger_id.hex(),
        "note": machine.genesis.note,
        "created_ns": machine.genesis.created_ns,
        "epoch": machine.epoch,
        "entries": machine.index,
        "time_ns": machine.time_ns,
        "accounts": machine.kernel.accounts_count,
        "transfers": machine.kernel.transfers_count,
        "sealed": {
            "entry": machine.sealed.index,
            "leaves": machine.sealed.leaves,
            "digest": machine.sealed.digest.hex(),
        },
    }
