"""A town with something of everything in it, and requests made from the OpenAPI document to try on it.

Requests that are drawn at random are refused at the first id that does not exist. So half of them get ids, amounts and
currencies that this town knows, by the names of their fields, and come as far as the rules of the products.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

from formicary.gateway.edge_values import write_time

from tests.gateway.town import Person, Town

ROLES = ("nobody", "person", "operator")
STREAMS = {"/v1/events"}
"""Answers that do not end by themselves."""
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
UNAVAILABLE = 503
"""Told on purpose where something is not connected: no fault of the request, and none of ours."""
DAY = 86_400
DRAWN_PROOFS = {"cookie", "user-agent", "signature", "signature-input", "authorization"}
"""Headers that are drawn for the document's ways of signing in: they would hide who really asks."""


class World:
    """A town, its three kinds of caller, and values by the names of fields."""

    def __init__(self) -> None:
        self.town = Town()
        self.chance = random.Random(7)
        self.bo = self.town.nobody
        self.known: dict[str, list[Any]] = {
            "asset": ["EUR", "EUR", "USD"],
            "currency": ["EUR"],
            "purpose": ["friend", "goods", "fee_for_money"],
            "limit": [1, 20],
            "country": ["FR"],
            "category": [5814],
        }
        self.callers: dict[str, Person] = {"nobody": self.town.nobody}
        self._newcomers = 0
        self.renew("person")
        self.renew("operator")

    def renew(self, role: str) -> None:
        """Somebody new in a role, with money and a shop: requests freeze, close and sign out whoever makes them."""
        if role == "nobody":
            return
        self._newcomers += 1
        alias = f"bobby.{self._newcomers}"
        self.bo = self.town.person("Bo", alias=alias)  # an operator may have frozen the last one
        self.known.setdefault("find", []).append(f"@{alias}")
        person = self.town.person(f"Newcomer {self._newcomers}", alias=f"new.{self._newcomers}")
        self.town.raise_tier(person)
        self.town.fund(person, 50_000_00)
        if role == "operator":
            self.town.appoint(person, "operator", "approver", "auditor", "arbiter")
        self.callers[role] = person
        self.confirm(person)
        self._settle_in(person)

    def _settle_in(self, person: Person) -> None:
        """Begin one of everything, and note its names."""
        later = _time(self.town, DAY)
        ids = self.known
        for name in ("payee", "person", "payer", "party", "contact"):
            ids.setdefault(name, []).extend((self.bo.id, person.id))
        ids["find"].append(self.bo.id)
        shop = self._note(person, "/v1/shop/register", "shop", country="FR", category=5814, asset="EUR", alias=None)
        till = self._note(person, "/v1/shop/add_till", "till", shop=shop, label="Till", tip="ask")
        money = {"asset": "EUR", "amount_minor": 500}
        self._note(
            person,
            "/v1/shop/new_order",
            "order",
            shop=shop,
            till=till,
            **money,
            tip="ask",
            tip_value=0,
            number="7",
            until=later,
            many=True,
            exit=False,
        )
        self._note(person, "/v1/shop/offer_stay", "stay", shop=shop, asset="EUR", deposit_minor=900, until=later)
        paid = self._note(person, "/v1/pay/send", "payment", payee=self.bo.id, **money, purpose="friend", note="Tea")
        self._note(person, "/v1/pay/ask", "request", payer=self.bo.id, **money, purpose="rent", note=None, until=later)
        self._note(
            person,
            "/v1/pay/give",
            "packet",
            asset="EUR",
            total_minor=300,
            count=3,
            how="drawn",
            until=later,
            note=None,
            recipients=[],
        )
        self._note(
            self.bo,
            "/v1/pay/ask",
            "request",
            payer=person.id,
            **money,
            purpose="goods",
            note=None,
            until=later,
        )
        order = {"silence": "release", "silence_s": 3600, "inspect_s": 3600, "milestones": [], "note": None}
        self._note(person, "/v1/escrow/buy", "order", seller=self.bo.id, **money, ship_by=later, **order)
        ids.setdefault("transfer", []).append(paid)
        ids.setdefault("shop", []).append(shop)
        accounts = person.get("/v1/wallet/accounts").json()
        ids.setdefault("account", []).extend(each["account"] for each in accounts["items"])
        ids.setdefault("text", []).extend((ids["find"][0], f"/pay/{ids['order'][0]}"))

    def _note(self, person: Person, path: str, name: str, **fields: Any) -> str:
        answer = person.post(path, **fields)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        value = answer.json()[name]
        found: str = value["id"] if isinstance(value, dict) else value
        self.known.setdefault(name, []).append(found)
        return found

    def confirm(self, person: Person) -> bool:
        """Count as just confirmed and just seen; whether the session is still there."""
        session = self.town.door.sessions.find(person.client.cookies.get("formicary", ""))
        if session is None:
            return False
        session.confirmed_ns = session.used_ns = self.town.now_ns()
        return True

    def ready(self, role: str) -> Person:
        """Whoever has a role now; somebody new where the last one is frozen, gone or signed out."""
        person = self.callers[role]
        if role != "nobody" and (not self.confirm(person) or person.get("/v1/wallet/me").json().get("state") != "open"):
            self.renew(role)
        return self.callers[role]

    def familiar(self, value: Any, name: str = "") -> Any:
        """The same request with values that this town knows, by the names of fields; a few with a newline behind."""
        found = self._familiar(value, name)
        return f"{found}\n" if isinstance(found, str) and self.chance.random() < 0.03 else found

    def _familiar(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: self.familiar(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [self.familiar(each, name) for each in value]
        known = self.known.get(name)
        if known and self.chance.random() < 0.8:
            return self.chance.choice(known)
        if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_minor"):
            return self.chance.choice((1, 500, 10_000))
        if name in {"until", "ship_by", "first"} and isinstance(value, str):
            return _time(self.town, self.chance.choice((60, 3600, DAY)))
        return value

    def close(self) -> None:
        """Close the town."""
        self.town.close()


def _time(town: Town, seconds: int) -> str:
    return write_time(town.now_ns() + seconds * 10**9)


class Trial:
    """Tries operations of the document on a world, and gathers what is wrong in words."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.schema = schemathesis.openapi.from_dict(world.town.nobody.get("/openapi.json").json())
        self.wrong: dict[str, str] = {}
        self.statuses: dict[int, int] = {}

    def operations(self) -> Iterator[Any]:
        """Every operation of the document whose answer ends."""
        for result in self.schema.get_all_operations():
            operation = result.ok()
            if operation.path not in STREAMS:
                yield operation

    def attempt(self, operation: Any, role: str, *, examples: int, mode: GenerationMode) -> None:
        """Draw requests of an operation and send them as a role."""

        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: Case) -> None:
            self._send(case, role)

        try:
            run()
        except Exception as error:  # noqa: BLE001 - gathered
            self.wrong[f"{role} {operation.label} ({mode.value}): drawing"] = repr(error)[:300]

    def _send(self, case: Case, role: str) -> None:
        world = self.world
        person = world.ready(role)
        if world.chance.random() < 0.6:
            _make(case, world.familiar)
        key = world.town.key()
        if case.headers is not None and "Idempotency-Key" in case.headers and world.chance.random() < 0.9:
            case.headers["Idempotency-Key"] = key
        try:
            request = _request(case, person)
        except (httpx.InvalidURL, UnicodeEncodeError, ValueError, TypeError):
            return  # what no client can send
        response = world.town.run(person.client.send(request))
        response.elapsed  # noqa: B018 - read by the check
        status = response.status_code
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == UNAVAILABLE:
            return
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as error:
            told = "; ".join(str(each) for each in getattr(error, "exceptions", [error]))
            self.wrong.setdefault(
                f"{role} {case.operation.label} → {status}",
                f"{told[:900]}\n   body: {str(case.body)[:300]} "
                f"query: {case.query} path: {case.path_parameters}\n   answer: {response.text[:300]}",
            )


def _make(case: Case, familiar: Callable[[Any], Any]) -> None:
    if isinstance(case.body, dict | list):
        case.body = familiar(case.body)
    if case.query:
        case.query = familiar(dict(case.query))
    if case.path_parameters:
        case.path_parameters = familiar(dict(case.path_parameters))


def _request(case: Case, person: Person) -> httpx.Request:
    told: Mapping[str, Any] = case.as_transport_kwargs(base_url=person.origin)
    more = {name: told[name] for name in ("params", "json", "data", "files") if told.get(name) is not None}
    if isinstance(more.get("data"), bytes | str):
        more["content"] = more.pop("data")
    headers = {name: value for name, value in told["headers"].items() if name.lower() not in DRAWN_PROOFS}
    return person.client.build_request(told["method"], told["url"], headers=headers, **more)
