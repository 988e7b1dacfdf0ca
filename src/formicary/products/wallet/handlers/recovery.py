"""Devices, trusted contacts, and how a person gets back in who has lost every device.

A recovery goes asked → approved → done. Enough trusted contacts vouch, then a delay runs in which the person, told on
every old device, can stop it; then the new device takes the place of all others. Who vouched and is trusted no more
counts no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from formicary.products.anatomy import TimerId
from formicary.products.wallet.codes import DEVICES_MAX, RECOVERIES_MAX, TRUSTED_MAX, TRUSTING_MAX, VOUCHERS_NEEDED
from formicary.products.wallet.commands import (
    AddDevice,
    ApproveRecovery,
    CancelRecovery,
    DeviceAdded,
    DeviceKind,
    DeviceRemoved,
    ExpireRecovery,
    FinishRecovery,
    RecoveryApproved,
    RecoveryAsked,
    RecoveryEnded,
    RecoveryStarted,
    RemoveDevice,
    StartRecovery,
    Trust,
    TrustChanged,
    Untrust,
)
from formicary.products.wallet.handlers import standing
from formicary.products.wallet.offers import Purses

if TYPE_CHECKING:
    from formicary.machine.context import Context

SECOND_NS = 1_000_000_000
ASKED, APPROVED = "asked", "approved"
_UNDER_WAY = """SELECT recovery, started_ns FROM wallet_recoveries WHERE person = ? AND state IN ('asked', 'approved')
                ORDER BY started_ns, recovery"""


class Recovery(NamedTuple):
    """One recovery, as it is now."""

    recovery: bytes
    person: bytes
    device: bytes
    key: bytes
    kind: DeviceKind
    label: bytes | None
    due_ns: int
    timer: int
    state: str


# ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_device(context: Context, command: AddDevice) -> None:
    """Let one more device sign for the signer; also while frozen, for a new phone comes before unfreezing."""
    standing.present(context, context.signer)
    context.refuse_if(_device_is_known(context, command.device), "device_taken")
    sql = "SELECT count(*) FROM wallet_devices WHERE person = ? ORDER BY 1"
    context.refuse_if(standing.count(context, sql, context.signer) >= DEVICES_MAX, "devices_too_many")
    _add_device(context, context.signer, command)


def remove_device(context: Context, command: RemoveDevice) -> None:
    """Let a device sign no more."""
    standing.present(context, context.signer)
    sql = "SELECT device FROM wallet_devices WHERE person = ? ORDER BY device"
    devices = [device for (device,) in context.rows.all(sql, context.signer)]
    context.refuse_if(command.device not in devices, "device_not_found")
    context.refuse_if(len(devices) == 1, "device_last")
    context.rows.run("DELETE FROM wallet_devices WHERE device = ?", command.device)
    context.emit(DeviceRemoved(command.device), subject=context.signer)


def _device_is_known(context: Context, device: bytes) -> bool:
    sql = "SELECT device FROM wallet_devices WHERE device = ? ORDER BY device"
    return context.rows.one(sql, device) is not None


def _add_device(context: Context, person: bytes, new: AddDevice | Recovery) -> None:
    sql = "INSERT INTO wallet_devices (device, person, key, kind, label, added_ns) VALUES (?, ?, ?, ?, ?, ?)"
    context.rows.run(sql, new.device, person, new.key, new.kind, new.label, context.time_ns)
    context.emit(DeviceAdded(new.device, new.kind), subject=person)


# ── trusted contacts ────────────────────────────────────────────────────────────────────────────────────────────────


def trust(context: Context, command: Trust) -> None:
    """Put somebody on the signer's list of trusted contacts."""
    standing.active(context)
    context.refuse_if(command.person == context.signer, "trust_oneself")
    standing.present(context, command.person)
    trusted = Purses().trusted_of(context, context.signer)
    context.refuse_if(command.person in trusted, "trusted_already")
    context.refuse_if(len(trusted) >= TRUSTED_MAX, "trusted_too_many")
    sql = "SELECT count(*) FROM wallet_trusted WHERE contact = ? ORDER BY 1"
    context.refuse_if(standing.count(context, sql, command.person) >= TRUSTING_MAX, "trusting_too_many")
    sql = "INSERT INTO wallet_trusted (person, contact, since_ns) VALUES (?, ?, ?)"
    context.rows.run(sql, context.signer, command.person, context.time_ns)
    context.emit(TrustChanged(context.signer, trusted=True), subject=command.person)


