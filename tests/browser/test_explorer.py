"""Anybody checks a receipt, in the browser itself and without us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from formicary.testing.town_process import TownProcess

from tests.browser.conftest import Visitors, settled
from tests.browser.visitor import DESK, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def paid_with_receipt(visitors: Visitors, town: TownProcess, folder: Path) -> Path:
    """Pay somebody, and save the receipt that the wallet gives."""
    person = settled(town, "Rhea Sol", 30_00)
    dana = town.enter("dana").id
    fields: dict[str, Any] = {"payee": dana, "asset": "EUR", "amount_minor": 1234, "purpose": "friend", "note": None}
    payment = person.done("/v1/pay/send", **fields)["payment"]
    payer = visitors()
    payer.enter(person)
    payer.open("wallet", f"/payment/{payment}")
    receipt = folder / "receipt.json"
    payer.saves(payer.button("payment.receipt")).save_as(receipt)
    return receipt


def drop(anybody: Visitor, file: Path, verdict: str) -> None:
    """Give the explorer a file, and wait for what it says of it in large letters."""
    anybody.page.locator("input[type=file]").set_input_files(file)
    anybody.page.get_by_role("alert").get_by_role("heading", name=verdict).wait_for()


def test_a_receipt_is_checked_in_the_browser(visitors: Visitors, town: TownProcess, tmp_path: Path) -> None:
    """The wallet's receipt proves itself with the network off; with one character changed it proves nothing."""
    receipt = paid_with_receipt(visitors, town, tmp_path)
    anybody = visitors(size=DESK)
    page = anybody.open("explorer", "/")
    anybody.sees(anybody.say("ledger.checked"))  # from now on the browser knows the ledger
    anybody.open("explorer", "/check")
    page.get_by_text(anybody.say("check.drop"), exact=True).wait_for()
    anybody.context.set_offline(True)
    drop(anybody, receipt, anybody.say("check.yes"))
    assert page.locator(".about-amount").inner_text() == "12.34 EUR"
    for name, text in altered(receipt.read_text()).items():
        wrong = tmp_path / f"{name}.json"
        wrong.write_text(text)
        drop(anybody, wrong, anybody.say("check.no"))
        page.get_by_text(wrong.name, exact=True).wait_for()


def altered(text: str) -> dict[str, str]:
    """The same receipt with one thing changed: an amount, a name, a leaf, a signature, a step of the path."""
    told = json.loads(text)
    step = told["path"][0]
    signature = told["head"]["signature"]
    found = {
        "amount": text.replace('"amount": "1234"', '"amount": "9234"'),
        "payee": text.replace(told["transfer"]["credit_account"], told["transfer"]["debit_account"]),
        "leaf": text.replace(f'"index": "{told["leaf"]["index"]}"', f'"index": "{int(told["leaf"]["index"]) ^ 1}"'),
        "signature": text.replace(signature, swapped(signature)),
        "path": text.replace(step, swapped(step)),
        "ledger": text.replace(told["ledger"]["id"], told["ledger"]["id"][::-1]),
        "cut": text[: len(text) // 2],
        "space": text.replace('": ', '":  ', 1),
    }
    assert text not in found.values()
    return found


def swapped(text: str) -> str:
    """Another text of the same letters: the first two that differ change places."""
    at = next(index for index in range(1, len(text)) if text[index] != text[0])
    return text[at] + text[1:at] + text[0] + text[at + 1 :]
