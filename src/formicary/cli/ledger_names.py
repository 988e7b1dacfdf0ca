"""``formicary ledger names``: the names of accounts, which stand beside the log and can be changed and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from formicary.base.errors import Refusal
from formicary.cli.options import AsJson, AssetOption, LedgerInstead, LedgerMaybe, find_account, names_of, one_of
from formicary.cli.output import account_text, say, show_json, show_table

if TYPE_CHECKING:
    from formicary.node.names import Named, Names


def names(
    ledger: LedgerMaybe = None,
    *,
    ledger_option: LedgerInstead = None,
    search: Annotated[str, typer.Option(metavar="TEXT", help="Only names that contain this.")] = "",
    rename: Annotated[
        tuple[str, str] | None, typer.Option(metavar="OLD NEW", help="Call an account otherwise.", show_default=False)
    ] = None,
    erase: Annotated[
        str | None, typer.Option(metavar="NAME", help="Forget a name for good; nothing else goes.", show_default=False)
    ] = None,
    asset: AssetOption = None,
    limit: Annotated[int, typer.Option(min=1, max=8190, help="List at most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the names of accounts, change or erase one.

    The log knows ids only, so neither touches an account's transfers or balance. --asset says which account is meant
    where several have the name. An erased name does not come back; a backup made earlier still has it.
    """
    from formicary.node.folder import Folder

    if sum((bool(search), rename is not None, erase is not None)) > 1:
        raise typer.BadParameter("one of --search, --rename and --erase at a time")
    folder = one_of(ledger, ledger_option)
    Folder(folder).read_config()  # refuses what is not a ledger, before a file of names is made there
    with names_of(folder, read_only=rename is None and erase is None) as opened:
        if rename is not None:
            _rename(opened, *rename, asset=asset, as_json=as_json)
        elif erase is not None:
            _erase(opened, erase, asset=asset, as_json=as_json)
        else:
            _list(opened, search, asset=asset, limit=limit, as_json=as_json)


def _list(opened: Names, search: str, *, asset: str | None, limit: int, as_json: bool) -> None:
    from formicary.base.money import asset_code, parse_asset

    found = opened.search(search, asset=parse_asset(asset) if asset else None, limit=limit + 1)
    if as_json:
        show_json([_json(named) for named in found[:limit]])
        return
    show_table(
        ("name", "asset", "id"),
        [(named.name, asset_code(named.asset), account_text(named.id, {})) for named in found[:limit]],
        footer="there are more: choose with --limit, --search or --asset" if len(found) > limit else "",
    )


def _rename(opened: Names, old: str, new: str, *, asset: str | None, as_json: bool) -> None:
    from formicary.base.money import asset_code

    before = _meant(opened, old, asset)
    opened.rename(before.id, new)
    if as_json:
        show_json(_json(before._replace(name=new)) | {"was": before.name})
    else:
        say(f"{before.name} in {asset_code(before.asset)} is called {new} from now on")


def _erase(opened: Names, name: str, *, asset: str | None, as_json: bool) -> None:
    from formicary.base.money import asset_code

    before = _meant(opened, name, asset)
    opened.erase(before.id)
    if as_json:
        show_json(_json(before) | {"name": None, "was": before.name})
    else:
        say(f"{before.name} in {asset_code(before.asset)} is {account_text(before.id, {})} from now on, without a name")


def _meant(opened: Names, text: str, asset: str | None) -> Named:
    """Find the one named account that a person means."""
    number = find_account(opened, text, asset)
    found = opened.get(number)
    if found is None:
        raise Refusal(f"account {account_text(number, {})} has no name here", code="name_not_found")
    return found


def _json(named: Named) -> dict[str, Any]:
    from formicary.base.ids import format_id
    from formicary.base.money import asset_code

    return {"name": named.name, "asset": asset_code(named.asset), "id": format_id(named.id)}
