"""Files from and to banks, by ISO 20022: pain.001 and pain.002, camt.053 and camt.054, of its 2019 release.

Needs the extra ``banks``; importing this package does not. See docs/how-to/connect-a-bank.md.
"""

from __future__ import annotations

from formicary.rails.iso20022.amounts import check_iban
from formicary.rails.iso20022.document import FILE_BYTES_MAX, check_plain
from formicary.rails.iso20022.epc import write_epc
from formicary.rails.iso20022.messages import Booking, Order, OrderStatus, Outcome, Page, Payment, Report
from formicary.rails.iso20022.orders import read_order, read_order_status, write_order, write_order_status
from formicary.rails.iso20022.paging import PAGE_CODES, joined, key_of
from formicary.rails.iso20022.report_writing import write_pages, write_report
from formicary.rails.iso20022.reports import read_incoming, read_reports

__all__ = [
    "FILE_BYTES_MAX",
    "PAGE_CODES",
    "Booking",
    "Order",
    "OrderStatus",
    "Outcome",
    "Page",
    "Payment",
    "Report",
    "check_iban",
    "check_plain",
    "joined",
    "key_of",
    "read_incoming",
    "read_order",
    "read_order_status",
    "read_reports",
    "write_epc",
    "write_order",
    "write_order_status",
    "write_pages",
    "write_report",
]
