"""The explorer: what anybody may check of the ledger, and receipts for those whom they concern.

The signed head and the chain of entries are public: with them anybody can see that history only grows. An entry is told
without its content. A receipt goes to the parties of its payment alone; it is the file that ``formicary receipt
verify`` and the browser's own verifier check offline, in the forms of :mod:`formicary.machine.receipt_forms`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from starlette.responses import Response

from formicary.base.entry import Entry, EntryKind
from formicary.base.errors import BadInput, Refusal
from formicary.base.ids import parse_id
from formicary.base.money import asset_code
from formicary.gateway.entries import read_entries
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.shared import time_text
from formicary.kernel.records import RECORD_BYTES
from formicary.machine.commands import unpack_commands
from formicary.machine.describe import TransferFields, transfer_fields
from formicary.machine.receipt_forms import write_json, write_text
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.node.ledger import Ledger

HEAD_SIZE_MAX: Final = 2**62
CODES: Final = {
    "entry_not_found": "There is no such entry yet.",
    "receipt_not_found": "There is no such payment of yours.",
    "account_not_found": "There is no such account.",
    "transfer_not_found": "There is no such transfer.",
    "qr_too_long": "The receipt is too long for one QR code: keep the file instead.",
}


class HeadAsked(msgspec.Struct, frozen=True):
    """Which head."""

    since: Annotated[int, msgspec.Meta(ge=0, le=HEAD_SIZE_MAX)] = 0
    """Size of an earlier tree that you know: the answer proves that today's begins with it."""


class EntryTold(msgspec.Struct, frozen=True):
    """One entry of the log, without its content."""

    index: int
    time: str
    time_ns: str
    kind: str
    epoch: int
    records: int
    """Accounts, transfers or commands in it."""
    bytes: int
    parent: str
    hash: str
    digest: str
    """Chained over all entries so far and all that they changed."""


class EntriesTold(msgspec.Struct, frozen=True):
    """Entries, newest first."""

    items: tuple[EntryTold, ...]
    next: str = ""


