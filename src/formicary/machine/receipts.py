"""Receipts: what a customer keeps, and checks offline without asking anybody.

A receipt is one leaf of the tree, the path from it to a root, the head under which the ledger signed that root, and the
public part of the genesis with every rotation of the signing key since. A head statement is the same without a leaf,
with the proof that the tree of an earlier head is the beginning of this one. Both prove themselves to whoever knows the
ledger's id or one of its keys; nothing here needs the ledger, a network, or compiled code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from formicary.base.errors import Refusal
from formicary.machine import proofs
from formicary.machine.describe import describe_leaf, describe_time
from formicary.machine.genesis import Identity
from formicary.machine.heads import SignedHead
from formicary.machine.keys import LEDGER_ID_BYTES, LedgerId, PublicKey, Rotation, check_rotation, key_id
from formicary.machine.leaf import leaf_data

if TYPE_CHECKING:
    from formicary.machine.tree import Tree

ROTATIONS_MAX: Final = 255
Trusted = LedgerId | PublicKey | None
"""What a verifier knows from elsewhere: the ledger's id (16 bytes), one of its keys (32 bytes), or nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One leaf, and all that it takes to check that the ledger signed for it."""

    identity: Identity
    rotations: tuple[Rotation, ...]
    head: SignedHead
    tag: int
    blind: bytes
    data: bytes
    """The stored transfer record, or the bytes of the reply."""
    leaf: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HeadStatement:
    """A signed head, and the proof that the tree of ``old_size`` leaves is its beginning (0: nothing to prove)."""

    identity: Identity
    rotations: tuple[Rotation, ...]
    head: SignedHead
    old_size: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check has shown. ``proven`` says it in plain words; the rest is for programs."""

    ledger_id: LedgerId
    note: str
    signer: PublicKey
    trusted: bool
    """Whether the verifier brought an id or a key, and the proof leads back to it."""
    head: SignedHead
    fields: dict[str, object]
    """The transfer or the reply, field by field; nothing for a head alone."""
    proven: tuple[str, ...]


# ── making ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_receipt(
    tree: Tree, *, tag: int, leaf: int, data: bytes, head: SignedHead, identity: Identity, rotations: Sequence[Rotation]
) -> Receipt:
    """Make the receipt of one leaf under a head that covers it; ``rotations`` are those up to the head's key."""
    assert leaf < head.size <= tree.size, "the head covers the leaf, and the tree the head"
    path, blind = tuple(tree.inclusion(leaf, head.size)), tree.blind(leaf)
    receipt = Receipt(identity, tuple(rotations), head, tag, blind, data, leaf, path)
    assert _root_of(receipt) == head.root, "the data given is not what was sealed in this leaf"
    return receipt


def make_statement(
    tree: Tree, *, old_size: int, head: SignedHead, identity: Identity, rotations: Sequence[Rotation]
) -> HeadStatement:
    """Make the statement that the tree under ``head`` begins with the tree of ``old_size`` leaves."""
    return HeadStatement(identity, tuple(rotations), head, old_size, tuple(tree.consistency(old_size, head.size)))


# ── checking ────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_receipt(receipt: Receipt, trusted: Trusted) -> Verified:
    """Check a receipt and say what it proves, or refuse it and say what is wrong."""
    signer = _signer_of(receipt, trusted)
    if _root_of(receipt) != receipt.head.root:
        raise Refusal("the path does not lead from this leaf to the signed root", code="receipt_wrong_path")
    words, fields = describe_leaf(receipt.tag, receipt.data)
    head, when = receipt.head, describe_time(receipt.head.time_ns)
    place = f"leaf {receipt.leaf:,} of the {head.size:,} that the ledger signed for as of entry {head.entry:,}, {when}"
    proven = (
        f"The ledger {_called(receipt.identity)} accepted this, in exactly these bytes: {words}",
        f"It is {place}; without a signed proof against itself the ledger can't take it back.",
        _whom(receipt, trusted),
        "It shows nothing of anybody else's transfers, and nothing of what happened after that entry.",
    )
    return _verified(receipt, signer, trusted, fields, proven)


def verify_statement(statement: HeadStatement, trusted: Trusted) -> Verified:
    """Check that a head is the ledger's own. What it says of an earlier tree needs the earlier head to check."""
    signer = _signer_of(statement, trusted)
    head, when = statement.head, describe_time(statement.head.time_ns)
    tree = f"{head.size:,} leaves and the root {head.root.hex()} as of entry {head.entry:,}, {when}"
    proven = (f"The ledger {_called(statement.identity)} signed that its tree had {tree}.", _whom(statement, trusted))
    return _verified(statement, signer, trusted, {}, proven)


