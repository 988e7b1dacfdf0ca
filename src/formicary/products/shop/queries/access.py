"""Who may ask what of a shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from formicary.base.errors import Refusal
from formicary.products.shop.codes import CODES
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import View


def refuse(code: str) -> NoReturn:
    """Refuse a question with a code of the product."""
    raise Refusal(CODES[code], code=code)


def check_staff(view: View, shop: bytes, who: bytes, least: str = "cashier") -> str:
    """The role of whoever asks, or a refusal."""
    if rows.shop_of(view.rows, shop) is None:
        refuse("shop_not_found")
    role = rows.role_of(view.rows, shop, who)
    if rows.RANKS.get(role, 0) < rows.RANKS[least]:
        refuse("shop_not_yours")
    return role


def is_staff(view: View, shop: bytes, who: bytes) -> bool:
    """Whether whoever asks has any role in the shop."""
    return bool(who) and bool(rows.role_of(view.rows, shop, who))
