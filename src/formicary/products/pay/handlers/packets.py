"""Red packets: money that several people open, in equal shares or drawn ones.

The money of all packets of an asset is on one account of this product. Invariant: what is free there is what open
packets still hold, and what is held there is what the guard looks at on its way to an opener.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from formicary.base.money import split as divide
from formicary.kernel.codes import TransferCode
from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.products.anatomy import TimerId
from formicary.products.pay.codes import (
    DAY_NS,
    NOBODY,
    PACKET_BACK,
    PACKET_GIVEN,
    PACKET_OPENED,
    PACKETS,
    PACKETS_OPEN_MAX,
)
from formicary.products.pay.commands import (
    ExpirePacket,
    Give,
    Given,
    OpenPacket,
    PacketEnded,
    PacketGiven,
    PacketOpened,
    PacketTaken,
)
from formicary.products.pay.handlers.requests import check_until
from formicary.products.pay.handlers.sending import BOOK, Needs
from formicary.products.pay.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.pay.needs import Purses


def pot_id(asset: int) -> int:
    """The account of the money in packets of an asset."""
    return int.from_bytes(b"pay/packets" + asset.to_bytes(5, "big"), "big")


def _pot(context: Context, asset: int) -> int:
    pot = pot_id(asset)
    if context.view().account(pot) is None:
        context.open_account(Account(id=pot, asset=asset, code=PACKETS, flags=AccountFlag.DEBITS_LIMITED))
    return pot


def give(needs: Needs, context: Context, command: Give) -> Given:
    """Take the whole from the giver, write down who may open it, and set the time at which the rest returns."""
    people = command.recipients
    context.refuse_if(command.total_minor < command.count, "packet_too_small")
    context.refuse_if(len({*people, context.signer}) <= len(people), "recipient_named_twice")
    context.refuse_if(0 < len(people) < command.count, "too_few_recipients")
    check_until(context, command.until_ns)
    for party in people:
        context.refuse_if(not needs.purses.is_person(context, party), "person_unknown")
    context.refuse_if(rows.packets_open(context, context.signer) >= PACKETS_OPEN_MAX, "too_many_packets")
    debit = needs.purses.check_payer(context, context.signer, command.asset, command.total_minor)
    number = context.new_id("packet")
    name = number.to_bytes(16, "big")
    context.transfer(
        Transfer(
            id=number,
            debit=debit,
            credit=_pot(context, command.asset),
            amount=command.total_minor,
            asset=command.asset,
            code=PACKET_GIVEN,
        )
    )
    _write_down(context, name, command)
    BOOK.record(
        context,
        payment=name,
        kind="packet",
        payer=context.signer,
        payee=NOBODY,
        asset=command.asset,
        amount_minor=command.total_minor,
        state="paid",
        note=command.note,
        purpose="friend",
        reference=name,
    )
    return Given(name)


def _write_down(context: Context, name: bytes, command: Give) -> None:
    timer = context.schedule(command.until_ns, "expire_packet", ExpirePacket(name))
    context.rows.run(
        """INSERT INTO pay_packets (packet, giver, asset, total_minor, rest_minor, shares, opened, how, note,
           open_to_all, made_ns, until_ns, timer, state) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)""",
        name,
        context.signer,
        command.asset,
        command.total_minor,
        command.total_minor,
        command.count,
        command.how,
        command.note,
        int(not command.recipients),
        context.time_ns,
        command.until_ns,
        timer,
        rows.OPEN,
    )
    for party in command.recipients:
        sql = "INSERT INTO pay_openings (packet, party, made_ns) VALUES (?, ?, ?)"
        context.rows.run(sql, name, party, context.time_ns)
        context.emit(PacketGiven(name, context.signer), subject=party)


def open_packet(needs: Needs, context: Context, command: OpenPacket) -> PacketOpened:
    """Give the signer the next share; the guard may hold it like any payment from the giver."""
    found = _openable(context, command.packet)
    amount_minor = _share(context, found)
    credit = needs.purses.check_payee(context, context.signer, found.asset, amount_minor)
    reasons = needs.watch.judge(
        context,
        payer=found.giver,
        payee=context.signer,
        asset=found.asset,
        amount_minor=amount_minor,
        purpose="friend",
        source="person",
    )
    number = context.new_id("opening")
    name = number.to_bytes(16, "big")
    context.transfer(
        Transfer(
            id=number,
            debit=pot_id(found.asset),
            credit=credit,
            amount=amount_minor,
            asset=found.asset,
            code=PACKET_OPENED,
            flags=TransferFlag.HOLD if reasons else TransferFlag(0),
        )
    )
    _take(context, found, name, amount_minor)
    state: Literal["held", "paid"] = "held" if reasons else "paid"
    BOOK.record(
        context,
        payment=name,
        kind="packet_opened",
        payer=found.giver,
        payee=context.signer,
        asset=found.asset,
        amount_minor=amount_minor,
        state=state,
        note=found.note,
        purpose="friend",
        reference=found.packet,
    )
    if reasons:
        needs.watch.hold(
            context,
            payment=name,
            payer=found.giver,
            payee=context.signer,
            asset=found.asset,
            amount_minor=amount_minor,
            reasons=reasons,
        )
    return PacketOpened(name, amount_minor, state, reasons)


def _openable(context: Context, name: bytes) -> rows.PacketRow:
    found = rows.packet(context, name)
    if found is None:
        context.refuse("packet_not_found")
    context.refuse_if(found.giver == context.signer, "packet_is_your_own")
    opening = rows.opening(context, name, context.signer)
    context.refuse_if(opening is None and not found.open_to_all, "packet_not_for_you")
    context.refuse_if(opening is not None and opening.amount_minor is not None, "packet_opened_before")
    context.refuse_if(found.opened == found.shares, "packet_empty")
    context.refuse_if(found.state != rows.OPEN, "packet_expired")
    return found


def _share(context: Context, packet: rows.PacketRow) -> int:
    """The next share, at least 1. A drawn one is up to twice what would be equal, so that early is no better than late.

    What is drawn from is the hash of the entry that the opening is in: nobody knows it before it is on the log.
    """
    left = packet.shares - packet.opened
    if packet.how == "equal":
        return divide(packet.total_minor, [1] * packet.shares)[packet.opened]
    if left == 1:
        return packet.rest_minor
    most = min(max(2 * packet.rest_minor // left - 1, 1), packet.rest_minor - (left - 1))
    return 1 + context.new_id("share") % most


def _take(context: Context, packet: rows.PacketRow, payment: bytes, amount_minor: int) -> None:
    """Write down who opened, and end the packet with its last share."""
    opened = packet.opened + 1
    rest_minor = packet.rest_minor - amount_minor
    assert rest_minor >= packet.shares - opened, "there is a coin for each share that is left"
    sql = """INSERT OR REPLACE INTO pay_openings (packet, party, made_ns, amount_minor, payment)
             VALUES (?, ?, ?, ?, ?)"""
    context.rows.run(sql, packet.packet, context.signer, packet.made_ns, amount_minor, payment)
    sql = "UPDATE pay_packets SET rest_minor = ?, opened = ? WHERE packet = ?"
    context.rows.run(sql, rest_minor, opened, packet.packet)
    left = packet.shares - opened
    context.emit(PacketTaken(packet.packet, context.signer, amount_minor, left), subject=packet.giver)
    if left == 0 and rest_minor == 0:
        context.cancel(TimerId(packet.timer))
        context.rows.run("UPDATE pay_packets SET state = 'opened' WHERE packet = ?", packet.packet)


def expire_packet(purses: Purses, context: Context, timer: ExpirePacket) -> None:
    """Give the rest back; when the giver's account is frozen, try again each day."""
    found = rows.packet(context, timer.packet)
    assert found is not None, "packets are never deleted"
    if _back(purses, context, found, found.rest_minor):
        context.rows.run("UPDATE pay_packets SET state = 'expired', rest_minor = 0 WHERE packet = ?", found.packet)
        context.emit(PacketEnded(found.packet, found.rest_minor), subject=found.giver)
    else:
        again = context.schedule(context.time_ns + DAY_NS, "expire_packet", ExpirePacket(found.packet))
        sql = "UPDATE pay_packets SET state = 'returning', timer = ? WHERE packet = ?"
        context.rows.run(sql, again, found.packet)


