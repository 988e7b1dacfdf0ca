"""Make a month of standing orders like a bank's, the same ones every time: for when the real ones are not here.

The file has the form of the Czech bank's ``order.asc``: order, paying account, bank and account paid, amount in CZK,
and what it is for. The amounts and shares of purposes are drawn to look alike; no row is a real one.

    python examples/make_orders.py orders.asc --orders 6471
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Final

SEED: Final = 1999
BANKS: Final = ("AB", "CD", "EF", "GH", "IJ", "KL", "MN", "OP", "QR", "ST", "UV", "WX", "YZ")
PURPOSES: Final = {"SIPO": 54, " ": 21, "UVER": 11, "POJISTNE": 8, "LEASING": 6}
"""Household payment, unnamed, loan, insurance, leasing: and how many of a hundred orders each is."""


def make_orders(path: Path, *, orders: int) -> None:
    """Write ``orders`` rows; every payer has one to five of them."""
    draw = random.Random(SEED)
    lines = ['"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"']
    payer, left = 1, 0
    for order in range(1, orders + 1):
        if not left:
            payer, left = payer + draw.randint(1, 4), draw.choices((1, 2, 3, 4, 5), (45, 25, 15, 10, 5))[0]
        left -= 1
        purpose = draw.choices(list(PURPOSES), list(PURPOSES.values()))[0]
        payee = f'"{draw.choice(BANKS)}";"{draw.randint(10_000_000, 99_999_999)}"'
        hellers = min(round(draw.lognormvariate(12.1, 1.0)), 1_500_000) // 10 * 10
        lines.append(f'{order};{payer};{payee};{hellers // 100}.{hellers % 100:02d};"{purpose}"')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(description="Make a month of standing orders, the same ones every time.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--orders", type=int, default=6471)
    arguments = parser.parse_args()
    make_orders(arguments.file, orders=arguments.orders)
    print(f"{arguments.file}: {arguments.orders:,} standing orders")


if __name__ == "__main__":
    main()
