"""The shop's commands and queries in one table: who may use each, with what scope, and whether it is confirmed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import Access, CommandType, QueryType
from formicary.products.shop import answers, commands
from formicary.products.shop.handlers import closing, orders, paying, refunds, settling, shops, stays
from formicary.products.shop.queries import sales as ask_sales
from formicary.products.shop.queries import shops as ask_shops
from formicary.products.shop.queries import stays as ask_stays

if TYPE_CHECKING:
    from formicary.products.shop.needs import Needs

READ: Final = "shop:read"
WRITE: Final = "shop:write"
CHARGE: Final = "shop:charge"
PAY: Final = "pay:write"
"""A payer's side: whoever may pay for a person may pay shops."""


def command_types(needs: Needs) -> tuple[CommandType, ...]:
    """All commands."""
    return (*_running(needs), *_selling(needs), *_staying(needs))


def _running(needs: Needs) -> tuple[CommandType, ...]:
    return (
        CommandType(
            name="register", body=commands.Register, handler=partial(shops.register, needs), reply=commands.Registered,
            scope=WRITE,
        ),
        CommandType(
            name="open_currency", body=commands.OpenCurrency, handler=shops.open_currency,
            reply=commands.CurrencyOpened,
            scope=WRITE,
        ),
        CommandType(
            name="set_shop_state", body=commands.SetShopState, handler=partial(shops.set_shop_state, needs),
            confirm=True
        ),
        CommandType(
            name="add_staff", body=commands.AddStaff, handler=partial(shops.add_staff, needs), scope=WRITE, confirm=True
        ),
        CommandType(name="remove_staff", body=commands.RemoveStaff, handler=shops.remove_staff, scope=WRITE),
        CommandType(
            name="add_till", body=commands.AddTill, handler=shops.add_till, reply=commands.TillAdded, scope=WRITE
        ),
        CommandType(name="remove_till", body=commands.RemoveTill, handler=shops.remove_till, scope=WRITE),
        CommandType(
            name="set_tariff", body=commands.SetTariff, handler=partial(shops.set_tariff, needs), access=Access.OPERATOR
        ),
        CommandType(
            name="assign_tariff", body=commands.AssignTariff, handler=partial(shops.assign_tariff, needs),
            access=Access.OPERATOR,
        ),
        CommandType(
            name="set_settlement", body=commands.SetSettlement, handler=partial(settling.set_settlement, needs),
            confirm=True,
        ),
        CommandType(
            name="settle_now", body=commands.SettleNow, handler=settling.settle_now, reply=commands.Settled, scope=WRITE
        ),
        CommandType(
            name="close_day", body=commands.CloseDay, handler=closing.close_day, reply=commands.DayClosed, scope=WRITE
        ),
    )  # fmt: skip


def _selling(needs: Needs) -> tuple[CommandType, ...]:
    return (
        CommandType(
            name="new_order", body=commands.NewOrder, handler=orders.new_order, reply=commands.OrderMade, scope=CHARGE
        ),
        CommandType(
            name="withdraw_order", body=commands.WithdrawOrder, handler=orders.withdraw_order, scope=CHARGE
        ),
        CommandType(
            name="pay_order", body=commands.PayOrder, handler=partial(orders.pay_order, needs), reply=commands.Paid,
            scope=PAY,
        ),
        CommandType(
            name="pay_till", body=commands.PayTill, handler=partial(paying.pay_till, needs), reply=commands.Paid,
            scope=PAY
        ),
        CommandType(
            name="charge", body=commands.Charge, handler=partial(orders.charge, needs), reply=commands.Paid,
            access=Access.DOOR,
        ),
        CommandType(
            name="refund", body=commands.Refund, handler=partial(refunds.refund, needs), reply=commands.Refunded,
            scope=WRITE,
        ),
        CommandType(
            name="take_exit", body=commands.TakeExit, handler=partial(orders.take_exit, needs),
            reply=commands.ExitTaken,
            access=Access.DOOR,
        ),
        CommandType(
            name="use_exit", body=commands.UseExit, handler=orders.use_exit, reply=commands.ExitUsed, scope=CHARGE
        ),
    )  # fmt: skip


def _staying(needs: Needs) -> tuple[CommandType, ...]:
    return (
        CommandType(
            name="offer_stay", body=commands.OfferStay, handler=stays.offer_stay, reply=commands.StayOffered,
            scope=CHARGE
        ),
        CommandType(name="withdraw_stay", body=commands.WithdrawStay, handler=stays.withdraw_stay, scope=CHARGE),
        CommandType(
            name="check_in", body=commands.CheckIn, handler=partial(stays.check_in, needs), reply=commands.CheckedIn,
            access=Access.DOOR,
        ),
        CommandType(name="use_key", body=commands.UseKey, handler=stays.use_key, scope=CHARGE),
        CommandType(name="charge_folio", body=commands.ChargeFolio, handler=stays.charge_folio, scope=CHARGE),
        CommandType(
            name="check_out", body=commands.CheckOut, handler=partial(stays.check_out, needs),
            reply=commands.CheckedOut,
            scope=CHARGE,
        ),
    )  # fmt: skip


def query_types() -> tuple[QueryType, ...]:
    """All queries."""
    return (
        QueryType(name="shops", asked=answers.AskShops, answer=answers.Shops, question=ask_shops.shops, scope=READ),
        QueryType(name="shop", asked=answers.AskShop, answer=answers.ShopCard, question=ask_shops.shop, scope=READ),
        QueryType(
            name="find", asked=answers.AskFind, answer=answers.FoundShop, question=ask_shops.find, access=Access.DOOR
        ),
        QueryType(name="tills", asked=answers.AskTills, answer=answers.Tills, question=ask_shops.tills, scope=READ),
        QueryType(
            name="till", asked=answers.AskTill, answer=answers.TillCard, question=ask_shops.till, access=Access.ANYONE
        ),
        QueryType(name="staff", asked=answers.AskStaff, answer=answers.Staff, question=ask_shops.staff, scope=READ),
        QueryType(
            name="tariffs", asked=answers.AskTariffs, answer=answers.Tariffs, question=ask_shops.tariffs,
            access=Access.ANYONE,
        ),
        QueryType(
            name="order", asked=answers.AskOrder, answer=answers.Order, question=ask_sales.order, access=Access.ANYONE
        ),
        QueryType(name="orders", asked=answers.AskOrders, answer=answers.Orders, question=ask_sales.orders, scope=READ),
        QueryType(name="sales", asked=answers.AskSales, answer=answers.Sales, question=ask_sales.sales, scope=READ),
        QueryType(name="sale", asked=answers.AskSale, answer=answers.SaleCard, question=ask_sales.sale, scope=READ),
        QueryType(name="export", asked=answers.AskExport, answer=answers.Export, question=ask_sales.export, scope=READ),
        QueryType(name="report", asked=answers.AskReport, answer=answers.Report, question=ask_sales.report, scope=READ),
        QueryType(
            name="reports", asked=answers.AskReports, answer=answers.Reports, question=ask_sales.reports, scope=READ
        ),
        QueryType(
            name="settlements", asked=answers.AskSettlements, answer=answers.Settlements,
            question=ask_sales.settlements,
            scope=READ,
        ),
        QueryType(name="stay", asked=answers.AskStay, answer=answers.Stay, question=ask_stays.stay, scope=READ),
        QueryType(name="stays", asked=answers.AskStays, answer=answers.Stays, question=ask_stays.stays, scope=READ),
    )  # fmt: skip
