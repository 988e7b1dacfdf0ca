"""A ledger's receipts without the ledger: keys, a genesis, a tree with transfers and replies, and signed heads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from formicary.kernel.records import TRANSFER
from formicary.machine.commands import encode
from formicary.machine.genesis import Genesis, new_genesis
from formicary.machine.heads import SignedHead, sign_head
from formicary.machine.keys import Rotation, SigningKey, make_rotation
from formicary.machine.leaf import REPLY_TAG, TRANSFER_TAG
from formicary.machine.receipts import HeadStatement, Receipt, make_receipt, make_statement
from formicary.machine.replies import Reply
from formicary.machine.tree import Tree

BLINDING_KEY = bytes(range(16))
CREATED_NS = 1_767_225_600_000_000_000


def transfers(count: int, *, first: int = 1) -> np.ndarray[Any, np.dtype[np.void]]:
    """Make stored transfers that differ from one another in every field that matters."""
    records = np.zeros(count, TRANSFER)
    numbers = np.arange(first, first + count)
    records["id_lo"] = numbers
    records["debit_lo"], records["credit_lo"] = 1000 + numbers % 7, 2000 + numbers % 5
    records["amount"], records["asset"], records["code"] = numbers * 100, 978, 1
    records["user_data_hi"], records["time"] = ~numbers.astype(np.uint64), CREATED_NS + numbers
    return records


def reply(number: int, *, body: bytes = b"\x90") -> bytes:
    """Make the bytes of a reply."""
    return encode(Reply(number.to_bytes(16, "big"), number, CREATED_NS + number, "ok", body))


@dataclass
class World:
    """A tree that grows, and the keys that sign for it."""

    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey(bytes([7]) * 32)])
    rotations: list[Rotation] = field(default_factory=list)
    tree: Tree = field(default_factory=lambda: Tree(None, BLINDING_KEY))
    leaves: list[tuple[int, bytes]] = field(default_factory=list)
    entry: int = 1

    @property
    def genesis(self) -> Genesis:
        """Who this ledger is."""
        key = self.keys[0].public_key
        return new_genesis(created_ns=CREATED_NS, blinding_key=BLINDING_KEY, public_key=key, note="Bäckerei")

    def post(self, count: int, *replies: bytes) -> None:
        """Seal an entry of transfers, then of replies."""
        records = transfers(count, first=len(self.leaves) + 1)
        self.tree.append_transfers(records)
        self.tree.append_replies(replies)
        self.leaves += [(TRANSFER_TAG, record.tobytes()) for record in records]
        self.leaves += [(REPLY_TAG, each) for each in replies]
        self.entry += 1

    def rotate(self) -> Rotation:
        """Hand over to a new key."""
        new = SigningKey(bytes([7 + len(self.keys)]) * 32)
        rotation = make_rotation(
            self.keys[-1], new.public_key, ledger_id=self.genesis.ledger_id, after_entry=self.entry
        )
        self.keys.append(new)
        self.rotations.append(rotation)
        self.entry += 1
        return rotation

    def head(self, size: int | None = None) -> SignedHead:
        """Sign for the tree as it is, or was."""
        size = self.tree.size if size is None else size
        root, time_ns = self.tree.root(size), CREATED_NS + 10**9 * self.entry
        ledger_id = self.genesis.ledger_id
        return sign_head(self.keys[-1], ledger_id=ledger_id, size=size, root=root, time_ns=time_ns, entry=self.entry)

    def receipt(self, leaf: int, head: SignedHead | None = None) -> Receipt:
        """Make the receipt of a leaf."""
        tag, data = self.leaves[leaf]
        head, identity, rotations = head or self.head(), self.genesis.identity, self.rotations
        return make_receipt(self.tree, tag=tag, leaf=leaf, data=data, head=head, identity=identity, rotations=rotations)

    def statement(self, old_size: int = 0) -> HeadStatement:
        """State the head as it is, with proof from an earlier size."""
        identity = self.genesis.identity
        return make_statement(
            self.tree, old_size=old_size, head=self.head(), identity=identity, rotations=self.rotations
        )
