"""Writes camt.053 and camt.054: for the sandbox bank, and for statements that people take to their accountants."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from msgspec import structs

from formicary.rails.iso20022.amounts import check_iban, currency_of, to_decimal, xml_day, xml_time
from formicary.rails.iso20022.document import write_document
from formicary.rails.iso20022.extra import message_types, package
from formicary.rails.iso20022.messages import Booking, Report
from formicary.rails.iso20022.orders import NAME_CHARS, remittance
from formicary.rails.iso20022.reports import INTERIM, NOTIFICATION, STATEMENT

CODES: Final = {"in": ("PMNT", "RCDT", "ESCT"), "out": ("PMNT", "ICDT", "ESCT")}
"""Bank transaction codes: domain, family, sub-family; SEPA credit transfers received and issued."""
RETURNED: Final = ("PMNT", "ICDT", "RRTN")


def write_report(report: Report) -> bytes:
    """Write a statement or notification of one account."""
    if report.kind == "notification":
        return _notification(report)
    opening, closing = (report.opening_minor, False), (report.closing_minor, False)
    return _statement(report, opening=opening, closing=closing)


def write_pages(report: Report, *, bookings_max: int) -> list[bytes]:
    """Write a statement in pages of so many bookings at most, a file each; between them stand interim balances."""
    files, balance, cuts = [], report.opening_minor, _cut(report.bookings, bookings_max)
    for number, part in enumerate(cuts, start=1):
        begins, is_last = balance, number == len(cuts)
        balance += sum(each.amount_minor if each.direction == "in" else -each.amount_minor for each in part)
        page = structs.replace(report, message_id=f"{report.message_id}-{number}", bookings=part)
        ends = (report.closing_minor, False) if is_last else (balance, True)
        files.append(_statement(page, opening=(begins, number > 1), closing=ends, page=(number, is_last)))
    return files


def _cut(bookings: tuple[Booking, ...], bookings_max: int) -> list[tuple[Booking, ...]]:
    """Divide bookings into pages, of which the last may be smaller; a batch stays on one page."""
    pages: list[tuple[Booking, ...]] = [()]
    for _, batch in groupby(bookings, key=lambda booking: booking.bank_ref):
        parts = tuple(batch)
        if pages[-1] and len(pages[-1]) + len(parts) > bookings_max:
            pages.append(())
        pages[-1] += parts
    return pages


def _statement(
    report: Report, *, opening: tuple[int, bool], closing: tuple[int, bool], page: tuple[int, bool] = (1, True)
) -> bytes:
    """One page; of the balances, whether each is interim."""
    m = message_types(STATEMENT)
    number, is_last = page
    found = m.AccountStatement9(
        id=report.id,
        stmt_pgntn=None if page == (1, True) else m.Pagination1(pg_nb=str(number), last_pg_ind=is_last),
        elctrnc_seq_nb=to_decimal(report.number, 0),
        cre_dt_tm=xml_time(report.created_ns),
        acct=_account(m, report),
        bal=[_balance(m, report, "OPBD", *opening), _balance(m, report, "CLBD", *closing)],
        ntry=_entries(m, report),
    )
    message = m.BankToCustomerStatementV08(grp_hdr=_header(m, report), stmt=[found])
    return write_document(m.Document(bk_to_cstmr_stmt=message))


def _notification(report: Report) -> bytes:
    m = message_types(NOTIFICATION)
    found = m.AccountNotification17(
        id=report.id, cre_dt_tm=xml_time(report.created_ns), acct=_account(m, report), ntry=_entries(m, report)
    )
    message = m.BankToCustomerDebitCreditNotificationV08(grp_hdr=_header(m, report), ntfctn=[found])
    return write_document(m.Document(bk_to_cstmr_dbt_cdt_ntfctn=message))


def _header(m: Any, report: Report) -> Any:  # noqa: ANN401 - the message's own classes
    return m.GroupHeader81(msg_id=report.message_id, cre_dt_tm=xml_time(report.created_ns))


def _account(m: Any, report: Report) -> Any:  # noqa: ANN401 - the message's own classes
    number = m.AccountIdentification4Choice(iban=check_iban(report.iban, "Acct"))
    return m.CashAccount39(id=number, ccy=currency_of(report.asset))


def _balance(m: Any, report: Report, code: str, amount_minor: int, is_interim: bool) -> Any:  # noqa: ANN401, FBT001
    day = message_day(report.day) if report.day else xml_day(report.created_ns)
    return m.CashBalance8(
        tp=m.BalanceType13(
            cd_or_prtry=m.BalanceType10Choice(cd=code),
            sub_tp=m.BalanceSubType1Choice(cd=INTERIM) if is_interim else None,
        ),
        amt=_money(m, abs(amount_minor), report.asset),
        cdt_dbt_ind=m.CreditDebitCode.CRDT if amount_minor >= 0 else m.CreditDebitCode.DBIT,
        dt=m.DateAndDateTime2Choice(dt=day),
    )


def message_day(day: int) -> Any:  # noqa: ANN401 - xsdata's own date
    """A day ``yyyymmdd`` for a file."""
    return package("xsdata.models.datatype").XmlDate(day // 10_000, day // 100 % 100, day % 100)


def _money(m: Any, amount_minor: int, asset: int) -> Any:  # noqa: ANN401 - the message's own classes
    return m.ActiveOrHistoricCurrencyAndAmount(value=to_decimal(amount_minor, asset), ccy=currency_of(asset))


def _entries(m: Any, report: Report) -> list[Any]:  # noqa: ANN401 - the message's own classes
    """One entry for each reference of the bank; neighbours that share one are a batch."""
    return [_entry(m, list(parts)) for _, parts in groupby(report.bookings, key=lambda booking: booking.bank_ref)]


def _entry(m: Any, parts: list[Booking]) -> Any:  # noqa: ANN401 - the message's own classes
    first = parts[0]
    domain, family, sub = RETURNED if first.returned else CODES[first.direction]
    code = m.BankTransactionCodeStructure5(cd=domain, fmly=m.BankTransactionCodeStructure6(cd=family, sub_fmly_cd=sub))
    return m.ReportEntry10(
        amt=_money(m, sum(part.amount_minor for part in parts), first.asset),
        cdt_dbt_ind=_side(m, first),
        sts=m.EntryStatus1Choice(cd="BOOK"),
        bookg_dt=m.DateAndDateTime2Choice(dt_tm=xml_time(first.booked_ns)),
        val_dt=m.DateAndDateTime2Choice(dt=xml_day(first.booked_ns)),
        acct_svcr_ref=first.bank_ref,
        bk_tx_cd=m.BankTransactionCodeStructure4(domn=code),
        ntry_dtls=[m.EntryDetails9(tx_dtls=[_details(m, part) for part in parts])],
    )


def _side(m: Any, booking: Booking) -> Any:  # noqa: ANN401 - the message's own classes
    return m.CreditDebitCode.CRDT if booking.direction == "in" else m.CreditDebitCode.DBIT


def _details(m: Any, part: Booking) -> Any:  # noqa: ANN401 - the message's own classes
    returned = None
    if part.returned:
        returned = m.PaymentReturnReason5(rsn=m.ReturnReason5Choice(cd=part.reason) if part.reason else None)
    return m.EntryTransaction10(
        refs=m.TransactionReferences6(end_to_end_id=part.end_to_end_id or "NOTPROVIDED"),
        amt=_money(m, part.amount_minor, part.asset),
        cdt_dbt_ind=_side(m, part),
        rltd_pties=_parties(m, part),
        rmt_inf=remittance(m, part.text, part.reference),
        rtr_inf=returned,
    )


def _parties(m: Any, part: Booking) -> Any:  # noqa: ANN401 - the message's own classes
    if not part.name and not part.iban:
        return None
    side = "dbtr" if part.direction == "in" else "cdtr"
    given: dict[str, Any] = {}
    if part.name:
        given[side] = m.Party40Choice(pty=m.PartyIdentification135(nm=part.name[:NAME_CHARS]))
    if part.iban:
        given[f"{side}_acct"] = m.CashAccount38(id=m.AccountIdentification4Choice(iban=check_iban(part.iban, side)))
    return m.TransactionParties6(**given)