def untrust(context: Context, command: Untrust) -> None:
    """Take somebody off the list, and what they vouched for back."""
    standing.present(context, context.signer)
    sql = "DELETE FROM wallet_trusted WHERE person = ? AND contact = ?"
    context.refuse_if(context.rows.run(sql, context.signer, command.person) == 0, "not_trusted")
    drop_voucher(context, context.signer, command.person)
    context.emit(TrustChanged(context.signer, trusted=False), subject=command.person)


def drop_voucher(context: Context, person: bytes, contact: bytes) -> None:
    """What a contact vouched for counts no more; recoveries that then lack one wait again, or end without anybody."""
    for name, _ in context.rows.all(_UNDER_WAY, person):
        context.rows.run("DELETE FROM wallet_vouchers WHERE recovery = ? AND contact = ?", name, contact)
        found = _recovery(context, name)
        trusted = len(Purses().trusted_of(context, person))
        if trusted == 0:
            _end(context, found, "cancelled")
        elif _is_vouched(context, found) != (found.state == APPROVED):
            _move(context, found, approved=found.state != APPROVED)


# ── recovery ────────────────────────────────────────────────────────────────────────────────────────────────────────


def start_recovery(context: Context, command: StartRecovery) -> RecoveryStarted:
    """Ask the trusted contacts of a person; who asks is not known yet, that is the point."""
    standing.present(context, command.person)
    trusted = Purses().trusted_of(context, command.person)
    context.refuse_if(not trusted, "no_trusted_contacts")
    context.refuse_if(_device_is_known(context, command.device), "device_taken")
    under_way = context.rows.all(_UNDER_WAY, command.person)
    context.refuse_if(len(under_way) >= RECOVERIES_MAX, "recoveries_too_many")
    name = context.new_id("recovery").to_bytes(16, "big")
    due_ns = context.time_ns + Purses().parameter(context, "recovery_asked_s") * SECOND_NS
    timer = context.schedule(due_ns, "expire_recovery", ExpireRecovery(name))
    sql = """INSERT INTO wallet_recoveries
             (recovery, person, device, key, kind, label, started_ns, due_ns, timer, state)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    device = (command.device, command.key, command.kind, command.label)
    context.rows.run(sql, name, command.person, *device, context.time_ns, due_ns, timer, ASKED)
    for told in (command.person, *trusted):
        context.emit(RecoveryAsked(name, command.person), subject=told)
    return RecoveryStarted(name)


def approve_recovery(context: Context, command: ApproveRecovery) -> None:
    """Count the signer's word; with enough of them the delay begins."""
    standing.active(context)
    found = _under_way(context, command.recovery)
    context.refuse_if(context.signer not in Purses().trusted_of(context, found.person), "not_trusted")
    sql = "SELECT contact FROM wallet_vouchers WHERE recovery = ? AND contact = ? ORDER BY contact"
    given = context.rows.one(sql, found.recovery, context.signer)
    context.refuse_if(given is not None, "recovery_approved_already")
    sql = "INSERT INTO wallet_vouchers (recovery, contact) VALUES (?, ?)"
    context.rows.run(sql, found.recovery, context.signer)
    if found.state == ASKED and _is_vouched(context, found):
        found = _move(context, found, approved=True)
    due_ns = found.due_ns if found.state == APPROVED else None
    context.emit(RecoveryApproved(found.recovery, context.signer, due_ns), subject=found.person)


