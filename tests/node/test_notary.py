"""The notary between the threads: what is applied is ahead of what is sealed, and what it signs must hold anyway."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from formicary.base.entry import Entry
from formicary.base.errors import Refusal
from formicary.kernel.records import TRANSFER
from formicary.machine.applied import Applied
from formicary.machine.keys import KeyId, Rotation
from formicary.machine.machine import Machine
from formicary.machine.receipts import verify_receipt, verify_statement
from formicary.machine.system import RotateKey
from formicary.node.notary import Notary

from tests.machine.scripts import ALICE, KEY, LogScript


class Office:
    """A machine whose sealing is late as a test wants it, and the notary over it."""

    def __init__(self) -> None:
        self.script, self.machine = LogScript(), Machine(None)
        self.machine.step(self.script.entries[0])
        self.machine.step(self.script.accounts(1, 2))
        self.notary = Notary(self.machine, lambda function: function(self.machine), keys=None, heads=None)
        self.notary.remember(KEY)
        self._unsealed: list[tuple[Entry, Applied]] = []

    def apply(self, entry: Entry) -> Applied:
        """Apply an entry, and leave it unsealed."""
        applied = self.machine.apply(entry)
        self._unsealed.append((entry, applied))
        return applied

    def pay(self, *ids: int) -> None:
        """Apply transfers from account 1 to 2."""
        batch = np.zeros(len(ids), TRANSFER)
        batch["id_lo"], batch["debit_lo"], batch["credit_lo"] = ids, 1, 2
        batch["amount"], batch["asset"], batch["code"] = 5, 978, 1
        codes = self.apply(self.script.transfers(batch)).codes
        assert codes is not None
        assert not codes.any()

    def rotate(self) -> Rotation:
        """Apply a change of keys."""
        rotation = self.notary.new_rotation()
        applied = self.apply(self.script.say(ALICE, "system.rotate_key", RotateKey.of(rotation)))
        assert applied.answers[0].reply.code == "ok"
        return rotation

    def seal(self) -> None:
        """Seal all that is applied."""
        for entry, applied in self._unsealed:
            self.machine.seal(entry, applied)
        self._unsealed.clear()

    def signer(self) -> KeyId:
        """Who signs now; the proof must hold for whoever knows the ledger's id."""
        statement = self.notary.consistency(0)
        assert verify_statement(statement, statement.identity.ledger_id).trusted
        return statement.head.key_id


@pytest.fixture
def office() -> Iterator[Office]:
    """A ledger with two accounts."""
    made = Office()
    yield made
    made.notary.close()
    made.machine.close()


def test_a_new_key_signs_from_its_own_entry_on(office: Office) -> None:
    """A rotation that is applied and not yet sealed does not sign the older tree: verifiers would refuse that head."""
    office.pay(1)
    office.seal()
    office.rotate()
    assert office.signer() == KEY.key_id
    office.seal()
    second = office.signer()
    assert second != KEY.key_id
    office.pay(2)
    office.rotate()
    assert office.signer() == second
    office.seal()
    assert office.signer() not in {KEY.key_id, second}


def test_receipts_hold_on_both_sides_of_a_rotation(office: Office) -> None:
    """One is signed by the old key while the new one waits to be sealed, the next by the new one."""
    office.pay(1)
    office.seal()
    office.rotate()
    before = office.notary.receipt(1)
    office.pay(2)
    office.seal()
    after = office.notary.receipt(2)
    for receipt in (before, after):
        assert verify_receipt(receipt, receipt.identity.ledger_id).trusted
    assert before.head.key_id == KEY.key_id != after.head.key_id


def test_the_same_tree_is_signed_once_for_each_key(office: Office) -> None:
    """The head that was given out is given again, unless it would say less than a new one."""
    office.pay(1)
    office.seal()
    first = office.notary.head()
    office.apply(office.script.accounts(3))
    office.seal()
    assert office.notary.head() == first, "the tree has not grown"
    office.rotate()
    office.seal()
    assert office.notary.head().key_id != first.key_id


def test_a_transfer_that_is_not_sealed_has_no_receipt_yet(office: Office) -> None:
    """Nobody was told of it when the question came, so it is refused like one that is not there."""
    office.pay(1)
    office.seal()
    office.pay(2)
    with pytest.raises(Refusal, match="no transfer 2"):
        office.notary.receipt(2)
    office.seal()
    assert office.notary.receipt(2).head.size == 2
