"""``formicary receipt``: make receipts, and check them offline.

``make``, ``head`` and ``rotate-key`` open a ledger; ``verify`` and ``consistency`` need nothing but the files they are
given, so that a customer can run them on a machine that has never seen the ledger.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from formicary.base.errors import BadInput
from formicary.cli.output import say, show_json
from formicary.machine.appendfile import fault

if TYPE_CHECKING:
    from formicary.machine.receipt_forms import Document
    from formicary.machine.receipts import Trusted, Verified

app = typer.Typer()

LedgerArgument = Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger's folder.", show_default=False)]
LedgerIdOption = Annotated[
    str | None, typer.Option("--ledger-id", metavar="HEX", help="The ledger's id, from a source that you trust.")
]
KeyOption = Annotated[str | None, typer.Option("--key", metavar="HEX", help="A public key of the ledger, likewise.")]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it to this file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


# ── with a ledger ───────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def make(
    ledger: LedgerArgument,
    transfer_id: Annotated[str, typer.Argument(metavar="TRANSFER_ID", help="Decimal, hexadecimal or UUID.")],
    out: OutOption = None,
    qr: Annotated[Path | None, typer.Option("--qr", metavar="PNG", help="Draw it as a QR code: .png or .svg.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make the receipt of an accepted transfer; without --out and --qr it goes to standard output."""
    import formicary
    from formicary.base.ids import parse_id
    from formicary.cli.qr import draw_code
    from formicary.machine.receipt_forms import write_json, write_text

    with formicary.open(ledger, create=False) as opened:
        receipt = opened.receipt(parse_id(transfer_id))
    written = write_json(receipt)
    if out is not None:
        _write(out, written)
    code = "" if qr is None else draw_code(write_text(receipt), qr)
    if as_json:
        files = {"file": out and str(out), "bytes": len(written), "qr": qr and str(qr), "qr_version": code}
        show_json({"transfer": transfer_id, "leaf": receipt.leaf, "size": receipt.head.size, **files})
        return
    if out is None and qr is None:
        sys.stdout.write(written.decode())
    if out is not None:
        say(f"{out}: the receipt of transfer {transfer_id}, {len(written):,} bytes")
    if qr is not None:
        say(f"{qr}: the same as a QR code, version {code}")


@app.command()
def head(
    ledger: LedgerArgument,
    since: Annotated[int, typer.Option(min=0, help="Prove that the tree of this many leaves is its beginning.")] = 0,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the ledger's newest signed tree head, or write it to a file with proof from an earlier size."""
    import formicary
    from formicary.machine.receipt_forms import write_json
    from formicary.machine.receipts import verify_statement

    with formicary.open(ledger, create=False) as opened:
        opened.head()  # signs what has been sealed so far
        statement = opened.consistency(since)
    if out is not None:
        _write(out, write_json(statement))
    _show(verify_statement(statement, statement.identity.ledger_id), as_json=as_json)


@app.command("rotate-key")
def rotate_key(ledger: LedgerArgument, as_json: JsonOption = False) -> None:
    """Make a new signing key; the old one signs that it takes over, and that goes on the log."""
    import formicary
    from formicary.machine.keys import PublicKey, key_id

    with formicary.open(ledger, create=False) as opened:
        rotation = opened.rotate_key()
    old, new = rotation.old_key_id.hex(), key_id(PublicKey(rotation.new_public_key)).hex()
    if as_json:
        show_json({"old_key": old, "new_key": new, "public_key": rotation.new_public_key.hex()})
    else:
        public = rotation.new_public_key.hex()
        say(f"key {new} (public key {public}) speaks for the ledger from now on, instead of {old}")


# ── without ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt, or a picture of its QR code.")],
    ledger_id: LedgerIdOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a receipt or a signed head offline, and say what it proves."""
    from formicary.machine.receipts import Receipt, verify_receipt, verify_statement

    document, trusted = load_document(file), _trusted(ledger_id, key)
    if isinstance(document, Receipt):
        _show(verify_receipt(document, trusted), as_json=as_json)
    else:
        _show(verify_statement(document, trusted), as_json=as_json)


@app.command()
def consistency(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A receipt or head that you kept.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="A head made with --since the older one's size.")],
    ledger_id: LedgerIdOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check offline that nothing under an older head was changed up to a newer one."""
    from formicary.machine.receipts import HeadStatement, verify_consistency

    newer = load_document(new)
    if not isinstance(newer, HeadStatement):
        raise BadInput("this is a receipt; the newer file is made by `formicary receipt head`", where=str(new))
    _show(verify_consistency(load_document(old), newer, _trusted(ledger_id, key)), as_json=as_json)


def load_document(path: Path) -> Document:
    """Read a receipt or head from a file in any of its forms, or from a picture of a QR code."""
    from formicary.cli.qr import PICTURES, read_codes
    from formicary.machine.receipt_forms import INPUT_BYTES_MAX, QR_PREFIX, read_document

    try:
        with path.open("rb") as opened:
            raw = opened.read(INPUT_BYTES_MAX + 1)
    except OSError as error:
        raise fault(error, path) from error
    if path.suffix.lower() in PICTURES or raw.startswith(b"\x89PNG"):
        texts = [text for text in read_codes(path) if text.startswith(QR_PREFIX)]
        if len(texts) != 1:
            raise BadInput(f"the picture shows {len(texts)} receipts, and not one", where=str(path))
        raw = texts[0].encode()
    try:
        return read_document(raw)
    except BadInput as error:
        raise BadInput(str(error), where=str(path)) from error


def _trusted(ledger_id: str | None, key: str | None) -> Trusted:
    from formicary.machine.keys import LEDGER_ID_BYTES, PUBLIC_KEY_BYTES, LedgerId, PublicKey

    if ledger_id is not None and key is not None:
        raise BadInput("give the ledger's id or a key, not both", where="--key")
    if ledger_id is not None:
        return LedgerId(_unhex(ledger_id, "--ledger-id", LEDGER_ID_BYTES))
    return None if key is None else PublicKey(_unhex(key, "--key", PUBLIC_KEY_BYTES))


def _unhex(text: str, where: str, length: int) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise BadInput("this is not hexadecimal", where=where) from error
    if len(raw) != length:
        raise BadInput(f"{2 * length} hexadecimal digits are needed, not {2 * len(raw)}", where=where)
    return raw


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise fault(error, path) from error


def _show(verified: Verified, *, as_json: bool) -> None:
    head = verified.head
    if not as_json:
        for sentence in verified.proven:
            say(sentence)
        return
    shown: dict[str, Any] = {
        "verified": True,
        "trusted": verified.trusted,
        "ledger_id": verified.ledger_id.hex(),
        "note": verified.note,
        "key": verified.signer.hex(),
        "size": head.size,
        "root": head.root.hex(),
        "entry": head.entry,
        "time_ns": str(head.time_ns),
    }
    show_json({**shown, **({"about": verified.fields} if verified.fields else {}), "proven": verified.proven})
