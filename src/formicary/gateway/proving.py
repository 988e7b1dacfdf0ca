"""The second half of every way to show who somebody is: a passkey's answer, or a PIN."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from formicary.gateway.devices import Device, is_listed
from formicary.gateway.passkeys import credential_id
from formicary.gateway.pins import DIGITS_MAX
from formicary.gateway.problems import Problem

if TYPE_CHECKING:
    from formicary.gateway.door import Door

HASHING_THREADS: Final = 2
"""PINs hashed at once: each takes 64 MiB for a moment."""
_hashing: Final = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="formicary-pin")

Pin = Annotated[str, msgspec.Meta(max_length=DIGITS_MAX)]
Ticket = Annotated[str, msgspec.Meta(min_length=43, max_length=43)]


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket of the first half, and either a passkey's answer or a PIN."""

    ticket: Ticket
    credential: dict[str, Any] | None = None
    """What ``navigator.credentials`` answered, as JSON (``PublicKeyCredential.toJSON()``)."""
    pin: Pin | None = None
    """Six to twelve digits."""
    label: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    """What the person calls the device."""


async def new_device(door: Door, proof: Proof, *, person: bytes, device: bytes, challenge: bytes) -> Device:
    """Check a new passkey, or hash a new PIN; refuses with ``passkey_refused``, ``pin_weak`` or ``bad_input``."""
    now = door.now_ns()
    if proof.credential is not None and proof.pin is None:
        made = door.passkeys.verify_new(proof.credential, challenge)
        if door.devices.by_credential(made.credential) is not None:
            raise Problem("passkey_refused", "This passkey is known already.", status=409)
        return Device(device, person, "passkey", made.credential, made.public_key, made.sign_count, None, now)
    if proof.pin is not None and proof.credential is None:
        hashed = await asyncio.get_running_loop().run_in_executor(_hashing, door.pins.hash, proof.pin)
        return Device(device, person, "pin", None, None, 0, hashed, now)
    raise Problem("bad_input", "Send either a credential or a pin.", where="credential")


async def prove_passkey(door: Door, credential: Any, challenge: bytes, person: bytes = b"") -> Device:  # noqa: ANN401
    """Check a passkey's answer, of a certain person if given; refuses with ``passkey_refused``."""
    device = door.devices.by_credential(credential_id(credential))
    if device is None or (person and device.person != person):
        raise Problem("passkey_refused")
    counted = door.passkeys.verify(credential, challenge, device)
    if not await is_listed(door, device.person, device.device):
        raise Problem("passkey_refused")
    await door.store.do(lambda _store: door.devices.count(device.device, counted))
    return device


async def prove_pin(door: Door, person: bytes, pin: str) -> bytes:
    """Check a PIN; answers the device, or refuses with ``pin_refused`` or ``pin_locked``."""
    hashes = {
        each.device: each.pin_hash
        for each in door.devices.of_person(person, "pin")
        if each.pin_hash and await is_listed(door, person, each.device)
    }
    return await asyncio.get_running_loop().run_in_executor(_hashing, door.pins.check, person, hashes, pin)
