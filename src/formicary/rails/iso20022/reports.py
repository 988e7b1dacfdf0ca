"""Reads camt.053 (statements) and camt.054 (notifications): whole, exact, in one currency, or not at all.

Only bookings with the status BOOK count; what is pending or for information is left out. A booking in batch is told as
its payments where their amounts add up to it, and as one otherwise. A booking without the bank's own reference is
refused with the whole file, for it could not be told from a second one like it. A statement in several pages is read as
:class:`Page` values, which :mod:`~formicary.rails.iso20022.paging` makes a whole of.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs

from formicary.base.errors import BadInput
from formicary.rails.iso20022.amounts import asset_of, day_number, to_minor, to_ns, utc
from formicary.rails.iso20022.document import read_document
from formicary.rails.iso20022.messages import Booking, OrderStatus, Page, Report
from formicary.rails.iso20022.orders import STATUS, read_remittance, status_in
from formicary.rails.iso20022.paging import joined

STATEMENT: Final = "camt.053.001.08"
NOTIFICATION: Final = "camt.054.001.08"
BOOKED: Final = "BOOK"
OPENING: Final = ("OPBD", "PRCD")
CLOSING: Final = "CLBD"
INTERIM: Final = "INTM"
"""What kind of an opening or closing balance stands between two pages."""


def read_reports(data: bytes, *, name: str) -> list[Report]:
    """Read all statements or notifications of a file that has all their pages. Raises BadInput with what, and where."""
    kind, document = read_document(data, name=name, kinds=(STATEMENT, NOTIFICATION))
    return joined(reports_in(kind, document, name), name=name)


def reports_in(kind: str, document: Any, name: str) -> list[Report | Page]:  # noqa: ANN401 - the message's own classes
    """The statements, their pages or the notifications of a document that was read."""
    if kind == STATEMENT:
        message = document.bk_to_cstmr_stmt
        return [_statement(message, found, f"{name}, Stmt {found.id}") for found in message.stmt]
    message = document.bk_to_cstmr_dbt_cdt_ntfctn
    return [_notification(message, found, f"{name}, Ntfctn {found.id}") for found in message.ntfctn]


def read_incoming(data: bytes, *, name: str) -> OrderStatus | list[Report | Page]:
    """Read whatever a bank sends: a pain.002, or the reports of a camt.053 or camt.054, some of them perhaps pages."""
    kind, document = read_document(data, name=name, kinds=(STATEMENT, NOTIFICATION, STATUS))
    return status_in(document, name) if kind == STATUS else reports_in(kind, document, name)


def _statement(message: Any, found: Any, where: str) -> Report | Page:  # noqa: ANN401 - the message's own classes
    asset = _asset(found, where)
    if found.elctrnc_seq_nb is None:
        raise BadInput("has no number (ElctrncSeqNb), so that a missing one could not be noticed", where=where)
    report = Report(
        kind="statement",
        message_id=message.grp_hdr.msg_id,
        id=found.id,
        created_ns=to_ns(message.grp_hdr.cre_dt_tm, where),
        iban=_iban(found, where),
        asset=asset,
        number=int(found.elctrnc_seq_nb),
        bookings=_bookings(found, asset, where),
    )
    pages = _pages(message, found)
    if pages is not None and not _is_whole(report, found, where):
        opening, closing = _page_balance(found, OPENING, asset, where), _page_balance(found, (CLOSING,), asset, where)
        number, last = pages
        return Page(
            number=number,
            last=last,
            opening_minor=opening and opening[0],
            closing_minor=closing and closing[0],
            report=structs.replace(report, day=day_number(utc(closing[1])) if closing else 0),
        )
    return _with_balances(report, found, where)


def _with_balances(report: Report, found: Any, where: str) -> Report:  # noqa: ANN401 - the message's own classes
    opening, _ = _balance(found, OPENING, report.asset, where)
    closing, closed_ns = _balance(found, (CLOSING,), report.asset, where)
    return structs.replace(report, day=day_number(utc(closed_ns)), opening_minor=opening, closing_minor=closing)


def _pages(message: Any, found: Any) -> tuple[int, bool] | None:  # noqa: ANN401 - the message's own classes
    """Which page this is, and whether it is the last; None where there is but one."""
    pages = found.stmt_pgntn
    if pages is None and len(message.stmt) == 1:
        pages = message.grp_hdr.msg_pgntn
    if pages is None or (int(pages.pg_nb) == 1 and pages.last_pg_ind):
        return None
    return int(pages.pg_nb), bool(pages.last_pg_ind)


def _is_whole(report: Report, found: Any, where: str) -> bool:  # noqa: ANN401 - the message's own classes
    """Whether a page is a statement of its own: of a message in pages, each may bring the statement of an account."""
    if found.stmt_pgntn is not None or not _final(found, OPENING) or not _final(found, (CLOSING,)):
        return False
    told = _with_balances(report, found, where)
    moved = sum(each.amount_minor if each.direction == "in" else -each.amount_minor for each in told.bookings)
    return told.opening_minor + moved == told.closing_minor


def _notification(message: Any, found: Any, where: str) -> Report:  # noqa: ANN401 - the message's own classes
    asset = _asset(found, where)
    return Report(
        kind="notification",
        message_id=message.grp_hdr.msg_id,
        id=found.id,
        created_ns=to_ns(message.grp_hdr.cre_dt_tm, where),
        iban=_iban(found, where),
        asset=asset,
        bookings=_bookings(found, asset, where),
    )


def _asset(found: Any, where: str) -> int:  # noqa: ANN401 - the message's own classes
    """The account's currency; from its bookings where the account does not say."""
    if found.acct.ccy is not None:
        return asset_of(found.acct.ccy, f"{where}, Acct")
    currencies = {entry.amt.ccy for entry in found.ntry} | {balance.amt.ccy for balance in getattr(found, "bal", [])}
    if len(currencies) != 1:
        raise BadInput("does not say its currency", where=f"{where}, Acct")
    return asset_of(currencies.pop(), f"{where}, Acct")


