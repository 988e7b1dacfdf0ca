"""What the shop product's queries are asked, and what they answer: the shapes that pages and clients read."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from formicary.products.anatomy import Answer, Asset, Bytes16, MinorOrNone, Party, Sealed, Time

Limit = Annotated[int, Meta(ge=1, le=100)]
ExportLimit = Annotated[int, Meta(ge=1, le=1000)]
Day = Annotated[int, Meta(ge=1970_01_01, le=2262_01_01)]
"""A business day as yyyymmdd: the UTC day in which it began."""

# ── asked ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class AskShops(Answer, frozen=True, kw_only=True):
    """List the shops in which whoever asks has a role."""

    after: str = ""
    limit: Limit = 20


class AskShop(Answer, frozen=True, kw_only=True):
    """Show a shop to its customers; and its settings to its staff."""

    shop: Party


class AskFind(Answer, frozen=True, kw_only=True):
    """Find a shop by the keyed digest of its alias, in hex."""

    digest: str


class AskTills(Answer, frozen=True, kw_only=True):
    """List a shop's tills. For staff."""

    shop: Party
    after: str = ""
    limit: Limit = 20


class AskTill(Answer, frozen=True, kw_only=True):
    """Show one till to whoever reads its printed code: what a payer sees before paying."""

    shop: Party
    till: Bytes16


class AskStaff(Answer, frozen=True, kw_only=True):
    """List who has a role in a shop. For managers."""

    shop: Party
    after: str = ""
    limit: Limit = 20


class AskOrder(Answer, frozen=True, kw_only=True):
    """Show one order, to whoever has its id: what a payer sees before paying."""

    order: Bytes16


class AskOrders(Answer, frozen=True, kw_only=True):
    """List a shop's orders, newest first; ``state`` is open, held, paid, withdrawn or expired. For staff."""

    shop: Party
    state: str = ""
    till: Bytes16 | None = None
    after: str = ""
    limit: Limit = 20


class AskSales(Answer, frozen=True, kw_only=True):
    """List a shop's sales, newest first, of one till or from a time on if wanted. For staff."""

    shop: Party
    till: Bytes16 | None = None
    since_ns: Time = 0
    after: str = ""
    limit: Limit = 20


class AskSale(Answer, frozen=True, kw_only=True):
    """Show one sale with its refunds, to the shop's staff and to its payer."""

    payment: Bytes16


class AskExport(Answer, frozen=True, kw_only=True):
    """Export sales and refunds of a time, oldest first, as lines that add up. For managers."""

    shop: Party
    since_ns: Time = 0
    until_ns: Time = 2**63 - 1
    after: str = ""
    limit: ExportLimit = 500


class AskReport(Answer, frozen=True, kw_only=True):
    """Show one closed report by its number, or sum a business day up as it is now (``day`` as yyyymmdd). For staff."""

    shop: Party
    till: Bytes16 | None = None
    number: int = 0
    day: int = 0


class AskReports(Answer, frozen=True, kw_only=True):
    """List a shop's closed reports, newest first. For staff."""

    shop: Party
    after: str = ""
    limit: Limit = 20


class AskTariffs(Answer, frozen=True, kw_only=True):
    """List every tariff there is, was, and is announced."""

    after: str = ""
    limit: Limit = 100


class AskSettlements(Answer, frozen=True, kw_only=True):
    """List a shop's settlements, newest first. For managers."""

    shop: Party
    after: str = ""
    limit: Limit = 20


class AskStay(Answer, frozen=True, kw_only=True):
    """Show one stay, to whoever has its id; its folio to guest and staff only."""

    stay: Bytes16


class AskStays(Answer, frozen=True, kw_only=True):
    """List a shop's stays (for staff), or without a shop one's own as a guest; newest first."""

    shop: Party | None = None
    after: str = ""
    limit: Limit = 20


# ── answered ────────────────────────────────────────────────────────────────────────────────────────────────────────


class ShopLine(Answer, frozen=True, kw_only=True):
    """A shop in which one has a role."""

    shop: Party
    role: str
    state: str


class Shops(Answer, frozen=True, kw_only=True):
    """Some shops."""

    items: tuple[ShopLine, ...]
    next: str = ""


class ShopAccount(Answer, frozen=True, kw_only=True):
    """A currency that a shop takes. ``waiting_minor`` is on its way to the bank, ``held_minor`` not yet the shop's."""

    account: Bytes16
    asset: Asset
    balance_minor: int
    waiting_minor: int
    held_minor: int


class ShopCard(Answer, frozen=True, kw_only=True):
    """A shop. What is None or empty is for its staff only."""

    shop: Party
    state: str
    country: str
    category: int
    assets: tuple[Asset, ...]
    tariff: str
    opened_ns: Time
    role: str = ""
    """Of whoever asks; empty for a customer."""
    accounts: tuple[ShopAccount, ...] = ()
    settlement_days: int | None = None
    settlement_cut_minute: int | None = None
    settles_to_bank: bool | None = None


class FoundShop(Answer, frozen=True, kw_only=True):
    """The shop that has this alias; None when there is none."""

    shop: Party | None


class TillLine(Answer, frozen=True, kw_only=True):
    """A till."""

    till: Bytes16
    label: Sealed | None
    tip: str
    state: str


class Tills(Answer, frozen=True, kw_only=True):
    """Some tills."""

    items: tuple[TillLine, ...]
    next: str = ""


class TillCard(Answer, frozen=True, kw_only=True):
    """A till as customers see it: whether it takes money, in which currencies, and whether it asks for a tip."""

    shop: Party
    till: Bytes16
    tip: str
    state: str
    """open, removed, or how the shop is: suspended or closed."""
    country: str
    category: int
    assets: tuple[Asset, ...]


