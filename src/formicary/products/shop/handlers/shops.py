"""Shops themselves: their currencies, staff, tills, state, and the public tariff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.shop.codes import NODE, STAFF_MAX, STANDARD, TARIFF_NOTICE_NS
from formicary.products.shop.commands import (
    AddStaff,
    AddTill,
    AssignTariff,
    CurrencyOpened,
    OpenCurrency,
    Register,
    Registered,
    RemoveStaff,
    RemoveTill,
    SetShopState,
    SetTariff,
    TillAdded,
)
from formicary.products.shop.events import StaffChanged
from formicary.products.shop.handlers.common import as_bytes, check_operator, check_role, open_account, the_shop
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.shop.needs import Needs


def register(needs: Needs, context: Context, command: Register) -> Registered:
    """Open a shop with its first account; the signer is its owner."""
    context.refuse_if(not needs.purses.is_person(context, context.signer), "shop_signer_not_a_person")
    if command.alias is not None:
        context.refuse_if(rows.shop_by_alias(context.rows, command.alias) is not None, "shop_alias_taken")
        context.refuse_if(not needs.purses.alias_free(context, command.alias), "shop_alias_taken")
    shop = as_bytes(context.new_id("shop"))
    sql = """INSERT INTO shop_shops (shop, state, country, category, tariff, opened_ns, settle_days, settle_ref,
             settle_party, cut_minute, cut_timer, reports) VALUES (?, 'open', ?, ?, ?, ?, 0, NULL, NULL, 0, NULL, 0)"""
    context.rows.run(sql, shop, command.country, command.category, STANDARD, context.time_ns)
    if command.alias is not None:
        context.rows.run("INSERT INTO shop_aliases (alias, shop) VALUES (?, ?)", command.alias, shop)
    _give_role(context, shop, context.signer, "owner")
    return Registered(shop, as_bytes(open_account(context, shop, command.asset)))


def open_currency(context: Context, command: OpenCurrency) -> CurrencyOpened:
    """Open one more account of the shop."""
    the_shop(context, command.shop)
    check_role(context, command.shop, "manager")
    known = rows.account_of(context.rows, command.shop, command.asset) is not None
    context.refuse_if(known, "shop_currency_known")
    return CurrencyOpened(as_bytes(open_account(context, command.shop, command.asset)))


def set_shop_state(needs: Needs, context: Context, command: SetShopState) -> None:
    """Suspend, close or re-open; an owner may only close."""
    shop = the_shop(context, command.shop)
    is_operator = context.signer == NODE or needs.purses.has_role(context, context.signer, "operator")
    if not is_operator:
        check_role(context, command.shop, "owner")
        context.refuse_if(command.state not in {"closed", shop.state}, "shop_closed_for_good")
    context.rows.run("UPDATE shop_shops SET state = ? WHERE shop = ?", command.state, command.shop)


def add_staff(needs: Needs, context: Context, command: AddStaff) -> None:
    """Give or change a role; a manager gives that of a cashier only, and leaves owners and managers alone."""
    the_shop(context, command.shop)
    own = check_role(context, command.shop, "manager")
    before = rows.role_of(context.rows, command.shop, command.person)
    beyond = own != "owner" and (command.role != "cashier" or rows.RANKS.get(before, 0) >= rows.RANKS["manager"])
    context.refuse_if(beyond, "shop_not_yours")
    context.refuse_if(not needs.purses.is_person(context, command.person), "staff_not_a_person")
    if before == "owner" and command.role != "owner":
        _check_other_owner(context, command.shop, command.person)
    found = context.rows.one("SELECT count(*) FROM shop_staff WHERE shop = ? ORDER BY 1", command.shop)
    context.refuse_if(found is not None and found[0] >= STAFF_MAX and not before, "staff_full")
    _give_role(context, command.shop, command.person, command.role)
    context.emit(StaffChanged(command.shop, command.role), subject=command.person)


def remove_staff(context: Context, command: RemoveStaff) -> None:
    """Take a role away; everybody may give up their own, but for the last owner."""
    the_shop(context, command.shop)
    before = rows.role_of(context.rows, command.shop, command.person)
    if command.person != context.signer:
        own = check_role(context, command.shop, "manager")
        context.refuse_if(own != "owner" and before in {"owner", "manager"}, "shop_not_yours")
    context.refuse_if(not before or command.person == command.shop, "staff_not_found")
    if before == "owner":
        _check_other_owner(context, command.shop, command.person)
    context.rows.run("DELETE FROM shop_staff WHERE shop = ? AND person = ?", command.shop, command.person)
    context.emit(StaffChanged(command.shop, None), subject=command.person)


def add_till(context: Context, command: AddTill) -> TillAdded:
    """Add a till."""
    the_shop(context, command.shop)
    check_role(context, command.shop, "manager")
    till = as_bytes(context.new_id("till"))
    sql = "INSERT INTO shop_tills (till, shop, label, tip, state) VALUES (?, ?, ?, ?, 'open')"
    context.rows.run(sql, till, command.shop, command.label, command.tip)
    return TillAdded(till)


def remove_till(context: Context, command: RemoveTill) -> None:
    """Take a till out of use; its sales stay."""
    the_shop(context, command.shop)
    check_role(context, command.shop, "manager")
    check_till(context, command.shop, command.till)
    context.rows.run("UPDATE shop_tills SET state = 'removed' WHERE till = ?", command.till)


def check_till(context: Context, shop: bytes, till: bytes) -> None:
    """Refuse a till that is not the shop's, or out of use."""
    found = rows.till_of(context.rows, till)
    if found is None or found[0] != shop:
        context.refuse("till_not_found")
    context.refuse_if(found[1] != "open", "till_removed")


