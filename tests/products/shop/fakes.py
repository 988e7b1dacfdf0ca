"""Plain stand-ins for what shops need, as one product ``town`` with its own rows: purses, a guard, a book, a bank."""

from __future__ import annotations

from typing import Any, Final

from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AccountFlag
from formicary.machine.context import Context
from formicary.products.anatomy import Asset, CommandType, Message, Minor, Party, Product
from formicary.products.shop import payments, product
from formicary.testing.trial import Trial, person

EUR: Final = 978
WORLD: Final = 1
BANK: Final = 2
SCHEMA: Final = """
CREATE TABLE town_purses (person BLOB NOT NULL, asset INTEGER NOT NULL, account BLOB NOT NULL, spent INTEGER NOT NULL,
    PRIMARY KEY (person, asset)) STRICT, WITHOUT ROWID;
CREATE TABLE town_book (payment BLOB NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (payment))
    STRICT, WITHOUT ROWID;
CREATE TABLE town_held (payment BLOB NOT NULL, PRIMARY KEY (payment)) STRICT, WITHOUT ROWID;
CREATE TABLE town_switch (name TEXT NOT NULL, on_off INTEGER NOT NULL, PRIMARY KEY (name)) STRICT, WITHOUT ROWID;
"""
OPERATOR: Final = person("operator")


class Fund(Message, frozen=True):
    """Open a purse for the signer, with money in it."""

    asset: Asset
    amount_minor: Minor


class Switch(Message, frozen=True):
    """Let the guard hold what comes, or the bank refuse."""

    suspicious: bool
    bank_down: bool


class Resolve(Message, frozen=True):
    """What the guard says about a held payment."""

    payment: Party
    captured: bool


