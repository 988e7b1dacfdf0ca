"""What doors may ask of payments. Each answers for whoever asks, and shows nobody what is others'."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from formicary.base.errors import Refusal
from formicary.products.pay import answers
from formicary.products.pay.calendar import due_ns, month_of, month_start_ns
from formicary.products.pay.codes import CODES, NOBODY
from formicary.products.pay.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import View

Row = TypeVar("Row")
_PAYMENT: Final = "payment, kind, payer, payee, asset, amount_minor, at_ns, state, purpose, note, reference"
_CURSOR_BYTES: Final = 24
_LATEST: Final = (2**63 - 1, b"\xff" * 16)
_EARLIEST: Final = (-1, b"")
_NOT_SPENT: Final = frozenset({"returned", "failed", "cancelled"})


def refuse(code: str) -> Refusal:
    """The refusal of a question."""
    return Refusal(CODES[code], code=code)


def place(after: str, start: tuple[int, bytes]) -> tuple[int, bytes]:
    """Where a page begins: after the row of a cursor; a cursor that is none of ours begins at the start."""
    try:
        raw = bytes.fromhex(after)
    except ValueError:
        return start
    return (int.from_bytes(raw[:8], "big", signed=True), raw[8:]) if len(raw) == _CURSOR_BYTES else start


def cursor(time_ns: int, name: bytes) -> str:
    """The cursor that continues after a row."""
    return (time_ns.to_bytes(8, "big", signed=True) + name).hex()


def activity(view: View, who: bytes, asked: answers.AskActivity) -> answers.Activity:
    """What somebody paid and got, newest first: two walks along two indexes, merged."""
    start = place(asked.after, _LATEST)
    wanted = asked.limit + 1
    out = _walk(view, "payer", who, start=start, asset=asked.asset, wanted=wanted)
    got = _walk(view, "payee", who, start=start, asset=asked.asset, wanted=wanted)
    newest = list(heapq.merge(out, got, key=lambda row: (row.at_ns, row.payment), reverse=True))[:wanted]
    page = newest[: asked.limit]
    more = cursor(page[-1].at_ns, page[-1].payment) if len(newest) > asked.limit else ""
    return answers.Activity(items=tuple(_movement(row, who) for row in page), next=more)


_MOVED = {
    "payer": "kind NOT IN ('packet_opened', 'escrow_out', 'escrow_back')",
    "payee": "NOT (kind = 'escrow' AND state = 'paid')",
}
"""What somebody sees of each side. Packets and escrow pay out what was paid in before: the giver paid then. A seller
has what was paid out, part by part, and nothing of what went back; an order that is held, or went back whole, shows so.
"""


def _walk(
    view: View, side: str, who: bytes, *, start: tuple[int, bytes], asset: int | None, wanted: int
) -> list[rows.PaymentRow]:
    """Rows of one side, without what moved on no account of theirs."""
    of_asset = "" if asset is None else " AND asset = ?"
    sql = f"""SELECT {_PAYMENT} FROM pay_payments WHERE {side} = ? AND (at_ns, payment) < (?, ?)
              AND {_MOVED[side]}{of_asset} ORDER BY at_ns DESC, payment DESC LIMIT ?"""  # noqa: S608 - our own words
    values = (who, *start) if asset is None else (who, *start, asset)
    return [rows.PaymentRow(*row) for row in view.rows.all(sql, *values, wanted)]


def _movement(row: rows.PaymentRow, who: bytes) -> answers.Movement:
    goes_out = row.payer == who
    other = row.payee if goes_out else row.payer
    shown: dict[str, Any] = row._asdict()
    del shown["payer"], shown["payee"]
    return answers.Movement(**shown, direction="out" if goes_out else "in", other=None if other == NOBODY else other)


def payment(view: View, who: bytes, asked: answers.AskPayment) -> answers.Movement:
    """One payment, for its two sides."""
    found = rows.payment(view, asked.payment)
    if found is None or who not in {found.payer, found.payee}:
        raise refuse("payment_not_found")
    return _movement(found, who)


def requests(view: View, who: bytes, asked: answers.AskRequests) -> answers.Requests:
    """Requests of one direction and state, newest first."""
    side = "payer" if asked.direction == "in" else "payee"
    sql = f"""SELECT {rows.REQUEST_COLUMNS} FROM pay_requests WHERE {side} = ? AND state = ?
              AND (made_ns, request) < (?, ?) ORDER BY made_ns DESC, request DESC LIMIT ?"""  # noqa: S608 - ours
    start = place(asked.after, _LATEST)
    found = [rows.RequestRow(*row) for row in view.rows.all(sql, who, asked.state, *start, asked.limit + 1)]
    page, more = _page(found, asked.limit, lambda row: cursor(row.made_ns, row.request))
    return answers.Requests(items=tuple(_request(row) for row in page), next=more)


def request(view: View, who: bytes, asked: answers.AskRequest) -> answers.RequestShown:
    """One request, for its two sides."""
    found = rows.request(view, asked.request)
    if found is None or who not in {found.payer, found.payee}:
        raise refuse("request_not_found")
    return _request(found)


def _request(row: rows.RequestRow) -> answers.RequestShown:
    shown: dict[str, Any] = row._asdict()
    del shown["timer"]
    return answers.RequestShown(**shown)


def _page(found: list[Row], limit: int, name: Callable[[Row], str]) -> tuple[list[Row], str]:
    """Cut a page from one row more than it may have, which tells whether there is a next one."""
    page = found[:limit]
    return page, name(page[-1]) if len(found) > limit else ""


def packets(view: View, who: bytes, asked: answers.AskPackets) -> answers.Packets:
    """Packets of one direction, newest first."""
    if asked.direction == "out":
        sql = """SELECT made_ns, packet FROM pay_packets WHERE giver = ? AND (made_ns, packet) < (?, ?)
                 ORDER BY made_ns DESC, packet DESC LIMIT ?"""
    else:
        sql = """SELECT made_ns, packet FROM pay_openings WHERE party = ? AND (made_ns, packet) < (?, ?)
                 ORDER BY made_ns DESC, packet DESC LIMIT ?"""
    found = view.rows.all(sql, who, *place(asked.after, _LATEST), asked.limit + 1)
    page, more = _page(found, asked.limit, lambda row: cursor(row[0], row[1]))
    return answers.Packets(items=tuple(_packet(view, who, row[1]) for row in page), next=more)


def packet(view: View, who: bytes, asked: answers.AskPacket) -> answers.PacketShown:
    """One packet, for those whom it concerns."""
    found = rows.packet(view, asked.packet)
    if found is None:
        raise refuse("packet_not_found")
    concerned = found.giver == who or found.open_to_all or rows.opening(view, asked.packet, who) is not None
    if not concerned:
        raise refuse("packet_not_found")
    return _packet(view, who, asked.packet)


def _packet(view: View, who: bytes, name: bytes) -> answers.PacketShown:
    row = rows.packet(view, name)
    assert row is not None, "packets are never deleted"
    mine = rows.opening(view, name, who)
    mine_minor = 0 if mine is None or mine.amount_minor is None else mine.amount_minor
    sees_all = row.giver == who or mine_minor > 0
    openings: tuple[answers.OpeningShown, ...] = ()
    if sees_all:
        sql = """SELECT party, amount_minor FROM pay_openings WHERE packet = ? AND amount_minor IS NOT NULL
                 ORDER BY party"""
        openings = tuple(answers.OpeningShown(party=each[0], amount_minor=each[1]) for each in view.rows.all(sql, name))
    shown: dict[str, Any] = row._asdict()
    del shown["timer"], shown["open_to_all"]
    shown["rest_minor"] = row.rest_minor if sees_all else None
    return answers.PacketShown(**shown, mine_minor=mine_minor, openings=openings)


def orders(view: View, who: bytes, asked: answers.AskOrders) -> answers.Orders:
    """Somebody's orders in one state, by when they are due."""
    sql = f"""SELECT {rows.ORDER_COLUMNS} FROM pay_orders WHERE payer = ? AND state = ?
              AND (next_ns, standing) > (?, ?) ORDER BY next_ns, standing LIMIT ?"""  # noqa: S608 - our own words
    start = place(asked.after, _EARLIEST)
    found = [rows.OrderRow(*row) for row in view.rows.all(sql, who, asked.state, *start, asked.limit + 1)]
    page, more = _page(found, asked.limit, lambda row: cursor(row.next_ns, row.order))
    return answers.Orders(items=tuple(_order(row) for row in page), next=more)


