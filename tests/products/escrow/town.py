"""A plain town for tests: people with purses, roles, and an activity list, behind the Protocols that products declare.

It is a product of its own with one table, so that it replays; what the real wallet checks is here only as far as a test
of another product needs it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from formicary.base.errors import Refusal
from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AccountFlag
from formicary.products.anatomy import Asset, CommandType, Message, Minor, Party, Product
from formicary.testing.trial import Trial, person

EUR: Final = 978
USD: Final = 840
WORLD: Final = {EUR: 9_978, USD: 9_840}
LIMIT_MINOR: Final = 1_000_000
ALICE, BOB, CAROL, JUDGE = person("alice"), person("bob"), person("carol"), person("judge")
STRANGER: Final = person("stranger")

SCHEMA: Final = """
    CREATE TABLE town_purses (
        party BLOB NOT NULL, asset INTEGER NOT NULL, account BLOB NOT NULL, state TEXT NOT NULL,
        spent_minor INTEGER NOT NULL, PRIMARY KEY (party, asset)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE town_lines (
        payment BLOB NOT NULL, kind TEXT NOT NULL, payer BLOB NOT NULL, payee BLOB NOT NULL,
        amount_minor INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (payment)
    ) STRICT, WITHOUT ROWID;
"""


class Settle(Message, frozen=True):
    """Open a purse for the signer with money in it."""

    asset: Asset
    amount_minor: Minor


class SetState(Message, frozen=True):
    """Make somebody's purses open, frozen or closed."""

    party: Party
    state: Literal["open", "frozen", "closed"]


class Purses:
    """Purses as the products' needs describe them."""

    def _row(self, context: Any, party: bytes, asset: int) -> Any:
        sql = "SELECT account, state, spent_minor FROM town_purses WHERE party = ? AND asset = ?"
        return context.for_product("town").rows.one(sql, party, asset)

    def purse(self, context: Any, party: bytes, asset: int) -> int | None:
        """The account, unless it was closed."""
        found = self._row(context, party, asset)
        return None if found is None or found[1] == "closed" else int.from_bytes(found[0], "big")

    def _checked(self, context: Any, party: bytes, asset: int) -> Any:
        known = context.for_product("town").rows.all(
            "SELECT asset FROM town_purses WHERE party = ? ORDER BY asset", party
        )
        if not known:
            raise Refusal("", code="person_unknown")
        found = self._row(context, party, asset)
        if found is None:
            raise Refusal("", code="currency_not_open")
        if found[1] != "open":
            raise Refusal("", code=f"person_{found[1]}")
        return found

    def check_payer(self, context: Any, party: bytes, asset: int, amount_minor: int) -> int:
        """The account to pay from; counts what is spent."""
        account, _, spent_minor = self._checked(context, party, asset)
        if amount_minor > LIMIT_MINOR:
            raise Refusal("", code="limit_payment")
        self._spend(context, party, asset, spent_minor + amount_minor)
        return int.from_bytes(account, "big")

    def check_payee(self, context: Any, party: bytes, asset: int, amount_minor: int) -> int:
        """The account to pay into."""
        account = int.from_bytes(self._checked(context, party, asset)[0], "big")
        if amount_minor > 2 * LIMIT_MINOR:
            raise Refusal("", code="balance_limit")
        return account

    def uncount(self, context: Any, party: bytes, asset: int, amount_minor: int, paid_ns: int) -> None:
        """Take counted spending back."""
        assert 0 < paid_ns <= context.time_ns
        found = self._row(context, party, asset)
        if found is not None:
            assert found[2] >= amount_minor, "no more is taken back than was counted"
            self._spend(context, party, asset, found[2] - amount_minor)

    def has_role(self, _context: Any, party: bytes, role: str) -> bool:
        """One judge."""
        return party == JUDGE and role in {"arbiter", "operator"}

    def _spend(self, context: Any, party: bytes, asset: int, spent_minor: int) -> None:
        sql = "UPDATE town_purses SET spent_minor = ? WHERE party = ? AND asset = ?"
        context.for_product("town").rows.run(sql, spent_minor, party, asset)


class NoShops:
    """Nobody but people is paid here."""

    def account_of(self, _context: Any, _party: bytes, _asset: int, _amount_minor: int) -> int | None:
        """Nowhere."""
        return None


class Book:
    """The activity list."""

    def record(self, context: Any, *, payment: bytes, kind: str, payer: bytes, payee: bytes, **rest: Any) -> None:
        """Add a line."""
        sql = "INSERT INTO town_lines (payment, kind, payer, payee, amount_minor, state) VALUES (?, ?, ?, ?, ?, ?)"
        context.for_product("town").rows.run(sql, payment, kind, payer, payee, rest["amount_minor"], rest["state"])

    def update(self, context: Any, payment_id: bytes, state: str) -> None:
        """Change a line's state; the line is there."""
        sql = "UPDATE town_lines SET state = ? WHERE payment = ?"
        assert context.for_product("town").rows.run(sql, state, payment_id) == 1, "a line is recorded before it changes"


def _settle(context: Any, command: Settle) -> None:
    account = context.new_id("purse")
    context.open_account(Account(id=account, asset=command.asset, code=1001, flags=AccountFlag.DEBITS_LIMITED))
    sql = "INSERT INTO town_purses (party, asset, account, state, spent_minor) VALUES (?, ?, ?, 'open', 0)"
    context.rows.run(sql, context.signer, command.asset, account.to_bytes(16, "big"))
    context.transfer(
        Transfer(
            id=context.new_id("settle"),
            debit=WORLD[command.asset],
            credit=account,
            amount=command.amount_minor,
            asset=command.asset,
            code=1051,
        )
    )


def _set_state(context: Any, command: SetState) -> None:
    context.rows.run("UPDATE town_purses SET state = ? WHERE party = ?", command.state, command.party)


def _begin(context: Any, _genesis: Any) -> None:
    for asset, account in WORLD.items():
        context.open_account(Account(id=account, asset=asset, code=1002))


TOWN: Final = Product(
    name="town",
    schema=SCHEMA,
    commands=(
        CommandType(name="settle", body=Settle, handler=_settle),
        CommandType(name="set_state", body=SetState, handler=_set_state),
    ),
    codes={
        "person_unknown": "No such person.",
        "person_frozen": "Frozen.",
        "person_closed": "Closed.",
        "currency_not_open": "No purse in that currency.",
        "limit_payment": "Too much at once.",
        "balance_limit": "Too much money.",
    },
    on_genesis=_begin,
)


def balance(town: Trial, party: bytes, asset: int = EUR) -> int:
    """What somebody can spend."""
    purse = Purses().purse(town.view("town"), party, asset)
    if purse is None:
        found = town.view("town").rows.one(
            "SELECT account FROM town_purses WHERE party = ? AND asset = ?", party, asset
        )
        assert found is not None
        purse = int.from_bytes(found[0], "big")
    account = town.view("town").account(purse)
    assert account is not None
    return account.credits_posted - account.debits_posted - account.debits_held


def spent(town: Trial, party: bytes, asset: int = EUR) -> int:
    """What counts as spent."""
    found = town.view("town").rows.one(
        "SELECT spent_minor FROM town_purses WHERE party = ? AND asset = ?", party, asset
    )
    assert found is not None
    return int(found[0])


def lines(town: Trial) -> list[tuple[str, bytes, bytes, int, str]]:
    """The activity list: kind, payer, payee, amount, state."""
    sql = "SELECT payment, kind, payer, payee, amount_minor, state FROM town_lines ORDER BY payment"
    return sorted(tuple(row[1:]) for row in town.view("town").rows.all(sql))