def verify_consistency(old: Receipt | HeadStatement, new: HeadStatement, trusted: Trusted) -> Verified:
    """Check that nothing under the older head was changed, moved or removed up to the newer one."""
    verify_receipt(old, trusted) if isinstance(old, Receipt) else verify_statement(old, trusted)
    signer = _signer_of(new, trusted)
    before, after = old.head, new.head
    if before.ledger_id != after.ledger_id:
        raise Refusal("the two heads are of different ledgers", code="consistency_other_ledger")
    if old.rotations != new.rotations[: len(old.rotations)]:
        raise Refusal("the ledger tells two stories of its keys: keep both files, they are proof", code="two_histories")
    if new.old_size != before.size:
        message = f"the newer file starts from {new.old_size:,} leaves, the older has {before.size:,}: ask for that one"
        raise Refusal(message, code="consistency_other_size")
    agrees = proofs.verify_consistency(
        old_size=before.size, new_size=after.size, old_root=before.root, new_root=after.root, path=new.proof
    )
    if not agrees or before.entry > after.entry:
        message = "the newer head does not continue the older: keep both files, they are proof"
        raise Refusal(message, code="two_histories")
    whose = f"All {before.size:,} leaves that the ledger {_called(new.identity)} had signed for"
    still = f"unchanged and in order, among the {after.size:,} as of entry {after.entry:,}"
    proven = (f"{whose} as of entry {before.entry:,} are still there, {still}.", _whom(new, trusted))
    return _verified(new, signer, trusted, {}, proven)


def _signer_of(signed: Receipt | HeadStatement, trusted: Trusted) -> PublicKey:
    """Follow the keys from the genesis to the one that signed the head; refuse whatever does not hold on the way."""
    identity, head = signed.identity, signed.head
    ledger_id, key = identity.ledger_id, identity.public_key
    if head.ledger_id != ledger_id:
        raise Refusal("the head is of another ledger than the receipt says", code="head_other_ledger")
    keys = [key]
    for rotation in signed.rotations:
        check_rotation(key, rotation, ledger_id=ledger_id, entry=head.entry)
        key = PublicKey(rotation.new_public_key)
        keys.append(key)
    if not head.signed_by(key):
        raise Refusal("the head is not signed by the ledger's key", code="head_not_signed")
    if trusted is not None and trusted != ledger_id and trusted not in keys:
        wanted = f"ledger {trusted.hex()}" if len(trusted) == LEDGER_ID_BYTES else f"key {trusted.hex()}"
        raise Refusal(f"this is from ledger {ledger_id.hex()}, which is not your {wanted}", code="not_trusted")
    return key


def _root_of(receipt: Receipt) -> bytes | None:
    leaf = proofs.leaf_hash(leaf_data(receipt.tag, receipt.blind, receipt.data))
    return proofs.root_of_path(leaf, index=receipt.leaf, size=receipt.head.size, path=receipt.path)


def _called(identity: Identity) -> str:
    name = f"“{identity.note}” " if identity.note else ""
    return f"{name}({identity.ledger_id.hex()})"


def _whom(signed: Receipt | HeadStatement, trusted: Trusted) -> str:
    if trusted is None:
        return (
            "You named no ledger, so this shows only that the file agrees with itself: compare the ledger's id "
            f"{signed.identity.ledger_id.hex()} with one that you have from a source you trust."
        )
    known = "id" if len(trusted) == LEDGER_ID_BYTES else "key"
    handed = f", each of its {len(signed.rotations) + 1} keys signed for by the one before" if signed.rotations else ""
    return (
        f"The signature leads back to the ledger whose {known} you gave{handed}: it is proof for you, and for anybody "
        f"who knows that {known}."
    )


def _verified(
    signed: Receipt | HeadStatement,
    signer: PublicKey,
    trusted: Trusted,
    fields: dict[str, object],
    proven: tuple[str, ...],
) -> Verified:
    assert signed.head.key_id == key_id(signer)
    return Verified(
        ledger_id=signed.identity.ledger_id,
        note=signed.identity.note,
        signer=signer,
        trusted=trusted is not None,
        head=signed.head,
        fields=fields,
        proven=proven,
    )
