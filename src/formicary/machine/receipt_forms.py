"""The written forms of receipts and head statements: JSON for people, bytes for machines, text for a QR code.

Each receipt has exactly one writing in each form. What reads writes again and compares, so that a file with any byte
changed is refused, be it only a space. Numbers in bytes are little-endian and of fixed width; the text for a QR code is
the bytes in Base45 (RFC 9285), which a code holds as densely as raw bytes and which every scanner passes on unharmed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

import msgspec

from formicary.base.errors import BadInput
from formicary.machine.commands import encode
from formicary.machine.describe import TransferFields, reply_fields, transfer_fields, transfer_record
from formicary.machine.genesis import GENESIS_VERSION, NOTE_BYTES_MAX, Identity
from formicary.machine.heads import SignedHead
from formicary.machine.keys import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, KeyId, LedgerId, PublicKey, Rotation, key_id
from formicary.machine.leaf import BLIND_BYTES, REPLY_TAG, TRANSFER_TAG
from formicary.machine.proofs import HASH_BYTES
from formicary.machine.receipts import ROTATIONS_MAX, HeadStatement, Receipt
from formicary.machine.replies import Reply

Document = Receipt | HeadStatement
INPUT_BYTES_MAX: Final = 1 << 20
"""Nothing larger is looked at."""
QR_PREFIX: Final = "FORMICARY1:"
_MAGIC: Final = b"FRM"
_RECEIPT, _STATEMENT = b"\x01", b"\x02"


def read_document(raw: bytes) -> Document:
    """Read a receipt or a head statement in any of its forms; refuse anything that is not exactly one."""
    if len(raw) > INPUT_BYTES_MAX:
        raise BadInput(f"{len(raw):,} bytes are too many for a receipt")
    if raw.startswith(_MAGIC):
        return read_bytes(raw)
    if raw.startswith(QR_PREFIX.encode()):
        return read_text(raw)
    if raw.startswith(b"{"):
        return read_json(raw)
    raise BadInput("this is not a receipt: it starts like none of their forms")


def parse_receipt(raw: bytes | str) -> Receipt:
    """Read a receipt in any of its forms; a head statement is refused as well."""
    document = read_document(raw.encode() if isinstance(raw, str) else raw)
    if not isinstance(document, Receipt):
        raise BadInput("this is a signed head, not a receipt")
    return document


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the JSON form; all hexadecimal is lower case."""


class _Ledger(_Form, frozen=True):
    id: str
    note: str
    version: int
    created_ns: str
    public_key: str
    blinding_hash: str


class _Leaf(_Form, frozen=True):
    index: str
    blind: str


class _Head(_Form, frozen=True):
    size: str
    root: str
    time_ns: str
    entry: str
    key_id: str
    signature: str


class _Rotation(_Form, frozen=True):
    after_entry: str
    new_public_key: str
    signature: str


class _Reply(_Form, frozen=True):
    command: str
    entry: str
    time_ns: str
    code: str
    body: str


class _ReceiptForm(_Form, frozen=True, kw_only=True, tag_field="formicary", tag="receipt 1"):
    transfer: TransferFields | None = None
    reply: _Reply | None = None
    ledger: _Ledger
    leaf: _Leaf
    head: _Head
    path: list[str]
    rotations: list[_Rotation]


class _StatementForm(_Form, frozen=True, kw_only=True, tag_field="formicary", tag="head 1"):
    ledger: _Ledger
    head: _Head
    old_size: str
    proof: list[str]
    rotations: list[_Rotation]


_decoder: Final = msgspec.json.Decoder(_ReceiptForm | _StatementForm)