class StaffLine(Answer, frozen=True, kw_only=True):
    """Somebody's role."""

    person: Party
    role: str
    since_ns: Time


class Staff(Answer, frozen=True, kw_only=True):
    """Some staff."""

    items: tuple[StaffLine, ...]
    next: str = ""


class Order(Answer, frozen=True, kw_only=True):
    """An order. ``tip`` is none, ask, fixed or percent, ``tip_minor`` what fixed or percent come to."""

    order: Bytes16
    shop: Party
    till: Bytes16 | None
    asset: Asset
    amount_minor: MinorOrNone
    tip: str
    tip_value: int
    tip_minor: MinorOrNone
    number: str
    until_ns: Time
    many: bool
    exit: bool
    state: str
    made_ns: Time
    payment: Bytes16 | None = None
    """For the payer and the staff, of an order that is paid once."""
    exit_until_ns: Time | None = None
    """For the payer: until when an exit token may be taken."""


class Orders(Answer, frozen=True, kw_only=True):
    """Some orders."""

    items: tuple[Order, ...]
    next: str = ""


class Sale(Answer, frozen=True, kw_only=True):
    """A sale; whoever paid is not shown. ``at_ns`` is when it became the shop's money (or was held)."""

    payment: Bytes16
    order: Bytes16 | None
    till: Bytes16 | None
    asset: Asset
    amount_minor: MinorOrNone
    tip_minor: MinorOrNone
    fee_minor: MinorOrNone
    refunded_minor: MinorOrNone
    fee_back_minor: MinorOrNone
    number: str
    state: str
    """paid, held or returned."""
    at_ns: Time


class Sales(Answer, frozen=True, kw_only=True):
    """Some sales."""

    items: tuple[Sale, ...]
    next: str = ""


class RefundLine(Answer, frozen=True, kw_only=True):
    """A refund."""

    refund: Bytes16
    amount_minor: MinorOrNone
    fee_back_minor: MinorOrNone
    reason: str
    at_ns: Time


class SaleCard(Answer, frozen=True, kw_only=True):
    """One sale with its refunds."""

    sale: Sale
    shop: Party
    left_minor: MinorOrNone
    refunds: tuple[RefundLine, ...]


class ExportLine(Answer, frozen=True, kw_only=True):
    """A sale or a refund (``kind``); ``net_minor`` of all lines of a currency adds up to what the shop earned."""

    kind: str
    id: Bytes16
    payment: Bytes16
    order: Bytes16 | None
    till: Bytes16 | None
    asset: Asset
    amount_minor: MinorOrNone
    tip_minor: MinorOrNone
    fee_minor: int
    """Negative where a fee came back."""
    net_minor: int
    number: str
    at_ns: Time


class Export(Answer, frozen=True, kw_only=True):
    """Some lines of an export."""

    items: tuple[ExportLine, ...]
    next: str = ""


class Total(Answer, frozen=True, kw_only=True):
    """A time's business in one currency: ``net = gross + tips − fees − refunds + fees given back``."""

    asset: Asset
    sales: int
    gross_minor: MinorOrNone
    tip_minor: MinorOrNone
    fee_minor: MinorOrNone
    refunds: int
    refunded_minor: MinorOrNone
    fee_back_minor: MinorOrNone
    net_minor: int


class Report(Answer, frozen=True, kw_only=True):
    """A closed report, or (``number`` 0) a day as it is now. Times are from, included, to, excluded."""

    shop: Party
    till: Bytes16 | None
    number: int
    from_ns: Time
    to_ns: Time
    totals: tuple[Total, ...]


class Reports(Answer, frozen=True, kw_only=True):
    """Some closed reports."""

    items: tuple[Report, ...]
    next: str = ""


class Tariff(Answer, frozen=True, kw_only=True):
    """What taking a payment costs from a time on: fixed, and hundred-thousandths of the amount, rounded down."""

    name: str
    asset: Asset
    fixed_minor: MinorOrNone
    rate_per_100000: int
    from_ns: Time
    state: str
    """past, current or announced."""


class Tariffs(Answer, frozen=True, kw_only=True):
    """Some tariffs."""

    items: tuple[Tariff, ...]
    next: str = ""


class Settlement(Answer, frozen=True, kw_only=True):
    """A business day's money on its way to the bank; ``state`` is waiting, paid, empty or failed."""

    settlement: Bytes16
    asset: Asset
    amount_minor: MinorOrNone
    paid_minor: MinorOrNone
    state: str
    cut_ns: Time
    due_ns: Time
    withdrawal: Bytes16 | None


class Settlements(Answer, frozen=True, kw_only=True):
    """Some settlements."""

    items: tuple[Settlement, ...]
    next: str = ""


class FolioLine(Answer, frozen=True, kw_only=True):
    """Something written on a folio."""

    amount_minor: MinorOrNone
    label: Sealed
    at_ns: Time


class Stay(Answer, frozen=True, kw_only=True):
    """A stay; ``state`` is offered, in_house, ended, withdrawn or expired. The folio is for guest and staff."""

    stay: Bytes16
    shop: Party
    asset: Asset
    deposit_minor: MinorOrNone
    until_ns: Time
    state: str
    guest: Party | None = None
    """For the guest and the staff, like the folio."""
    folio_minor: MinorOrNone = 0
    folio: tuple[FolioLine, ...] = ()
    payment: Bytes16 | None = None


class Stays(Answer, frozen=True, kw_only=True):
    """Some stays, without their folios' lines."""

    items: tuple[Stay, ...]
    next: str = ""
