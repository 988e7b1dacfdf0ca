"""What many verbs share: how a ledger is named on the command line, opened, and its accounts found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from formicary.base.errors import BadInput, FormicaryError, Locked, Refusal

if TYPE_CHECKING:
    from formicary.node.follower import Follower
    from formicary.node.ledger import Ledger
    from formicary.node.names import Names
    from formicary.node.surface import Surface
    from formicary.products.anatomy import Product

VARIABLE: Final = "FORMICARY_LEDGER"

LedgerArgument: TypeAlias = Annotated[
    Path, typer.Argument(metavar="LEDGER", envvar=VARIABLE, help="The ledger's folder.", show_default=False)
]
LedgerOption: TypeAlias = Annotated[
    Path, typer.Option("--ledger", "-l", metavar="LEDGER", envvar=VARIABLE, help="The ledger's folder.")
]
LedgerMaybe: TypeAlias = Annotated[
    Path | None, typer.Argument(metavar="LEDGER", envvar=VARIABLE, help="The ledger's folder.", show_default=False)
]
LedgerInstead: TypeAlias = Annotated[
    Path | None, typer.Option("--ledger", "-l", metavar="LEDGER", help="The same, as an option.", show_default=False)
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]
AssetOption: TypeAlias = Annotated[
    str | None, typer.Option("--asset", metavar="ASSET", help="Such as EUR or POINTS.", show_default=False)
]


def one_of(ledger: Path | None, option: Path | None) -> Path:
    """Return the ledger's folder, given as an argument, as an option or in the environment."""
    chosen = option or ledger
    if chosen is None:
        raise typer.BadParameter(f"name a ledger: LEDGER, --ledger LEDGER, or {VARIABLE} in the environment")
    return chosen


@contextmanager
def names_of(ledger: Path, *, read_only: bool = True) -> Iterator[Names]:
    """Open a ledger's names."""
    from formicary.node.folder import Folder
    from formicary.node.names import Names

    with Names(Folder(ledger).names, read_only=read_only) as names:
        yield names


@contextmanager
def writing(ledger: Path) -> Iterator[Surface]:
    """Open a ledger that exists to write to it: here, or through its server when that has it open."""
    try:
        opened = open_writer(ledger)
    except Locked as locked:
        served = _served(ledger)
        if served is None:
            raise locked from None
        with served:
            yield served
        return
    with opened:
        yield opened


def open_writer(ledger: Path) -> Ledger:
    """Open a ledger that exists, in this process, to write to it."""
    from formicary.node.folder import Folder
    from formicary.node.ledger import open_ledger

    if not Folder(ledger).exists():
        raise Refusal(
            f"there is no ledger in {ledger}; make one: formicary ledger init {ledger}", code="ledger_missing"
        )
    return open_ledger(ledger, create=False, products=products_of(ledger))


def products_of(ledger: Path) -> Sequence[Product]:
    """The products that a ledger was written with; refuses those that this program doesn't know."""
    from formicary.node.folder import Folder

    names = Folder(ledger).read_config().products
    if not names:
        return ()
    from formicary.stack import standard_products

    products = standard_products()
    if tuple(product.name for product in products) != names:
        raise Refusal(
            f"this ledger was written with the products {', '.join(names)}; open it with the program that has them",
            code="other_products",
        )
    return products


@contextmanager
def reading(ledger: Path) -> Iterator[Surface]:
    """Open a ledger to read it: through its server when it is served, else by replaying its log beside any writer."""
    served = _served(ledger)
    with served if served is not None else open_follower(ledger) as opened:
        yield opened


def open_follower(ledger: Path) -> Follower:
    """Replay a ledger's log in memory, whether or not anybody writes it now."""
    from formicary.cli.output import progress_bar
    from formicary.node.ledger import open_ledger

    with progress_bar("replaying", 0, unit="entries", transient=True) as bar:
        return open_ledger(ledger, create=False, read_only=True, products=products_of(ledger), progress=bar.of)


def find_account(names: Names, text: str, asset: str | None) -> int:
    """Return the id of the account that a person means: a name, or ``#`` and an id, or a plain id."""
    from formicary.base.ids import parse_id
    from formicary.base.money import asset_code, parse_asset

    if text.startswith("#"):
        return parse_id(text[1:])
    found = names.named(text)
    if asset is not None:
        found = [each for each in found if each.asset == parse_asset(asset)]
    if len(found) == 1:
        return found[0].id
    if found:
        assets = " and ".join(asset_code(each.asset) for each in found)
        raise Refusal(f"{text!r} has accounts in {assets}; say which with --asset", code="account_ambiguous")
    try:
        return parse_id(text)
    except BadInput:
        within = f" in {asset}" if asset else ""
        raise Refusal(f"there is no account {text!r}{within}", code="account_not_found") from None


def _served(ledger: Path) -> Surface | None:
    """Connect to the server that has this ledger open, if there is one at its usual place."""
    socket = ledger / "serve.sock"
    if not socket.is_socket():
        return None
    from formicary.node.client import connect

    try:
        return connect(f"unix:{socket}")
    except (FormicaryError, OSError):
        return None