def share_back(purses: Purses, context: Context, packet_id: bytes, amount_minor: int) -> None:
    """Give back a share that was held and came to nothing, or keep it in the packet until its giver can get it."""
    found = rows.packet(context, packet_id)
    assert found is not None, "packets are never deleted"
    if _back(purses, context, found, amount_minor):
        return
    timer = found.timer
    if found.state not in {rows.OPEN, rows.RETURNING}:
        timer = context.schedule(context.time_ns + DAY_NS, "expire_packet", ExpirePacket(found.packet))
    state = rows.OPEN if found.state == rows.OPEN else rows.RETURNING
    sql = "UPDATE pay_packets SET rest_minor = ?, state = ?, timer = ? WHERE packet = ?"
    context.rows.run(sql, found.rest_minor + amount_minor, state, timer, found.packet)


def _back(purses: Purses, context: Context, packet: rows.PacketRow, amount_minor: int) -> bool:
    """Pay part of a packet back to its giver; False when the ledger refuses it."""
    account = purses.purse(context, packet.giver, packet.asset)
    if account is None:
        return False
    number = context.new_id("back")
    code = context.try_transfer(
        Transfer(
            id=number,
            debit=pot_id(packet.asset),
            credit=account,
            amount=amount_minor,
            asset=packet.asset,
            code=PACKET_BACK,
        )
    )
    if code is not TransferCode.OK:
        return False
    purses.uncount(context, packet.giver, packet.asset, amount_minor, packet.made_ns)
    BOOK.record(
        context,
        payment=number.to_bytes(16, "big"),
        kind="packet_back",
        payer=NOBODY,
        payee=packet.giver,
        asset=packet.asset,
        amount_minor=amount_minor,
        state="paid",
        note=packet.note,
        purpose="friend",
        reference=packet.packet,
    )
    return True
