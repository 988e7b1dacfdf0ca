"""What trying the whole document found, kept as tests of their own."""

from __future__ import annotations

import pytest

from tests.gateway.town import Person


@pytest.mark.parametrize("text", ["@nobody.at.all", "nobody.at.all", "+33612345678", "00" * 16])
def test_who_is_not_there_is_not_found(shared: Person, text: str) -> None:
    """An alias that neither a person nor a shop has is a 404, as an unknown number and id are."""
    found = shared.get("/v1/parties", find=text)
    assert (found.status_code, found.json()["code"]) == (404, "person_not_found")


@pytest.mark.parametrize("token", ["%F0%BD%8D%8C", "%FF", "é", "0" * 24])
def test_a_link_of_the_town_with_any_token(shared: Person, token: str) -> None:
    """A made-up token is no way in, whatever its letters are."""
    assert shared.get(f"/enter/ann/{token}").status_code == 404


def test_oauth_says_its_own_errors_and_the_document_says_so(shared: Person) -> None:
    """OAuth's errors are plain JSON, by its standard; the document names both forms."""
    for path in ("/oauth/token", "/oauth/revoke"):
        answer = shared.ask("POST", path, data={"grant_type": "password"})
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"error": "invalid_client"}
        described = shared.get("/openapi.json").json()["paths"][path]["post"]["responses"]["default"]["content"]
        assert sorted(described) == ["application/json", "application/problem+json"]
