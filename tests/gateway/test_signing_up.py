"""Signing up: few fields, one passkey or PIN, and no instant at which a crash does harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from formicary.base.errors import Fault
from formicary.gateway.door import Door
from formicary.node.ledger import open_ledger
from formicary.stack import standard_products

from tests.gateway.town import Person, Town


def test_a_person_signs_up_with_a_passkey_and_is_signed_in(town: Town) -> None:
    """Four fields and a passkey; the session tells who it is."""
    ann = town.person("Ann  Arbor", alias="ann")
    me = ann.get("/v1/session")
    assert me.status_code == 200, me.text
    assert me.json()["person"] == {"id": ann.id, "name": "Ann Arbor", "kind": "person"}
    assert ann.get("/v1/wallet/me").json()["person"]["name"] == "Ann Arbor"
    assert [each["asset"] for each in ann.get("/v1/wallet/accounts").json()["items"]] == ["EUR"]


def test_a_person_signs_up_with_a_pin(town: Town) -> None:
    """The fallback: alias and PIN; a weak PIN is refused, and so is a PIN without an alias."""
    ann = town.person("Ann", alias="ann", pin="482915")
    assert ann.get("/v1/session").status_code == 200
    bo = Person(town, "Bo")
    for alias, pin, code in (
        ("bob", "123456", "pin_weak"),
        ("bob", "777777", "pin_weak"),
        (None, "482915", "alias_malformed"),
    ):
        begun = bo.post("/v1/sign-up/begin", name="Bo", alias=alias, currency="EUR").json()
        refused = bo.post("/v1/sign-up/finish", ticket=begun["ticket"], pin=pin)
        assert (refused.status_code, refused.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"name": ""}, "bad_input", "name"),
        ({"name": "\u200b"}, "bad_input", "name"),
        ({"alias": "1abc"}, "alias_malformed", "alias"),
        ({"alias": "a..b"}, "alias_malformed", "alias"),
        ({"currency": "JPY"}, "currency_not_offered", "currency"),
        ({"currency": "euro?"}, "bad_input", "currency"),
        ({"language": "tlh"}, "language_unknown", "language"),
        ({"birthday": "1990-01-01"}, "bad_input", ""),
    ],
)
def test_a_field_that_is_wrong_is_named(town: Town, change: dict[str, str], code: str, where: str) -> None:
    """Nothing is begun with fields that can't be."""
    fields = {"name": "Ann", "alias": "ann", "currency": "EUR", "language": "en", **change}
    refused = town.nobody.post("/v1/sign-up/begin", **fields)
    assert (refused.status_code, refused.json()["code"], refused.json().get("where", "")) == (422, code, where)


def test_an_alias_is_one_persons(town: Town, ann: Person) -> None:
    """A taken alias is refused at the beginning, and at the end when somebody was quicker; then nothing is left."""
    refused = town.nobody.post("/v1/sign-up/begin", name="Eve", alias="@ANN", currency="EUR")
    assert (refused.status_code, refused.json()["code"]) == (409, "alias_taken")
    slow, quick = Person(town, "Slow"), Person(town, "Quick")
    begun = slow.post("/v1/sign-up/begin", name="Slow", alias="both", currency="EUR").json()
    quick.sign_up(alias="both")
    credential = slow.passkey.create(begun["options"])
    late = slow.post("/v1/sign-up/finish", ticket=begun["ticket"], credential=credential)
    assert late.json()["code"] == "alias_taken"
    assert town.door.store.all("SELECT person FROM sign_ups") == []
    assert town.door.devices.by_credential(slow.passkey.credential) is None
    again = slow.post("/v1/sign-up/finish", ticket=begun["ticket"], credential=credential)
    assert again.json()["code"] == "ticket_unknown"
    assert ann.id


def test_a_ticket_is_good_for_its_time_and_purpose(town: Town) -> None:
    """Too late, or for something else: begin again."""
    eve = Person(town, "Eve")
    begun = eve.post("/v1/sign-up/begin", name="Eve", alias="eve", currency="EUR").json()
    credential = eve.passkey.create(begun["options"])
    other = eve.post("/v1/sign-in/finish", ticket=begun["ticket"], credential=credential)
    assert other.json()["code"] == "ticket_unknown"
    town.wait(seconds=town.config.ticket_s + 1)
    late = eve.post("/v1/sign-up/finish", ticket=begun["ticket"], credential=credential)
    assert (late.status_code, late.json()["code"]) == (404, "ticket_unknown")


STEPS = ("vault.put", "wallet.open", "wallet.add_device", "store.do")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_step_is_carried_through(tmp_path: Path, step: str, after: bool) -> None:
    """Kill the process before or after each step: the next start finishes, or nothing is left."""
    ledger = open_ledger(None, products=standard_products())
    town = Town(folder=tmp_path, ledger=ledger)
    ann = Person(town, "Ann")
    begun = ann.post("/v1/sign-up/begin", name="Ann", alias="ann", currency="EUR").json()
    proof = {"ticket": begun["ticket"], "credential": ann.passkey.create(begun["options"])}
    break_at(town.door, step, after=after)
    assert ann.post("/v1/sign-up/finish", **proof).status_code == 503
    town.close()

    again = Town(folder=tmp_path, ledger=ledger)
    ann = moved(ann, again)
    done = ann.post("/v1/sign-up/finish", **proof)
    if done.status_code == 404:  # the start had finished it, and the ticket with it
        done = ann.sign_in()
    assert done.status_code == 200, done.text
    assert ann.get("/v1/wallet/me").json()["person"]["name"] == "Ann"
    assert again.door.store.all("SELECT person FROM sign_ups") == []
    again.close()
    ledger.close()


def break_at(door: Door, step: str, *, after: bool) -> None:
    """Let one step of signing up fail as a killed process would: what was done stays, the rest never happens."""
    name, _, method = step.partition(".")
    broken: dict[str, int] = {}

    def cut(real: Callable[..., Any], *, nth: int = 1) -> Callable[..., Any]:
        async def work(*arguments: Any) -> Any:
            broken[step] = broken.get(step, 0) + 1
            if broken[step] != nth:
                return await real(*arguments)
            if after:
                await real(*arguments)
            message = "the process was killed"
            raise Fault(message)

        return work

    if name == "wallet":
        real = door.run_as

        async def run_as(signer: bytes, command: str, *rest: Any) -> Any:
            return await (cut(real) if command == step else real)(signer, command, *rest)

        door.run_as = run_as  # type: ignore[method-assign]
    elif step == "vault.put":
        put = door.aside

        async def aside(work: Any, *rest: Any) -> Any:
            return await (cut(put) if work == door.vault.put else put)(work, *rest)

        door.aside = aside  # type: ignore[method-assign]
    else:
        door.store.do = cut(door.store.do, nth=2)  # type: ignore[method-assign]
    assert method


def moved(person: Person, town: Town) -> Person:
    """The same person and passkey before the doors of another process."""
    other = Person(town, person.name)
    other.passkey = person.passkey
    return other
