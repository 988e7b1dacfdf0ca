"""The sandbox bank: takes orders, books, tells of it, and closes days. One step does what is due, and no more.

Folders: ``outgoing`` (orders to it, moved to ``taken``), ``incoming`` (its reports), ``customers`` (transfers of its
other customers, one JSON file each, moved to ``customers/taken``).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from formicary.base.errors import BadInput
from formicary.base.money import AssetId, asset_decimals, parse_minor
from formicary.rails import iso20022
from formicary.rails.exchange import move, read_bounded, waiting, write_whole
from formicary.rails.iso20022 import Booking, Order, OrderStatus, Outcome, Payment, Report
from formicary.rails.iso20022.amounts import asset_of, check_iban, day_number, utc
from formicary.rails.sandbox_bank.manners import Manners
from formicary.rails.sandbox_bank.store import Store, Task

SECOND_NS: Final = 1_000_000_000
CUSTOMER_BYTES_MAX: Final = 16 << 10
"""Bytes of a customer's transfer."""
LATE_STEPS: Final = 20
PART_PERCENT: Final = 60
FEE_MINOR: Final = 15
PAGE_BOOKINGS: Final = 10_000
"""Bookings on one page of a statement; what is more goes on in the next file."""


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transfer that another customer of the bank makes to the institution, as a file in ``customers``."""

    name: str
    iban: str
    currency: str
    amount: str
    """In decimals, as ``12.50``."""
    reference: str = ""
    text: str = ""


class Making(msgspec.Struct, frozen=True):
    """A payment that is to be booked, in whole or part."""

    payment: Payment
    order_id: str
    amount_minor: int
    last: bool


class Returning(msgspec.Struct, frozen=True):
    """A payment that is to come back."""

    payment: Payment


class Bank:
    """One bank with one customer that matters: the institution."""

    def __init__(
        self,
        folder: Path,
        *,
        iban: str,
        pace_ns: int = SECOND_NS,
        manners: Manners | None = None,
        page_bookings: int = PAGE_BOOKINGS,
    ) -> None:
        self.folder = folder
        self.page_bookings = page_bookings
        self.iban = check_iban(iban)
        self.pace_ns = pace_ns
        self.manners = manners or Manners()
        for name in ("outgoing", "incoming", "customers", "taken"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.store = Store(folder / "bank.db")

    def close(self) -> None:
        """Let go of the books."""
        self.store.close()

    def step(self, now_ns: int) -> int:
        """Take what lies in the folders, do what is due, send files; answer how much was done."""
        self._send()  # what a bank that was killed had not sent
        done = 0
        for path in waiting(self.folder / "outgoing", ".xml"):
            self._take_order(path, now_ns)
            done += 1
        for path in waiting(self.folder / "customers", ".json"):
            self._take_transfer(path, now_ns)
            done += 1
        while (task := self.store.due(now_ns)) is not None:
            with self.store.whole():
                self._do(task, now_ns)
                self.store.done(task)
            done += 1
        return done + self._send()

    def close_day(self, now_ns: int) -> int:
        """Send a statement of each account that has had bookings since its last; answer how many."""
        count = 0
        for asset in self.store.assets():
            bookings = [msgspec.json.decode(body, type=Booking) for body in self.store.unlisted(asset)]
            if not bookings:
                continue
            with self.store.whole():
                closing, statements, opening = self.store.account(asset)
                number = statements + 1
                name = f"camt053-{asset}-{number:06}"
                report = Report(
                    kind="statement",
                    message_id=name,
                    id=name,
                    created_ns=now_ns,
                    iban=self.iban,
                    asset=asset,
                    number=number,
                    day=day_number(utc(now_ns)),
                    opening_minor=opening,
                    closing_minor=closing,
                    bookings=tuple(bookings),
                )
                pages = iso20022.write_pages(report, bookings_max=self.page_bookings)
                for page, data in enumerate(pages, start=1):
                    self.store.send(f"{name}.xml" if len(pages) == 1 else f"{name}-{page:03}.xml", data)
                self.store.close_statement(asset, number)
            count += 1
        self._send()
        return count

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_order(self, path: Path, now_ns: int) -> None:
        """Take an order once, whatever its file is called; then move its file."""
        try:
            data = read_bounded(path, bytes_max=iso20022.FILE_BYTES_MAX)
            order = self._order(data, path.name)
        except BadInput:
            self._refuse_order(path, now_ns)
        else:
            digest = hashlib.sha256(data).digest()
            known = self.store.seen(f"order/{order.message_id}")
            with self.store.whole():
                if known is None:
                    self.store.see(f"order/{order.message_id}", digest)
                    self._accept(order, now_ns)
                elif known != digest:
                    self._say(order.message_id, now_ns, status="RJCT", reason="AM05")
        move(path, self.folder / "taken")

    def _order(self, data: bytes, name: str) -> Order:
        order = iso20022.read_order(data, name=name)
        if order.iban != self.iban:
            raise BadInput("pays from an account that is not the sender's", where=name)
        return order

    def _refuse_order(self, path: Path, now_ns: int) -> None:
        """Say that a file can't be read; by its name, for there is nothing better to call it by."""
        name = f"unreadable/{path.name}"
        with self.store.whole():
            if self.store.seen(name) is None:
                self.store.see(name, b"")
                self._say(path.stem[:35], now_ns, status="RJCT", reason="FF01")

    def _accept(self, order: Order, now_ns: int) -> None:
        for payment in order.payments:
            name = payment.end_to_end_id
            if not self.store.pay_once(name):
                self._reject(order.message_id, name, "AM05", now_ns)
            elif self.manners.does("rejected", name):
                self._reject(order.message_id, name, "AC04", now_ns)
            else:
                self._plan(order, payment, now_ns)

    def _plan(self, order: Order, payment: Payment, now_ns: int) -> None:
        due_ns = now_ns + self.pace_ns
        parts = [payment.amount_minor]
        if self.manners.does("partial", payment.end_to_end_id) and payment.amount_minor > 1:
            first = max(1, payment.amount_minor * PART_PERCENT // 100)
            parts = [first, payment.amount_minor - first]
        for number, part in enumerate(parts, start=1):
            making = Making(payment, order.message_id, part, number == len(parts))
            self.store.plan(due_ns + (number - 1) * 3 * self.pace_ns, "make", making)

    def _reject(self, order_id: str, name: str, reason: str, now_ns: int) -> None:
        self._say(order_id, now_ns, outcomes=(Outcome(end_to_end_id=name, status="RJCT", reason=reason),))

    def _say(
        self, order_id: str, now_ns: int, *, status: str = "", reason: str = "", outcomes: tuple[Outcome, ...] = ()
    ) -> None:
        name = f"pain002-{self.store.count('status'):08}"
        told = OrderStatus(
            message_id=name, created_ns=now_ns, order_id=order_id, status=status, reason=reason, outcomes=outcomes
        )
        self.store.send(f"{name}.xml", iso20022.write_order_status(told))

    # ── customers ───────────────────────────────────────────────────────────────────────────────────────────────

    def _take_transfer(self, path: Path, now_ns: int) -> None:
        """Book a customer's transfer once, by the name of its file; then move the file."""
        key = f"customer/{path.name}"
        try:
            transfer, asset, amount_minor = read_transfer(path)
            iban = check_iban(transfer.iban, path.name)
        except (BadInput, msgspec.MsgspecError, UnicodeDecodeError) as error:
            write_whole(self.folder / "customers" / "refused" / f"{path.name}.why", f"{error}\n".encode())
            move(path, self.folder / "customers" / "refused")
            return
        lost = self.manners.does("unreferenced", path.name)
        with self.store.whole():
            if self.store.seen(key) is None:
                self.store.see(key, b"")
                booking = Booking(
                    bank_ref=self._ref(),
                    direction="in",
                    asset=asset,
                    amount_minor=amount_minor,
                    booked_ns=now_ns,
                    reference="" if lost else transfer.reference,
                    text=transfer.text,
                    name=transfer.name,
                    iban=iban,
                )
                self._book(booking, now_ns)
        move(path, self.folder / "customers" / "taken")

    # ── booking ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _do(self, task: Task, now_ns: int) -> None:
        if task.kind == "make":
            self._make(msgspec.json.decode(task.body, type=Making), now_ns)
        elif task.kind == "return":
            self._return(msgspec.json.decode(task.body, type=Returning).payment, now_ns)
        else:
            self._tell(msgspec.json.decode(task.body, type=Booking), now_ns)

    def _make(self, making: Making, now_ns: int) -> None:
        payment = making.payment
        balance, _, _ = self.store.account(payment.asset)
        if balance < making.amount_minor:
            self._reject(making.order_id, payment.end_to_end_id, "AM04", now_ns)
            return
        self._book(self._booking(payment, "out", making.amount_minor, now_ns), now_ns)
        if making.last and self.manners.does("returned", payment.end_to_end_id):
            self.store.plan(now_ns + 2 * self.pace_ns, "return", Returning(payment))
        if (
            making.last
            and balance > making.amount_minor + FEE_MINOR
            and self.manners.does("fee", payment.end_to_end_id)
        ):
            fee = Booking(
                bank_ref=self._ref(),
                direction="out",
                asset=payment.asset,
                amount_minor=FEE_MINOR,
                booked_ns=now_ns,
                text="Fee",
            )
            self._book(fee, now_ns)

    def _return(self, payment: Payment, now_ns: int) -> None:
        back = self._booking(payment, "in", payment.amount_minor, now_ns)
        self._book(msgspec.structs.replace(back, returned=True, reason="AC04"), now_ns)

    def _booking(self, payment: Payment, direction: str, amount_minor: int, now_ns: int) -> Booking:
        return Booking(
            bank_ref=self._ref(),
            direction="in" if direction == "in" else "out",
            asset=payment.asset,
            amount_minor=amount_minor,
            booked_ns=now_ns,
            end_to_end_id=payment.end_to_end_id,
            name=payment.name,
            iban=payment.iban,
        )

    def _ref(self) -> str:
        return f"SB{self.store.count('booking'):012}"

    def _book(self, booking: Booking, now_ns: int) -> None:
        """Change the balance, keep the booking for the statement, and tell of it now or late."""
        self.store.change(booking.asset, booking.amount_minor if booking.direction == "in" else -booking.amount_minor)
        self.store.book(booking.asset, booking)
        if self.manners.does("late", booking.bank_ref):
            self.store.plan(now_ns + LATE_STEPS * self.pace_ns, "tell", booking)
        else:
            self._tell(booking, now_ns)

    def _tell(self, booking: Booking, now_ns: int) -> None:
        name = f"camt054-{booking.bank_ref}"
        report = Report(
            kind="notification",
            message_id=name,
            id=name,
            created_ns=now_ns,
            iban=self.iban,
            asset=booking.asset,
            bookings=(booking,),
        )
        data = iso20022.write_report(report)
        if self.manners.does("torn", booking.bank_ref):
            self.store.send(f"{name}-torn.xml", data[: len(data) // 2])
        self.store.send(f"{name}.xml", data)
        if self.manners.does("duplicate", booking.bank_ref):
            self.store.send(f"{name}-again.xml", data)

    def _send(self) -> int:
        """Write the files that wait; one that was written and not noted is written again, which changes nothing."""
        files = self.store.to_send()
        for number, name, data in files:
            write_whole(self.folder / "incoming" / name, data)
            self.store.sent(number)
        return len(files)


def read_transfer(path: Path) -> tuple[Transfer, int, int]:
    """A customer's transfer, its currency and minor units; refused with BadInput or msgspec's own error."""
    transfer = msgspec.json.decode(read_bounded(path, bytes_max=CUSTOMER_BYTES_MAX), type=Transfer)
    asset = asset_of(transfer.currency, path.name)
    amount_minor = parse_minor(transfer.amount, asset_decimals(AssetId(asset)))
    if amount_minor < 1:
        raise BadInput("moves nothing", where=path.name)
    return transfer, asset, amount_minor
