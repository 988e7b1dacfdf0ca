"""Receipts: what they prove, to whom, and that nothing else passes for one."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput, Refusal
from formicary.kernel.records import TRANSFER, TransferFlag
from formicary.machine import proofs
from formicary.machine.describe import transfer_fields, transfer_record
from formicary.machine.heads import sign_head
from formicary.machine.keys import LedgerId, PublicKey, SigningKey
from formicary.machine.leaf import TRANSFER_TAG, blind_of, leaf_data
from formicary.machine.receipt_forms import base45, read_document, unbase45, write_bytes, write_json, write_text
from formicary.machine.receipts import (
    Receipt,
    make_statement,
    verify_consistency,
    verify_receipt,
    verify_statement,
)

from tests.receipts.world import BLINDING_KEY, World, reply, transfers

FORMS = {
    "json": write_json,
    "bytes": write_bytes,
    "text": lambda document: write_text(document).encode(),
}
EACH_FORM = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(scope="module")
def world() -> World:
    """A ledger with transfers, replies and two rotations of its key behind it."""
    made = World()
    made.post(10, reply(1), reply(2, body=bytes(100)))
    made.rotate()
    made.post(20)
    made.rotate()
    made.post(7, reply(3))
    return made


# ── what is proven ──────────────────────────────────────────────────────────────────────────────────────────────────


@EACH_FORM
def test_every_leaf_has_a_receipt_that_verifies(world: World, form: str) -> None:
    """Written in any form and read back, every leaf's receipt verifies against the ledger's id."""
    for leaf, (_, data) in enumerate(world.leaves):
        receipt = read_document(FORMS[form](world.receipt(leaf)))
        assert isinstance(receipt, Receipt)
        assert receipt == world.receipt(leaf)
        assert receipt.data == data
        assert verify_receipt(receipt, world.genesis.ledger_id).trusted


def test_a_transfer_is_explained_in_plain_words(world: World) -> None:
    """The receipt of a transfer tells its fields, its place, and for whom it is proof."""
    verified = verify_receipt(world.receipt(3), world.genesis.ledger_id)
    said = " ".join(verified.proven)
    assert "transfer 4: 4.00 EUR moved from account 1004 to account 2004" in said
    assert "leaf 3 of the 40" in said
    assert "2026-01-01 00:00:00.000000004 UTC" in said
    assert "whose id you gave" in said
    assert verified.fields["amount"] == "400"
    assert verified.fields["kind"] == "transfer"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (TransferFlag.HOLD, "EUR held from"),
        (TransferFlag.CAPTURE, "captured of hold 9, from"),
        (TransferFlag.RELEASE, "no longer held by hold 9, from"),
        (TransferFlag.EXPIRY, "no longer held by hold 9, from"),
    ],
)
def test_holds_are_told_from_moves(flags: TransferFlag, words: str) -> None:
    """Nobody takes a receipt of reserved money for one of money that moved."""
    world = World()
    record = transfers(1)
    record["flags"], record["hold_lo"] = flags, 9
    world.tree.append_transfers(record)
    world.leaves.append((TRANSFER_TAG, record.tobytes()))
    assert words in verify_receipt(world.receipt(0), None).proven[0]


def test_a_reply_shows_its_command_and_outcome(world: World) -> None:
    """The receipt of a reply names the command and what came of it."""
    verified = verify_receipt(world.receipt(11), world.genesis.ledger_id)
    assert f"the reply “ok” to command {2:032x}" in verified.proven[0]
    assert (verified.fields["command"], verified.fields["code"]) == (f"{2:032x}", "ok")


def test_a_verifier_may_know_the_id_or_any_key(world: World) -> None:
    """The ledger's id, its first key and each later one lead to the same proof; another id or key refuses it."""
    receipt = world.receipt(5)
    for trusted in (world.genesis.ledger_id, *(key.public_key for key in world.keys)):
        assert verify_receipt(receipt, trusted).trusted
    for stranger in (LedgerId(bytes(16)), SigningKey(bytes(32)).public_key):
        with pytest.raises(Refusal) as refusal:
            verify_receipt(receipt, stranger)
        assert refusal.value.code == "not_trusted"


