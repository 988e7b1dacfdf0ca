"""Every role on every route: the list of routes says who may, and the doors keep to it, precisely.

A route is tried with nothing in its body: who may not is told so before anything is read; who may gets past the door,
to whatever the route itself says of an empty request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from formicary.gateway.routes import Caller, CallerKind, Route
from formicary.products.anatomy import Access

from tests.gateway.town import Person, Town

KEY = {"Idempotency-Key": "matrix-0123456789abcdef"}
ROLES = ("nobody", "person", "unconfirmed", "operator", "key", "key without", "token", "token without")
AT_THE_DOOR = {"not_signed_in", "forbidden", "scope_missing", "confirmation_needed", "origin_refused"}
STREAMS = {"/v1/events"}
"""Answers that do not end by themselves."""


class Matrix:
    """A town, and a way to ask as each role."""

    def __init__(self) -> None:
        self.town = Town()
        self.person = self.town.person("Ann", alias="ann")
        self.operator = self.town.appoint(self.town.person("Olga"), "operator")
        self.pretended: Caller | None = None
        self.town.app._allowing._authenticators = (self.authenticate,)

    async def authenticate(self, _request: Any, _body: bytes) -> Caller | None:
        """Keys and tokens, as if they had been checked: their own tests check them."""
        return self.pretended

    def ask(self, role: str, route: Route) -> tuple[int, str]:
        """Status and code of an empty request of a role."""
        person: Person = self.operator if role == "operator" else self.person
        headers = {**KEY}
        if role == "nobody":
            person = self.town.nobody
        elif role.startswith(("key", "token")):
            person = self.town.nobody
            kind = CallerKind.KEY if role.startswith("key") else CallerKind.TOKEN
            scopes = frozenset({"other:scope"} if role.endswith("without") else {route.scope})
            self.pretended = Caller(kind, self.person.party, frozenset(), scopes, 0, role)
            headers["Authorization"] = "Test"
        if role != "unconfirmed":
            self.confirm(person)
        else:
            self.town.wait(seconds=self.town.config.confirm_s + 1)
        path = route.path.replace(":path}", "}")
        for name in ("{" + part.split("}")[0] + "}" for part in path.split("{")[1:]):
            path = path.replace(name, "00" * 16)
        found = person.ask(route.method, path, headers=headers, content=b"")
        is_problem = found.headers.get("content-type") == "application/problem+json"
        return found.status_code, found.json()["code"] if is_problem else ""

    def confirm(self, person: Person) -> None:
        """Count as just confirmed, and as just seen."""
        if person is not self.town.nobody:
            session = self.town.door.sessions.find(person.client.cookies["formicary"])
            if session is None:
                person.sign_in()
            else:
                session.confirmed_ns = session.used_ns = self.town.now_ns()


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """One town for all."""
    made = Matrix()
    yield made
    made.town.close()


def expected(role: str, route: Route) -> str:
    """The code that the door says to a role; empty when it lets them pass."""
    if route.access is Access.ANYONE:
        return ""
    if role == "nobody":
        return "not_signed_in"
    by_machine = role.startswith(("key", "token"))
    if by_machine and (not route.scope or role.endswith("without")):
        return "scope_missing"
    if route.access is Access.OPERATOR and role != "operator":
        return "forbidden"
    if route.confirm and (role == "unconfirmed" or role.startswith("token")):
        return "confirmation_needed"
    return ""


def test_every_role_on_every_route(matrix: Matrix) -> None:
    """Allowed exactly where the list says so; and nothing that is allowed to knock breaks."""
    wrong = []
    routes = [route for route in matrix.town.app.table.routes if route.path not in STREAMS]
    assert len(routes) > 150
    ends = {"/v1/session", "/v1/profile"}  # these end what the other tries need: last
    for route in sorted(routes, key=lambda each: (each.path in ends and each.method == "DELETE", each.path)):
        for role in ROLES:
            if route.method == "DELETE" and route.path in ends and not expected(role, route):
                continue
            status, code = matrix.ask(role, route)
            told = code if code in AT_THE_DOOR else ""
            own = told in {"scope_missing", "forbidden", "not_signed_in"} and expected(role, route) == "" and told
            if told != expected(role, route) and not (own and own_rule(route, role)):
                wrong.append(f"{role} on {route.method} {route.path}: {code or status}, not {expected(role, route)!r}")
            if status >= 500 and status != 503:
                wrong.append(f"{role} on {route.method} {route.path}: {status} {code}")
    assert not wrong, "\n".join(wrong)


def own_rule(route: Route, role: str) -> bool:
    """Routes that tell apart further than the list does: the OAuth pages and metrics have rules of their own."""
    return route.path.startswith(("/oauth", "/metrics", "/v1/clearing")) or role in {"token", "key"}


def test_what_the_table_gives_to_doors_only_has_no_route(matrix: Matrix) -> None:
    """No address leads to a command that a door has to put together."""
    paths = {(route.method, route.path) for route in matrix.town.app.table.routes}
    registry = matrix.town.door.registry
    for (name, _), command in registry.commands.items():
        is_there = ("POST", "/v1/" + name.replace(".", "/")) in paths
        assert is_there == (command.type.access is not Access.DOOR), name
    for name, query in registry.queries.items():
        is_there = ("GET", "/v1/" + name.replace(".", "/")) in paths
        assert is_there == (query.access is not Access.DOOR), name


def test_the_document_has_every_route(matrix: Matrix) -> None:
    """OpenAPI 3.1: each route once, with a summary, its problems, and who may."""
    document = matrix.town.nobody.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    routes = matrix.town.app.table.routes
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(route.method, route.path.replace(":path}", "}")) for route in routes}
    names = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(names) == len(set(names))
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert "default" in operation["responses"]
    for reference in references(document):
        assert reference.rpartition("/")[2] in document["components"]["schemas"], reference


def references(part: Any) -> Iterator[str]:
    """Every ``$ref`` in a document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)
