"""``formicary ledger accounts``, ``balance``, ``history``, ``trial-balance`` and ``info``: what only reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from formicary.base.errors import Refusal
from formicary.cli.options import (
    AsJson,
    AssetOption,
    LedgerArgument,
    LedgerInstead,
    LedgerMaybe,
    LedgerOption,
    find_account,
    names_of,
    one_of,
    reading,
)
from formicary.cli.output import (
    account_text,
    amount_json,
    amount_text,
    decimal_json,
    say,
    show_json,
    show_table,
    size_text,
    time_json,
    time_text,
)

if TYPE_CHECKING:
    from formicary.kernel.objects import Account, Transfer
    from formicary.node.surface import Surface
    from formicary.queries import AssetTotals, Balances, CodeTotals

FOUR: Final = ("debits_posted", "credits_posted", "debits_held", "credits_held")
"""The four balances of an account."""
NOT_FOUND: Final = "account_not_found"

AccountArgument = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Its name, or # and its id.", show_default=False)
]


def accounts(
    ledger: LedgerMaybe = None,
    *,
    ledger_option: LedgerInstead = None,
    search: Annotated[str, typer.Option(metavar="TEXT", help="Only names that contain this.")] = "",
    asset: AssetOption = None,
    limit: Annotated[int, typer.Option(min=1, max=8190, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List accounts and their balances.

    They come in the order in which they were opened, or found by name in the order of names.
    """
    from formicary.base.money import asset_code, parse_asset
    from formicary.kernel.objects import accounts_from
    from formicary.queries import AccountFilter

    folder = one_of(ledger, ledger_option)
    number = parse_asset(asset) if asset else 0
    with reading(folder) as opened, names_of(folder) as names:
        if search:
            found = [each.id for each in names.search(search, asset=number or None, limit=limit)]
            listed, more = accounts_from(opened.lookup_accounts(found)), False
        else:
            page = opened.query_accounts(AccountFilter(asset=number, limit=limit))
            listed, more = page.accounts, bool(page.cursor)
        known = names.of([account.id for account in listed])
    if as_json:
        show_json([_account_json(account, known) for account in listed])
        return
    show_table(
        ("account", "asset", ">balance", ">held", ">transfers"),
        [
            (
                account_text(account.id, known),
                asset_code(account.asset),
                amount_text(account.credits_posted - account.debits_posted, account.asset),
                amount_text(account.debits_held, account.asset) if account.debits_held else "",
                f"{account.transfers:,}",
            )
            for account in listed
        ],
        footer="there are more: choose with --limit, --search or --asset" if more else "",
    )