def test_without_an_id_it_says_what_is_missing(world: World) -> None:
    """A verifier who brings nothing is told that the file only agrees with itself."""
    verified = verify_receipt(world.receipt(5), None)
    assert not verified.trusted
    assert "compare the ledger's id" in " ".join(verified.proven)


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


def refused(raw: bytes, trusted: LedgerId | None) -> bool:
    """Whether reading or verifying refuses these bytes."""
    try:
        document = read_document(raw)
        (verify_receipt if isinstance(document, Receipt) else verify_statement)(document, trusted)
    except Refusal:
        return True
    return False


@EACH_FORM
@given(st.data())
def test_any_changed_byte_is_refused(form: str, data: st.DataObject) -> None:
    """Flip, drop or add a byte anywhere: what comes is unreadable or unproven, even to who knows no id."""
    world = World()
    world.post(6, reply(1, body=b"body"))
    world.rotate()
    world.post(5)
    raw = FORMS[form](world.receipt(data.draw(st.integers(0, 11), label="leaf")))
    assert not refused(raw, None)
    at = data.draw(st.integers(0, len(raw) - 1), label="at")
    other = data.draw(st.integers(0, 255).filter(lambda value: value != raw[at]), label="other")
    assert refused(raw[:at] + bytes([other]) + raw[at + 1 :], None)
    assert refused(raw[:at] + raw[at + 1 :], None)
    assert refused(raw[:at] + bytes([other]) + raw[at:], None)


@EACH_FORM
def test_every_single_bit_counts(form: str) -> None:
    """Each bit of a whole receipt, one after the other."""
    world = World()
    world.post(3)
    raw = FORMS[form](world.receipt(1))
    passed = [
        (at, bit)
        for at in range(len(raw))
        for bit in range(8)
        if not refused(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :], None)
    ]
    assert passed == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"leaf": 4}, "receipt_wrong_path"),
        ({"leaf": 2**63}, "receipt_wrong_path"),
        ({"blind": bytes(16)}, "receipt_wrong_path"),
        ({"tag": 2}, "receipt_wrong_path"),
        ({"data": bytes(128)}, "receipt_wrong_path"),
        ({"path": ()}, "receipt_wrong_path"),
        ({"rotations": ()}, "head_not_signed"),
    ],
)
def test_a_receipt_put_together_wrongly_says_what_is_wrong(world: World, change: dict[str, object], code: str) -> None:
    """Each part that does not fit has its code."""
    with pytest.raises(Refusal) as refusal:
        verify_receipt(replace(world.receipt(3), **change), None)  # type: ignore[arg-type]
    assert refusal.value.code == code


def test_a_key_that_was_replaced_signs_no_more(world: World) -> None:
    """A head signed by the new key for an entry from before its rotation is refused; so is one by a stranger."""
    receipt, ledger_id = world.receipt(3), world.genesis.ledger_id
    old = {"size": receipt.head.size, "root": receipt.head.root, "time_ns": receipt.head.time_ns}
    early = sign_head(world.keys[-1], ledger_id=ledger_id, entry=2, **old)
    with pytest.raises(Refusal, match="not before entry 2"):
        verify_receipt(replace(receipt, head=early), None)
    forged = sign_head(SigningKey(bytes([200]) * 32), ledger_id=ledger_id, entry=receipt.head.entry, **old)
    with pytest.raises(Refusal, match="not signed by the ledger's key"):
        verify_receipt(replace(receipt, head=forged), None)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "starts like none"),
        (b"{}", r"formicary"),
        (b'{"formicary": "receipt 2"}', "receipt 2"),
        (b"FRM\x03", "byte 3"),
        (b"FRM\x01\x01", "byte 4"),
        (b"FORMICARY1:::", "Base45"),
        (b"{" + bytes(1 << 20), "too many"),
    ],
)
def test_what_is_no_receipt_is_refused_with_where(raw: bytes, words: str) -> None:
    """Unreadable input says what is wrong and where."""
    with pytest.raises(BadInput, match=words):
        read_document(raw)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (b'"asset": 978', b'"asset": 4294967296', "transfer.asset"),
        (b'"amount": "400"', b'"amount": "9223372036854775808"', "transfer.amount"),
        (b'"amount": "400"', b'"amount": "x"', "transfer.amount"),
        (b'"index": "3"', b'"index": "-3"', "leaf.index"),
        (b'"size": "40"', b'"size": 40', "head.size"),
        (b'"rotations": [', b'"more": 1, "rotations": [', "more"),
        (b'"amount": "400"', b'"amount": "0400"', "line 7"),
        (b"\n}\n", b"\n}\n\n", "line "),
        (b"\n}\n", b"\r\n}\n", "line "),
    ],
)
def test_json_that_is_not_quite_a_receipt_says_where(world: World, old: bytes, new: bytes, where: str) -> None:
    """The one form is the only form: each deviation names its field or line."""
    raw = write_json(world.receipt(3))
    assert old in raw
    with pytest.raises(BadInput, match=where):
        read_document(raw.replace(old, new, 1))


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else_happens(garbage: bytes) -> None:
    """Any bytes at all, with and without the right start, are refused cleanly."""
    for start in (b"", b"FRM\x01", b"FRM\x02", b"FORMICARY1:", b"{"):
        with pytest.raises(BadInput):
            read_document(start + garbage)


