"""Devices, trusted contacts, and how a person gets back in without any device."""

from __future__ import annotations

import pytest

from formicary.products.anatomy import Message
from formicary.products.wallet.answers import Devices, Nothing, OfPerson
from formicary.products.wallet.commands import (
    AddDevice,
    ApproveRecovery,
    CancelRecovery,
    Close,
    RemoveDevice,
    StartRecovery,
    Trust,
    Untrust,
)
from formicary.testing.trial import Trial

from tests.products.wallet.town import ALICE, BOB, CAROL, DAVE, EVE, NOBODY, town

PHONE, TABLET, NEW = b"p" * 16, b"t" * 16, b"n" * 16
DOOR = b"door"


def device(name: bytes) -> AddDevice:
    """A passkey."""
    return AddDevice(name, b"key of " + name, "passkey", None)


def start(name: bytes = NEW, who: bytes = ALICE) -> StartRecovery:
    """A recovery onto a new phone."""
    return StartRecovery(who, name, b"new key", "passkey", b"l" * 16)


def devices_of(trial: Trial, who: bytes) -> list[bytes]:
    """The names of somebody's devices."""
    answer: Devices = trial.ask("wallet.devices", who, Nothing())
    return [item.device for item in answer.items]


@pytest.fixture
def trial() -> Trial:
    """Alice has a phone and a tablet, and trusts Bob, Carol and Dave."""
    trial = town()
    for name in (PHONE, TABLET):
        trial.ok(ALICE, "wallet.add_device", device(name))
    for who in (BOB, CAROL, DAVE):
        trial.ok(ALICE, "wallet.trust", Trust(who))
    return trial


def recovery(trial: Trial, *vouchers: bytes) -> bytes:
    """Start one, with somebody's word."""
    name: bytes = trial.ok(DOOR, "wallet.start_recovery", start()).recovery
    for who in vouchers:
        trial.ok(who, "wallet.approve_recovery", ApproveRecovery(name))
    return name


def test_devices(trial: Trial) -> None:
    """A device is one person's, there are eight at most, and the last one stays."""
    assert trial.refused(NOBODY, "wallet.add_device", device(NEW)) == "person_unknown"
    assert trial.refused(BOB, "wallet.add_device", device(PHONE)) == "device_taken"
    assert trial.refused(BOB, "wallet.remove_device", RemoveDevice(PHONE)) == "device_not_found"
    trial.ok(ALICE, "wallet.remove_device", RemoveDevice(TABLET))
    assert trial.refused(ALICE, "wallet.remove_device", RemoveDevice(PHONE)) == "device_last"
    for number in range(7):
        trial.ok(ALICE, "wallet.add_device", device(bytes([number]) * 16))
    assert trial.refused(ALICE, "wallet.add_device", device(NEW)) == "devices_too_many"
    keys = trial.ask("wallet.device_keys", b"", OfPerson(person=ALICE)).items
    assert (keys[0].device, keys[0].kind, keys[0].key) == (PHONE, "passkey", b"key of " + PHONE)
    trial.replay()


@pytest.mark.parametrize(
    ("who", "body", "code"),
    [
        (NOBODY, Trust(NOBODY), "person_unknown"),
        (ALICE, Trust(ALICE), "trust_oneself"),
        (ALICE, Trust(NOBODY), "person_unknown"),
        (ALICE, Trust(BOB), "trusted_already"),
        (ALICE, Untrust(EVE), "not_trusted"),
    ],
)
def test_who_may_be_trusted(trial: Trial, who: bytes, body: Message, code: str) -> None:
    """Other people with a wallet, once each."""
    assert trial.refused(who, f"wallet.{type(body).__name__.lower()}", body) == code


def test_two_vouch_and_a_day_passes(trial: Trial) -> None:
    """The new device takes the place of all others, a day after the second word."""
    name = recovery(trial, BOB)
    trial.wait(days=2)
    assert devices_of(trial, ALICE) == [PHONE, TABLET], "one word is not enough"
    trial.ok(CAROL, "wallet.approve_recovery", ApproveRecovery(name))
    item = trial.ask("wallet.recoveries", BOB, Nothing()).to_vouch[0]
    assert (item.state, item.vouched, item.needed, item.vouched_by_me) == ("approved", 2, 2, True)
    assert trial.happened("wallet.recovery_approved")[-1].due_ns == item.due_ns
    trial.wait(hours=23)
    assert devices_of(trial, ALICE) == [PHONE, TABLET]
    trial.wait(hours=2)
    assert devices_of(trial, ALICE) == [NEW]
    assert trial.ask("wallet.recoveries", ALICE, Nothing()).items[0].state == "done"
    assert trial.refused(ALICE, "wallet.cancel_recovery", CancelRecovery(name)) == "recovery_ended"
    trial.replay()


