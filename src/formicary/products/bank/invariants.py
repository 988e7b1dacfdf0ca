"""What always holds of the bank, after every entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.bank import rows

if TYPE_CHECKING:
    from formicary.machine.context import View


def balance_minor(view: View, account_id: int) -> int:
    """Posted credits over debits; the nostro's is below zero by what stands at the bank."""
    account = view.account(account_id)
    assert account is not None, "the books opened it"
    return account.credits_posted - account.debits_posted


def nostro_is_what_the_bank_booked(view: View) -> None:
    """The ledger's account at the bank is the sum of the bank's own bookings, and open ones lie where they are open."""
    nostro = dict.fromkeys(rows.assets(view), 0)
    unclear_in, unclear_out = dict(nostro), dict(nostro)
    for entry in rows.all_entries(view):
        nostro[entry.asset] += entry.signed_minor
        side = unclear_out if entry.direction == "out" else unclear_in
        side[entry.asset] += entry.open_minor
        assert (entry.state == "open") == (entry.open_minor > 0), f"{entry.entry_ref.hex()}: open without an amount"
    for asset in rows.assets(view):
        books = rows.books(view, asset)
        assert books is not None
        assert -balance_minor(view, books.nostro) == nostro[asset], f"asset {asset}: nostro and bookings differ"
        assert balance_minor(view, books.unclear_in) == unclear_in[asset], f"asset {asset}: open credits differ"
        assert -balance_minor(view, books.unclear_out) == unclear_out[asset], f"asset {asset}: open debits differ"


def listed_is_what_statements_list(view: View) -> None:
    """What is kept of statements added up is the sum of the bookings that stand on one."""
    sums = dict.fromkeys(rows.assets(view), 0)
    for entry in rows.all_entries(view):
        if entry.statement not in {rows.NO_STATEMENT, rows.NEVER_LISTED}:
            sums[entry.asset] += entry.signed_minor
    for asset, amount_minor in sums.items():
        assert rows.listed_minor(view, asset) == amount_minor, f"asset {asset}: statements and their sum differ"


def records_add_up(view: View) -> None:
    """Nothing in a day's record contradicts itself, and no later day was counted in an earlier entry."""
    later = None
    for row in rows.all_backing(view):
        where = f"{row.day}, asset {row.asset}"
        sides = (row.nostro_minor + row.claims_minor, row.customers_minor + row.own_minor)
        assert sides[0] == sides[1], f"{where}: debits and credits differ"
        explained = row.closing_minor + row.unlisted_minor + row.difference_minor
        assert row.nostro_minor == explained, f"{where}: the nostro is not explained"
        short, unexplained = row.nostro_minor < row.customers_minor, row.difference_minor != 0
        verdict = "short" if short else "unexplained" if unexplained else "backed"
        assert row.verdict == verdict, f"{where}: {row.verdict}, not {verdict}"
        assert later is None or row.entry <= later, f"{where}: counted after the day that follows"
        later = row.entry


def transit_is_under_way(view: View) -> None:
    """What is in transit is what people withdrew and the bank has neither booked nor rejected."""
    transit = dict.fromkeys(rows.assets(view), 0)
    for found in rows.all_withdrawals(view):
        transit[found.asset] += found.transit_minor
        assert 0 <= found.transit_minor <= found.amount_minor, f"{found.withdrawal.hex()}: booked more than asked"
        assert (found.state in rows.UNDER_WAY) == (found.transit_minor > 0), f"{found.withdrawal.hex()}: wrong state"
        # A bank may return and then reject the same money: both are kept, and the rejected part is an open item.
        assert max(found.back_minor, found.given_up_minor) <= found.amount_minor, f"{found.withdrawal.hex()}: too much"
    for asset, amount_minor in transit.items():
        books = rows.books(view, asset)
        assert books is not None
        assert balance_minor(view, books.transit) == amount_minor, f"asset {asset}: transit and withdrawals differ"