# ── consistency ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_later_head_proves_that_nothing_was_rewritten() -> None:
    """A kept receipt or head and a later statement show that all that was there is there still."""
    world = World()
    world.post(11)
    kept = (world.receipt(4), world.statement())
    world.post(30)
    world.rotate()
    world.post(3, reply(1))
    later = read_document(write_json(world.statement(11)))
    assert later == read_document(write_bytes(world.statement(11)))
    assert not isinstance(later, Receipt)
    for old in kept:
        verified = verify_consistency(old, later, world.genesis.ledger_id)
        assert "All 11 leaves" in verified.proven[0]
        assert "among the 45" in verified.proven[0]


def test_two_histories_are_told_apart() -> None:
    """A ledger that changed one old transfer can't make a head that continues the old one."""
    honest, liar = World(), World()
    honest.post(11)
    kept = honest.receipt(4)
    changed = transfers(11)
    changed["amount"][5] += 1
    liar.tree.append_transfers(changed)
    liar.entry = honest.entry
    liar.post(30)
    with pytest.raises(Refusal, match="keep both files") as refusal:
        verify_consistency(kept, liar.statement(11), honest.genesis.ledger_id)
    assert refusal.value.code == "two_histories"


def test_statements_that_do_not_belong_together_are_refused() -> None:
    """Another starting size, another ledger, other rotations: each is refused for what it is."""
    world, other = World(), World(keys=[SigningKey(bytes([3]) * 32)])
    world.post(11)
    other.post(20)
    kept = world.receipt(4)
    world.post(5)
    with pytest.raises(Refusal, match="ask for that one"):
        verify_consistency(kept, world.statement(10), None)
    with pytest.raises(Refusal, match="different ledgers"):
        verify_consistency(kept, other.statement(11), None)
    world.rotate()
    turned = world.receipt(4)
    again = World(entry=10)
    again.post(11)
    again.rotate()
    again.post(9)
    with pytest.raises(Refusal, match="two stories of its keys"):
        verify_consistency(turned, again.statement(16), None)


# ── a leaf shows its owner nothing of others ────────────────────────────────────────────────────────────────────────


def test_a_sibling_can_not_be_confirmed_by_guessing() -> None:
    """Even a perfect guess at the neighbour's record does not match the hash in the path without the blinding key."""
    world = World()
    world.post(2)
    mine, theirs = world.receipt(0), world.leaves[1][1]
    sibling = mine.path[0]
    guesses = [
        proofs.leaf_hash(theirs),
        proofs.leaf_hash(bytes([TRANSFER_TAG]) + theirs),
        proofs.leaf_hash(leaf_data(TRANSFER_TAG, mine.blind, theirs)),
        proofs.leaf_hash(leaf_data(TRANSFER_TAG, bytes(16), theirs)),
        proofs.leaf_hash(leaf_data(TRANSFER_TAG, blind_of(mine.identity.blinding_hash[:16], 1), theirs)),
    ]
    assert sibling not in guesses
    assert sibling == proofs.leaf_hash(leaf_data(TRANSFER_TAG, blind_of(BLINDING_KEY, 1), theirs))


