"""Signs what is sealed, and makes receipts of it: the node's only use of its private keys."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from formicary.base.errors import Refusal
from formicary.machine.context import View
from formicary.machine.heads import HeadFile, SignedHead, sign_head
from formicary.machine.keys import (
    LedgerId,
    PublicKey,
    Rotation,
    SigningKey,
    create_key,
    key_id,
    load_key,
    make_rotation,
)
from formicary.machine.leaf import REPLY_TAG, TRANSFER_TAG
from formicary.machine.receipts import HeadStatement, Receipt, make_receipt, make_statement
from formicary.machine.system import key_at, rotations

if TYPE_CHECKING:
    from formicary.machine.checkpoint import Checkpoint
    from formicary.machine.machine import Machine


Read: TypeAlias = Callable[[Callable[["Machine"], Any]], Any]
"""Runs a function between entries, and answers once all that it could see is durable: the pipeline's ``read``."""


class Notary:
    """The keys, the heads and the receipts of one ledger.

    Entries may be applied before they are sealed, and sealed before they are durable. So whatever is signed begins with
    a look at what is sealed, and only then reads the applied state: that read waits until the sealed entry is durable,
    and asks for the key of that entry, for a newer one may be in force by now.
    """

    def __init__(self, machine: Machine, read: Read, *, keys: Path | None, heads: Path | None) -> None:
        self._machine = machine
        self._read = read
        self._keys = keys
        self._in_memory: dict[bytes, SigningKey] = {}
        self._heads = HeadFile(heads, LedgerId(machine.ledger_id))
        assert machine.tree is not None, "a ledger that runs has its genesis"
        self._tree = machine.tree
        self._lock = threading.Lock()
        newest = self._heads.newest()
        if newest is not None and newest.size > self._tree.size:
            self._heads.truncate(self._tree.size)

    def remember(self, key: SigningKey) -> None:
        """Keep a key that has no folder to be kept in."""
        self._in_memory[key.key_id] = key

    def head(self) -> SignedHead:
        """Sign the tree as it is sealed now, or give the head already signed for it."""
        sealed = self._machine.sealed
        signer = self._signer(at_entry=sealed.index)
        with self._lock:
            newest = self._heads.newest()
            if newest is not None and _as_good(newest, sealed, signer):
                return newest
            head = sign_head(
                signer,
                ledger_id=LedgerId(self._machine.ledger_id),
                size=sealed.leaves,
                root=self._tree.root(sealed.leaves),
                time_ns=sealed.time_ns,
                entry=sealed.index,
            )
            self._heads.append(head)
            return head

    def receipt(self, transfer_id: int) -> Receipt:
        """Make the receipt of a stored transfer that is sealed; refuse an id that is not there."""
        sealed = self._machine.sealed
        found = self._read(lambda machine: _stored(machine, transfer_id))
        if found is None or found[0] >= sealed.transfers:  # one that is not sealed came after the question
            raise Refusal(f"there is no transfer {transfer_id}", code="transfer_not_found")
        index, record = found
        return self._receipt(TRANSFER_TAG, self._tree.leaf_of_transfer(index), record)

    def receipt_of_reply(self, command_id: bytes) -> Receipt:
        """Make the receipt of what a command was answered, once that is sealed; refuse an id that is not there."""
        sealed = self._machine.sealed
        found = self._read(lambda machine: _answered(machine, command_id))
        if found is None or found[0] >= sealed.replies:  # one that is not sealed came after the question
            raise Refusal(f"there is no command {command_id.hex()}", code="command_not_found")
        number, reply = found
        return self._receipt(REPLY_TAG, self._tree.leaf_of_reply(number), reply)

    def _receipt(self, tag: int, leaf: int, data: bytes) -> Receipt:
        head = self._heads.covering(leaf) or self.head()
        assert leaf < head.size, "what is asked for is sealed"
        return make_receipt(
            self._tree,
            tag=tag,
            leaf=leaf,
            data=data,
            head=head,
            identity=self._identity(),
            rotations=self._rotations(head),
        )

    def consistency(self, old_size: int) -> HeadStatement:
        """Prove that the tree of today only grew from the one of ``old_size`` leaves."""
        head = self.head()
        if not 0 <= old_size <= head.size:
            raise Refusal(f"the tree has {head.size:,} leaves, not {old_size:,}", code="size_unknown")
        return make_statement(
            self._tree, old_size=old_size, head=head, identity=self._identity(), rotations=self._rotations(head)
        )

    def new_rotation(self) -> Rotation:
        """Make a new key and the current key's signed word for it; it counts once it is on the log."""
        newest = self._read(lambda machine: machine.index)
        current = self._signer(at_entry=newest)
        fresh = create_key(self._keys) if self._keys is not None else SigningKey(secrets.token_bytes(32))
        self.remember(fresh)
        return make_rotation(
            current,
            fresh.public_key,
            ledger_id=LedgerId(self._machine.ledger_id),
            after_entry=newest,
        )

    def close(self) -> None:
        """Keep the heads durably and let go of them."""
        self._heads.sync()
        self._heads.close()

    def _signer(self, *, at_entry: int) -> SigningKey:
        """The private key that spoke for the ledger as of an entry."""
        name = key_id(self._read(lambda machine: key_at(_system(machine), at_entry)))
        with self._lock:
            if name not in self._in_memory:
                if self._keys is None:
                    raise Refusal(f"the private key {name.hex()} is not here", code="key_missing")
                self._in_memory[name] = load_key(self._keys, name)
            return self._in_memory[name]

    def _identity(self) -> Any:  # noqa: ANN401 - of the machine's genesis module
        assert self._machine.genesis is not None
        return self._machine.genesis.identity

    def _rotations(self, head: SignedHead) -> list[Rotation]:
        """The chain from the genesis key to the one that signed ``head``."""
        chain: list[Rotation] = self._read(lambda machine: rotations(_system(machine)))
        signers = [key_id(PublicKey(rotation.new_public_key)) for rotation in chain]
        return chain[: signers.index(head.key_id) + 1] if head.key_id in signers else []


def _system(machine: Machine) -> View:
    return machine.view("system")


def _as_good(head: SignedHead, sealed: Checkpoint, signer: SigningKey) -> bool:
    """Whether a head says all that signing what is sealed would: of the same tree and key, or of a later entry."""
    return head.entry > sealed.index or (head.size == sealed.leaves and head.key_id == signer.key_id)


def _stored(machine: Machine, transfer_id: int) -> tuple[int, bytes] | None:
    index = machine.kernel.find_transfer(transfer_id)
    return None if index < 0 else (index, machine.kernel.stored_transfers(index, index + 1).tobytes())


def _answered(machine: Machine, command_id: bytes) -> tuple[int, bytes] | None:
    number, found = machine.rows.replies.number_of(command_id), machine.rows.replies.find(command_id)
    return None if number is None or found is None else (number, found[1])
