"""Writes and reads pain.001 (payments to make) and pain.002 (what the bank says to them).

A payment in euros asks for SEPA (shared charges, service level SEPA); one in another currency goes as the bank does it.
Names are cut to the 70 characters that SEPA carries; the account number decides where money goes.
"""

from __future__ import annotations

from typing import Any, Final

from formicary.base.errors import BadInput
from formicary.rails.iso20022.amounts import (
    asset_of,
    check_iban,
    currency_of,
    to_decimal,
    to_minor,
    to_ns,
    xml_day,
    xml_time,
)
from formicary.rails.iso20022.document import read_document, write_document
from formicary.rails.iso20022.extra import message_types
from formicary.rails.iso20022.messages import Order, OrderStatus, Outcome, Payment

ORDER: Final = "pain.001.001.09"
STATUS: Final = "pain.002.001.10"
PAYMENTS_MAX: Final = 10_000
"""Payments in one order."""
NAME_CHARS: Final = 70
EURO: Final = 978
NOT_GIVEN: Final = "NOTPROVIDED"


def write_order(order: Order) -> bytes:
    """Write a pain.001; one instruction for each currency. Raises BadInput naming what is wrong."""
    if not 0 < len(order.payments) <= PAYMENTS_MAX:
        raise BadInput(f"an order has 1 to {PAYMENTS_MAX} payments, not {len(order.payments)}")
    m = message_types(ORDER)
    by_asset: dict[int, list[Payment]] = {}
    for payment in order.payments:
        currency_of(payment.asset, f"payment {payment.end_to_end_id}")
        by_asset.setdefault(payment.asset, []).append(payment)
    header = m.GroupHeader85(
        msg_id=order.message_id,
        cre_dt_tm=xml_time(order.created_ns),
        nb_of_txs=str(len(order.payments)),
        ctrl_sum=sum(to_decimal(payment.amount_minor, payment.asset) for payment in order.payments),
        initg_pty=m.PartyIdentification135(nm=order.name[:NAME_CHARS]),
    )
    instructions = [
        _instruction(m, order, number, asset, payments) for number, (asset, payments) in enumerate(by_asset.items())
    ]
    initiation = m.CustomerCreditTransferInitiationV09(grp_hdr=header, pmt_inf=instructions)
    return write_document(m.Document(cstmr_cdt_trf_initn=initiation))


def _instruction(m: Any, order: Order, number: int, asset: int, payments: list[Payment]) -> Any:  # noqa: ANN401
    sepa = asset == EURO
    kind = m.PaymentTypeInformation26(svc_lvl=[m.ServiceLevel8Choice(cd="SEPA")]) if sepa else None
    name = order.message_id if number == 0 else f"{order.message_id[:32]}-{number}"
    return m.PaymentInstruction30(
        pmt_inf_id=name,
        pmt_mtd=m.PaymentMethod3Code.TRF,
        nb_of_txs=str(len(payments)),
        ctrl_sum=sum(to_decimal(payment.amount_minor, asset) for payment in payments),
        pmt_tp_inf=kind,
        reqd_exctn_dt=m.DateAndDateTime2Choice(dt=xml_day(order.created_ns)),
        dbtr=m.PartyIdentification135(nm=order.name[:NAME_CHARS]),
        dbtr_acct=_account(m, order.iban, currency_of(asset)),
        dbtr_agt=_agent(m, order.bic),
        chrg_br=m.ChargeBearerType1Code.SLEV if sepa else m.ChargeBearerType1Code.SHAR,
        cdt_trf_tx_inf=[_transaction(m, payment) for payment in payments],
    )