def test_equal_records_have_unequal_leaves() -> None:
    """Who owns two leaves can't find a third that says the same: every leaf has a blind of its own."""
    record = np.repeat(transfers(1), 3)
    world = World()
    world.tree.append_transfers(record)
    hashes = {world.tree._node(0, leaf) for leaf in range(3)}
    assert len(hashes) == 3


@EACH_FORM
def test_a_receipt_does_not_hold_the_blinding_key(world: World, form: str) -> None:
    """The id is proven by a hash of the key; the key itself is in no form of a receipt."""
    raw = FORMS[form](world.receipt(3))
    shown = unbase45(raw[11:].decode()) if form == "text" else raw
    spellings = (BLINDING_KEY, BLINDING_KEY.hex().encode(), base64.urlsafe_b64encode(BLINDING_KEY)[:20])
    assert not any(spelling in shown for spelling in spellings)


# ── sizes and small parts ───────────────────────────────────────────────────────────────────────────────────────────


def large(rotations: int, levels: int) -> Receipt:
    """A receipt of the right shape in a tree of 2^levels leaves, every number as long as it gets."""
    world = World()
    world.post(2)
    for _ in range(rotations):
        world.rotate()
    record = transfers(1)
    for name in TRANSFER.names or ():
        record[name] = np.iinfo(TRANSFER[name]).max
    path = tuple(bytes([level]) * 32 for level in range(levels))
    receipt = world.receipt(0)
    identity = replace(receipt.identity, note="n" * 64)
    head = replace(receipt.head, size=2**levels, entry=2**40, time_ns=2**63 - 1)
    return replace(receipt, identity=identity, head=head, data=record.tobytes(), leaf=2**levels - 1, path=path)


def test_a_receipt_stays_below_four_kibibytes() -> None:
    """The file of a transfer in a tree of 2^40 leaves, every field full, after one rotation of the key."""
    assert len(write_json(large(1, 40))) < 4096
    assert len(write_json(large(5, 24))) < 4096


def test_the_binary_form_is_what_its_parts_are() -> None:
    """Head and identity 300 bytes, leaf 158, 32 a level, 104 a rotation."""
    sizes = {(r, n): len(write_bytes(large(r, n))) for r in (0, 1) for n in (0, 40)}
    assert sizes[0, 40] - sizes[0, 0] == 40 * 32
    assert sizes[1, 0] - sizes[0, 0] == 104
    assert sizes[0, 0] == 4 + (2 + 8 + 32 + 32 + 1 + 64) + 1 + (8 + 32 + 8 + 8 + 64) + (8 + 1 + 16 + 4 + 128) + 1


@given(st.binary(max_size=200))
def test_base45_comes_back(data: bytes) -> None:
    """Every byte string has one text, which leads back to it."""
    assert unbase45(base45(data)) == data


@pytest.mark.parametrize(("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")])
def test_base45_is_that_of_the_rfc(data: bytes, text: str) -> None:
    """The examples of RFC 9285 §4.3 come out."""
    assert base45(data) == text
    assert unbase45(text) == data


@pytest.mark.parametrize("text", ["A", "AAAA", ":::", "ab0", "GGW", "::"])
def test_what_is_not_base45_is_refused(text: str) -> None:
    """A character too few, a foreign one, a group beyond its bytes."""
    with pytest.raises(BadInput, match="Base45"):
        unbase45(text)


@given(st.binary(min_size=128, max_size=128))
def test_the_fields_of_a_transfer_are_all_of_it(record: bytes) -> None:
    """Named fields lead back to the same 128 bytes, whatever they hold."""
    assert transfer_record(transfer_fields(record)) == record


def test_a_statement_of_a_head_verifies_alone(world: World) -> None:
    """A head with its keys proves its root to who knows the ledger; one for another size is another statement."""
    assert world.tree.root().hex() in verify_statement(world.statement(), world.genesis.ledger_id).proven[0]
    keys = {"identity": world.genesis.identity, "rotations": world.rotations}
    statement = make_statement(world.tree, old_size=0, head=world.head(12), **keys)
    assert "12 leaves" in verify_statement(statement, PublicKey(world.keys[1].public_key)).proven[0]