class EntriesAsked(msgspec.Struct, frozen=True):
    """Which entries."""

    after: Annotated[str, msgspec.Meta(pattern="^[0-9]{0,18}$")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class ReceiptAsked(msgspec.Struct, frozen=True):
    """In which form: the file, the text of its QR code, or a picture of that (SVG)."""

    form: Literal["json", "text", "qr"] = "json"


class AccountTold(msgspec.Struct, frozen=True):
    """One account as the kernel has it; strings are decimal integers."""

    id: str
    asset: str
    code: int
    flags: int
    debits_posted: str
    credits_posted: str
    debits_held: str
    credits_held: str
    transfers: str
    opened: str


class Explorer:
    """The routes' handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def head(self, asked: Asked) -> Response:
        """Answer the signed head as a document that proves itself, and that it only grew since an earlier one."""
        statement = await self._door.aside(self._door.ledger.consistency, asked.query.since)
        return Response(write_json(statement), media_type="application/json")

    async def entries(self, asked: Asked) -> EntriesTold:
        """List entries, newest first."""
        page = asked.query
        before = int(page.after) if page.after else 2**62
        return await self._door.aside(_entries, self._door.ledger, before, page.limit)

    async def entry(self, asked: Asked) -> EntryTold:
        """Tell one entry."""
        text = asked.path["index"]
        index = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        if index:
            found = await self._door.aside(_entries, self._door.ledger, index + 1, 1)
            if found.items and found.items[0].index == index:
                return found.items[0]
        raise Problem("entry_not_found", CODES["entry_not_found"])

    async def receipt(self, asked: Asked) -> Response:
        """Answer the receipt of a payment to somebody whom it concerns."""
        number = _id(asked.path["transfer"], "receipt_not_found")
        if not await self._concerns(asked, number):
            raise Problem("receipt_not_found", CODES["receipt_not_found"])
        try:
            receipt = await self._door.aside(self._door.ledger.receipt, number)
        except Refusal:
            raise Problem("receipt_not_found", CODES["receipt_not_found"]) from None
        form = asked.query.form
        if form == "json":
            name = f'attachment; filename="receipt-{number:032x}.json"'
            return Response(write_json(receipt), media_type="application/json", headers={"Content-Disposition": name})
        text = write_text(receipt)
        if form == "text":
            return Response(text, media_type="text/plain")
        return Response(await self._door.aside(qr_svg, text), media_type="image/svg+xml")

    async def _concerns(self, asked: Asked, number: int) -> bool:
        """Whether a transfer, or the hold that it settles, is a payment of the caller's; an auditor sees every one."""
        if "auditor" in asked.caller.roles:
            return True
        found = await self._door.aside(self._door.ledger.transfer, number)
        if found is None or "pay.payment" not in self._door.registry.queries:
            return False
        for each in (number, found.hold_id):
            if each:
                payment = self._door.asked("pay.payment", payment=each.to_bytes(16, "big"))
                try:
                    await self._door.ask("pay.payment", asked.caller.party, payment)
                except Refusal:
                    continue
                return True
        return False

    async def transfer(self, asked: Asked) -> TransferFields:
        """Tell any transfer, field by field."""
        number = _id(asked.path["transfer"], "transfer_not_found")
        found = await self._door.aside(self._door.ledger.lookup_transfers, [number])
        if not len(found):
            raise Problem("transfer_not_found", CODES["transfer_not_found"])
        return transfer_fields(found[:1].tobytes())

    async def account(self, asked: Asked) -> AccountTold:
        """Tell any account with its balances."""
        account = await self._door.aside(self._door.ledger.account, _id(asked.path["account"], "account_not_found"))
        if account is None:
            raise Problem("account_not_found", CODES["account_not_found"])
        return AccountTold(
            id=f"{account.id:032x}",
            asset=asset_code(account.asset),
            code=account.code,
            flags=int(account.flags),
            debits_posted=str(account.debits_posted),
            credits_posted=str(account.credits_posted),
            debits_held=str(account.debits_held),
            credits_held=str(account.credits_held),
            transfers=str(account.transfers),
            opened=time_text(account.time),
        )


def qr_svg(text: str) -> str:
    """Draw a QR code as SVG; refuse a text that no code holds."""
    import zxingcpp  # noqa: PLC0415 - drawing is rare

    for level in ("M", "L"):
        try:
            code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
        except ValueError:
            continue
        return str(code.to_svg(add_quiet_zones=True))
    raise Problem("qr_too_long", CODES["qr_too_long"])


def _id(text: str, code: str) -> int:
    try:
        return parse_id(text)
    except BadInput:
        raise Problem(code, CODES[code]) from None


def _entries(ledger: Ledger, before: int, limit: int) -> EntriesTold:
    """Tell up to ``limit`` entries below an index, newest first; blocks on the disk."""
    newest = int(ledger.info()["entries"])
    last = min(before - 1, newest)
    first = max(1, last - limit + 1)
    if last < 1:
        return EntriesTold(())
    assert ledger.digest, "what is told is sealed"
    entries = read_entries(ledger, first, last - first + 1)
    items = tuple(_told(entry, ledger.digest_at(entry.index)) for entry in entries)
    return EntriesTold(items[::-1], str(first) if first > 1 else "")


def _told(entry: Entry, digest: bytes) -> EntryTold:
    return EntryTold(
        index=entry.index,
        time=time_text(entry.time_ns),
        time_ns=str(entry.time_ns),
        kind=EntryKind(entry.kind).name.lower(),
        epoch=entry.epoch,
        records=_records(entry),
        bytes=len(entry.body),
        parent=entry.parent.hex(),
        hash=entry.hash.hex(),
        digest=digest.hex(),
    )


def _records(entry: Entry) -> int:
    if entry.kind in (EntryKind.ACCOUNTS, EntryKind.TRANSFERS):
        return len(entry.body) // RECORD_BYTES
    return len(unpack_commands(entry.body) or ()) if entry.kind == EntryKind.COMMANDS else 0


def routes(door: Door) -> list[Route]:
    """The routes of the explorer, of receipts, and of the institution's own look-ups."""
    explorer = Explorer(door)
    anyone: dict[str, Any] = {"method": "GET", "access": Access.ANYONE}
    operator: dict[str, Any] = {"method": "GET", "access": Access.OPERATOR, "scope": "ledger:read"}
    return [
        Route(
            path="/v1/head", handle=explorer.head, summary="The signed head of the ledger.", query=HeadAsked, **anyone
        ),
        Route(
            path="/v1/entries",
            handle=explorer.entries,
            summary="Entries of the log with their digests, newest first.",
            query=EntriesAsked,
            answer=EntriesTold,
            **anyone,
        ),
        Route(
            path="/v1/entries/{index}",
            handle=explorer.entry,
            summary="One entry of the log.",
            answer=EntryTold,
            codes=("entry_not_found",),
            **anyone,
        ),
        Route(
            method="GET",
            path="/v1/receipts/{transfer}",
            handle=explorer.receipt,
            summary="The receipt of a payment of yours, to keep and check offline.",
            scope="receipt:read",
            query=ReceiptAsked,
            also=("text/plain", "image/svg+xml"),
            codes=("receipt_not_found", "qr_too_long"),
        ),
        Route(
            path="/v1/transfers/{transfer}",
            handle=explorer.transfer,
            summary="One transfer of the ledger.",
            answer=TransferFields,
            codes=("transfer_not_found",),
            **operator,
        ),
        Route(
            path="/v1/accounts/{account}",
            handle=explorer.account,
            summary="One account of the ledger with its balances.",
            answer=AccountTold,
            codes=("account_not_found",),
            **operator,
        ),
    ]
