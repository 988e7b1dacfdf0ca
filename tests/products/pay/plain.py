"""A plain wallet for tests of payments and the guard: people with one account a currency, and money from nowhere.

It has what the products need of the real one (``Purses``) and no limits, so that a test says all that matters to it.
``test_real_wallet.py`` runs the same acts with the real one.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AccountFlag
from formicary.machine.context import Context, View
from formicary.machine.genesis import Genesis
from formicary.products.anatomy import Asset, CommandType, Message, Minor, Party, Product
from formicary.products.guard import Watch
from formicary.products.guard import product as guard_product
from formicary.products.pay import Ledgerbook, Settlement
from formicary.products.pay import product as pay_product
from formicary.testing.trial import Trial, person

EUR, CZK = 978, 203
WORLD_CODE, PURSE_CODE, FUNDED_CODE = 1048, 1049, 1098
ALICE, BOB, CAROL, DAVE = (person(name) for name in ("alice", "bob", "carol", "dave"))
SHOP = person("shop")
NODE = b"node"

SCHEMA = """
CREATE TABLE wallet_people (person BLOB NOT NULL, frozen INTEGER NOT NULL, PRIMARY KEY (person)) STRICT;
CREATE TABLE wallet_purses (
    person BLOB NOT NULL, asset INTEGER NOT NULL, account BLOB NOT NULL, spent_minor INTEGER NOT NULL,
    PRIMARY KEY (person, asset)
) STRICT;
CREATE TABLE wallet_trusted (person BLOB NOT NULL, contact BLOB NOT NULL, PRIMARY KEY (person, contact)) STRICT;
CREATE TABLE wallet_roles (person BLOB NOT NULL, role TEXT NOT NULL, PRIMARY KEY (person, role)) STRICT;
"""


class Open(Message, frozen=True):
    """Open an account."""

    asset: Asset


class Fund(Message, frozen=True):
    """Get money from nowhere."""

    asset: Asset
    amount_minor: Minor


class Freeze(Message, frozen=True):
    """Stop, or no longer."""

    frozen: bool


class Trust(Message, frozen=True):
    """Trust somebody."""

    contact: Party


class Appoint(Message, frozen=True):
    """Give oneself a role."""

    role: Annotated[str, Meta(max_length=16)]


class PlainPurses:
    """The need of payments and the guard, kept plain."""

    def purse(self, asker: Context | View, party: bytes, asset: int) -> int | None:
        """See :class:`formicary.products.pay.needs.Purses`."""
        sql = "SELECT account FROM wallet_purses WHERE person = ? AND asset = ? ORDER BY person"
        found = asker.for_product("wallet").rows.one(sql, party, asset)
        return None if found is None else int.from_bytes(found[0], "big")

    def is_person(self, asker: Context | View, party: bytes) -> bool:
        """See there."""
        sql = "SELECT person FROM wallet_people WHERE person = ? ORDER BY person"
        return asker.for_product("wallet").rows.one(sql, party) is not None

    def is_frozen(self, asker: Context | View, party: bytes) -> bool:
        """See there."""
        sql = "SELECT frozen FROM wallet_people WHERE person = ? ORDER BY person"
        found = asker.for_product("wallet").rows.one(sql, party)
        return found is not None and bool(found[0])

    def check_payer(self, context: Context, party: bytes, asset: int, amount_minor: int) -> int:
        """See there."""
        account = self.check_payee(context, party, asset, amount_minor)
        self._count(context, party, asset, amount_minor)
        return account

    def uncount(self, context: Context, party: bytes, asset: int, amount_minor: int, paid_ns: int) -> None:
        """See there."""
        assert paid_ns <= context.time_ns, "one takes back what was"
        self._count(context, party, asset, -amount_minor)

    def _count(self, context: Context, party: bytes, asset: int, amount_minor: int) -> None:
        own = context.for_product("wallet")
        spent = self.spent(own.view(), party, asset) + amount_minor
        sql = "UPDATE wallet_purses SET spent_minor = ? WHERE person = ? AND asset = ?"
        own.rows.run(sql, spent, party, asset)

    def spent(self, view: View, party: bytes, asset: int) -> int:
        """What counts as spent so far."""
        sql = "SELECT spent_minor FROM wallet_purses WHERE person = ? AND asset = ? ORDER BY person"
        found = view.for_product("wallet").rows.one(sql, party, asset)
        return 0 if found is None else int(found[0])

    def check_payee(self, context: Context, party: bytes, asset: int, _amount_minor: int) -> int:
        """See there."""
        own = context.for_product("wallet")
        own.refuse_if(not self.is_person(context, party), "person_unknown")
        own.refuse_if(self.is_frozen(context, party), "person_frozen")
        account = self.purse(context, party, asset)
        if account is None:
            own.refuse("currency_not_open")
        return account

    def trusted_of(self, asker: Context | View, party: bytes) -> tuple[bytes, ...]:
        """See the guard's needs."""
        sql = "SELECT contact FROM wallet_trusted WHERE person = ? ORDER BY contact"
        return tuple(row[0] for row in asker.for_product("wallet").rows.all(sql, party))

    def has_role(self, asker: Context | View, party: bytes, role: str) -> bool:
        """See there."""
        if party == NODE:
            return role == "operator"
        sql = "SELECT role FROM wallet_roles WHERE person = ? AND role = ? ORDER BY person"
        return asker.for_product("wallet").rows.one(sql, party, role) is not None

    def require_role(self, context: Context, role: str) -> None:
        """See there."""
        context.for_product("wallet").refuse_if(not self.has_role(context, context.signer, role), "role_missing")

    def note_act(self, context: Context, action: str, *, subject: bytes = b"", detail: str = "") -> None:
        """See there; nothing is kept."""

    def parameter(self, asker: Context | View, name: str) -> int:
        """See there."""
        del asker
        return {"guard_hold_s": 86_400}[name]


