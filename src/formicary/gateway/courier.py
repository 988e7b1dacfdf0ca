"""The bank courier: carries withdrawals to the bank as files, and the bank's files to the ledger as commands.

It keeps no state of its own. Going out, a withdrawal is a file named by its id, and is written only where neither the
folder to the bank nor the one of files that the bank took has it, and the ledger does not say that it was instructed.
Coming in, each booking is a command whose id follows from its content, and a file is put away only when all its
commands are durable. So it may be killed at any instant and started again: what was half done is done again, and
doing it again changes nothing.

IBANs and names are in the files and never on the ledger; the courier asks for them (``iban_of``) when it writes one.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from blake3 import blake3

from formicary.base.errors import BadInput
from formicary.gateway import paged
from formicary.machine.commands import Command, encode
from formicary.machine.replies import OK, read_reply
from formicary.products.bank import commands as bank
from formicary.products.bank import rows, sandbox_houses
from formicary.products.bank.backing import day_of
from formicary.products.bank.codes import LISTED_MAX, RAIL
from formicary.products.bank.references import read_reference, write_reference
from formicary.rails import iso20022
from formicary.rails.exchange import move, read_bounded, waiting, write_whole
from formicary.rails.iso20022 import Booking, Order, OrderStatus, Payment, Report

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.machine.events import Event, Outbox
    from formicary.node.ledger import Ledger
    from formicary.products.anatomy import Message
    from formicary.products.bank.queries import Houses

SUBSCRIBER: Final = "courier/bank"
EVENTS_AT_A_TIME: Final = 100
LOOK_S: Final = 1.0
"""How often the folders are looked at when nothing calls."""
NAME_CHARS_KEPT: Final = 40
"""Of the name of a file that is set apart, its end: with what is put before and behind, it is still a name."""
IN_FLIGHT: Final = 500
"""Commands that wait for the ledger at a time."""
DUPLICATE: Final = "AM05"
"""The bank's reason for refusing what it has already; what it has, it pays."""
REJECTED: Final = "RJCT"
NAMELESS: Final = "NOTPROVIDED"
"""ISO 20022's word for what nobody gave: an order has to name its receiver, and not everybody has a name."""
_NAME: Final = re.compile(r"[0-9a-f]{32}")
_REASON: Final = re.compile(r"[A-Z0-9]{1,4}")
_REFERENCE: Final = re.compile(r"RF(?:\s*[0-9]){14}(?![0-9])", re.IGNORECASE)


class Sender(NamedTuple):
    """Who sent money that nobody understood: personal, for the vault; ``account_ref`` is what it is looked up by."""

    account_ref: bytes
    name: str
    iban: str
    text: str


IbanOf = Callable[[bytes], "tuple[str, str] | None"]
"""``account_ref -> (IBAN, name)``; None when nobody has it any more."""


@dataclass(slots=True)
class Carried:
    """What one round did."""

    orders: int = 0
    files: int = 0
    quarantined: int = 0
    rejected: int = 0

    def __bool__(self) -> bool:
        return bool(self.orders or self.files or self.quarantined or self.rejected)


