"""Questions about shops: who they are, their tills, staff and tariffs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.base.errors import BadInput
from formicary.products.shop import answers
from formicary.products.shop.queries import rows
from formicary.products.shop.queries.access import check_staff, refuse
from formicary.products.shop.queries.cursors import read_name

if TYPE_CHECKING:
    from formicary.machine.context import View

DIGEST_BYTES: Final = 32


def shops(view: View, who: bytes, asked: answers.AskShops) -> answers.Shops:
    """One's own shops."""
    sql = """SELECT t.shop, t.role, s.state FROM shop_staff t JOIN shop_shops s ON s.shop = t.shop
             WHERE t.person = ? AND t.shop > ? ORDER BY t.shop LIMIT ?"""
    found = view.rows.all(sql, who, read_name(asked.after), asked.limit + 1)
    items = tuple(answers.ShopLine(shop=shop, role=role, state=state) for shop, role, state in found[: asked.limit])
    return answers.Shops(items=items, next=_next(found, asked.limit))


def shop(view: View, who: bytes, asked: answers.AskShop) -> answers.ShopCard:
    """A shop."""
    found = rows.shop_of(view.rows, asked.shop)
    if found is None:
        refuse("shop_not_found")
    accounts = rows.accounts_of(view.rows, asked.shop)
    role = rows.role_of(view.rows, asked.shop, who) if who else ""
    inside = bool(role)
    return answers.ShopCard(
        shop=found.shop,
        state=found.state,
        country=found.country,
        category=found.category,
        assets=tuple(asset for asset, _ in accounts),
        tariff=found.tariff,
        opened_ns=found.opened_ns,
        role=role,
        accounts=tuple(_account(view, asked.shop, *each) for each in accounts) if inside else (),
        settlement_days=found.settle_days if inside else None,
        settlement_cut_minute=found.cut_minute if inside else None,
        settles_to_bank=found.settle_ref is not None if inside else None,
    )


def find(view: View, _who: bytes, asked: answers.AskFind) -> answers.FoundShop:
    """The shop of an alias."""
    try:
        digest = bytes.fromhex(asked.digest)
    except ValueError:
        digest = b""
    if len(digest) != DIGEST_BYTES:
        raise BadInput("64 hex digits are needed", where="digest")
    return answers.FoundShop(shop=rows.shop_by_alias(view.rows, digest))


def tills(view: View, who: bytes, asked: answers.AskTills) -> answers.Tills:
    """A shop's tills."""
    check_staff(view, asked.shop, who)
    sql = "SELECT till, label, tip, state FROM shop_tills WHERE shop = ? AND till > ? ORDER BY till LIMIT ?"
    found = view.rows.all(sql, asked.shop, read_name(asked.after), asked.limit + 1)
    items = tuple(
        answers.TillLine(till=till, label=label, tip=tip, state=state)
        for till, label, tip, state in found[: asked.limit]
    )
    return answers.Tills(items=items, next=_next(found, asked.limit))


def till(view: View, _who: bytes, asked: answers.AskTill) -> answers.TillCard:
    """One till, for whoever reads its code."""
    found = view.rows.one("SELECT shop, tip, state FROM shop_tills WHERE till = ? ORDER BY till", asked.till)
    shop_row = rows.shop_of(view.rows, asked.shop)
    if shop_row is None:
        refuse("shop_not_found")
    if found is None or found[0] != asked.shop:
        refuse("till_not_found")
    return answers.TillCard(
        shop=asked.shop,
        till=asked.till,
        tip=found[1],
        state=found[2] if shop_row.state == rows.OPEN else shop_row.state,
        country=shop_row.country,
        category=shop_row.category,
        assets=tuple(asset for asset, _ in rows.accounts_of(view.rows, asked.shop)),
    )


def staff(view: View, who: bytes, asked: answers.AskStaff) -> answers.Staff:
    """A shop's people."""
    check_staff(view, asked.shop, who, "manager")
    sql = "SELECT person, role, since_ns FROM shop_staff WHERE shop = ? AND person > ? ORDER BY person LIMIT ?"
    found = view.rows.all(sql, asked.shop, read_name(asked.after), asked.limit + 1)
    items = tuple(
        answers.StaffLine(person=person, role=role, since_ns=since_ns)
        for person, role, since_ns in found[: asked.limit]
    )
    return answers.Staff(items=items, next=_next(found, asked.limit))


def tariffs(view: View, _who: bytes, asked: answers.AskTariffs) -> answers.Tariffs:
    """Every tariff."""
    name, asset, from_ns = _tariff_place(asked.after)
    sql = """SELECT name, asset, from_ns, fixed_minor, rate_per_100000 FROM shop_tariffs
             WHERE (name, asset, from_ns) > (?, ?, ?) ORDER BY name, asset, from_ns LIMIT ?"""
    found = view.rows.all(sql, name, asset, from_ns, asked.limit + 1)
    items = tuple(
        answers.Tariff(
            name=row[0],
            asset=row[1],
            from_ns=row[2],
            fixed_minor=row[3],
            rate_per_100000=row[4],
            state=_tariff_state(view, *row[:3]),
        )
        for row in found[: asked.limit]
    )
    more = len(found) > asked.limit
    last = f"{items[-1].name}.{items[-1].asset}.{items[-1].from_ns}" if more else ""
    return answers.Tariffs(items=items, next=last)


def _tariff_place(text: str) -> tuple[str, int, int]:
    name, *numbers = text.split(".") if text else ("", "0", "0")
    if len(numbers) != 2 or not all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
        raise BadInput("this is not a cursor of this list", where="after")
    return name, int(numbers[0]), min(int(numbers[1]), 2**63 - 1)


def _tariff_state(view: View, name: str, asset: int, from_ns: int) -> str:
    if from_ns > view.time_ns:
        return "announced"
    sql = """SELECT from_ns FROM shop_tariffs WHERE name = ? AND asset = ? AND from_ns <= ?
             ORDER BY from_ns DESC LIMIT 1"""
    return "current" if view.rows.one(sql, name, asset, view.time_ns) == (from_ns,) else "past"


def _account(view: View, shop: bytes, asset: int, account: int) -> answers.ShopAccount:
    found = view.account(account)
    assert found is not None, "a shop's account is open"
    waiting = rows.waiting_of(view.rows, shop, asset)
    return answers.ShopAccount(
        account=account.to_bytes(16, "big"),
        asset=asset,
        balance_minor=found.credits_posted - found.debits_posted - found.debits_held,
        waiting_minor=sum(each.amount_minor for each in waiting),
        held_minor=found.credits_held,
    )


def _next(found: list[tuple[bytes, ...]], limit: int) -> str:
    return found[limit - 1][0].hex() if len(found) > limit else ""
