"""The routes of the one table: ``POST /v1/{product}/{command}`` and ``GET /v1/{product}/{query}``.

Nothing is written here about any product. What the table declares as ``Access.DOOR`` has no route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.gateway.door import Empty
from formicary.gateway.routes import Asked, Route, Told
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.machine.registry import Registered
    from formicary.products.anatomy import QueryType

COMMAND_CODES: Final = ("command_id_reused",)
"""What any command may be refused with at the door of the machine."""


def routes(door: Door) -> list[Route]:
    """A route for each command and query that is for others than doors."""
    found = [
        _command_route(door, name, registered)
        for (name, version), registered in door.registry.commands.items()
        if version == 1 and registered.type.access is not Access.DOOR
    ]
    found += [
        _query_route(door, name, query)
        for name, query in door.registry.queries.items()
        if query.access is not Access.DOOR
    ]
    return found


def _command_route(door: Door, name: str, registered: Registered) -> Route:
    command = registered.type

    async def handle(asked: Asked) -> Told:
        told, entry = await door.command(asked.caller, name, asked.body, asked.key)
        return Told(told, (("Formicary-Entry", str(entry)),))

    return Route(
        method="POST",
        path=_path(name),
        handle=handle,
        summary=summary_of(command.body, name),
        access=command.access,
        scope=command.scope,
        confirm=command.confirm,
        body=door.edge.reader(command.body).twin,
        answer=Empty if command.reply is None else door.edge.writer(command.reply).twin,
        idempotent=True,
        codes=COMMAND_CODES,
    )


def _query_route(door: Door, name: str, query: QueryType) -> Route:
    async def handle(asked: Asked) -> Told:
        return Told(await door.question(asked.caller, name, asked.query))

    return Route(
        method="GET",
        path=_path(name),
        handle=handle,
        summary=summary_of(query.asked, name),
        access=query.access,
        scope=query.scope,
        query=door.edge.reader(query.asked).twin,
        answer=door.edge.writer(query.answer).twin,
    )


def _path(name: str) -> str:
    return "/v1/" + name.replace(".", "/")


def summary_of(kind: type, name: str) -> str:
    """The first line of a type's documentation."""
    return (kind.__doc__ or name).strip().splitlines()[0]
