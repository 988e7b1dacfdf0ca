"""The one list of all that a person paid and got, whichever product moved the money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from formicary.products.pay.codes import NOBODY
from formicary.products.pay.commands import Kind, PaymentChanged, PaymentMade, State
from formicary.products.pay.queries import PaymentRow, payment

if TYPE_CHECKING:
    from formicary.machine.context import Context, View

_KINDS: Final = frozenset(get_args(Kind))
_STATES: Final = frozenset(get_args(State))


class Ledgerbook:
    """Writes and reads the activity list, for every product that moves people's money."""

    def record(
        self,
        context: Context,
        *,
        payment: bytes,
        kind: Kind,
        payer: bytes,
        payee: bytes,
        asset: int,
        amount_minor: int,
        state: State,
        note: bytes | None = None,
        purpose: str = "other",
        reference: bytes | None = None,
    ) -> None:
        """Add a payment of minor units; the parties who did not sign the command are told by ``payment_made``.

        ``payment`` is the 16 bytes of the kernel transfer's id. A side that is no party (a bank, a packet) is
        ``NOBODY``, 16 zero bytes. ``reference`` names what it belongs to: an order, a packet, a refunded payment.
        """
        assert kind in _KINDS, kind
        assert state in _STATES, state
        own = context.for_product("pay")
        sql = """INSERT INTO pay_payments (payment, kind, payer, payee, asset, amount_minor, at_ns, state, purpose,
                 note, reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
        at_ns = context.time_ns
        own.rows.run(sql, payment, kind, payer, payee, asset, amount_minor, at_ns, state, purpose, note, reference)
        event = PaymentMade(payment, kind, payer, payee, asset, amount_minor, state)
        for party in (payer, payee):
            if party not in {context.signer, NOBODY}:
                own.emit(event, subject=party)

    def update(self, context: Context, payment_id: bytes, state: State) -> None:
        """Say how a recorded payment stands now; both parties but the signer are told by ``payment_changed``."""
        assert state in _STATES, state
        own = context.for_product("pay")
        found = payment(own.view(), payment_id)
        assert found is not None, "a payment is recorded before it changes"
        own.rows.run("UPDATE pay_payments SET state = ? WHERE payment = ?", state, payment_id)
        for party in (found.payer, found.payee):
            if party not in {context.signer, NOBODY}:
                own.emit(PaymentChanged(payment_id, state), subject=party)

    def find(self, context: Context | View, payment_id: bytes) -> PaymentRow | None:
        """A recorded payment as it stands; None when there is none."""
        return payment(context.for_product("pay"), payment_id)