def cancel_recovery(context: Context, command: CancelRecovery) -> None:
    """Stop a recovery: whoever still has a device wins."""
    found = _under_way(context, command.recovery)
    context.refuse_if(found.person != context.signer, "recovery_not_yours")
    _end(context, found, "cancelled")


def finish_recovery(context: Context, timer: FinishRecovery) -> None:
    """Nobody stopped it: the new device is the only one. If it became somebody's meanwhile, all stays as it is."""
    found = _recovery(context, timer.recovery)
    assert found.state == APPROVED, "a recovery that left this state took its timer along"
    if _device_is_known(context, found.device):
        _end(context, found, "cancelled")
        return
    sql = "SELECT device FROM wallet_devices WHERE person = ? ORDER BY device"
    for (device,) in context.rows.all(sql, found.person):
        context.emit(DeviceRemoved(device), subject=found.person)
    context.rows.run("DELETE FROM wallet_devices WHERE person = ?", found.person)
    _add_device(context, found.person, found)
    _end(context, found, "done")
    cancel_all(context, found.person)


def expire_recovery(context: Context, timer: ExpireRecovery) -> None:
    """Too few vouched in time."""
    _end(context, _recovery(context, timer.recovery), "expired")


def cancel_all(context: Context, person: bytes) -> None:
    """Stop every recovery of a person."""
    for name, _ in context.rows.all(_UNDER_WAY, person):
        _end(context, _recovery(context, name), "cancelled")


def _recovery(context: Context, name: bytes) -> Recovery:
    sql = """SELECT recovery, person, device, key, kind, label, due_ns, timer, state FROM wallet_recoveries
             WHERE recovery = ? ORDER BY recovery"""
    found = context.rows.one(sql, name)
    if found is None:
        context.refuse("recovery_not_found")
    return Recovery(*found)


def _under_way(context: Context, name: bytes) -> Recovery:
    found = _recovery(context, name)
    context.refuse_if(found.state not in {ASKED, APPROVED}, "recovery_ended")
    return found


def _is_vouched(context: Context, recovery: Recovery) -> bool:
    """Whether two contacts vouched, or all of them where there are fewer."""
    sql = "SELECT count(*) FROM wallet_vouchers WHERE recovery = ? ORDER BY 1"
    vouched = standing.count(context, sql, recovery.recovery)
    return vouched >= min(VOUCHERS_NEEDED, len(Purses().trusted_of(context, recovery.person)))


def _move(context: Context, recovery: Recovery, *, approved: bool) -> Recovery:
    """Begin the delay, or wait for somebody to vouch again; either has its own timer."""
    context.cancel(TimerId(recovery.timer))
    seconds = Purses().parameter(context, "recovery_delay_s" if approved else "recovery_asked_s")
    due_ns = context.time_ns + seconds * SECOND_NS
    name, state = recovery.recovery, APPROVED if approved else ASKED
    if approved:
        timer = context.schedule(due_ns, "finish_recovery", FinishRecovery(name))
    else:
        timer = context.schedule(due_ns, "expire_recovery", ExpireRecovery(name))
    sql = "UPDATE wallet_recoveries SET state = ?, due_ns = ?, timer = ? WHERE recovery = ?"
    context.rows.run(sql, state, due_ns, timer, name)
    return recovery._replace(state=state, due_ns=due_ns, timer=timer)


def _end(context: Context, recovery: Recovery, how: Literal["done", "cancelled", "expired"]) -> None:
    context.cancel(TimerId(recovery.timer))
    sql = "UPDATE wallet_recoveries SET state = ?, due_ns = 0, timer = 0 WHERE recovery = ?"
    context.rows.run(sql, how, recovery.recovery)
    context.rows.run("DELETE FROM wallet_vouchers WHERE recovery = ?", recovery.recovery)
    context.emit(RecoveryEnded(recovery.recovery, recovery.person, how), subject=recovery.person)
