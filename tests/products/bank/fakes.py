"""Plain stand-ins for the wallet and the activity list, with rows of their own, for tests of the bank alone."""

from __future__ import annotations

from typing import Any

from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.products.anatomy import Asset, Bytes16, CommandType, Message, Minor, Product
from formicary.products.bank import product as bank_product
from formicary.products.bank.offers import Payouts
from formicary.testing.trial import Trial, person

EUR, JPY = 978, 392
ALICE, BOB, OPERATOR = person("alice"), person("bob"), person("operator")
RAIL = b"rail/bank"
PURSE = 1000
BALANCE_MAX = 1_000_000


class Open(Message, frozen=True):
    """Open a purse."""

    asset: Asset


class Close(Message, frozen=True):
    """Close a purse, paying what is in it out."""

    asset: Asset
    account_ref: Bytes16


class Mint(Message, frozen=True):
    """Make money from nothing, as a faulty product would."""

    person: Bytes16
    asset: Asset
    amount_minor: Minor


class FakePurses:
    """Everybody who opened a purse, with one limit on balances."""

    def _row(self, context: Any, party: bytes, asset: int) -> tuple[int, str] | None:
        own = context.for_product("wallet")
        found = own.rows.one("SELECT account, state FROM wallet_purses WHERE party = ? AND asset = ?", party, asset)
        return None if found is None else (int.from_bytes(found[0], "big"), found[1])

    def purse(self, context: Any, party: bytes, asset: int) -> int | None:
        """See the Protocol."""
        found = self._row(context, party, asset)
        return found[0] if found is not None and found[1] == "open" else None

    def check_payer(self, context: Any, party: bytes, asset: int, amount_minor: int) -> int:
        """See the Protocol."""
        own = context.for_product("wallet")
        account = self.purse(context, party, asset)
        if account is None:
            own.refuse("person_unknown")
        own.rows.run(
            "INSERT INTO wallet_spent (number, party, amount_minor) VALUES (?, ?, ?)",
            own.new_id("spent") >> 65, party, amount_minor,
        )  # fmt: skip
        return account

    def uncount(self, context: Any, party: bytes, asset: int, amount_minor: int, paid_ns: int) -> None:
        """See the Protocol."""
        assert asset
        assert paid_ns <= context.time_ns
        own = context.for_product("wallet")
        own.rows.run(
            "INSERT INTO wallet_spent (number, party, amount_minor) VALUES (?, ?, ?)",
            own.new_id("unspent") >> 65, party, -amount_minor,
        )  # fmt: skip

    def check_payee(self, context: Any, party: bytes, asset: int, amount_minor: int) -> int:
        """See the Protocol."""
        own = context.for_product("wallet")
        account = self.purse(context, party, asset)
        if account is None:
            own.refuse("person_unknown")
        found = context.balance(account)
        own.refuse_if(found.credits_posted - found.debits_posted + amount_minor > BALANCE_MAX, "balance_limit")
        return account

    def is_person(self, context: Any, party: bytes) -> bool:
        """See the Protocol."""
        return any(self._row(context, party, asset) for asset in (EUR, JPY))

    def opened_ns(self, context: Any, party: bytes) -> int:
        """See the Protocol."""
        return int(self.is_person(context, party))

    def has_role(self, _context: Any, party: bytes, role: str) -> bool:
        """See the Protocol."""
        return (party, role) == (OPERATOR, "operator")

    def note_act(self, context: Any, action: str, *, subject: bytes = b"", detail: str = "") -> None:
        """See the Protocol."""
        assert context.signer == OPERATOR
        assert action.startswith("bank_")
        assert len(subject) in {0, 16}
        assert len(detail) == 64


class FakeBook:
    """Keeps the newest state of each payment."""

    def record(self, context: Any, *, payment: bytes, kind: str, state: str, amount_minor: int, **_rest: Any) -> None:
        """See the Protocol."""
        sql = "INSERT INTO wallet_book (payment, kind, state, amount_minor) VALUES (?, ?, ?, ?)"
        context.for_product("wallet").rows.run(sql, payment, kind, state, amount_minor)

    def update(self, context: Any, payment: bytes, state: str, /) -> None:
        """See the Protocol."""
        sql = "UPDATE wallet_book SET state = ? WHERE payment = ?"
        assert context.for_product("wallet").rows.run(sql, state, payment) == 1


