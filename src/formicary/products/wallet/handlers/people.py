"""Opening and closing wallets, their currencies, and their own freeze."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.objects import Account
from formicary.kernel.records import AccountFlag
from formicary.products.anatomy import TimerId
from formicary.products.wallet.codes import CLOSED, CURRENCIES_MAX, FROZEN, OPEN, PARAMETERS, PERSON_BYTES, PURSE
from formicary.products.wallet.commands import (
    Close,
    CurrencyOpen,
    CurrencyOpened,
    Freeze,
    Frozen,
    Open,
    OpenCurrency,
    Opened,
    Unfreeze,
    Unfrozen,
    WalletClosed,
    WalletOpened,
)
from formicary.products.wallet.handlers.finding import take_alias
from formicary.products.wallet.handlers.recovery import cancel_all, drop_voucher
from formicary.products.wallet.handlers.standing import active, present, purses, set_frozen, standing
from formicary.products.wallet.limits import CURRENT_NUMBERS, genesis_limits

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.machine.genesis import Genesis
    from formicary.products.wallet.needs import Payouts

_NEW_PURSE = """INSERT INTO wallet_purses (person, asset, account, day, day_minor, year, year_minor, own_payment_minor,
                own_day_minor, raise_payment_minor, raise_day_minor, raise_ns, raise_timer)
                VALUES (?, ?, ?, 0, 0, 1970, 0, 0, 0, 0, 0, 0, 0)"""
_GONE = (
    "DELETE FROM wallet_devices WHERE person = ?",
    "DELETE FROM wallet_contacts WHERE person = ?",
    "DELETE FROM wallet_trusted WHERE person = ?",
    "DELETE FROM wallet_roles WHERE person = ?",
)


def begin(context: Context, _genesis: Genesis) -> None:
    """Write the limits and parameters that a new ledger begins with."""
    sql = """INSERT INTO wallet_limits (tier, asset, payment_minor, day_minor, year_minor, balance_minor)
             VALUES (?, ?, ?, ?, ?, ?)"""
    for tier, asset, limits in genesis_limits():
        context.rows.run(sql, tier, asset, *limits)
    for name, parameter in PARAMETERS.items():
        context.rows.run("INSERT INTO wallet_parameters (name, value) VALUES (?, ?)", name, parameter.value)


def open_wallet(context: Context, command: Open) -> Opened:
    """Open the signer's wallet with its accounts, and take its alias."""
    context.refuse_if(len(context.signer) != PERSON_BYTES, "signer_not_a_person")
    context.refuse_if(standing(context, context.signer) is not None, "person_exists")
    context.refuse_if(any(asset not in CURRENT_NUMBERS for asset in command.assets), "currency_unknown")
    context.refuse_if(len(set(command.assets)) != len(command.assets), "currency_twice")
    sql = """INSERT INTO wallet_people (person, tier, state, self_frozen, operator_frozen, opened_ns)
             VALUES (?, 0, ?, 0, '', ?)"""
    context.rows.run(sql, context.signer, OPEN, context.time_ns)
    if command.alias is not None:
        take_alias(context, command.alias)
    context.emit(WalletOpened(context.signer), subject=context.signer)
    return Opened(tuple(_open_account(context, asset) for asset in command.assets))


def open_currency(context: Context, command: OpenCurrency) -> CurrencyOpen:
    """Open one more account."""
    active(context)
    context.refuse_if(command.asset not in CURRENT_NUMBERS, "currency_unknown")
    accounts = purses(context, context.signer)
    context.refuse_if(any(asset == command.asset for asset, _ in accounts), "currency_open")
    context.refuse_if(len(accounts) >= CURRENCIES_MAX, "currencies_too_many")
    return CurrencyOpen(_open_account(context, command.asset))


def freeze(context: Context, _command: Freeze) -> None:
    """Stop the signer's payments."""
    found = present(context, context.signer)
    context.refuse_if(bool(found.self_frozen), "already_frozen")
    set_frozen(context, context.signer, self_frozen=1, operator_frozen=found.operator_frozen)
    context.emit(Frozen(context.signer, None), subject=context.signer)


def unfreeze(context: Context, _command: Unfreeze) -> None:
    """Undo the signer's own freeze; an operator's holds on."""
    found = present(context, context.signer)
    context.refuse_if(found.state != FROZEN, "not_frozen")
    context.refuse_if(not found.self_frozen, "frozen_by_operator")
    set_frozen(context, context.signer, self_frozen=0, operator_frozen=found.operator_frozen)
    context.emit(Unfrozen(context.signer, bool(found.operator_frozen)), subject=context.signer)


def close(payouts: Payouts, context: Context, command: Close) -> None:
    """Pay everything out, forget devices, names and roles, and end the wallet."""
    active(context)
    accounts = purses(context, context.signer)
    balances = [(asset, context.balance(account)) for asset, account in accounts]
    context.refuse_if(any(held.debits_held or held.credits_held for _, held in balances), "money_held")
    for asset, balance in balances:
        amount_minor = balance.credits_posted - balance.debits_posted
        if amount_minor:
            if command.account_ref is None:
                context.refuse("balance_not_zero")
            payouts.pay_out(
                context,
                party=context.signer,
                account=balance.id,
                asset=asset,
                amount_minor=amount_minor,
                account_ref=command.account_ref,
            )
    for _, account in accounts:
        left = context.balance(account)
        assert left.debits_held + left.debits_posted == left.credits_posted, "a payout left something behind"
    _forget(context)
    context.emit(WalletClosed(context.signer), subject=context.signer)


def _open_account(context: Context, asset: int) -> bytes:
    account = context.new_id("purse")
    person = int.from_bytes(context.signer, "big")
    context.open_account(
        Account(id=account, asset=asset, code=PURSE, flags=AccountFlag.DEBITS_LIMITED, user_data=person)
    )
    name = account.to_bytes(16, "big")
    context.rows.run(_NEW_PURSE, context.signer, asset, name)
    context.emit(CurrencyOpened(asset, name), subject=context.signer)
    return name


def _forget(context: Context) -> None:
    """End recoveries and timers, and let go of all that names the signer; accounts and history stay."""
    person = context.signer
    cancel_all(context, person)
    timers = "SELECT asset, raise_timer FROM wallet_purses WHERE person = ? AND raise_ns > 0 ORDER BY asset"
    for _, timer in context.rows.all(timers, person):
        context.cancel(TimerId(timer))
    context.rows.run("UPDATE wallet_purses SET raise_ns = 0, raise_timer = 0 WHERE person = ?", person)
    for sql in _GONE:
        context.rows.run(sql, person)
    sql = "SELECT person FROM wallet_trusted WHERE contact = ? ORDER BY person"
    for (other,) in context.rows.all(sql, person):
        context.rows.run("DELETE FROM wallet_trusted WHERE person = ? AND contact = ?", other, person)
        drop_voucher(context, other, person)
    release = "UPDATE wallet_aliases SET released_ns = ? WHERE person = ? AND released_ns = 0"
    context.rows.run(release, context.time_ns, person)
    context.rows.run("UPDATE wallet_people SET state = ? WHERE person = ?", CLOSED, person)
