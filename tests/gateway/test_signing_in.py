"""Signing in, sessions, confirming, PIN lock-out, further devices, recovery's entry."""

from __future__ import annotations

import pytest

from tests.gateway.authenticator import Authenticator, b64
from tests.gateway.town import Person, Town


def browser(town: Town, person: Person) -> Person:
    """Another browser of the same person: the same passkey, no cookie."""
    other = Person(town, person.name)
    other.passkey, other.id, other.alias, other.pin = person.passkey, person.id, person.alias, person.pin
    return other


def test_a_passkey_signs_in(town: Town, ann: Person) -> None:
    """Without saying who: the passkey tells."""
    other = browser(town, ann)
    assert other.get("/v1/session").status_code == 401
    assert other.sign_in().json()["person"]["id"] == ann.id
    assert other.get("/v1/session").status_code == 200


def test_a_cookie_is_for_us_alone(town: Town, ann: Person) -> None:
    """HttpOnly, SameSite, the whole path; behind TLS with the __Host- prefix and Secure."""
    cookie = browser(town, ann).sign_in().headers["set-cookie"]
    assert cookie.startswith("formicary=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    behind_tls = Town(origin="https://pay.example")
    ada = behind_tls.person("Ada")
    cookie = browser(behind_tls, ada).sign_in().headers["set-cookie"]
    assert cookie.startswith("__Host-formicary=")
    assert "Secure" in cookie.split("; ")
    assert "strict-transport-security" in ada.get("/v1/session").headers
    behind_tls.close()


def test_a_forged_passkey_is_refused(town: Town, ann: Person) -> None:
    """Another key, another origin, another host, no verification, a counter that went back, an old challenge: no."""
    eve = browser(town, ann)

    def refused(passkey: Authenticator, **change: object) -> None:
        begun = eve.post("/v1/sign-in/begin").json()
        answer = passkey.get(begun["options"] | change)
        found = eve.post("/v1/sign-in/finish", ticket=begun["ticket"], credential=answer)
        assert (found.status_code, found.json()["code"]) == (401, "passkey_refused")

    other_key = Authenticator(ann.origin)
    other_key.credential = ann.passkey.credential
    refused(other_key)
    refused(Authenticator(ann.origin))
    refused(ann.passkey, challenge=b64(bytes(64)))
    for change in ({"origin": "http://evil.example"}, {"rp_id": "evil.example"}, {"flags": 1}):
        kept = {name: getattr(ann.passkey, name) for name in change}
        for name, value in change.items():
            setattr(ann.passkey, name, value)
        refused(ann.passkey)
        for name, value in kept.items():
            setattr(ann.passkey, name, value)
    assert eve.sign_in().status_code == 200
    ann.passkey.count -= 2
    refused(ann.passkey)


def test_what_is_no_credential_is_refused_not_a_failure(town: Town) -> None:
    """Whatever stands where a credential belongs: 401 or 422, never 500."""
    for junk in ({}, {"id": ""}, {"id": "AA"}, {"id": 7}, {"rawId": "AA", "response": {}}, {"id": "=" * 5000}):
        begun = town.nobody.post("/v1/sign-in/begin").json()
        found = town.nobody.post("/v1/sign-in/finish", ticket=begun["ticket"], credential=junk)
        assert found.status_code in {401, 422}, found.text
        begun = town.nobody.post("/v1/sign-up/begin", name="Eve", currency="EUR").json()
        found = town.nobody.post("/v1/sign-up/finish", ticket=begun["ticket"], credential=junk)
        assert (found.status_code, found.json()["code"]) == (422, "passkey_refused"), found.text


def test_a_session_ends_by_itself(town: Town, ann: Person) -> None:
    """Unused for the idle time: over. Used again and again: over after the absolute time."""
    town.wait(seconds=town.config.session_idle_s - 1)
    assert ann.get("/v1/session").status_code == 200
    town.wait(seconds=town.config.session_idle_s + 1)
    assert ann.get("/v1/session").status_code == 401
    assert ann.sign_in().status_code == 200
    for _ in range(town.config.session_absolute_s // (town.config.session_idle_s // 2) + 1):
        town.ahead_ns += town.config.session_idle_s // 2 * 10**9
        last = town.door.sessions.find(ann.client.cookies["formicary"])
    assert last is None


def test_when_a_session_was_used_is_written_down_later(town: Town, ann: Person) -> None:
    """The list knows at once; the store a little later, and all that were used in one go."""
    town.wait(seconds=600)
    assert ann.get("/v1/session").status_code == 200
    (listed,) = town.door.sessions.of_person(ann.party)
    sql = "SELECT used_ns FROM sessions WHERE person = ?"
    assert town.door.store.one(sql, ann.party) == (listed.made_ns,)
    town.run(town.door.sessions.note_uses())
    assert town.door.store.one(sql, ann.party) == (listed.used_ns,) != (listed.made_ns,)
    town.run(town.door.sessions.note_uses())


def test_a_person_sees_and_ends_their_sessions(town: Town, ann: Person) -> None:
    """Each by name; signing out takes the cookie; nobody ends another's."""
    other = browser(town, ann)
    other.sign_in()
    listed = ann.get("/v1/sessions").json()["items"]
    assert [each["current"] for each in listed].count(True) == 1
    name = next(each["name"] for each in listed if not each["current"])
    eve = town.person("Eve")
    assert eve.ask("DELETE", f"/v1/sessions/{name}").status_code == 404
    assert ann.ask("DELETE", f"/v1/sessions/{name}").status_code == 204
    assert other.get("/v1/session").status_code == 401
    gone = ann.ask("DELETE", "/v1/session")
    assert gone.status_code == 204
    assert "Max-Age=0" in gone.headers["set-cookie"]
    assert ann.get("/v1/session").status_code == 401


def test_a_session_is_known_by_its_hash_only(town: Town, ann: Person) -> None:
    """Who reads our store can sign in as nobody."""
    secret = ann.client.cookies["formicary"]
    for row in town.door.store.all("SELECT * FROM sessions"):
        assert secret.encode() not in b"".join(each if isinstance(each, bytes) else str(each).encode() for each in row)


def test_confirmation_wears_off_and_is_shown_again(town: Town, ann: Person) -> None:
    """What needs confirmation works right after signing in, not later, and again once it was shown."""
    assert ann.post("/v1/wallet/trust", person=town.person("Bo").id).status_code == 200
    town.wait(seconds=town.config.confirm_s + 1)
    cy = town.person("Cy")
    refused = ann.post("/v1/wallet/trust", person=cy.id)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert ann.confirm().status_code == 200
    assert ann.post("/v1/wallet/trust", person=cy.id).status_code == 200


def test_nobody_confirms_for_another(ann: Person, bo: Person) -> None:
    """Bo's ticket or passkey does not confirm Ann's session."""
    begun = bo.post("/v1/confirm/begin").json()
    stolen = ann.post("/v1/confirm/finish", ticket=begun["ticket"], credential=bo.passkey.get(begun["options"]))
    assert stolen.json()["code"] == "ticket_unknown"
    begun = ann.post("/v1/confirm/begin").json()
    wrong = ann.post("/v1/confirm/finish", ticket=begun["ticket"], credential=bo.passkey.get(begun["options"]))
    assert wrong.json()["code"] == "passkey_refused"


def test_wrong_pins_lock_for_longer_and_longer(town: Town) -> None:
    """Some tries are free, then each locks for twice as long; even the right PIN waits. Success clears the count."""
    ann = town.person("Ann", alias="ann", pin="482915")
    other = browser(town, ann)

    def attempt(pin: str) -> tuple[int, str, int]:
        answer = other.post("/v1/sign-in/pin", alias="@ann", pin=pin)
        code = answer.json().get("code", "")
        return answer.status_code, code, int(answer.headers.get("retry-after", 0))

    for _ in range(town.config.pin_tries):
        assert attempt("000001")[:2] == (401, "pin_refused")
    status, code, wait_s = attempt("482915")
    assert (status, code) == (429, "pin_locked")
    assert 0 < wait_s <= town.config.pin_lock_s
    town.wait(seconds=wait_s)
    assert attempt("000001")[1] == "pin_refused"
    status, code, longer_s = attempt("482915")
    assert code == "pin_locked"
    assert longer_s > wait_s
    town.wait(seconds=longer_s)
    assert attempt("482915")[0] == 200
    assert attempt("000001")[1] == "pin_refused"
    assert attempt("482915")[0] == 200


@pytest.mark.usefixtures("ann")
def test_an_unknown_alias_looks_like_a_wrong_pin(town: Town) -> None:
    """Nobody learns who has a PIN, nor who exists: same refusal, same lock-out."""
    for alias in ("nobody.here", "ann", "7"):
        answers = [town.nobody.post("/v1/sign-in/pin", alias=alias, pin="000001").json()["code"] for _ in range(6)]
        expected = ["pin_refused"] * 5 + ["pin_locked"]
        assert answers == (expected if alias != "7" else ["pin_refused"] * 6)


def test_a_further_device_signs_in_until_it_is_removed(town: Town, ann: Person) -> None:
    """The ledger lists it; once removed there, its sessions end here."""
    phone = browser(town, ann)
    phone.passkey = Authenticator(ann.origin)
    begun = ann.post("/v1/devices/begin").json()
    credential = phone.passkey.create(begun["options"])
    added = ann.post("/v1/devices/finish", ticket=begun["ticket"], credential=credential, label="My old phone")
    assert added.status_code == 200, added.text
    assert phone.sign_in().status_code == 200
    labels = [each["label"] for each in ann.get("/v1/wallet/devices").json()["items"]]
    assert sorted(labels, key=str) == ["My old phone", None] or sorted(labels, key=str) == [None, "My old phone"]
    removed = ann.post("/v1/wallet/remove_device", device=added.json()["device"])
    assert removed.status_code == 200, removed.text
    town.settle()
    assert phone.get("/v1/session").status_code == 401
    assert phone.sign_in().json()["code"] == "passkey_refused"
    assert ann.get("/v1/session").status_code == 200


def test_a_recovered_wallet_takes_the_new_device_only(town: Town, ann: Person) -> None:
    """Two friends vouch, the delay passes: the new passkey signs in and the old one no more; before that it doesn't."""
    friends = [town.person("Bo"), town.person("Cy")]
    for friend in friends:
        assert ann.post("/v1/wallet/trust", person=friend.id).status_code == 200
    new = browser(town, ann)
    new.passkey = Authenticator(ann.origin)
    begun = new.post("/v1/recovery/begin", alias="ann").json()
    asked = new.post("/v1/recovery/finish", ticket=begun["ticket"], credential=new.passkey.create(begun["options"]))
    assert asked.status_code == 200, asked.text
    assert new.sign_in().json()["code"] == "passkey_refused"
    for friend in friends:
        assert friend.post("/v1/wallet/approve_recovery", recovery=asked.json()["recovery"]).status_code == 200
    town.wait(hours=25)
    town.run(town.door.ask("wallet.parameters", b"", town.door.asked("wallet.parameters")))  # an idle ledger ticks
    town.settle()
    assert new.sign_in().status_code == 200
    assert browser(town, ann).sign_in().json()["code"] == "passkey_refused"