def _order(row: rows.OrderRow) -> answers.OrderShown:
    shown: dict[str, Any] = row._asdict()
    del shown["timer"], shown["payer"], shown["next_ns"]
    return answers.OrderShown(**shown, due_ns=due_ns(row.first_ns, row.every, row.runs))


def spending(view: View, who: bytes, asked: answers.AskSpending) -> answers.Spending:
    """What somebody paid, added up in Python; money between two accounts of one's own (a top-up) is none of it."""
    this = month_of(view.time_ns)
    years, zero_based = divmod(this // 100 * 12 + this % 100 - 1 - (asked.months - 1), 12)
    since_ns = month_start_ns(max(years * 100 + zero_based + 1, 197_001))
    sums: dict[tuple[int, str], tuple[int, int]] = {}
    for row in _paid_since(view, who, since_ns):
        if row.asset == asked.asset and row.kind != "withdrawal" and row.state not in _NOT_SPENT:
            key = (month_of(row.at_ns), row.purpose)
            count, total = sums.get(key, (0, 0))
            sums[key] = (count + 1, total + row.amount_minor)
    return answers.Spending(
        items=tuple(
            answers.SpendingShown(month=month, purpose=purpose, payments=count, amount_minor=total)  # type: ignore[arg-type]
            for (month, purpose), (count, total) in sorted(sums.items())
        )
    )


def _paid_since(view: View, who: bytes, since_ns: int) -> Iterator[rows.PaymentRow]:
    start = _LATEST
    while True:
        page = _walk(view, "payer", who, start=start, asset=None, wanted=rows.PAGE)
        for row in page:
            if row.at_ns < since_ns:
                return
            yield row
        if len(page) < rows.PAGE:
            return
        start = (page[-1].at_ns, page[-1].payment)
