"""What the wallet offers other products: whose account money goes from and to, within what limits, and who may what.

Each method takes the *caller's* context or view. :meth:`Purses.check_payer` and :meth:`Purses.check_payee` stand in the
way of every payment: together they run seven short statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.products.wallet import audit
from formicary.products.wallet.codes import CLOSED, FROZEN, NODE, OPEN
from formicary.products.wallet.limits import Limits, Spent, day_of, rule_limits

if TYPE_CHECKING:
    from formicary.machine.context import Context, View

SECOND_NS: Final = 1_000_000_000
# One row by its whole key each: three of these cost less than one join of three tables.
_PERSON = "SELECT state, tier FROM wallet_people WHERE person = ? ORDER BY person"
_PAYS_FROM = """SELECT account, day, day_minor, year, year_minor, own_payment_minor, own_day_minor FROM wallet_purses
                WHERE person = ? AND asset = ? ORDER BY person"""
_PAID_TO = "SELECT account FROM wallet_purses WHERE person = ? AND asset = ? ORDER BY person"
_LIMITS = """SELECT payment_minor, day_minor, year_minor, balance_minor FROM wallet_limits
             WHERE tier = ? AND asset = ? ORDER BY tier"""
_PURSE = """SELECT u.account FROM wallet_people AS p JOIN wallet_purses AS u ON u.person = p.person
            WHERE p.person = ? AND u.asset = ? AND p.state <> ? ORDER BY p.person"""
_SPENT = "SELECT day, day_minor, year, year_minor FROM wallet_purses WHERE person = ? AND asset = ? ORDER BY person"
_COUNT = """UPDATE wallet_purses SET day = ?, day_minor = ?, year = ?, year_minor = ?
            WHERE person = ? AND asset = ?"""
_ROLE = """SELECT r.role FROM wallet_roles AS r JOIN wallet_people AS p ON p.person = r.person
           WHERE r.person = ? AND r.role = ? AND p.state = ? ORDER BY r.person"""


class Purses:
    """People's accounts, limits, roles and trusted contacts, and the institution's parameters."""

    def purse(self, asker: Context | View, party: bytes, asset: int) -> int | None:
        """The account of a person in a currency; None when there is no such person, or not any more, or no account."""
        found = asker.for_product("wallet").rows.one(_PURSE, party, asset, CLOSED)
        return None if found is None else int.from_bytes(found[0], "big")

    def check_payer(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The account that a person pays from; counts the amount (minor units) as spent.

        Refuses, in this order: person_unknown, person_frozen, person_closed, currency_not_open, limit_payment,
        limit_day, limit_year, own_limit_payment, own_limit_day. Whether there is enough is for the kernel to say.
        """
        assert amount_minor >= 0, "nobody pays less than nothing"
        own = context.for_product("wallet")
        known = own.rows.one(_PERSON, party)
        if known is None:
            own.refuse("person_unknown")
        state, tier = known
        own.refuse_if(state == FROZEN, "person_frozen")
        own.refuse_if(state == CLOSED, "person_closed")
        found = own.rows.one(_PAYS_FROM, party, asset)
        if found is None:
            own.refuse("currency_not_open")
        account, day, day_minor, year, year_minor, own_payment, own_day = found
        limits = _limits(own, tier, asset)
        spent = Spent(day, day_minor, year, year_minor).at(day_of(own.time_ns)).plus(amount_minor)
        own.refuse_if(0 < limits.payment_minor < amount_minor, "limit_payment")
        own.refuse_if(0 < limits.day_minor < spent.day_minor, "limit_day")
        own.refuse_if(0 < limits.year_minor < spent.year_minor, "limit_year")
        own.refuse_if(0 < own_payment < amount_minor, "own_limit_payment")
        own.refuse_if(0 < own_day < spent.day_minor, "own_limit_day")
        own.rows.run(_COUNT, *spent, party, asset)
        return int.from_bytes(account, "big")

    def uncount(self, context: Context, party: bytes, asset: int, amount_minor: int, paid_ns: int) -> None:
        """Take counted spending back: a payment of that time came to nothing. Nothing happens for who is no person."""
        assert amount_minor >= 0, "nobody takes back less than nothing"
        own = context.for_product("wallet")
        found = own.rows.one(_SPENT, party, asset)
        if found is not None:
            own.rows.run(_COUNT, *Spent(*found).minus(amount_minor, day=day_of(paid_ns)), party, asset)

    def check_payee(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The account that a person is paid to.

        Refuses, in this order: person_unknown, person_closed, person_frozen, currency_not_open, balance_limit. What is
        held for the payee counts as a balance.
        """
        assert amount_minor >= 0, "nobody is paid less than nothing"
        own = context.for_product("wallet")
        known = own.rows.one(_PERSON, party)
        if known is None:
            own.refuse("person_unknown")
        state, tier = known
        own.refuse_if(state == CLOSED, "person_closed")
        own.refuse_if(state == FROZEN, "person_frozen")
        found = own.rows.one(_PAID_TO, party, asset)
        if found is None:
            own.refuse("currency_not_open")
        limits = _limits(own, tier, asset)
        number = int.from_bytes(found[0], "big")
        if limits.balance_minor:
            now = own.balance(number)
            after_minor = now.credits_posted + now.credits_held - now.debits_posted + amount_minor
            own.refuse_if(after_minor > limits.balance_minor, "balance_limit")
        return number

    def is_person(self, asker: Context | View, party: bytes) -> bool:
        """Whether this is a person whose wallet is open or frozen."""
        return _state(asker, party) in {OPEN, FROZEN}

    def is_frozen(self, asker: Context | View, party: bytes) -> bool:
        """Whether this is a person whose payments are stopped, by themselves or by an operator."""
        return _state(asker, party) == FROZEN

    def opened_ns(self, asker: Context | View, party: bytes) -> int:
        """When a person's wallet was opened, in ns since 1970; 0 for who never had one."""
        sql = "SELECT opened_ns FROM wallet_people WHERE person = ? ORDER BY person"
        found = asker.for_product("wallet").rows.one(sql, party)
        return 0 if found is None else int(found[0])

    def has_role(self, asker: Context | View, party: bytes, role: str) -> bool:
        """Whether a person has a role (operator, approver, auditor, arbiter); it rests while the person is frozen.

        The machine's own command line counts as an operator, and as nothing else.
        """
        if party == NODE:
            return role == "operator"
        return asker.for_product("wallet").rows.one(_ROLE, party, role, OPEN) is not None

    def alias_free(self, asker: Context | View, alias: bytes) -> bool:
        """Whether nobody goes by this alias (a keyed digest of 32 bytes), and it does not rest after somebody's use."""
        own = asker.for_product("wallet")
        sql = "SELECT released_ns FROM wallet_aliases WHERE alias = ? ORDER BY alias"
        found = own.rows.one(sql, alias)
        if found is None or found[0] == 0:
            return found is None
        return own.time_ns >= int(found[0]) + self.parameter(asker, "alias_rest_s") * SECOND_NS

    def require_role(self, context: Context, role: str) -> None:
        """Refuse with ``role_missing`` unless the signer has the role."""
        context.for_product("wallet").refuse_if(not self.has_role(context, context.signer, role), "role_missing")

    def note_act(self, context: Context, action: str, *, subject: bytes = b"", detail: str = "") -> None:
        """Write what the signer did as an operator into the audit; never anything personal."""
        audit.note(context.for_product("wallet"), action, subject=subject, detail=detail)

    def parameter(self, asker: Context | View, name: str) -> int:
        """A parameter of the institution as it is now; asking for one that there is not is a bug."""
        sql = "SELECT value FROM wallet_parameters WHERE name = ? ORDER BY name"
        found = asker.for_product("wallet").rows.one(sql, name)
        assert found is not None, f"there is no parameter {name}"
        return int(found[0])

    def trusted_of(self, asker: Context | View, party: bytes) -> tuple[bytes, ...]:
        """The trusted contacts of a person, in the order of their ids."""
        sql = "SELECT contact FROM wallet_trusted WHERE person = ? ORDER BY contact"
        return tuple(contact for (contact,) in asker.for_product("wallet").rows.all(sql, party))


def _limits(own: Context, tier: int, asset: int) -> Limits:
    found = own.rows.one(_LIMITS, tier, asset)
    return rule_limits(tier, asset) if found is None else Limits(*found)


def _state(asker: Context | View, party: bytes) -> str:
    sql = "SELECT state FROM wallet_people WHERE person = ? ORDER BY person"
    found = asker.for_product("wallet").rows.one(sql, party)
    return "" if found is None else str(found[0])
