"""``formicary operator``: who has a role in the institution, said from the machine itself, and its backing.

The first operators can't be appointed by an operator. Whoever may read the institution's folder may appoint; the
command is signed by the node, stands on the log as every other, and is listed by ``wallet.audit``. The wallet must not
run meanwhile: a ledger has one writer.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from formicary.base.errors import Refusal
from formicary.cli.backing import backing
from formicary.cli.options import AsJson
from formicary.cli.output import say, show_json, show_table

if TYPE_CHECKING:
    from formicary.gateway.door import Door

SETTINGS_NAME: Final = "formicary.toml"
PERSON_DIGITS: Final = 32

app = typer.Typer(help="Give and take roles in the institution, from the machine itself; see how its money is backed.")
app.command()(backing)


class Role(StrEnum):
    """What somebody may do in the institution."""

    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ARBITER = "arbiter"


Data: TypeAlias = Annotated[Path, typer.Argument(metavar="DATA", help="The folder of `formicary up`.")]
Person: TypeAlias = Annotated[str, typer.Argument(metavar="PERSON", help="Their @alias, or the id of their wallet.")]
RoleArgument: TypeAlias = Annotated[Role, typer.Argument(metavar="ROLE", help="operator, approver, auditor, arbiter.")]
Settings: TypeAlias = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings; without it, formicary.toml in DATA if there.")
]


@app.command()
def appoint(
    data: Data, person: Person, role: RoleArgument, *, config: Settings = None, as_json: AsJson = False
) -> None:
    """Give a person a role; how the first operators come to be. The wallet must be stopped.

    Refuses `locked` while it runs, `person_not_found`, and what the wallet refuses.

    Example: formicary operator appoint town @lena operator
    """
    _change("wallet.appoint", data, person, role, config=config, as_json=as_json)


@app.command()
def dismiss(
    data: Data, person: Person, role: RoleArgument, *, config: Settings = None, as_json: AsJson = False
) -> None:
    """Take a role from a person. The wallet must be stopped.

    Example: formicary operator dismiss town @lena operator
    """
    _change("wallet.dismiss", data, person, role, config=config, as_json=as_json)


@app.command("list")
def list_roles(data: Data, *, config: Settings = None, as_json: AsJson = False) -> None:
    """List who has which role. The wallet must be stopped; while it runs, the operator's page shows it."""
    with _door(data, config) as door:
        items = asyncio.run(_roles(door))
    if as_json:
        show_json({"items": items})
    else:
        rows = [[each["role"], each["name"], each["person"]] for each in items]
        show_table(["role", "name", "person"], rows)


def _change(command: str, data: Path, person: str, role: Role, *, config: Path | None, as_json: bool) -> None:
    with _door(data, config) as door:
        found, entry = asyncio.run(_run(door, command, person, role))
    if as_json:
        show_json({"person": found.hex(), "role": str(role), "entry": entry})
        return
    done = "is now" if command == "wallet.appoint" else "is no longer"
    say(f"{person} {done} {role} (entry {entry})")


async def _run(door: Door, command: str, person: str, role: Role) -> tuple[bytes, int]:
    """Find the person, and put the command on the log as the node."""
    from formicary.gateway.door import NODE

    found = await _find(door, person)
    body = door.message(command, person=found, role=str(role))
    _, entry = await door.run_as(NODE, command, body, secrets.token_bytes(16))
    return found, entry


async def _find(door: Door, person: str) -> bytes:
    """The person with this id or alias; refuses ``person_not_found``."""
    from formicary.gateway.naming import read_alias
    from formicary.gateway.signing_up import find

    if len(person) == PERSON_DIGITS and all(digit in "0123456789abcdef" for digit in person):
        return bytes.fromhex(person)
    found = await find(door, "alias", read_alias(person))
    if not found:
        raise Refusal(f"nobody is known here as {person}; they open a wallet first", code="person_not_found")
    return found


async def _roles(door: Door) -> list[dict[str, str]]:
    """Everybody with a role, by role and id."""
    from formicary.gateway.door import NODE

    given = await door.ask("wallet.roles", NODE, door.asked("wallet.roles"))
    items = sorted((each.role, each.person) for each in given.items)
    names = {person: await door.aside(_name, door, person) for _, person in items}
    return [{"role": role, "name": names[person], "person": person.hex()} for role, person in items]


def _name(door: Door, person: bytes) -> str:
    """A person's name; that it was read leaves a line that the person can see."""
    from formicary.vault import INSTITUTION

    door.vault.used(person, INSTITUTION, "name", "list of roles")
    return door.vault.get(person).get("name", "")


@contextmanager
def _door(data: Path, config: Path | None) -> Iterator[Door]:
    """Open the ledger and the vault of a stopped wallet."""
    from formicary.gateway.config import load_config
    from formicary.gateway.server import open_door
    from formicary.node.ledger import open_ledger
    from formicary.stack import standard_products

    found = config or (data / SETTINGS_NAME if (data / SETTINGS_NAME).exists() else None)
    settings = load_config(found, environment=dict(os.environ), flags={"data": data})
    with open_ledger(data / "ledger", create=False, products=standard_products()) as ledger:
        door = open_door(settings, ledger)
        try:
            yield door
        finally:
            door.close()