PURSES, BOOK = FakePurses(), FakeBook()


def open_purse(context: Any, command: Open) -> None:
    """Open an account that can't be overdrawn."""
    account = context.new_id("purse")
    context.open_account(Account(id=account, asset=command.asset, code=PURSE, flags=AccountFlag.DEBITS_LIMITED))
    sql = "INSERT INTO wallet_purses (party, asset, account, state) VALUES (?, ?, ?, 'open')"
    context.rows.run(sql, context.signer, command.asset, account.to_bytes(16, "big"))


def close_purse(context: Any, command: Close) -> None:
    """Pay out, then close the account in the kernel."""
    account = PURSES.purse(context, context.signer, command.asset)
    found = context.balance(account)
    balance = found.credits_posted - found.debits_posted
    Payouts(BOOK).pay_out(
        context,
        party=context.signer,
        account=account,
        asset=command.asset,
        amount_minor=balance,
        account_ref=command.account_ref,
    )
    bin_id = context.new_id("bin")
    context.open_account(Account(id=bin_id, asset=command.asset, code=PURSE + 1))
    context.transfer(
        Transfer(
            id=context.new_id("close"), debit=account, credit=bin_id, asset=command.asset, code=1050,
            flags=TransferFlag.CLOSING_DEBIT,
        )
    )  # fmt: skip
    context.rows.run(
        "UPDATE wallet_purses SET state = 'closed' WHERE party = ? AND asset = ?", context.signer, command.asset
    )


def mint(context: Any, command: Mint) -> None:
    """Credit a purse from an account of no bank."""
    thin_air = context.new_id("air")
    context.open_account(Account(id=thin_air, asset=command.asset, code=9999))
    account = PURSES.purse(context, command.person, command.asset)
    context.transfer(
        Transfer(
            id=context.new_id("mint"), debit=thin_air, credit=account, amount=command.amount_minor,
            asset=command.asset, code=9998,
        )
    )  # fmt: skip


WALLET = Product(
    name="wallet",
    schema="""
        CREATE TABLE wallet_purses (
            party BLOB NOT NULL, asset INTEGER NOT NULL, account BLOB NOT NULL, state TEXT NOT NULL,
            PRIMARY KEY (party, asset)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE wallet_spent (
            number INTEGER NOT NULL PRIMARY KEY, party BLOB NOT NULL, amount_minor INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE wallet_book (
            payment BLOB NOT NULL PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, amount_minor INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
    """,
    commands=(
        CommandType(name="open", body=Open, handler=open_purse),
        CommandType(name="close", body=Close, handler=close_purse),
        CommandType(name="mint", body=Mint, handler=mint),
    ),
    codes={"person_unknown": "Nobody.", "balance_limit": "Too much."},
)


def products() -> list[Product]:
    """The bank and the stand-ins."""
    return [WALLET, bank_product(PURSES, BOOK)]


def balance(town: Trial, party: bytes, asset: int = EUR) -> int:
    """What somebody has."""
    view = town.view("wallet")
    found = view.rows.one("SELECT account FROM wallet_purses WHERE party = ? AND asset = ?", party, asset)
    account = view.account(int.from_bytes(found[0], "big"))
    return account.credits_posted - account.debits_posted


def spent(town: Trial, party: bytes) -> int:
    """What counts as spent by somebody."""
    rows = town.view("wallet").rows.all("SELECT amount_minor FROM wallet_spent WHERE party = ? ORDER BY number", party)
    return sum(amount for (amount,) in rows)


def book_state(town: Trial, payment: bytes) -> str:
    """How a line of activity stands."""
    found = town.view("wallet").rows.one("SELECT state FROM wallet_book WHERE payment = ?", payment)
    return found[0]