def balance(
    account: AccountArgument,
    *,
    ledger: LedgerOption,
    asset: AssetOption = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="As it was then: 2026-01-31T12:00:00Z.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what an account has, and what is held.

    The balance is posted credits less posted debits. Held amounts are shown, and not counted in.
    """
    from formicary.base.money import asset_code
    from formicary.node.import_map import time_ns

    with reading(ledger) as opened, names_of(ledger) as names:
        number = find_account(names, account, asset)
        now = _account(opened, number, account)
        four: Any = now if at is None else opened.balance_as_of(number, time_ns(at))
        label = account_text(number, names.of([number]))
    held = {name: getattr(four, name) for name in FOUR}
    net = held["credits_posted"] - held["debits_posted"]
    if as_json:
        value = {"account": label, **amount_json(net, now.asset)}
        for name in FOUR:
            value |= decimal_json(name, held[name], now.asset)
        show_json(value | ({"at": at} if at else {}))
        return
    say(f"{label}  {amount_text(net, now.asset)} {asset_code(now.asset)}{f'  at {at}' if at else ''}")
    rows = [
        ("posted", amount_text(held["debits_posted"], now.asset), amount_text(held["credits_posted"], now.asset)),
        ("held", amount_text(held["debits_held"], now.asset), amount_text(held["credits_held"], now.asset)),
    ]
    show_table(("", ">debits", ">credits"), rows)


def history(
    account: AccountArgument,
    *,
    ledger: LedgerOption,
    asset: AssetOption = None,
    limit: Annotated[int, typer.Option(min=1, max=8190, help="At most so many transfers.")] = 50,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Not before: 2026-01-31T12:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Not after.")] = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first, instead of newest.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an account's transfers, and its balance after each."""
    from formicary.node.import_map import time_ns
    from formicary.queries import TransferFilter

    with reading(ledger) as opened, names_of(ledger) as names:
        number = find_account(names, account, asset)
        wanted = TransferFilter(
            account=number,
            limit=limit,
            newest_first=not oldest,
            time_min_ns=time_ns(since) if since else 0,
            time_max_ns=time_ns(until) if until else 2**63 - 1,
        )
        page = opened.balance_history(wanted)
        entries = page.entries
        known = names.of({party for transfer, _ in entries for party in (transfer.debit, transfer.credit)} | {number})
    if as_json:
        show_json([_line_of_history_json(transfer, balances, number, known) for transfer, balances in entries])
        return
    show_table(
        ("time (UTC)", "with", "", ">debit", ">credit", ">balance"),
        [_line_of_history(transfer, balances, number, known) for transfer, balances in entries],
        title=account_text(number, known),
        footer="there are more: --limit, --since or --until choose" if page.cursor else "",
    )


def trial_balance(ledger: LedgerMaybe = None, *, ledger_option: LedgerInstead = None, as_json: AsJson = False) -> None:
    """Add up every account, by asset and code.

    In each asset debits equal credits; if they don't, the exit status is 1.
    """
    from formicary.base.money import asset_code

    with reading(one_of(ledger, ledger_option)) as opened:
        found = opened.trial_balance()
    if as_json:
        show_json({"balanced": found.balanced, "assets": [_totals_json(totals) for totals in found.assets]})
    else:
        rows = []
        for totals in found.assets:
            rows += [_totals_row(asset_code(totals.asset), str(line.code), line, totals.asset) for line in totals.codes]
            rows.append(_totals_row(asset_code(totals.asset), "all", totals, totals.asset))
        show_table(("asset", ">code", ">accounts", ">debits", ">credits", ">net"), rows)
        say("debits equal credits" if found.balanced else "debits and credits differ")
    if not found.balanced:
        raise Refusal("debits and credits are not equal", code="not_balanced")


def info(ledger: LedgerArgument, *, as_json: AsJson = False) -> None:
    """Tell what a ledger is and how far it has come."""
    with reading(ledger) as opened:
        value = opened.info()
    value["key_ids"] = sorted(path.stem for path in (ledger / "keys").glob("*") if path.is_file())
    value["bytes"] = {
        part: _size(ledger / part) for part in ("log", "state", "names.db", "keys", "heads") if (ledger / part).exists()
    }
    if as_json:
        show_json(value)
        return
    rows = [
        ("ledger id", value["ledger_id"]),
        ("note", value["note"]),
        ("made", time_text(value["created_ns"])),
        ("newest entry", f"{value['entries']:,}, at {time_text(value['time_ns'])}"),
        ("writer's epoch", str(value["epoch"])),
        ("accounts", f"{value['accounts']:,}"),
        ("transfers", f"{value['transfers']:,}"),
        ("digest", value["sealed"]["digest"]),
        ("keys here", ", ".join(value["key_ids"]) or "none"),
        ("room", ", ".join(f"{part} {size_text(size)}" for part, size in value["bytes"].items())),
    ]
    show_table(("", ""), rows)


def _account(opened: Surface, number: int, text: str) -> Account:
    found = opened.account(number)
    if found is None:
        raise Refusal(f"the account {text!r} was never opened", code=NOT_FOUND)
    return found


def _account_json(account: Account, names: dict[int, str]) -> dict[str, Any]:
    from formicary.base.ids import format_id

    value = {
        "id": format_id(account.id),
        "name": names.get(account.id),
        "code": account.code,
        "transfers": account.transfers,
        "opened": time_json(account.time),
        **amount_json(account.credits_posted - account.debits_posted, account.asset),
    }
    for name in FOUR:
        value |= decimal_json(name, getattr(account, name), account.asset)
    return value


def _line_of_history(
    transfer: Transfer, balances: Balances, account: int, names: dict[int, str]
) -> tuple[str, str, str, str, str, str]:
    given = transfer.debit == account
    amount = amount_text(transfer.amount, transfer.asset)
    return (
        time_text(transfer.time),
        account_text(transfer.credit if given else transfer.debit, names),
        _kind(transfer),
        amount if given else "",
        "" if given else amount,
        amount_text(balances.credits_posted - balances.debits_posted, transfer.asset),
    )


def _line_of_history_json(
    transfer: Transfer, balances: Balances, account: int, names: dict[int, str]
) -> dict[str, Any]:
    from formicary.base.ids import format_id

    net = balances.credits_posted - balances.debits_posted
    return {
        "id": format_id(transfer.id),
        "time": time_json(transfer.time),
        "kind": _kind(transfer) or "transfer",
        "debit": account_text(transfer.debit, names),
        "credit": account_text(transfer.credit, names),
        "side": "debit" if transfer.debit == account else "credit",
        "code": transfer.code,
        "hold": format_id(transfer.hold_id) if transfer.hold_id else None,
        **amount_json(transfer.amount, transfer.asset),
        **decimal_json("balance", net, transfer.asset),
    }


def _kind(transfer: Transfer) -> str:
    """Name what a transfer does with a hold; nothing for one that just moves money."""
    from formicary.kernel.records import TransferFlag

    kinds = (TransferFlag.HOLD, TransferFlag.CAPTURE, TransferFlag.RELEASE, TransferFlag.EXPIRY)
    return next((str(kind.name).lower() for kind in kinds if transfer.flags & kind), "")


def _totals_row(asset: str, code: str, totals: AssetTotals | CodeTotals, number: int) -> tuple[str, ...]:
    return (
        asset,
        code,
        f"{totals.accounts:,}",
        amount_text(totals.debits_posted, number),
        amount_text(totals.credits_posted, number),
        amount_text(totals.credits_posted - totals.debits_posted, number),
    )


def _totals_json(totals: AssetTotals) -> dict[str, Any]:
    lines = [_sums_json(line, totals.asset) | {"code": line.code} for line in totals.codes]
    return _sums_json(totals, totals.asset) | {"codes": lines}


def _sums_json(totals: AssetTotals | CodeTotals, asset: int) -> dict[str, Any]:
    value = amount_json(totals.credits_posted - totals.debits_posted, asset) | {"accounts": totals.accounts}
    for name in FOUR:
        value |= decimal_json(name, getattr(totals, name), asset)
    return value


def _size(path: Path) -> int:
    """Add up the bytes on the disk, holes left out."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_blocks * 512 for each in files)
