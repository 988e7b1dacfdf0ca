"""The system product: one signing key hands over to the next, on the log."""

from __future__ import annotations

import pytest

from formicary.machine.keys import LedgerId, Rotation, SigningKey, make_rotation
from formicary.machine.machine import Machine
from formicary.machine.system import RotateKey, key_at, rotations

from tests.machine.scripts import ALICE, KEY, LogScript

SECOND_KEY, THIRD_KEY = SigningKey(b"2" * 32), SigningKey(b"3" * 32)


class Keys:
    """A ledger whose keys change."""

    def __init__(self) -> None:
        self.script, self.machine = LogScript(), Machine(None)
        self.machine.step(self.script.entries[0])

    def rotation(self, old: SigningKey, new: SigningKey) -> Rotation:
        """The old key's word for the new one, as of now."""
        ledger_id = LedgerId(self.machine.ledger_id)
        return make_rotation(old, new.public_key, ledger_id=ledger_id, after_entry=self.machine.index)

    def send(self, rotation: Rotation) -> str:
        """Put a rotation on the log; answer its code."""
        applied = self.machine.step(self.script.say(ALICE, "system.rotate_key", RotateKey.of(rotation)))
        self.machine.check()
        return applied.answers[0].reply.code


def test_the_genesis_has_the_first_key() -> None:
    """And no rotation has happened."""
    view = Keys().machine.view("system")
    assert key_at(view, 1) == KEY.public_key
    assert rotations(view) == []


def test_keys_hand_over_one_to_the_next() -> None:
    """Each rotation is kept, in order, as it was signed, and each key speaks from its own entry on."""
    keys = Keys()
    first = keys.rotation(KEY, SECOND_KEY)
    assert keys.send(first) == "ok"
    second = keys.rotation(SECOND_KEY, THIRD_KEY)
    assert keys.send(second) == "ok"
    view = keys.machine.view("system")
    in_force = [key_at(view, entry) for entry in (1, 2, 3, 99)]
    assert in_force == [key.public_key for key in (KEY, SECOND_KEY, THIRD_KEY, THIRD_KEY)]
    assert rotations(view) == [first, second]
    assert [event.kind for event in keys.machine.rows.outbox.of_entry(3)] == ["key_rotated"]


@pytest.mark.parametrize(
    ("old", "new", "change", "code"),
    [
        (SECOND_KEY, THIRD_KEY, {}, "rotation_other_key"),
        (KEY, KEY, {}, "rotation_no_new_key"),
        (KEY, SECOND_KEY, {"ledger_id": bytes(16)}, "rotation_other_ledger"),
        (KEY, SECOND_KEY, {"signature": bytes(64)}, "rotation_not_signed"),
        (KEY, SECOND_KEY, {"new_public_key": THIRD_KEY.public_key}, "rotation_not_signed"),
        (KEY, SECOND_KEY, {"after_entry": 0}, "rotation_not_signed"),
        (KEY, SECOND_KEY, {"after_entry": 99}, "rotation_early"),
    ],
)
def test_a_rotation_that_the_key_in_force_did_not_sign_is_refused(
    old: SigningKey, new: SigningKey, change: dict[str, object], code: str
) -> None:
    """Whoever sends it."""
    keys = Keys()
    good = keys.rotation(old, new)
    fields = {name: getattr(good, name) for name in Rotation.__struct_fields__}
    assert keys.send(Rotation(**{**fields, **change})) == code
    assert key_at(keys.machine.view("system"), keys.machine.index) == KEY.public_key


def test_a_key_that_was_in_force_before_does_not_come_back() -> None:
    """Whoever has stolen it could have signed anything."""
    keys = Keys()
    assert keys.send(keys.rotation(KEY, SECOND_KEY)) == "ok"
    assert keys.send(keys.rotation(SECOND_KEY, KEY)) == "rotation_used_key"
