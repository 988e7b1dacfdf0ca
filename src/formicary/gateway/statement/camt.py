"""A statement as camt.053.001.08 (ISO 20022), for accountants' programs that read banks' statements.

The account is named by the ledger's own id (``Othr``), for a wallet has no IBAN of its own. Days are UTC. A fee is an
entry beside its sale, so that the entries add up to the balances. What is written is checked against the schema.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

from blake3 import blake3

from formicary.base.money import parse_asset
from formicary.gateway.edge_values import read_time
from formicary.gateway.statement.telling import day_start_ns
from formicary.rails.iso20022.amounts import SECOND_NS, currency_of, day_number, to_decimal, xml_day, xml_time
from formicary.rails.iso20022.document import write_document
from formicary.rails.iso20022.extra import message_types
from formicary.rails.iso20022.reports import BOOKED, CLOSING, OPENING, STATEMENT

if TYPE_CHECKING:
    from formicary.gateway.statement.telling import Movement, Statement

DAY_NS: Final = 86_400 * SECOND_NS
NAME_CHARS_MAX: Final = 140
NOTE_CHARS_MAX: Final = 140
"""Of each line of free text."""
FAMILIES: Final = {True: "RCDT", False: "ICDT"}
"""Received and issued credit transfers; the code's family."""
SUB_FAMILIES: Final = {"top_up": "ESCT", "withdrawal": "ESCT", "withdrawal_back": "RRTN", "fee": "CHRG"}
"""By kind; whatever else moves within the ledger is a book transfer."""
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff]+")


def write_camt(statement: Statement) -> bytes:
    """Write the file. Raises BadInput ``extra_missing`` without the extra ``banks``, and for what is no currency."""
    m = message_types(STATEMENT)
    currency = currency_of(parse_asset(statement.asset), "asset")
    first, last = (dt.date.fromisoformat(day) for day in (statement.first, statement.last))
    made = xml_time(read_time(statement.made))
    name = blake3(f"{statement.account} {first} {last} {statement.made}".encode()).hexdigest(length=16)
    found = m.AccountStatement9(
        id=name,
        elctrnc_seq_nb=to_decimal(day_number(last), 0),
        cre_dt_tm=made,
        fr_to_dt=m.DateTimePeriod1(
            fr_dt_tm=xml_time(day_start_ns(first)), to_dt_tm=xml_time(day_start_ns(last) + DAY_NS - SECOND_NS)
        ),
        acct=_account(m, statement, currency),
        bal=[
            _balance(m, statement, OPENING[0], statement.opening_minor, first),
            _balance(m, statement, CLOSING, statement.closing_minor, last),
        ],
        ntry=[entry for line in statement.items for entry in _entries(m, statement, line)],
        addtl_stmt_inf=f"Ledger {statement.ledger}, root {statement.head.root}, entry {statement.head.entry}",
    )
    header = m.GroupHeader81(msg_id=name, cre_dt_tm=made)
    return write_document(m.Document(bk_to_cstmr_stmt=m.BankToCustomerStatementV08(grp_hdr=header, stmt=[found])))


def _account(m: Any, statement: Statement, currency: str) -> Any:  # noqa: ANN401 - the message's own classes
    number = m.AccountIdentification4Choice(othr=m.GenericAccountIdentification1(id=statement.account))
    inside = m.FinancialInstitutionIdentification18(nm=_fit(statement.institution.name) or "Formicary")
    owner = _fit(statement.holder.name)
    return m.CashAccount39(
        id=number,
        ccy=currency,
        ownr=m.PartyIdentification135(nm=owner) if owner else None,
        svcr=m.BranchAndFinancialInstitutionIdentification6(fin_instn_id=inside),
    )


def _balance(m: Any, statement: Statement, code: str, amount_minor: int, day: dt.date) -> Any:  # noqa: ANN401
    return m.CashBalance8(
        tp=m.BalanceType13(cd_or_prtry=m.BalanceType10Choice(cd=code)),
        amt=_money(m, statement, amount_minor),
        cdt_dbt_ind=m.CreditDebitCode.CRDT if amount_minor >= 0 else m.CreditDebitCode.DBIT,
        dt=m.DateAndDateTime2Choice(dt=xml_day(day_start_ns(day))),
    )


def _money(m: Any, statement: Statement, amount_minor: int) -> Any:  # noqa: ANN401 - the message's own classes
    value = to_decimal(abs(amount_minor), parse_asset(statement.asset))
    return m.ActiveOrHistoricCurrencyAndAmount(value=value, ccy=statement.asset)


def _entries(m: Any, statement: Statement, line: Movement) -> list[Any]:  # noqa: ANN401 - the message's own classes
    """The entry of a line, and that of its fee."""
    entries = [_entry(m, statement, line, kind=line.kind, amount_minor=line.amount_minor, name=line.transfer)]
    if line.fee_minor:
        entries.append(_entry(m, statement, line, kind="fee", amount_minor=-line.fee_minor, name=f"{line.transfer}F"))
    return entries


def _entry(m: Any, statement: Statement, line: Movement, *, kind: str, amount_minor: int, name: str) -> Any:  # noqa: ANN401
    is_in = amount_minor >= 0
    side = m.CreditDebitCode.CRDT if is_in else m.CreditDebitCode.DBIT
    family = m.BankTransactionCodeStructure6(cd=FAMILIES[is_in], sub_fmly_cd=SUB_FAMILIES.get(kind, "BOOK"))
    amount = _money(m, statement, amount_minor)
    at_ns = read_time(line.at)
    details = m.EntryTransaction10(
        refs=m.TransactionReferences6(end_to_end_id=line.payment),
        amt=amount,
        cdt_dbt_ind=side,
        rltd_pties=_parties(m, line, is_in=is_in) if kind != "fee" else None,
        rmt_inf=_remittance(m, line) if kind != "fee" else None,
    )
    return m.ReportEntry10(
        amt=amount,
        cdt_dbt_ind=side,
        sts=m.EntryStatus1Choice(cd=BOOKED),
        bookg_dt=m.DateAndDateTime2Choice(dt_tm=xml_time(at_ns)),
        val_dt=m.DateAndDateTime2Choice(dt=xml_day(at_ns)),
        acct_svcr_ref=name,
        bk_tx_cd=m.BankTransactionCodeStructure4(
            domn=m.BankTransactionCodeStructure5(cd="PMNT", fmly=family),
            prtry=m.ProprietaryBankTransactionCodeStructure1(cd=kind, issr="Formicary"),
        ),
        ntry_dtls=[m.EntryDetails9(tx_dtls=[details])],
    )


def _parties(m: Any, line: Movement, *, is_in: bool) -> Any:  # noqa: ANN401 - the message's own classes
    name = _fit(line.other.name)
    if not name:
        return None
    party = m.Party40Choice(pty=m.PartyIdentification135(nm=name))
    return m.TransactionParties6(**{"dbtr" if is_in else "cdtr": party})


def _remittance(m: Any, line: Movement) -> Any:  # noqa: ANN401 - the message's own classes
    text = _UNFIT.sub(" ", line.note or "").strip()
    parts = [text[first : first + NOTE_CHARS_MAX] for first in range(0, len(text), NOTE_CHARS_MAX)]
    return m.RemittanceInformation16(ustrd=parts) if parts else None


def _fit(name: str) -> str:
    return _UNFIT.sub(" ", name).strip()[:NAME_CHARS_MAX]