class OneShop:
    """A shop that takes euros."""

    def account_of(self, _context: Context, party: bytes, asset: int, _amount_minor: int) -> int | None:
        """See :class:`formicary.products.pay.needs.Receivers`."""
        return shop_account() if (party, asset) == (SHOP, EUR) else None


def shop_account() -> int:
    """The shop's account."""
    return int.from_bytes(SHOP, "big")


def _world(asset: int) -> int:
    return int.from_bytes(b"world" + asset.to_bytes(4, "big"), "big")


def _begin(context: Context, _genesis: Genesis) -> None:
    for asset in (EUR, CZK):
        context.open_account(Account(id=_world(asset), asset=asset, code=WORLD_CODE))
    flags = AccountFlag.DEBITS_LIMITED
    context.open_account(Account(id=shop_account(), asset=EUR, code=PURSE_CODE, flags=flags))


def _open(context: Context, command: Open) -> None:
    account = context.new_id("purse")
    flags = AccountFlag.DEBITS_LIMITED
    context.open_account(Account(id=account, asset=command.asset, code=PURSE_CODE, flags=flags))
    context.rows.run("INSERT OR REPLACE INTO wallet_people (person, frozen) VALUES (?, 0)", context.signer)
    sql = "INSERT INTO wallet_purses (person, asset, account, spent_minor) VALUES (?, ?, ?, 0)"
    context.rows.run(sql, context.signer, command.asset, account.to_bytes(16, "big"))


def _fund(context: Context, command: Fund) -> None:
    credit = PlainPurses().purse(context, context.signer, command.asset)
    assert credit is not None, "open an account first"
    transfer = Transfer(
        id=context.new_id("fund"),
        debit=_world(command.asset),
        credit=credit,
        amount=command.amount_minor,
        asset=command.asset,
        code=FUNDED_CODE,
    )
    context.transfer(transfer)


def _freeze(context: Context, command: Freeze) -> None:
    context.rows.run("UPDATE wallet_people SET frozen = ? WHERE person = ?", int(command.frozen), context.signer)


def _trust(context: Context, command: Trust) -> None:
    sql = "INSERT INTO wallet_trusted (person, contact) VALUES (?, ?)"
    context.rows.run(sql, context.signer, command.contact)


def _appoint(context: Context, command: Appoint) -> None:
    context.rows.run("INSERT INTO wallet_roles (person, role) VALUES (?, ?)", context.signer, command.role)


WALLET = Product(
    name="wallet",
    schema=SCHEMA,
    commands=(
        CommandType(name="open", body=Open, handler=_open),
        CommandType(name="fund", body=Fund, handler=_fund),
        CommandType(name="freeze", body=Freeze, handler=_freeze),
        CommandType(name="trust", body=Trust, handler=_trust),
        CommandType(name="appoint", body=Appoint, handler=_appoint),
    ),
    codes={
        "person_unknown": "There is no such person.",
        "person_frozen": "The person is frozen.",
        "currency_not_open": "The person has no account in this currency.",
        "role_missing": "The person has not the role.",
    },
    on_genesis=_begin,
)


def products() -> tuple[Product, ...]:
    """The plain wallet with the guard and payments over it."""
    purses = PlainPurses()
    return (
        WALLET,
        guard_product(purses=purses, payments=(Settlement(purses),), book=Ledgerbook()),
        pay_product(purses=purses, watch=Watch(purses), receivers=OneShop()),
    )


def town(*people: bytes, euros: int = 10_000_00, check: bool = True) -> Trial:
    """Some people with euros, and a shop."""
    trial = Trial(products(), check=check)
    for each in people:
        trial.ok(each, "wallet.open", Open(EUR))
        trial.ok(each, "wallet.fund", Fund(EUR, euros))
    return trial


def free(trial: Trial, party: bytes, asset: int = EUR) -> int:
    """What somebody has and can pay with, in minor units."""
    view = trial.view("wallet")
    number = shop_account() if party == SHOP else PlainPurses().purse(view, party, asset)
    assert number is not None
    account = view.account(number)
    assert account is not None
    return account.credits_posted - account.debits_posted - account.debits_held


def spent(trial: Trial, party: bytes, asset: int = EUR) -> int:
    """What the wallet counts as spent."""
    return PlainPurses().spent(trial.view("wallet"), party, asset)
