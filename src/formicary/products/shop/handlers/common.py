"""What several themes share: finding a shop, checking a role, opening accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.objects import Account
from formicary.kernel.records import AccountFlag
from formicary.products.shop.codes import FEES, NODE, SHOP, fees_account
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.shop.needs import Needs


def as_bytes(number: int) -> bytes:
    """An id of the kernel as messages and rows have it."""
    return number.to_bytes(16, "big")


def as_id(name: bytes) -> int:
    """The kernel's id of what messages and rows name."""
    return int.from_bytes(name, "big")


def the_shop(context: Context, shop: bytes) -> rows.ShopRow:
    """The shop, or a refusal."""
    found = rows.shop_of(context.rows, shop)
    if found is None:
        context.refuse("shop_not_found")
    return found


def check_role(context: Context, shop: bytes, least: str) -> str:
    """The signer's role, or a refusal when it is less than ``least``; the shop's own key is a manager."""
    role = rows.role_of(context.rows, shop, context.signer)
    context.refuse_if(rows.RANKS.get(role, 0) < rows.RANKS[least], "shop_not_yours")
    return role


def check_operator(needs: Needs, context: Context) -> None:
    """Refuse whoever is not an operator."""
    is_operator = context.signer == NODE or needs.purses.has_role(context, context.signer, "operator")
    context.refuse_if(not is_operator, "shop_operator_only")


def open_account(context: Context, shop: bytes, asset: int) -> int:
    """Open the shop's account in a currency, and the institution's for its fees when it is the first."""
    account = context.new_id("account")
    shop_account = Account(id=account, asset=asset, code=SHOP, flags=AccountFlag.DEBITS_LIMITED, user_data=as_id(shop))
    context.open_account(shop_account)
    fees = fees_account(asset)
    if context.view().account(fees) is None:
        context.open_account(Account(id=fees, asset=asset, code=FEES))
    sql = "INSERT INTO shop_accounts (shop, asset, account) VALUES (?, ?, ?)"
    context.rows.run(sql, shop, asset, as_bytes(account))
    return account


def free_minor(context: Context, account: int) -> int:
    """What an account has posted and not held away."""
    found = context.balance(account)
    return found.credits_posted - found.debits_posted - found.debits_held
