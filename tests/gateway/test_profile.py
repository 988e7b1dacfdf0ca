"""Profiles, finding people, and being erased for good: no personal string is left in any file, nor was in the log."""

from __future__ import annotations

from pathlib import Path

from formicary.node.ledger import open_ledger
from formicary.stack import standard_products

from tests.gateway.town import Person, Town


def test_a_profile_is_changed_on_the_ledger_and_in_the_vault(town: Town, ann: Person) -> None:
    """Alias, phone and mail move; others find by the new ones and no more by the old."""
    bo = town.person("Bo")
    changed = ann.ask("PATCH", "/v1/profile", json={"alias": "ada", "phone": "+49 170 1234567", "findable": True})
    assert changed.status_code == 200, changed.text
    assert changed.json()["phone"] == "+491701234567"
    for text in ("@ada", "+49 (170) 123-4567", ann.id):
        assert bo.get("/v1/parties", find=text).json()["name"] == "Ann", text
    assert bo.get("/v1/parties", find="@ann").status_code == 404
    hidden = ann.ask("PATCH", "/v1/profile", json={"findable": False})
    assert hidden.json()["findable"] is False
    assert bo.get("/v1/parties", find="+491701234567").status_code == 404
    gone = ann.ask("PATCH", "/v1/profile", json={"phone": "", "name": "Ada"})
    assert (gone.json()["phone"], gone.json()["name"]) == ("", "Ada")
    assert bo.get("/v1/parties", find="@ada").json()["name"] == "Ada"
    assert bo.ask("PATCH", "/v1/profile", json={"alias": "@Ada"}).json()["code"] == "alias_taken"


def test_nobody_is_found_by_half_a_name(town: Town, ann: Person) -> None:
    """Exact or nothing; what is neither alias, number, address nor id is refused."""
    bo = town.person("Bo")
    for text, status in (
        ("@an", 422),
        ("@anna", 404),
        ("+1234567", 404),
        ("x@y.zz", 404),
        ("00" * 16, 404),
        ("+1", 422),
    ):
        assert bo.get("/v1/parties", find=text).status_code == status, text
    assert town.nobody.get("/v1/parties", find="@ann").status_code == 401
    assert ann.id


def test_a_person_sees_who_saw_them(town: Town, ann: Person, bo: Person) -> None:
    """Each reader, once a day and thing."""
    bo.get("/v1/parties", find="@ann")
    bo.get("/v1/parties", find="@ann")
    lines = ann.get("/v1/profile/uses").json()["items"]
    assert [(line["reader"]["name"], line["what"], line["times"]) for line in lines] == [("Bo", "name", 2)]
    assert town.door


def test_the_institution_reads_a_case_and_that_is_noted(town: Town, ann: Person, bo: Person) -> None:
    """A report's text is for the people who judge it; who of them read it, and when, its writer sees."""
    town.fund(ann, 5_000)
    paid = ann.post("/v1/pay/send", payee=bo.id, asset="EUR", amount_minor=500, purpose="friend", note="Secret note")
    assert paid.status_code == 200, paid.text
    reported = ann.post("/v1/guard/report", payment=paid.json()["payment"], text="He tricked me")
    assert reported.status_code == 200, reported.text
    olga = town.appoint(town.person("Olga"), "operator")
    shown = olga.get("/v1/guard/cases").text
    assert "Secret note" not in shown
    case = olga.get("/v1/guard/cases").json()["items"][0]["case"]
    told = olga.get("/v1/guard/case", case=case)
    assert "He tricked me" in told.text, told.text
    assert "He tricked me" not in bo.get("/v1/pay/activity").text
    lines = ann.get("/v1/profile/uses").json()["items"]
    assert any(line["what"] == "text" and olga.id in line["purpose"] for line in lines)


def test_an_erased_person_is_gone_everywhere(tmp_path: Path) -> None:
    """Wallet closed, session over, name unknown; no personal string in any file, and none ever was in the ledger's."""
    ledger = open_ledger(tmp_path / "ledger", products=standard_products())
    town = Town(folder=tmp_path / "doors", ledger=ledger)
    ann, bo = town.person("Annabel Arborfield", alias="annabel.a"), town.person("Bo")
    ann.ask("PATCH", "/v1/profile", json={"phone": "+491701234567", "mail": "annabel@arbor.example", "findable": True})
    town.fund(ann, 500)
    paid = ann.post("/v1/pay/send", payee=bo.id, asset="EUR", amount_minor=500, purpose="friend", note="Rex the dog")
    assert paid.status_code == 200, paid.text
    personal = ("Annabel", "annabel", "491701234567", "arbor.example", "Rex the dog")
    assert bo.get("/v1/pay/activity").json()["items"][0]["note"] == "Rex the dog"

    erased = ann.ask("DELETE", "/v1/profile")
    assert erased.status_code == 204, erased.text
    assert ann.get("/v1/session").status_code == 401
    assert ann.sign_in().json()["code"] == "passkey_refused"
    newest = bo.get("/v1/pay/activity").json()["items"][0]
    assert (newest["note"], newest["other"]["name"]) == (None, "")
    assert bo.get("/v1/parties", find="+491701234567").status_code == 404
    town.close()
    ledger.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 8
    for path in files:
        data = path.read_bytes()
        assert not [text for text in personal if text.encode() in data], path


def test_money_keeps_a_person_from_being_erased(town: Town, ann: Person) -> None:
    """While there is money that has nowhere to go; nothing is half done."""
    town.fund(ann, 500)
    refused = ann.ask("DELETE", "/v1/profile")
    assert (refused.status_code, refused.json()["code"]) == (409, "balance_not_zero")
    assert ann.get("/v1/profile").json()["name"] == "Ann"
    assert town.door.store.all("SELECT person FROM erasures") == []