def _iban(found: Any, where: str) -> str:  # noqa: ANN401 - the message's own classes
    if found.acct.id.iban is None and found.acct.id.othr is not None:
        return str(found.acct.id.othr.id)  # a wallet's own statement: it has no IBAN
    if found.acct.id.iban is None:
        raise BadInput("has no IBAN", where=f"{where}, Acct")
    return str(found.acct.id.iban)


def _amount(given: Any, asset: int, where: str) -> int:  # noqa: ANN401 - the message's own classes
    if asset_of(given.ccy, where) != asset:
        raise BadInput(f"is in {given.ccy}, and the account is in another currency", where=where)
    return to_minor(given.value, asset, where)


def _final(found: Any, codes: tuple[str, ...]) -> list[Any]:  # noqa: ANN401 - the message's own classes
    """The balances of one kind that are of the whole statement."""
    return [balance for balance in _balances(found, codes) if not _is_interim(balance)]


def _balances(found: Any, codes: tuple[str, ...]) -> list[Any]:  # noqa: ANN401 - the message's own classes
    return [balance for balance in found.bal if balance.tp.cd_or_prtry.cd in codes]


def _is_interim(balance: Any) -> bool:  # noqa: ANN401 - the message's own classes
    return balance.tp.sub_tp is not None and balance.tp.sub_tp.cd == INTERIM


def _balance(found: Any, codes: tuple[str, ...], asset: int, where: str) -> tuple[int, int]:  # noqa: ANN401
    """A statement's balance of one kind: (minor units, when)."""
    chosen = _final(found, codes)
    place = f"{where}, Bal {'/'.join(codes)}"
    if len(chosen) != 1:
        raise BadInput(f"is there {len(chosen)} times", where=place)
    return _moment(chosen[0], asset, place)


def _page_balance(found: Any, codes: tuple[str, ...], asset: int, where: str) -> tuple[int, int] | None:  # noqa: ANN401
    """A page's balance of one kind; None where it has none."""
    chosen = _final(found, codes) or _balances(found, codes)
    place = f"{where}, Bal {'/'.join(codes)}"
    if len(chosen) > 1:
        raise BadInput(f"is there {len(chosen)} times", where=place)
    return _moment(chosen[0], asset, place) if chosen else None


def _moment(balance: Any, asset: int, place: str) -> tuple[int, int]:  # noqa: ANN401 - the message's own classes
    """A balance and its time: (minor units, nanoseconds)."""
    amount = _amount(balance.amt, asset, place)
    moment = balance.dt.dt or balance.dt.dt_tm
    if moment is None:
        raise BadInput("has no day", where=place)
    return amount if balance.cdt_dbt_ind.value == "CRDT" else -amount, to_ns(moment, place)