def _transaction(m: Any, payment: Payment) -> Any:  # noqa: ANN401 - the message's own classes
    where = f"payment {payment.end_to_end_id}"
    if payment.amount_minor < 1:
        raise BadInput("the amount is not above zero", where=where)
    amount = m.ActiveOrHistoricCurrencyAndAmount(
        value=to_decimal(payment.amount_minor, payment.asset), ccy=currency_of(payment.asset, where)
    )
    return m.CreditTransferTransaction34(
        pmt_id=m.PaymentIdentification6(instr_id=payment.end_to_end_id, end_to_end_id=payment.end_to_end_id),
        amt=m.AmountType4Choice(instd_amt=amount),
        cdtr_agt=_agent(m, payment.bic) if payment.bic else None,
        cdtr=m.PartyIdentification135(nm=payment.name[:NAME_CHARS]),
        cdtr_acct=_account(m, payment.iban, None),
        rmt_inf=remittance(m, payment.text, payment.reference),
    )


def remittance(m: Any, text: str, reference: str) -> Any:  # noqa: ANN401 - the message's own classes
    """What a payment says to its receiver: a structured reference, or else free text, or nothing."""
    if reference:
        kind = m.CreditorReferenceType2(cd_or_prtry=m.CreditorReferenceType1Choice(cd=m.DocumentType3Code.SCOR))
        inside = m.CreditorReferenceInformation2(tp=kind, ref=reference)
        return m.RemittanceInformation16(strd=[m.StructuredRemittanceInformation16(cdtr_ref_inf=inside)])
    return m.RemittanceInformation16(ustrd=[text]) if text else None


def _account(m: Any, iban: str, currency: str | None) -> Any:  # noqa: ANN401 - the message's own classes
    return m.CashAccount38(id=m.AccountIdentification4Choice(iban=check_iban(iban, "IBAN")), ccy=currency)


def _agent(m: Any, bic: str) -> Any:  # noqa: ANN401 - the message's own classes
    kind = m.FinancialInstitutionIdentification18
    inside = kind(bicfi=bic) if bic else kind(othr=m.GenericFinancialIdentification1(id=NOT_GIVEN))
    return m.BranchAndFinancialInstitutionIdentification6(fin_instn_id=inside)


def read_order(data: bytes, *, name: str) -> Order:
    """Read a pain.001, as a bank does; its counts and sums must be right, and all payments from one account."""
    _, document = read_document(data, name=name, kinds=(ORDER,))
    initiation = document.cstmr_cdt_trf_initn
    header = initiation.grp_hdr
    payments: list[Payment] = []
    for instruction in initiation.pmt_inf:
        for transaction in instruction.cdt_trf_tx_inf:
            payments.append(_payment(transaction, f"{name}, CdtTrfTxInf {len(payments) + 1}"))
            if len(payments) > PAYMENTS_MAX:
                raise BadInput(f"has more than {PAYMENTS_MAX} payments", where=name)
    if int(header.nb_of_txs) != len(payments):
        raise BadInput(f"says {header.nb_of_txs} payments and has {len(payments)}", where=f"{name}, NbOfTxs")
    total = sum(to_decimal(payment.amount_minor, payment.asset) for payment in payments)
    if header.ctrl_sum is not None and header.ctrl_sum != total:
        raise BadInput(f"says a sum of {header.ctrl_sum} and has {total}", where=f"{name}, CtrlSum")
    ibans = {instruction.dbtr_acct.id.iban for instruction in initiation.pmt_inf}
    if len(ibans) != 1 or None in ibans:
        raise BadInput("pays from several accounts, or from one without IBAN", where=f"{name}, DbtrAcct")
    first = initiation.pmt_inf[0]
    return Order(
        message_id=header.msg_id,
        created_ns=to_ns(header.cre_dt_tm, name),
        name=first.dbtr.nm or "",
        iban=check_iban(first.dbtr_acct.id.iban, f"{name}, DbtrAcct"),
        bic=first.dbtr_agt.fin_instn_id.bicfi or "",
        payments=tuple(payments),
    )


