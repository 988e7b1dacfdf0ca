"""A month of a bank's standing orders, posted to a fresh ledger and accounted for to the last heller.

    make run                                     # or: python examples/standing_orders.py --ledger town

Each payer is funded with exactly what its orders of the month take, from an opening account, and may not go below zero.
Then the orders are posted, each once, however often this runs. At the end every payer must be at zero, and what the
payees got must be what the file says. The last steps are commands of the ``formicary`` program, shown and run.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from make_orders import make_orders

import formicary
from formicary.base.errors import FormicaryError, Refusal
from formicary.base.ids import format_id, split_ids
from formicary.base.money import format_minor, parse_asset, parse_minor
from formicary.cli import main as formicary_command
from formicary.cli.output import progress_bar, show_error
from formicary.kernel.codes import TransferCode
from formicary.kernel.records import BATCH_MAX, TRANSFER, AccountFlag
from formicary.node.import_accounts import AccountBook
from formicary.node.import_source import open_source
from formicary.node.importing import ImportOptions, ImportReport, import_transfers
from formicary.node.ledger import Ledger
from formicary.node.names import Names

ROOT: Final = Path(__file__).resolve().parent.parent
REAL_ORDERS: Final = ROOT.parent / "shared" / "data" / "czech_bank_1999" / "order.asc"
MADE_ORDERS: Final = ROOT / "run" / "orders.asc"
CZK: Final = parse_asset("CZK")
MONTH: Final = "1999-01"
OPENING: Final = "opening account"
PAYEE_CODE: Final = 2
OPENING_CODE: Final = 9


@dataclass(frozen=True, slots=True)
class Expected:
    """What the file of orders says, added up independently of the ledger."""

    orders: int
    total_minor: int
    by_payer: dict[str, int]
    busiest: str
    """The payer with the most orders: its statement says most."""


def main() -> int:
    """Do it all, and return an exit status."""
    parser = argparse.ArgumentParser(description="Post a month of standing orders and account for every heller.")
    parser.add_argument("--ledger", type=Path, default=Path("town"), help="the ledger's folder (default: town)")
    parser.add_argument("--orders", type=Path, help="a file of orders (default: the real ones, else made ones)")
    arguments = parser.parse_args()
    try:
        return run(arguments.ledger, arguments.orders or find_orders())
    except FormicaryError as error:
        return show_error(error)


def find_orders() -> Path:
    """Return the real orders when they are here, else make some."""
    if REAL_ORDERS.exists():
        return REAL_ORDERS
    make_orders(MADE_ORDERS, orders=6471)
    return MADE_ORDERS


def run(folder: Path, orders: Path) -> int:
    """Fund, post, check, and show what a user would look at next."""
    expected = add_up(orders)
    payers = f"{expected.orders:,} standing orders of {len(expected.by_payer):,} payers"
    print(f"{orders}:\n{payers}, {crowns(expected.total_minor)}")
    with formicary.open(folder) as ledger, Names(folder / "names.db") as names:
        started = time.perf_counter()
        funded = fund(ledger, names, expected)
        print(f"{folder}: {funded:,} payers funded from the {OPENING!r}, {len(expected.by_payer) - funded:,} before")
        posting = time.perf_counter()
        report = post(ledger, names, orders)
        ended = time.perf_counter()
        for problem in report.problems:
            print(f"{orders.name}: {problem}", file=sys.stderr)
        balanced = check(ledger, names, expected)
        ledger_id = ledger.info()["ledger_id"]
        receipt_of = names.transfer_id(f"{first_order(orders)}/{MONTH}")
    print(f"{report.accepted:,} orders posted, {report.existed:,} there already")
    if report.accepted:
        print(f"{report.accepted / (ended - posting):,.0f} orders/s in this run: read, posted and synced to disk")
        print(f"({ended - started:.2f} s with the funding; mostly start-up: `formicary bench ledger` measures)")
    if not balanced or not report.clean:
        return 1
    return show(folder, format_id(receipt_of), expected, ledger_id=ledger_id)


def add_up(orders: Path) -> Expected:
    """Read the file on its own, so that the ledger is checked against something it had no part in."""
    by_payer: dict[str, int] = defaultdict(int)
    count: Counter[str] = Counter()
    for row in rows(orders):
        payer = f"payer {row['account_id']}"
        by_payer[payer] += parse_minor(row["amount"], 2)
        count[payer] += 1
    return Expected(count.total(), sum(by_payer.values()), dict(by_payer), count.most_common(1)[0][0])


def rows(orders: Path) -> Iterator[dict[str, str]]:
    """Read the rows of the file."""
    with orders.open(encoding="latin-1", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def first_order(orders: Path) -> str:
    """Return the reference of the first order."""
    return f"order {next(rows(orders))['order_id']}"


def fund(ledger: Ledger, names: Names, expected: Expected) -> int:
    """Give every payer what its orders take; the id says payer and month, so a second time changes nothing."""
    payers = list(expected.by_payer)
    open_accounts(ledger, names, [OPENING], code=OPENING_CODE)
    open_accounts(ledger, names, payers, flags=AccountFlag.DEBITS_LIMITED)
    records = np.zeros(len(payers), TRANSFER)
    records["id_lo"], records["id_hi"] = split_ids([names.transfer_id(f"fund {payer}/{MONTH}") for payer in payers])
    records["debit_lo"], records["debit_hi"] = split_ids(names.ids([OPENING], CZK) * len(payers))
    records["credit_lo"], records["credit_hi"] = split_ids(names.ids(payers, CZK))
    records["amount"] = list(expected.by_payer.values())
    records["asset"], records["code"] = CZK, 1
    codes = np.concatenate(
        [ledger.post(records[start : start + BATCH_MAX]) for start in range(0, len(records), BATCH_MAX)]
    )
    if not np.isin(codes, (TransferCode.OK, TransferCode.EXISTS)).all():
        raise Refusal("another file of orders was posted to this ledger; choose another one with --ledger")
    return int(np.count_nonzero(codes == TransferCode.OK))


def open_accounts(ledger: Ledger, names: Names, wanted: list[str], *, code: int = 1, flags: int = 0) -> None:
    """Open those of the accounts that are not open yet."""
    AccountBook(ledger, names, code=code, flags=flags).resolve([CZK] * len(wanted), [wanted])


def post(ledger: Ledger, names: Names, orders: Path) -> ImportReport:
    """Import the file, as ``formicary ledger import`` would."""
    options = ImportOptions(
        maps=[
            f"id=order {{order_id}}/{MONTH}",
            "debit=payer {account_id}",
            "credit={bank_to}:{account_to}",
        ],
        constants={"asset": "CZK"},
        open_code=PAYEE_CODE,
    )
    with (
        closing(open_source(orders, encoding="latin-1")) as source,
        progress_bar(f"posting {MONTH}", source.size, unit="orders") as bar,
    ):
        return import_transfers(ledger, names, source, options, bar.at)


def check(ledger: Ledger, names: Names, expected: Expected) -> bool:
    """Hold the ledger against the file: payers at zero, payees with everything, the opening account owing it."""
    accounts = ledger.account_records()
    net = accounts["credits_posted"] - accounts["debits_posted"]
    payees = int(net[accounts["code"] == PAYEE_CODE].sum())
    payers = int(np.abs(net[accounts["code"] == 1]).sum())
    opening = ledger.balance(names.ids([OPENING], CZK)[0])
    right = (payees, payers, opening) == (expected.total_minor, 0, -expected.total_minor)
    print(f"payees got {crowns(payees)}, payers have {crowns(payers)} left")
    print(f"the file says {crowns(expected.total_minor)}: ", end="")
    print("every heller is accounted for" if right else "NOT what the file says")
    return right


def show(folder: Path, transfer: str, expected: Expected, *, ledger_id: str) -> int:
    """Run what a user would type next, and show each command."""
    receipt = folder / "receipt.json"
    commands = [
        ["ledger", "trial-balance", str(folder)],
        ["ledger", "history", expected.busiest, "--ledger", str(folder)],
        ["receipt", "make", str(folder), transfer, "--out", str(receipt)],
        ["receipt", "verify", str(receipt), "--ledger-id", ledger_id],
    ]
    for words in commands:
        print(f"\n$ formicary {' '.join(quoted(word) for word in words)}", flush=True)
        status = formicary_command(words)
        if status:
            return status
    print(f"\nMore to try:\n  formicary ledger info {folder}\n  formicary ledger verify {folder}\n  formicary --help")
    return 0


def crowns(minor: int) -> str:
    """Write an amount for people."""
    return f"{format_minor(minor, 2, grouped=True)} CZK"


def quoted(word: str) -> str:
    """Quote a word for a shell if it needs it."""
    return f"'{word}'" if " " in word else word


if __name__ == "__main__":
    sys.exit(main())