def write_json(document: Document) -> bytes:
    """Write the JSON form: UTF-8, two spaces of indent, one line feed at the end."""
    identity, head = document.identity, document.head
    ledger = _Ledger(
        id=identity.ledger_id.hex(),
        note=identity.note,
        version=identity.version,
        created_ns=str(identity.created_ns),
        public_key=identity.public_key.hex(),
        blinding_hash=_base64(identity.blinding_hash),
    )
    signed = _Head(
        size=str(head.size),
        root=head.root.hex(),
        time_ns=str(head.time_ns),
        entry=str(head.entry),
        key_id=head.key_id.hex(),
        signature=_base64(head.signature),
    )
    rotations = [
        _Rotation(str(each.after_entry), each.new_public_key.hex(), _base64(each.signature))
        for each in document.rotations
    ]
    form: msgspec.Struct
    if isinstance(document, HeadStatement):
        proof = [_base64(each) for each in document.proof]
        old_size = str(document.old_size)
        form = _StatementForm(ledger=ledger, head=signed, old_size=old_size, proof=proof, rotations=rotations)
    else:
        path = [_base64(each) for each in document.path]
        leaf = _Leaf(str(document.leaf), document.blind.hex())
        transfer, reply = _data_form(document)
        form = _ReceiptForm(
            transfer=transfer, reply=reply, ledger=ledger, leaf=leaf, head=signed, path=path, rotations=rotations
        )
    return msgspec.json.format(msgspec.json.encode(form), indent=2) + b"\n"


def _data_form(receipt: Receipt) -> tuple[TransferFields | None, _Reply | None]:
    if receipt.tag == TRANSFER_TAG:
        return transfer_fields(receipt.data), None
    reply = reply_fields(receipt.data)
    command, body = reply.command_id.hex(), _base64(reply.body)
    return None, _Reply(command, str(reply.entry), str(reply.time_ns), reply.code, body)


def read_json(raw: bytes) -> Document:
    """Read the JSON form, and only that."""
    try:
        form = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a receipt: {error}") from error
    identity = _identity_of(form.ledger)
    head, rotations = _head_and_rotations(form.head, form.rotations, identity)
    document: Document
    if isinstance(form, _StatementForm):
        proof = tuple(_unbase64(each, "proof", HASH_BYTES) for each in form.proof)
        document = HeadStatement(identity, rotations, head, _number(form.old_size, "old_size"), proof)
    else:
        path = tuple(_unbase64(each, "path", HASH_BYTES) for each in form.path)
        blind, leaf = _unhex(form.leaf.blind, "leaf.blind", BLIND_BYTES), _number(form.leaf.index, "leaf.index")
        document = Receipt(identity, rotations, head, *_leaf_of(form, blind), leaf, path)
    _check_same(raw, write_json(document))
    return document


def _leaf_of(form: _ReceiptForm, blind: bytes) -> tuple[int, bytes, bytes]:
    if form.transfer is not None and form.reply is None:
        return TRANSFER_TAG, blind, transfer_record(form.transfer)
    if form.reply is not None and form.transfer is None:
        reply = form.reply
        entry, time_ns = _number(reply.entry, "reply.entry"), _number(reply.time_ns, "reply.time_ns")
        command, body = _unhex(reply.command, "reply.command"), _unbase64(reply.body, "reply.body")
        return REPLY_TAG, blind, encode(Reply(command, entry, time_ns, reply.code, body))
    raise BadInput("a receipt is for one transfer or one reply")


def _identity_of(form: _Ledger) -> Identity:
    identity = Identity(
        version=form.version,
        created_ns=_number(form.created_ns, "ledger.created_ns"),
        public_key=PublicKey(_unhex(form.public_key, "ledger.public_key", PUBLIC_KEY_BYTES)),
        blinding_hash=_unbase64(form.blinding_hash, "ledger.blinding_hash", HASH_BYTES),
        note=form.note,
    )
    _check_identity(identity)
    return identity


