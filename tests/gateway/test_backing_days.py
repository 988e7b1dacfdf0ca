"""Each day's backing is put on record by the courier, listed for anybody, and proved by a receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from formicary import cli
from formicary.base.errors import Refusal
from formicary.gateway.courier import Courier, attest_id
from formicary.machine.receipt_forms import parse_receipt
from formicary.machine.receipts import verify_receipt
from formicary.machine.replies import read_reply
from formicary.products.bank import commands as bank
from formicary.products.bank import rows
from formicary.products.bank.backing import day_of
from formicary.products.bank.codes import RAIL

from tests.gateway.house import ALICE, EUR, SECOND_NS, House

DAY_NS = 86_400 * SECOND_NS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A gateway in which Alice brought 100.00 from her bank."""
    opened = House(tmp_path)
    opened.run(ALICE, "wallet.open", assets=(EUR,), alias=None)
    reference = opened.run(ALICE, "bank.take_reference").reference
    booked = {"asset": EUR, "entry_ref": bytes(32), "direction": "in", "amount_minor": 10_000, "booked_ns": 1}
    opened.run(RAIL, "bank.booked", reference=reference, **booked)
    yield opened
    opened.close()


def new_courier(house: House) -> Courier:
    """A courier whose clock is the gateway's."""
    return Courier(house.ledger, house.folder / "exchange", iban_of=lambda _ref: None, clock_ns=house.now_ns)


def get(house: House, path: str, **query: str) -> httpx.Response:
    """Ask without signing in."""
    return httpx.get(f"{house.origin}{path}", params=query, trust_env=False)


def told(house: House, **query: str) -> list[dict[str, Any]]:
    """The days on record."""
    found: list[dict[str, Any]] = get(house, "/v1/bank/backing_days", **query).raise_for_status().json()["items"]
    return found


def test_the_courier_puts_a_day_on_record_once(house: House) -> None:
    """However often it looks, and also when it begins anew on the same day."""
    assert told(house) == []
    before = house.ledger.info()["entries"]
    courier = new_courier(house)
    for _ in range(3):
        courier.attest()
    new_courier(house).attest()
    assert house.ledger.info()["entries"] == before + 1
    (shown,) = told(house)
    assert (shown["asset"], shown["day"]) == ("EUR", day_of(house.now_ns()))
    assert (shown["customers_minor"], shown["nostro_minor"], shown["verdict"]) == (10_000, 10_000, "backed")
    assert shown["entry"] == before + 1


def test_a_clock_that_is_ahead_spoils_no_day(house: House) -> None:
    """A courier that believes it is tomorrow is refused, each time anew; today and tomorrow can still be recorded."""
    hasty = Courier(
        house.ledger, house.folder / "hasty", iban_of=lambda _ref: None, clock_ns=lambda: house.now_ns() + DAY_NS
    )
    for _ in range(2):
        hasty.attest()
    assert told(house) == []
    new_courier(house).attest()
    assert len(told(house)) == 1


def test_a_days_receipt_checks_offline(house: House) -> None:
    """The file proves the very figures that the list tells, to somebody who knows only the ledger's id."""
    new_courier(house).attest()
    (shown,) = told(house, asset="EUR")
    path = f"/v1/bank/backing_days/{shown['day']}/receipt"
    answer = get(house, path)
    assert answer.headers["content-disposition"] == f'attachment; filename="backing-{shown["day"]}.json"'
    receipt = parse_receipt(answer.content)
    verified = verify_receipt(receipt, bytes.fromhex(house.ledger.info()["ledger_id"]))
    assert verified.trusted
    reply = read_reply(receipt.data)
    seen_ns = house.ledger.ask("bank", lambda view: rows.seen_for(view, shown["day"]))
    assert (reply.command_id, reply.entry) == (attest_id(shown["day"], seen_ns), shown["entry"])
    assert verified.head.entry >= shown["entry"]
    proved = msgspec.msgpack.decode(reply.body, type=bank.Attested)
    (item,) = proved.items
    fields = [name for name in bank.BackedOn.__struct_fields__ if name != "asset"]
    assert {name: getattr(item, name) for name in fields} == {name: shown[name] for name in fields}
    assert (proved.day, item.asset) == (shown["day"], EUR)
    assert parse_receipt(get(house, path, form="text").text) == receipt
    assert "<svg" in get(house, path, form="qr").text


def test_a_receipt_that_was_changed_proves_nothing(house: House) -> None:
    """One minor unit more at the bank, and the path leads nowhere."""
    new_courier(house).attest()
    path = f"/v1/bank/backing_days/{day_of(house.now_ns())}/receipt"
    receipt = parse_receipt(get(house, path).content)
    reply = read_reply(receipt.data)
    attested = msgspec.msgpack.decode(reply.body, type=bank.Attested)
    items = (msgspec.structs.replace(attested.items[0], nostro_minor=10_001),)
    body = msgspec.msgpack.encode(msgspec.structs.replace(attested, items=items))
    data = msgspec.msgpack.encode(msgspec.structs.replace(reply, body=body))
    with pytest.raises(Refusal, match="path"):
        verify_receipt(type(receipt)(**{**_fields(receipt), "data": data}), None)


def _fields(receipt: Any) -> dict[str, Any]:
    return {name: getattr(receipt, name) for name in receipt.__dataclass_fields__}


@pytest.mark.parametrize("day", ["20200101", "tomorrow", "2026-01-01", "00000000", "9" * 30, "٢٠٢٦٠١٠١"])
def test_a_day_without_a_record_has_no_receipt(house: House, day: str) -> None:
    """Neither has what is no day."""
    answer = get(house, f"/v1/bank/backing_days/{day}/receipt")
    assert (answer.status_code, answer.json()["code"]) == (404, "receipt_not_found")


def test_the_command_line_tells_the_days(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the gateway with a receipt kept for each day, and from the folder by replaying the log, the same figures."""
    new_courier(house).attest()
    day = day_of(house.now_ns())
    kept = tmp_path / "proofs"
    assert cli.main(["operator", "backing", house.origin, "--receipts", str(kept), "--json"]) == 0
    remote = json.loads(capsys.readouterr().out)
    assert remote["items"][0]["customers"] == "100.00"
    assert verify_receipt(parse_receipt((kept / f"backing-{day}.json").read_bytes()), None).fields["kind"] == "reply"
    assert cli.main(["operator", "backing", str(house.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == remote
    assert cli.main(["operator", "backing", str(house.folder)]) == 0
    assert "100.00" in capsys.readouterr().out
    assert cli.main(["operator", "backing", str(house.folder), "--receipts", str(kept)]) == 1
    assert "error[url_needed]" in capsys.readouterr().err


def test_the_command_line_says_when_money_is_missing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Its exit status is for a daily job: the lines are shown, and then it fails."""
    unknown = {"asset": EUR, "entry_ref": b"\1" * 32, "direction": "out", "amount_minor": 300, "booked_ns": 1}
    house.run(RAIL, "bank.booked", reference="", **unknown)
    new_courier(house).attest()
    assert cli.main(["operator", "backing", house.origin]) == 1
    told = capsys.readouterr()
    assert "short" in told.out
    assert "error[not_backed]" in told.err