def _bookings(found: Any, asset: int, where: str) -> tuple[Booking, ...]:  # noqa: ANN401 - the message's own classes
    bookings: list[Booking] = []
    for number, entry in enumerate(found.ntry, start=1):
        if entry.sts.cd == BOOKED:
            bookings += _booking(entry, asset, f"{where}, Ntry {number}")
    return tuple(bookings)


def _booking(entry: Any, asset: int, where: str) -> list[Booking]:  # noqa: ANN401 - the message's own classes
    amount_minor = _amount(entry.amt, asset, f"{where}, Amt")
    if amount_minor == 0:
        raise BadInput("books nothing", where=f"{where}, Amt")
    details = [detail for group in entry.ntry_dtls for detail in group.tx_dtls]
    bank_ref = entry.acct_svcr_ref or _common_ref(details)
    if not bank_ref:
        raise BadInput("has no reference of the bank's (AcctSvcrRef)", where=where)
    moment = entry.bookg_dt and (entry.bookg_dt.dt_tm or entry.bookg_dt.dt)
    if moment is None:
        raise BadInput("has no booking date", where=where)
    whole = Booking(
        bank_ref=bank_ref,
        direction="in" if entry.cdt_dbt_ind.value == "CRDT" else "out",
        asset=asset,
        amount_minor=amount_minor,
        booked_ns=to_ns(moment, where),
        text=entry.addtl_ntry_inf or "",
    )
    if len(details) == 1:
        return [_detailed(whole, details[0], amount_minor)]
    amounts = [_detail_amount(detail, entry, asset, where) for detail in details]
    if not details or None in amounts or sum(filter(None, amounts)) != amount_minor:
        return [whole]
    return [
        _detailed(_part(whole, number), detail, amount or 0)
        for number, (detail, amount) in enumerate(zip(details, amounts, strict=True), start=1)
    ]


def _common_ref(details: list[Any]) -> str:
    """Some banks give their reference with the one payment of a booking only."""
    if len(details) != 1 or details[0].refs is None:
        return ""
    return details[0].refs.acct_svcr_ref or ""


def _part(whole: Booking, number: int) -> Booking:
    return Booking(
        bank_ref=whole.bank_ref,
        part=number,
        direction=whole.direction,
        asset=whole.asset,
        amount_minor=whole.amount_minor,
        booked_ns=whole.booked_ns,
    )


def _detail_amount(detail: Any, entry: Any, asset: int, where: str) -> int | None:  # noqa: ANN401
    """A payment's part of a batch; None where it has none in this currency, or goes the other way."""
    same_way = detail.cdt_dbt_ind is None or detail.cdt_dbt_ind.value == entry.cdt_dbt_ind.value
    if detail.amt is None or not same_way or asset_of(detail.amt.ccy, where) != asset:
        return None
    return to_minor(detail.amt.value, asset, f"{where}, TxDtls") or None


def _detailed(whole: Booking, detail: Any, amount_minor: int) -> Booking:  # noqa: ANN401 - the message's own classes
    text, reference = read_remittance(detail.rmt_inf)
    parties = detail.rltd_pties
    side = "dbtr" if whole.direction == "in" else "cdtr"
    party = getattr(parties, side, None)
    account = getattr(parties, f"{side}_acct", None)
    person = getattr(party, "pty", None)
    reason = detail.rtr_inf.rsn if detail.rtr_inf is not None else None
    return Booking(
        bank_ref=whole.bank_ref,
        part=whole.part,
        direction=whole.direction,
        asset=whole.asset,
        amount_minor=amount_minor,
        booked_ns=whole.booked_ns,
        end_to_end_id=_end_to_end_id(detail.refs),
        reference=reference,
        text=text or whole.text,
        name=(person.nm or "") if person is not None else "",
        iban=(account.id.iban or "") if account is not None else "",
        returned=detail.rtr_inf is not None,
        reason=(reason.cd or "") if reason is not None else "",
    )


def _end_to_end_id(refs: Any) -> str:  # noqa: ANN401 - the message's own classes
    """What the payer called the payment; the standard has a word for "nothing"."""
    given = refs.end_to_end_id if refs is not None else None
    return "" if given in {None, "NOTPROVIDED"} else str(given)