def _payment(transaction: Any, where: str) -> Payment:  # noqa: ANN401 - the message's own classes
    amount = transaction.amt.instd_amt
    if amount is None:
        raise BadInput("has no instructed amount", where=where)
    account = transaction.cdtr_acct
    if account is None or account.id.iban is None:
        raise BadInput("has no IBAN of a receiver", where=where)
    asset = asset_of(amount.ccy, where)
    text, reference = read_remittance(transaction.rmt_inf)
    agent = transaction.cdtr_agt
    return Payment(
        end_to_end_id=transaction.pmt_id.end_to_end_id,
        asset=asset,
        amount_minor=to_minor(amount.value, asset, where),
        name=(transaction.cdtr.nm or "") if transaction.cdtr is not None else "",
        iban=account.id.iban,
        bic=(agent.fin_instn_id.bicfi or "") if agent is not None else "",
        text=text,
        reference=reference,
    )


def read_remittance(given: Any) -> tuple[str, str]:  # noqa: ANN401 - the message's own classes
    """What a payment says: (free text, creditor reference)."""
    if given is None:
        return "", ""
    references = [
        part.cdtr_ref_inf.ref for part in given.strd if part.cdtr_ref_inf is not None and part.cdtr_ref_inf.ref
    ]
    return " ".join(given.ustrd), references[0] if len(references) == 1 else ""


def write_order_status(status: OrderStatus) -> bytes:
    """Write a pain.002."""
    m = message_types(STATUS)
    original = m.OriginalGroupHeader17(
        orgnl_msg_id=status.order_id,
        orgnl_msg_nm_id=ORDER,
        grp_sts=status.status or None,
        sts_rsn_inf=_reasons(m, status.reason),
    )
    outcomes = [
        m.PaymentTransaction105(
            orgnl_end_to_end_id=outcome.end_to_end_id,
            tx_sts=outcome.status,
            sts_rsn_inf=_reasons(m, outcome.reason),
        )
        for outcome in status.outcomes
    ]
    instructions = (
        [m.OriginalPaymentInstruction32(orgnl_pmt_inf_id=status.order_id, tx_inf_and_sts=outcomes)] if outcomes else []
    )
    header = m.GroupHeader86(msg_id=status.message_id, cre_dt_tm=xml_time(status.created_ns))
    report = m.CustomerPaymentStatusReportV10(
        grp_hdr=header, orgnl_grp_inf_and_sts=original, orgnl_pmt_inf_and_sts=instructions
    )
    return write_document(m.Document(cstmr_pmt_sts_rpt=report))


def read_order_status(data: bytes, *, name: str) -> OrderStatus:
    """Read a pain.002."""
    _, document = read_document(data, name=name, kinds=(STATUS,))
    return status_in(document, name)


def status_in(document: Any, name: str) -> OrderStatus:  # noqa: ANN401 - the message's own classes
    """The status of an order, in a document that was read."""
    report = document.cstmr_pmt_sts_rpt
    original = report.orgnl_grp_inf_and_sts
    outcomes = [
        Outcome(
            end_to_end_id=found.orgnl_end_to_end_id or "",
            status=found.tx_sts or "",
            reason=_reason(found.sts_rsn_inf),
        )
        for instruction in report.orgnl_pmt_inf_and_sts
        for found in instruction.tx_inf_and_sts
    ]
    return OrderStatus(
        message_id=report.grp_hdr.msg_id,
        created_ns=to_ns(report.grp_hdr.cre_dt_tm, name),
        order_id=original.orgnl_msg_id,
        status=original.grp_sts or "",
        reason=_reason(original.sts_rsn_inf),
        outcomes=tuple(outcomes),
    )


def _reasons(m: Any, code: str) -> list[Any]:  # noqa: ANN401 - the message's own classes
    return [m.StatusReasonInformation12(rsn=m.StatusReason6Choice(cd=code))] if code else []


def _reason(given: list[Any]) -> str:
    codes = [one.rsn.cd for one in given if one.rsn is not None and one.rsn.cd]
    return codes[0] if codes else ""