def _head_and_rotations(
    form: _Head, forms: Sequence[_Rotation], identity: Identity
) -> tuple[SignedHead, tuple[Rotation, ...]]:
    turns = [
        (
            _number(each.after_entry, f"rotations[{n}].after_entry"),
            _unhex(each.new_public_key, f"rotations[{n}].new_public_key", PUBLIC_KEY_BYTES),
            _unbase64(each.signature, f"rotations[{n}].signature", SIGNATURE_BYTES),
        )
        for n, each in enumerate(forms)
    ]
    rotations, signer = _chain(identity, turns)
    head = SignedHead(
        ledger_id=identity.ledger_id,
        size=_number(form.size, "head.size"),
        root=_unhex(form.root, "head.root", HASH_BYTES),
        time_ns=_number(form.time_ns, "head.time_ns"),
        entry=_number(form.entry, "head.entry"),
        key_id=signer,
        signature=_unbase64(form.signature, "head.signature", SIGNATURE_BYTES),
    )
    return head, rotations


def _check_same(raw: bytes, again: bytes) -> None:
    if raw == again:
        return
    shorter = min(len(raw), len(again))
    same = next((at for at in range(shorter) if raw[at] != again[at]), shorter)
    line = raw.count(b"\n", 0, same) + 1
    raise BadInput("not written the one way in which receipts are", where=f"line {line}, byte {same}")


# ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_bytes(document: Document) -> bytes:
    """Write the binary form."""
    identity, head = document.identity, document.head
    note = identity.note.encode()
    parts = [
        _MAGIC,
        _RECEIPT if isinstance(document, Receipt) else _STATEMENT,
        identity.version.to_bytes(2, "little"),
        identity.created_ns.to_bytes(8, "little"),
        identity.public_key,
        identity.blinding_hash,
        bytes([len(note)]),
        note,
        bytes([len(document.rotations)]),
    ]
    for rotation in document.rotations:
        parts += [rotation.after_entry.to_bytes(8, "little"), rotation.new_public_key, rotation.signature]
    numbers = (head.time_ns.to_bytes(8, "little"), head.entry.to_bytes(8, "little"))
    parts += [head.size.to_bytes(8, "little"), head.root, *numbers, head.signature]
    if isinstance(document, Receipt):
        size = len(document.data).to_bytes(4, "little")
        parts += [document.leaf.to_bytes(8, "little"), bytes([document.tag]), document.blind, size, document.data]
        hashes = document.path
    else:
        parts.append(document.old_size.to_bytes(8, "little"))
        hashes = document.proof
    return b"".join([*parts, bytes([len(hashes)]), *hashes])


