"""What has become of a hold: open with so much time left, or captured, released, expired."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from formicary.kernel.kernel import Kernel
from formicary.kernel.objects import Transfer, transfers_from
from formicary.kernel.records import TransferFlag

SECOND_NS: Final = 1_000_000_000


class HoldState(enum.StrEnum):
    """The four states of a hold; all but the first are its end."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"
    """Its time has come, whether or not the ledger has recorded it yet: nothing can be captured any more."""


class HoldStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A hold and what has become of it. Zero in the last four fields: nothing, nobody, never."""

    hold: Transfer
    state: HoldState
    captured: int = 0
    """Minor units posted; the rest of the hold went back."""
    resolved_by: int = 0
    """The id of the capture, release or expiry."""
    expires_at_ns: int = 0
    remaining_ns: int = 0
    """Time left to an open hold that has a timeout."""


RESOLUTIONS: Final = {
    TransferFlag.CAPTURE: HoldState.CAPTURED,
    TransferFlag.RELEASE: HoldState.RELEASED,
    TransferFlag.EXPIRY: HoldState.EXPIRED,
}


def hold_status(kernel: Kernel, hold_id: int, now_ns: int) -> HoldStatus | None:
    """Say what has become of a hold by ``now_ns``; None when no transfer of that id is a hold. In the writer's turn."""
    index = kernel.find_transfer(hold_id)
    if index < 0:
        return None
    (hold,) = transfers_from(kernel.stored_transfers(index, index + 1))
    if not hold.flags & TransferFlag.HOLD:
        return None
    expires_at_ns = hold.time + hold.timeout * SECOND_NS if hold.timeout else 0
    partner = int(kernel.stored_trails(index, index + 1)["partner"][0])
    if partner:
        (resolver,) = transfers_from(kernel.stored_transfers(partner - 1, partner))
        (state,) = (state for flag, state in RESOLUTIONS.items() if resolver.flags & flag)
        captured = resolver.amount if state is HoldState.CAPTURED else 0
        return HoldStatus(
            hold=hold, state=state, captured=captured, resolved_by=resolver.id, expires_at_ns=expires_at_ns
        )
    if expires_at_ns and expires_at_ns <= now_ns:
        return HoldStatus(hold=hold, state=HoldState.EXPIRED, expires_at_ns=expires_at_ns)
    remaining_ns = expires_at_ns - now_ns if expires_at_ns else 0
    return HoldStatus(hold=hold, state=HoldState.OPEN, expires_at_ns=expires_at_ns, remaining_ns=remaining_ns)
