"""Questions about payments: rows that handlers read, and what doors may ask."""

from formicary.products.pay.queries.rows import PaymentRow, payment

__all__ = ["PaymentRow", "payment"]
