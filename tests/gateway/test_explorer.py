"""The explorer and receipts: public heads that only grow, entries without content, receipts for the parties alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import httpx
import msgspec
import pytest

from formicary.client import NotFound
from formicary.machine.receipt_forms import parse_receipt, read_document
from formicary.machine.receipts import HeadStatement, verify_receipt, verify_statement

from tests.gateway.house import ALICE, BOB, EUR, OPERATOR, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("explorer"))
    made.settle()
    yield made
    made.close()


@pytest.fixture(scope="module")
def payment(house: House) -> str:
    """A payment of Alice to Bob."""
    sent = house.run(ALICE, "pay.send", payee=BOB, asset=EUR, amount_minor=500, purpose="friend", note=None)
    return str(sent.payment.hex())


def test_the_head_proves_itself(house: House) -> None:
    """Anybody gets it, and can check that a later one begins with it."""
    first = read_document(httpx.get(f"{house.origin}/v1/head").content)
    assert isinstance(first, HeadStatement)
    house.give(ALICE, 5)
    second = read_document(httpx.get(f"{house.origin}/v1/head?since={first.head.size}").content)
    assert isinstance(second, HeadStatement)
    assert second.old_size == first.head.size < second.head.size
    assert verify_statement(second, first.identity.ledger_id).trusted
    assert httpx.get(f"{house.origin}/v1/head?since=999999").status_code in {404, 409}


def test_entries_are_a_chain_without_content(house: House) -> None:
    """Newest first, in pages, each the parent of the next."""
    seen: list[dict[str, str]] = []
    after = ""
    while True:
        page = httpx.get(f"{house.origin}/v1/entries", params={"after": after, "limit": 3}).json()
        seen += page["items"]
        after = page["next"]
        if not after:
            break
    assert [int(each["index"]) for each in seen] == list(range(len(seen), 0, -1))
    assert all(child["parent"] == parent["hash"] for child, parent in pairwise(seen))
    assert seen[-1]["kind"] == "genesis"
    assert seen[0]["digest"] == house.ledger.digest_at(int(seen[0]["index"])).hex()
    one = httpx.get(f"{house.origin}/v1/entries/{seen[1]['index']}").json()
    assert one == seen[1]
    for wrong in ("0", "999999", "x", "-1", "9" * 30):
        assert httpx.get(f"{house.origin}/v1/entries/{wrong}").status_code == 404


def test_both_parties_get_a_receipt_that_checks_offline(house: House, payment: str) -> None:
    """As a file, as text of a QR code and as its picture."""
    identity = read_document(httpx.get(f"{house.origin}/v1/head").content).identity
    for who in (ALICE, BOB):
        with house.client(who, "receipt:read") as client:
            raw = msgspec.json.encode(client.get(f"/v1/receipts/{payment}"))
            assert raw
            text = client.get(f"/v1/receipts/{payment}", form="text")
            verified = verify_receipt(parse_receipt(text), identity.ledger_id)
            assert verified.trusted
            assert verified.fields["amount"] == "500"
            picture = client.get(f"/v1/receipts/{payment}", form="qr")
            assert picture.startswith(b"<?xml") or b"<svg" in picture[:200]


def test_the_file_is_the_one_writing_of_a_receipt(house: House, payment: str) -> None:
    """What is served is byte for byte what the offline verifiers read."""
    with house.client(ALICE, "receipt:read") as client:
        response = client._http.get(f"/v1/receipts/{payment}")
    assert verify_receipt(parse_receipt(response.content), None).fields["kind"] == "transfer"
    assert "attachment" in response.headers["content-disposition"]


def test_nobody_else_gets_a_receipt(house: House, payment: str) -> None:
    """A stranger learns not even that there is such a payment; an auditor may see it."""
    with house.client(OPERATOR, "receipt:read", roles="operator auditor") as auditor:
        assert auditor.get(f"/v1/receipts/{payment}", form="text")
    house.run(b"stranger".rjust(16, b"."), "wallet.open", assets=(EUR,), alias=None)
    with house.client(b"stranger".rjust(16, b"."), "receipt:read") as client:
        for number in (payment, "0" * 31 + "1", "nonsense"):
            with pytest.raises(NotFound) as refused:
                client.get(f"/v1/receipts/{number}")
            assert refused.value.code == "receipt_not_found"
    assert httpx.get(f"{house.origin}/v1/receipts/{payment}").status_code == 401
