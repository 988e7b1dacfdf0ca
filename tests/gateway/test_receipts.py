"""Receipts of a statement's lines: also where there is no payment, for a shop's managers, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from formicary.machine.receipt_forms import parse_receipt
from formicary.machine.receipts import verify_receipt

from tests.gateway.test_statements import Street


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    """A town where something was bought."""
    made = Street()
    made.buy(20_00)
    yield made
    made.town.close()


def test_every_line_has_a_receipt_that_checks_offline(street: Street) -> None:
    """The file proves the very amount that the statement tells."""
    told = street.tell(street.ann)
    assert len(told["items"]) == 2
    for line in told["items"]:
        answer = street.ann.get(f"/v1/statement/receipts/{line['transfer']}")
        assert answer.status_code == 200, answer.text
        verified = verify_receipt(parse_receipt(answer.content), bytes.fromhex(told["ledger"]))
        assert verified.trusted
        assert int(verified.fields["amount"]) == abs(line["amount_minor"])


def test_a_receipt_comes_in_four_forms(street: Street) -> None:
    """The file, the text of its QR code, and the picture by either name."""
    path = f"/v1/statement/receipts/{street.tell(street.ann)['items'][1]['transfer']}"
    text = street.ann.get(path, form="text").text
    assert verify_receipt(parse_receipt(text), None).fields["kind"] == "transfer"
    assert "<svg" in street.ann.get(path, form="svg").text
    assert street.ann.get(path, form="qr").content == street.ann.get(path, form="svg").content
    assert street.ann.get(path, form="gif").status_code == 422


def test_a_shops_receipts_are_for_its_managers(street: Street) -> None:
    """The owner fetches the sale's; a stranger does not, nor without naming the shop."""
    sale = street.tell(street.owner, shop=street.shop)["items"][0]["transfer"]
    path = f"/v1/statement/receipts/{sale}"
    assert street.owner.get(path, shop=street.shop).status_code == 200
    assert street.owner.get(path).json()["code"] == "receipt_not_found"
    assert street.bo.get(path, shop=street.shop).json()["code"] == "shop_not_yours"
    assert street.ann.get(path).status_code == 200


def test_nobody_elses_movement_has_a_receipt(street: Street) -> None:
    """Others' transfers, such as do not exist, and nonsense are all the same to a stranger."""
    line = street.tell(street.ann)["items"][0]["transfer"]
    for number in (line, "00" * 15 + "01", "nonsense"):
        answer = street.bo.get(f"/v1/statement/receipts/{number}")
        assert (answer.status_code, answer.json()["code"]) == (404, "receipt_not_found")
    assert street.town.nobody.get(f"/v1/statement/receipts/{line}").status_code == 401