def test_the_person_stops_it(trial: Trial) -> None:
    """Whoever still has a device wins, until the last second."""
    name = recovery(trial, BOB, CAROL)
    trial.wait(hours=23)
    assert trial.refused(EVE, "wallet.cancel_recovery", CancelRecovery(name)) == "recovery_not_yours"
    trial.ok(ALICE, "wallet.cancel_recovery", CancelRecovery(name))
    trial.wait(days=30)
    assert devices_of(trial, ALICE) == [PHONE, TABLET]


def test_refusals(trial: Trial) -> None:
    """Who may start and vouch, in the order of the checks."""
    assert trial.refused(DOOR, "wallet.start_recovery", start(PHONE, NOBODY)) == "person_unknown"
    assert trial.refused(DOOR, "wallet.start_recovery", start(PHONE, EVE)) == "no_trusted_contacts"
    assert trial.refused(DOOR, "wallet.start_recovery", start(PHONE)) == "device_taken"
    approve = "wallet.approve_recovery"
    assert trial.refused(NOBODY, approve, ApproveRecovery(bytes(16))) == "person_unknown"
    assert trial.refused(EVE, approve, ApproveRecovery(bytes(16))) == "recovery_not_found"
    name = recovery(trial)
    assert trial.refused(EVE, approve, ApproveRecovery(name)) == "not_trusted"
    trial.ok(BOB, approve, ApproveRecovery(name))
    assert trial.refused(BOB, approve, ApproveRecovery(name)) == "recovery_approved_already"
    recovery(trial)
    recovery(trial)
    assert trial.refused(DOOR, "wallet.start_recovery", start()) == "recoveries_too_many"
    trial.wait(days=8)
    assert trial.refused(BOB, approve, ApproveRecovery(name)) == "recovery_ended"
    assert {event.how for event in trial.happened("wallet.recovery_ended")} == {"expired"}


def test_who_is_trusted_no_more_counts_no_more(trial: Trial) -> None:
    """An approved recovery waits again when a voucher leaves, and ends when nobody is left."""
    name = recovery(trial, BOB, CAROL)
    trial.ok(ALICE, "wallet.untrust", Untrust(CAROL))
    trial.wait(days=2)
    assert devices_of(trial, ALICE) == [PHONE, TABLET]
    assert trial.ask("wallet.recoveries", ALICE, Nothing()).items[0].state == "asked"
    trial.ok(DAVE, "wallet.approve_recovery", ApproveRecovery(name))
    trial.ok(DAVE, "wallet.close", Close(None))
    assert trial.ask("wallet.recoveries", ALICE, Nothing()).items[0].state == "approved", "all who are left vouched"
    trial.ok(ALICE, "wallet.untrust", Untrust(BOB))
    assert trial.ask("wallet.recoveries", ALICE, Nothing()).items[0].state == "cancelled"
    trial.replay()


def test_of_several_recoveries_one_is_done(trial: Trial) -> None:
    """The first that is due ends the others; a device that became somebody's meanwhile ends its own recovery."""
    first = recovery(trial, BOB, CAROL)
    trial.wait(hours=1)
    second = recovery(trial, BOB, CAROL)
    trial.ok(EVE, "wallet.add_device", device(NEW))
    trial.wait(days=2)
    states = {item.recovery: item.state for item in trial.ask("wallet.recoveries", ALICE, Nothing()).items}
    assert states == {first: "cancelled", second: "cancelled"}
    assert devices_of(trial, ALICE) == [PHONE, TABLET]
    trial.ok(DOOR, "wallet.start_recovery", start(b"o" * 16))
    third = trial.ask("wallet.recoveries", ALICE, Nothing()).items[0].recovery
    fourth = trial.ok(DOOR, "wallet.start_recovery", start(b"q" * 16)).recovery
    for who in (BOB, CAROL):
        for name in (third, fourth):
            trial.ok(who, "wallet.approve_recovery", ApproveRecovery(name))
    trial.wait(days=2)
    states = {item.recovery: item.state for item in trial.ask("wallet.recoveries", ALICE, Nothing()).items}
    assert (states[third], states[fourth]) == ("done", "cancelled")
    assert devices_of(trial, ALICE) == [b"o" * 16]