class Town:
    """All four needs, over the rows of ``town``."""

    def purse(self, context: Any, party: bytes, asset: int) -> int | None:
        """The account."""
        sql = "SELECT account FROM town_purses WHERE person = ? AND asset = ? ORDER BY person, asset"
        found = context.for_product("town").rows.one(sql, party, asset)
        return None if found is None else int.from_bytes(found[0], "big")

    def check_payer(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """The account, counting."""
        account = self.purse(context, party, asset)
        if account is None:
            context.for_product("town").refuse("town_person_unknown")
        self._count(context, party, asset, amount_minor)
        return account

    def uncount(self, context: Context, party: bytes, asset: int, amount_minor: int, _paid_ns: int) -> None:
        """Count back."""
        self._count(context, party, asset, -amount_minor)

    def _count(self, context: Context, party: bytes, asset: int, amount_minor: int) -> None:
        town = context.for_product("town").rows
        sql = "SELECT spent FROM town_purses WHERE person = ? AND asset = ? ORDER BY person, asset"
        found = town.one(sql, party, asset)
        assert found is not None
        sql = "UPDATE town_purses SET spent = ? WHERE person = ? AND asset = ?"
        town.run(sql, found[0] + amount_minor, party, asset)

    def is_person(self, context: Any, party: bytes) -> bool:
        """Everybody with a euro purse."""
        return self.purse(context, party, EUR) is not None

    def has_role(self, _context: Any, party: bytes, role: str) -> bool:
        """One operator."""
        return (party, role) == (OPERATOR, "operator")

    def alias_free(self, _context: Any, alias: bytes) -> bool:
        """All but one made of capital X."""
        return alias != b"X" * 32

    def parameter(self, _context: Any, name: str) -> int:
        """The default."""
        assert name == "exit_token_s"
        return 300

    def judge(self, context: Context, **_what: Any) -> tuple[str, ...]:
        """Suspicious when switched so."""
        sql = "SELECT on_off FROM town_switch WHERE name = 'suspicious' ORDER BY name"
        return ("new_payee",) if context.for_product("town").rows.one(sql) == (1,) else ()

    def hold(self, context: Context, *, payment: bytes, **_what: Any) -> None:
        """Remember."""
        context.for_product("town").rows.run("INSERT INTO town_held (payment) VALUES (?)", payment)

    def record(self, context: Context, *, payment: bytes, kind: str, state: str, **_what: Any) -> None:
        """Write down."""
        sql = "INSERT INTO town_book (payment, kind, state) VALUES (?, ?, ?)"
        context.for_product("town").rows.run(sql, payment, kind, state)

    def update(self, context: Context, payment_id: bytes, state: str) -> None:
        """Change what was written."""
        sql = "UPDATE town_book SET state = ? WHERE payment = ?"
        assert context.for_product("town").rows.run(sql, state, payment_id) == 1

    def pay_out(
        self, context: Context, *, party: bytes, account: int, asset: int, amount_minor: int, account_ref: bytes
    ) -> bytes:
        """To the bank's account, unless it is down."""
        assert len(party) == len(account_ref) == 16
        town = context.for_product("town")
        sql = "SELECT on_off FROM town_switch WHERE name = 'bank_down' ORDER BY name"
        town.refuse_if(town.rows.one(sql) == (1,), "town_bank_down")
        name = town.new_id("out")
        town.transfer(Transfer(id=name, debit=account, credit=BANK, amount=amount_minor, asset=asset, code=9))
        return name.to_bytes(16, "big")

    def is_linked(self, _context: Any, party: bytes, account_ref: bytes) -> bool:
        """All but one made of capital X."""
        return len(party) == 16 and account_ref != b"X" * 16


TOWN: Final = Town()
PAYMENTS: Final = payments(purses=TOWN, watch=TOWN, book=TOWN, payouts=TOWN)


def _begin(context: Context, _genesis: object) -> None:
    context.open_account(Account(id=WORLD, asset=EUR, code=9001))
    context.open_account(Account(id=BANK, asset=EUR, code=9002))


def _fund(context: Context, command: Fund) -> None:
    account = TOWN.purse(context, context.signer, command.asset)
    if account is None:
        account = context.new_id("purse")
        context.open_account(Account(id=account, asset=command.asset, code=9003, flags=AccountFlag.DEBITS_LIMITED))
        sql = "INSERT INTO town_purses (person, asset, account, spent) VALUES (?, ?, ?, 0)"
        context.rows.run(sql, context.signer, command.asset, account.to_bytes(16, "big"))
    context.transfer(
        Transfer(
            id=context.new_id("fund"),
            debit=WORLD,
            credit=account,
            amount=command.amount_minor,
            asset=command.asset,
            code=9,
        )
    )


def _switch(context: Context, command: Switch) -> None:
    sql = "INSERT OR REPLACE INTO town_switch (name, on_off) VALUES (?, ?)"
    context.rows.run(sql, "suspicious", int(command.suspicious))
    context.rows.run(sql, "bank_down", int(command.bank_down))


def _resolve(context: Context, command: Resolve) -> None:
    assert PAYMENTS.owns(context, command.payment)
    context.refuse_if(context.rows.run("DELETE FROM town_held WHERE payment = ?", command.payment) == 0, "town_gone")
    if command.captured:
        assert PAYMENTS.captured(context, command.payment)
    else:
        PAYMENTS.returned(context, command.payment, "recalled")


def products() -> list[Product]:
    """The shop, and the town round it."""
    town = Product(
        name="town",
        schema=SCHEMA,
        commands=(
            CommandType(name="fund", body=Fund, handler=_fund),
            CommandType(name="switch", body=Switch, handler=_switch),
            CommandType(name="resolve", body=Resolve, handler=_resolve),
        ),
        codes={
            "town_person_unknown": "Nobody of this name.",
            "town_bank_down": "The bank is down.",
            "town_gone": "It is resolved.",
        },
        on_genesis=_begin,
    )
    return [town, product(purses=TOWN, watch=TOWN, book=TOWN, payouts=TOWN)]


def spent(trial: Trial, who: bytes) -> int:
    """What the purses have counted as somebody's spending."""
    sql = "SELECT spent FROM town_purses WHERE person = ? AND asset = ? ORDER BY person, asset"
    found = trial.view("town").rows.one(sql, who, EUR)
    assert found is not None
    return int(found[0])


def balance(trial: Trial, who: bytes) -> int:
    """Somebody's free money."""
    account = TOWN.purse(trial.view("town"), who, EUR)
    assert account is not None
    return free(trial, account)


def free(trial: Trial, account: int) -> int:
    """An account's free money."""
    found = trial.view("town").account(account)
    assert found is not None
    return found.credits_posted - found.debits_posted - found.debits_held


def booked(trial: Trial, payment: bytes) -> tuple[str, str]:
    """Kind and state of a line of the book."""
    found = trial.view("town").rows.one("SELECT kind, state FROM town_book WHERE payment = ? ORDER BY payment", payment)
    assert found is not None
    return found[0], found[1]