class Courier:
    """Works one exchange folder for one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        folder: Path,
        *,
        iban_of: IbanOf,
        houses: Houses = sandbox_houses,
        keep_sender: Callable[[Sender], None] | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._ledger = ledger
        self._iban_of = iban_of
        self._houses = houses
        self._keep_sender = keep_sender or (lambda _sender: None)
        self._clock_ns = clock_ns
        self._wake = threading.Event()
        self._attested = 0
        self.outgoing, self.taken, self.incoming = folder / "outgoing", folder / "taken", folder / "incoming"
        self.done, self.quarantine = self.incoming / "done", self.incoming / "quarantine"
        for path in (self.outgoing, self.taken, self.done, self.quarantine):
            path.mkdir(parents=True, exist_ok=True)
        ledger.outbox(lambda outbox, _durable: outbox.subscribe(SUBSCRIBER))

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> Carried:
        """One round in both directions."""
        carried = Carried()
        self._deliver(carried)
        self._collect(carried)
        return carried

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a withdrawal wakes it at once, the bank's files are looked for each second."""
        self._ledger.listen(self._notice)
        while not stop.is_set():
            self._wake.clear()
            carried = self.step()
            self.attest()
            if not carried:
                self._wake.wait(LOOK_S)

    def attest(self) -> None:
        """Have the backing of the day put on record, when that has not been done yet.

        The day is that of the clock or of the newest entry, whichever is later: an entry made now is no earlier.
        """
        if day_of(self._clock_ns()) <= self._attested:
            return
        newest_ns, books, self._attested = self._ledger.ask("bank", _records)
        today = day_of(max(self._clock_ns(), newest_ns))
        if books and self._attested < today:
            self._say(bank.Attest(today, newest_ns))

    def wake(self) -> None:
        """Let a waiting round begin at once, to stop or to look."""
        self._wake.set()

    def _notice(self, events: tuple[Event, ...]) -> None:
        if any(event.product == "bank" and event.kind == "withdrawal_asked" for event in events):
            self._wake.set()

    # ── to the bank ─────────────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self, carried: Carried) -> None:
        """Carry out each withdrawal that was asked, in order, and acknowledge it when its order lies in the folder."""
        while events := self._pending():
            for event in events:
                if event.product == "bank" and event.kind == "withdrawal_asked":
                    self._order(msgspec.msgpack.decode(event.payload, type=bank.WithdrawalAsked), carried)
            self._acknowledge(events[-1].number)

    def _acknowledge(self, number: int) -> None:
        self._ledger.outbox(lambda outbox, _durable: outbox.acknowledge(SUBSCRIBER, number))

    def _pending(self) -> list[Event]:
        def read(outbox: Outbox, durable: int) -> list[Event]:
            return outbox.pending(SUBSCRIBER, through_entry=durable, limit=EVENTS_AT_A_TIME)

        found: list[Event] = self._ledger.outbox(read)
        return found

    def _order(self, asked: bank.WithdrawalAsked, carried: Carried) -> None:
        path = self.outgoing / f"{asked.withdrawal.hex()}.xml"
        # The bank moves a file in one step, so one that is in neither folder, asked in this order, was never there.
        if not path.exists() and not (self.taken / path.name).exists() and self._is_new(asked.withdrawal):
            try:
                data = iso20022.write_order(self._written(asked))
            except BadInput as error:
                reason = "AC01" if error.code in {"iban_invalid", "account_gone"} else "NARR"
                self._say(bank.Rejected(asked.withdrawal, reason))
                carried.rejected += 1
                return
            write_whole(path, data)
            carried.orders += 1
        self._say(bank.Instructed(asked.withdrawal))

    def _is_new(self, name: bytes) -> bool:
        found: rows.Withdrawal | None = self._ledger.ask("bank", lambda view: rows.withdrawal(view, name))
        return found is not None and found.state == "asked"

    def _written(self, asked: bank.WithdrawalAsked) -> Order:
        receiver, house = self._iban_of(asked.account_ref), self._houses(asked.asset)
        if receiver is None:
            raise BadInput("nobody has this bank account any more", code="account_gone")
        if house is None:
            raise BadInput(f"the institution has no bank account for asset {asked.asset}")
        name = asked.withdrawal.hex()
        link = self._ledger.ask("bank", lambda view: rows.link(view, asked.account_ref))
        payment = Payment(
            end_to_end_id=name,
            asset=asked.asset,
            amount_minor=asked.amount_minor,
            iban=receiver[0],
            name=receiver[1] or NAMELESS,
            reference="" if link is None else link.reference,
        )
        return Order(
            message_id=name,
            created_ns=self._clock_ns(),
            name=house.name,
            iban=house.iban,
            bic=house.bic,
            payments=(payment,),
        )

    # ── from the bank ───────────────────────────────────────────────────────────────────────────────────────────

    def _collect(self, carried: Carried) -> None:
        """Tell the ledger of each file, then put it away; one that can't be read, or contradicts, is set apart."""
        sheets = []
        for path in waiting(self.incoming, ".xml"):
            try:
                data = read_bounded(path, bytes_max=iso20022.FILE_BYTES_MAX)
                found = iso20022.read_incoming(data, name=path.name)
            except BadInput as error:
                if error.code == "extra_missing":
                    raise  # the fault is ours, not the file's
                self._put_away([path], [str(error)], carried)
                continue
            if isinstance(found, OrderStatus):
                self._put_away([path], self._tell_status(found), carried)
            else:
                sheet = paged.Sheet(path, tuple(found))
                if sheet.statements:
                    sheets.append(sheet)
                else:
                    self._tell_bundle([sheet], carried)
        for bundle in paged.bundles(sheets):
            self._tell_bundle(bundle, carried)

    def _tell_bundle(self, bundle: list[paged.Sheet], carried: Carried) -> None:
        """Tell of files that belong together, once all pages of their statements have come."""
        try:
            reports = paged.whole(bundle, self._clock_ns())
            if reports is None:
                return
            complaints = self._told(reports)
        except BadInput as error:
            complaints = [f"{error.code}: {error}" if error.code in iso20022.PAGE_CODES else str(error)]
        self._put_away([sheet.path for sheet in bundle], complaints, carried)

    def _put_away(self, paths: list[Path], complaints: list[str], carried: Carried) -> None:
        for path in paths:
            if complaints:
                self._set_apart(path, complaints)
                carried.quarantined += 1
            else:
                move(path, self.done)
                carried.files += 1

    def _set_apart(self, path: Path, complaints: list[str]) -> None:
        """Move a file into quarantine with its reasons beside it; another file of its name does not take its place."""
        with path.open("rb") as file:  # piece by piece: it may be here because it is too large to read
            digest = file_digest(file, "sha256").hexdigest()[:12]
        kept = path.name[-NAME_CHARS_KEPT:]
        named = path.rename(path.with_name(f"{digest}-{kept}")) if not path.name.startswith(digest) else path
        why = "".join(f"{line}\n" for line in complaints).encode(errors="backslashreplace")
        write_whole(self.quarantine / f"{named.name}.why", why)
        move(named, self.quarantine)

    def quarantined(self) -> list[tuple[str, str]]:
        """The files that were set apart, and why, for an operator to look at."""
        return [
            (path.name.removesuffix(".why"), path.read_text(encoding="utf-8").strip())
            for path in waiting(self.quarantine, ".why")
        ]

    def _told(self, reports: list[Report]) -> list[str]:
        """Turn reports into commands; answer what was wrong with them."""
        for report in reports:
            self._check_account(report)
        return [line for report in reports for line in self._tell_report(report)]

    def _check_account(self, report: Report) -> None:
        house = self._houses(report.asset)
        if house is None or house.iban != report.iban:
            raise BadInput("is about an account that is not the institution's", where=f"report {report.id}")

    def _tell_report(self, report: Report) -> list[str]:
        messages = [_as_command(report, booking) for booking in report.bookings]
        complaints = []
        for booking, message, (code, body) in zip(report.bookings, messages, self._say_all(messages), strict=True):
            if code != OK:
                complaints.append(f"booking {booking.bank_ref}: {code}")
            elif msgspec.msgpack.decode(body, type=bank.BookedAs).state == "open" and booking.direction == "in":
                self._keep_sender(Sender(message.entry_ref[:16], booking.name, booking.iban, booking.text))
        if report.kind == "statement" and not complaints:
            complaints += self._tell_statement(report, [message.entry_ref for message in messages])
        return complaints

    def _tell_statement(self, report: Report, entry_refs: list[bytes]) -> list[str]:
        told = bank.Statement(
            report.asset,
            report.number,
            report.day,
            report.opening_minor,
            report.closing_minor,
            len(entry_refs),
        )
        lists = [
            bank.Listed(report.asset, report.number, tuple(entry_refs[first : first + LISTED_MAX]))
            for first in range(0, len(entry_refs), LISTED_MAX)
        ]
        codes = [code for code, _ in self._say_all([told, *lists])]
        return [f"statement {report.number}: {code}" for code in codes if code != OK]

    def _tell_status(self, status: OrderStatus) -> list[str]:
        """Of what a bank says to an order only refusals matter: that it paid, it tells by booking."""
        refused = [(outcome.end_to_end_id, outcome.reason) for outcome in status.outcomes if outcome.status == REJECTED]
        if status.status == REJECTED and not status.outcomes:
            refused.append((status.order_id, status.reason))
        complaints = []
        for name, reason in refused:
            if _NAME.fullmatch(name) is None:
                complaints.append(f"payment {name!r} is none of ours")
            elif reason == DUPLICATE:
                complaints.append(f"payment {name}: the bank says that it has it already ({DUPLICATE}); ask the bank")
            else:
                code, _ = self._say(bank.Rejected(bytes.fromhex(name), _reason(reason)))
                complaints += [] if code == OK else [f"payment {name}: {code}"]
        return complaints

    # ── to the ledger ───────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, message: Message) -> tuple[str, bytes]:
        return self._say_all([message])[0]

    def _say_all(self, messages: Iterable[Message]) -> list[tuple[str, bytes]]:
        """Submit commands in order, a limited number at a time; answer each one's code and body once durable."""
        answers: list[tuple[str, bytes]] = []
        flying: list[Future[bytes]] = []
        for message in messages:
            flying.append(self._ledger.submit_command(command_of(message)))
            if len(flying) == IN_FLIGHT:
                answers += [_answer(ticket) for ticket in flying]
                flying.clear()
        return answers + [_answer(ticket) for ticket in flying]