def set_tariff(needs: Needs, context: Context, command: SetTariff) -> None:
    """Announce a tariff from a time on; what is dearer for anybody than before needs notice."""
    check_operator(needs, context)
    from_ns = max(command.from_ns, context.time_ns)
    known_sql = "SELECT count(*) FROM shop_tariffs WHERE name = ? AND asset = ? ORDER BY 1"
    known = context.rows.one(known_sql, command.name, command.asset)
    fixed_minor, rate = rows.tariff_at(context.rows, command.name, command.asset, from_ns)
    dearer = command.fixed_minor > fixed_minor or command.rate_per_100000 > rate
    unannounced = known != (0,) and dearer and from_ns < context.time_ns + TARIFF_NOTICE_NS
    context.refuse_if(unannounced, "tariff_notice")
    sql = """INSERT OR REPLACE INTO shop_tariffs (name, asset, from_ns, fixed_minor, rate_per_100000)
             VALUES (?, ?, ?, ?, ?)"""
    context.rows.run(sql, command.name, command.asset, from_ns, command.fixed_minor, command.rate_per_100000)


def assign_tariff(needs: Needs, context: Context, command: AssignTariff) -> None:
    """Give a shop another tariff."""
    check_operator(needs, context)
    the_shop(context, command.shop)
    known = context.rows.one("SELECT count(*) FROM shop_tariffs WHERE name = ? ORDER BY 1", command.tariff)
    context.refuse_if(known == (0,) and command.tariff != STANDARD, "tariff_not_found")
    context.rows.run("UPDATE shop_shops SET tariff = ? WHERE shop = ?", command.tariff, command.shop)


def _give_role(context: Context, shop: bytes, person: bytes, role: str) -> None:
    sql = "INSERT OR REPLACE INTO shop_staff (shop, person, role, since_ns) VALUES (?, ?, ?, ?)"
    context.rows.run(sql, shop, person, role, context.time_ns)


def _check_other_owner(context: Context, shop: bytes, person: bytes) -> None:
    sql = "SELECT count(*) FROM shop_staff WHERE shop = ? AND role = 'owner' AND person <> ? ORDER BY 1"
    context.refuse_if(context.rows.one(sql, shop, person) == (0,), "staff_last_owner")