class _Reader:
    """Takes bytes apart from the front, and says where they end too soon."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, count: int) -> bytes:
        """Take the next bytes."""
        part = self.raw[self.at : self.at + count]
        if len(part) != count:
            raise BadInput(f"{count} bytes expected, {len(part)} left", where=f"byte {self.at}")
        self.at += count
        return part

    def number(self, width: int) -> int:
        """Take a number."""
        return int.from_bytes(self.take(width), "little")

    def hashes(self) -> tuple[bytes, ...]:
        """Take a counted list of hashes, which is the end."""
        found = tuple(self.take(HASH_BYTES) for _ in range(self.number(1)))
        if self.at != len(self.raw):
            raise BadInput(f"{len(self.raw) - self.at} bytes too many", where=f"byte {self.at}")
        return found


def read_bytes(raw: bytes) -> Document:
    """Read the binary form, and only that."""
    reader = _Reader(raw)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise BadInput("not the start of a receipt", where="byte 0")
    kind = reader.take(1)
    if kind not in (_RECEIPT, _STATEMENT):
        raise BadInput(f"kind {kind.hex()} is neither a receipt nor a head", where="byte 3")
    identity = _read_identity(reader)
    turns = [_read_turn(reader) for _ in range(reader.number(1))]
    rotations, signer = _chain(identity, turns)
    size, root, time_ns, entry = reader.number(8), reader.take(HASH_BYTES), reader.number(8), reader.number(8)
    head = SignedHead(identity.ledger_id, size, root, time_ns, entry, signer, reader.take(SIGNATURE_BYTES))
    if kind == _STATEMENT:
        return HeadStatement(identity, rotations, head, reader.number(8), reader.hashes())
    leaf, tag, blind = reader.number(8), reader.number(1), reader.take(BLIND_BYTES)
    data = reader.take(reader.number(4))
    return Receipt(identity, rotations, head, tag, blind, data, leaf, reader.hashes())


def _read_turn(reader: _Reader) -> tuple[int, bytes, bytes]:
    return reader.number(8), reader.take(PUBLIC_KEY_BYTES), reader.take(SIGNATURE_BYTES)


def _read_identity(reader: _Reader) -> Identity:
    version, created_ns = reader.number(2), reader.number(8)
    public_key, blinding_hash = PublicKey(reader.take(PUBLIC_KEY_BYTES)), reader.take(HASH_BYTES)
    at, note = reader.at, reader.take(reader.number(1))
    try:
        identity = Identity(version, created_ns, public_key, blinding_hash, note.decode())
    except UnicodeDecodeError as error:
        raise BadInput("the ledger's note is not text", where=f"byte {at}") from error
    _check_identity(identity)
    return identity


def _check_identity(identity: Identity) -> None:
    if identity.version != GENESIS_VERSION:
        raise BadInput(f"version {identity.version} is not known here", where="ledger.version")
    if len(identity.note.encode()) > NOTE_BYTES_MAX or not identity.note.isprintable():
        raise BadInput("not a line of text within its limit", where="ledger.note")


def _chain(identity: Identity, turns: Sequence[tuple[int, bytes, bytes]]) -> tuple[tuple[Rotation, ...], KeyId]:
    # What the forms leave out because it follows: whose ledger and whose old key each rotation is of, and who signs.
    if len(turns) > ROTATIONS_MAX:
        raise BadInput(f"{len(turns)} are more than {ROTATIONS_MAX}", where="rotations")
    rotations: list[Rotation] = []
    ledger_id: LedgerId = identity.ledger_id
    signer = key_id(identity.public_key)
    for after_entry, new_public_key, signature in turns:
        rotations.append(Rotation(ledger_id, signer, new_public_key, after_entry, signature))
        signer = key_id(PublicKey(new_public_key))
    return tuple(rotations), signer


# ── text for a QR code ──────────────────────────────────────────────────────────────────────────────────────────────

_BASE45: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def write_text(document: Document) -> str:
    """Write the form for a QR code: a prefix and the binary form in Base45."""
    return QR_PREFIX + base45(write_bytes(document))


def read_text(raw: bytes) -> Document:
    """Read the form for a QR code, and only that."""
    return read_bytes(unbase45(raw[len(QR_PREFIX) :].decode("ascii", "replace")))


def base45(data: bytes) -> str:
    """Encode bytes in Base45 (RFC 9285 §4): three characters for two bytes, two for a last one."""
    text: list[str] = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            text.append(_BASE45[digit])
    return "".join(text)


def unbase45(text: str) -> bytes:
    """Decode Base45; refuse a foreign character, a group that is too large or too short."""
    data = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        digits = [_BASE45.find(character) for character in group]
        number = digits[0] + 45 * sum(digits[1:2]) + 2025 * sum(digits[2:])
        width = len(group) - 1
        if -1 in digits or not width or number >= 1 << 8 * width:
            raise BadInput(f"{group!r} is not Base45", where=f"character {at}")
        data += number.to_bytes(width, "big")
    return bytes(data)


# ── small parts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str, where: str, length: int | None = None) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadInput(f"{text!r} is not base64url", where=where) from error
    return _of_length(data, where, length)


def _unhex(text: str, where: str, length: int | None = None) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is not hexadecimal", where=where) from error
    return _of_length(data, where, length)


def _of_length(data: bytes, where: str, length: int | None) -> bytes:
    if length is not None and len(data) != length:
        raise BadInput(f"{len(data)} bytes, not {length}", where=where)
    return data


def _number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < 1 << 64):
        raise BadInput(f"{text!r} is not a whole number of 64 bits", where=where)
    return int(text)