def command_of(message: Message) -> bytes:
    """The courier's command with this message: its id is a hash of what it says, so that it is said once."""
    name = f"bank.{type(message).__name__.lower()}"
    body = encode(message)
    return encode(Command(_id_of(name, body), RAIL, name, 1, body))


def _id_of(name: str, body: bytes) -> bytes:
    return blake3(encode((RAIL, name, body))).digest(length=16)


def attest_id(day: int, seen_ns: int) -> bytes:
    """The id of the command that put a day's backing on record, by which its receipt is found."""
    return _id_of("bank.attest", encode(bank.Attest(day, seen_ns)))


def _records(view: View) -> tuple[int, bool, int]:
    """Time of the newest entry, whether there is money at a bank, and the newest day whose backing is on record."""
    return view.time_ns, bool(rows.assets(view)), rows.newest_backing(view)


def entry_ref_of(report: Report, booking: Booking) -> bytes:
    """What the ledger knows a booking by: the same for the same booking, in whatever file it comes."""
    return blake3(encode((report.iban, report.asset, booking.bank_ref, booking.part))).digest()


def _as_command(report: Report, booking: Booking) -> bank.Booked | bank.Returned:
    entry_ref = entry_ref_of(report, booking)
    ours = _NAME.fullmatch(booking.end_to_end_id) is not None
    if booking.direction == "in" and booking.returned and ours:
        return bank.Returned(
            bytes.fromhex(booking.end_to_end_id),
            entry_ref,
            booking.asset,
            booking.amount_minor,
            _reason(booking.reason),
            booking.booked_ns,
        )
    out = booking.end_to_end_id if ours else ""
    reference = out if booking.direction == "out" else _reference(booking)
    return bank.Booked(booking.asset, entry_ref, booking.direction, booking.amount_minor, reference, booking.booked_ns)


def _reference(booking: Booking) -> str:
    """The top-up reference of a credit: where it belongs, or in what the payer wrote; nothing else goes on."""
    for text in (booking.reference, booking.end_to_end_id, *_REFERENCE.findall(booking.text)):
        number = read_reference(text)
        if number is not None:
            return write_reference(number)
    return ""


def _reason(given: str) -> str:
    return given if _REASON.fullmatch(given) else ""


def _answer(ticket: Future[bytes]) -> tuple[str, bytes]:
    reply = read_reply(ticket.result())
    return reply.code, reply.body
