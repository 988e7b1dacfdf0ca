"""A product that pays: it brings money, moves it within the wallet's checks, and holds it. Only for these tests."""

from __future__ import annotations

from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AMOUNT_ALL, AccountFlag, TransferFlag
from formicary.machine.context import Context
from formicary.machine.genesis import Genesis
from formicary.products.anatomy import Asset, Bytes16, CommandType, Message, Minor, Party, Product, Time
from formicary.products.wallet.limits import MULTIPLES
from formicary.products.wallet.offers import Purses

SOURCE = 7_000_000
CODE = 4901
CURRENCIES = (*MULTIPLES, 392)


class Fund(Message, frozen=True):
    """Bring money from outside, without asking the wallet."""

    person: Party
    asset: Asset
    amount_minor: Minor


class Pay(Message, frozen=True):
    """Pay from the signer to a person."""

    payee: Party
    asset: Asset
    amount_minor: Minor


class Receive(Message, frozen=True):
    """Bring money as far as the payee's tier allows."""

    payee: Party
    asset: Asset
    amount_minor: Minor


class Hold(Message, frozen=True):
    """Hold money of the signer for a person."""

    payee: Party
    asset: Asset
    amount_minor: Minor


class Held(Message, frozen=True):
    """The hold's name."""

    hold: Bytes16


class Release(Message, frozen=True):
    """Give a hold back, and take what was counted back as well."""

    hold: Bytes16
    asset: Asset
    amount_minor: Minor
    paid_ns: Time


class Payouts:
    """Pays out to the outside at once, and remembers nothing."""

    def pay_out(
        self, context: Context, *, party: bytes, account: int, asset: int, amount_minor: int, account_ref: bytes | None
    ) -> bytes:
        """See the wallet's needs."""
        assert len(party) == 16
        assert account_ref is not None
        name = context.new_id("payout")
        _move(context, debit=account, credit=SOURCE + asset, asset=asset, amount_minor=amount_minor, name=name)
        return name.to_bytes(16, "big")


def begin(context: Context, _genesis: Genesis) -> None:
    """Open where money comes from."""
    for asset in CURRENCIES:
        context.open_account(Account(id=SOURCE + asset, asset=asset, code=CODE, flags=AccountFlag(0)))


def fund(context: Context, command: Fund) -> None:
    """Bring money."""
    account = Purses().purse(context, command.person, command.asset)
    if account is None:
        context.for_product("wallet").refuse("person_unknown")
    _move(context, debit=SOURCE + command.asset, credit=account, asset=command.asset, amount_minor=command.amount_minor)


def pay(context: Context, command: Pay) -> None:
    """Check both, then move."""
    debit = Purses().check_payer(context, context.signer, command.asset, command.amount_minor)
    credit = Purses().check_payee(context, command.payee, command.asset, command.amount_minor)
    _move(context, debit=debit, credit=credit, asset=command.asset, amount_minor=command.amount_minor)


def receive(context: Context, command: Receive) -> None:
    """Check the payee, then bring."""
    credit = Purses().check_payee(context, command.payee, command.asset, command.amount_minor)
    _move(context, debit=SOURCE + command.asset, credit=credit, asset=command.asset, amount_minor=command.amount_minor)


def hold(context: Context, command: Hold) -> Held:
    """Check both, then hold."""
    debit = Purses().check_payer(context, context.signer, command.asset, command.amount_minor)
    credit = Purses().check_payee(context, command.payee, command.asset, command.amount_minor)
    name = context.new_id("hold")
    _move(
        context,
        debit=debit,
        credit=credit,
        asset=command.asset,
        amount_minor=command.amount_minor,
        name=name,
        flags=TransferFlag.HOLD,
    )
    return Held(name.to_bytes(16, "big"))


def release(context: Context, command: Release) -> None:
    """Give back."""
    context.transfer(
        Transfer(
            id=context.new_id("release"),
            hold_id=int.from_bytes(command.hold, "big"),
            amount=AMOUNT_ALL,
            flags=TransferFlag.RELEASE,
        )
    )
    Purses().uncount(context, context.signer, command.asset, command.amount_minor, command.paid_ns)


def _move(
    context: Context,
    *,
    debit: int,
    credit: int,
    asset: int,
    amount_minor: int,
    name: int = 0,
    flags: TransferFlag | None = None,
) -> None:
    number = name or context.new_id("move")
    context.transfer(
        Transfer(
            id=number,
            debit=debit,
            credit=credit,
            amount=amount_minor,
            asset=asset,
            code=CODE,
            flags=flags or TransferFlag(0),
        )
    )


PROBE = Product(
    name="probe",
    commands=(
        CommandType(name="fund", body=Fund, handler=fund),
        CommandType(name="pay", body=Pay, handler=pay),
        CommandType(name="receive", body=Receive, handler=receive),
        CommandType(name="hold", body=Hold, handler=hold, reply=Held),
        CommandType(name="release", body=Release, handler=release),
    ),
    on_genesis=begin,
)
