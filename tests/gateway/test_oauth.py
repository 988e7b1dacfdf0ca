"""OAuth 2.1 with Authlib as the client: consent, code, tokens, rotation, reuse, revocation, and every wrong turn."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from formicary.client import Client, NotAllowed, NotSignedIn
from formicary.gateway.clients import Clients, NewClient, check_redirect
from formicary.gateway.grants import CODE_S, REFRESH_S, TOKEN_S
from formicary.gateway.oauth import Approve, OAuth
from formicary.gateway.problems import Problem
from formicary.gateway.shared import shared

from tests.gateway.house import ALICE, BOB, OPERATOR, SECOND_NS, House

BACK = "https://app.example/back?x=1"
SCOPES = ("wallet:read", "pay:read", "pay:write")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("oauth"))
    made.settle()
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(house: House) -> Any:
    """An app with a secret."""
    return register(house, confidential=True)


@pytest.fixture(scope="module")
def phone(house: House) -> Any:
    """An app without a secret."""
    return register(house, confidential=False)


def register(house: House, *, confidential: bool) -> Any:
    """Register an app as the operator."""
    body = NewClient("Planner", (BACK, "http://127.0.0.1:9/cb"), SCOPES, confidential)
    return house.on_loop(lambda: shared(house.door, Clients).make(house.asked(OPERATOR, body, roles="operator")))


def begin(house: House, app: Any, **changed: str) -> httpx.Response:
    """Ask for consent as a browser does."""
    wanted = {
        "client_id": app.client,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "wallet:read pay:read",
        "state": "s1",
        "code_challenge": create_s256_code_challenge("v" * 50),
        "code_challenge_method": "S256",
    }
    return httpx.get(f"{house.origin}/oauth/authorize", params=wanted | changed)


def consent(house: House, app: Any, *scopes: str, who: bytes = ALICE) -> str:
    """Go through consent; answer the code."""
    answer = begin(house, app)
    assert answer.status_code == 303, answer.text
    request = parse_qs(urlsplit(answer.headers["location"]).query)["request"][0]
    oauth = shared(house.door, OAuth)
    shown = house.on_loop(lambda: oauth.consent(house.asked(who, request=request)))
    assert (shown.name, shown.redirect_host) == ("Planner", "app.example")
    assert all(each.words for each in shown.scopes)
    body = Approve(scopes or ("wallet:read", "pay:read"))
    back = house.on_loop(lambda: oauth.approve(house.asked(who, body, request=request)))
    assert back.redirect.startswith(BACK + "&")
    told = parse_qs(urlsplit(back.redirect).query)
    assert (told["state"], told["iss"]) == (["s1"], [house.door.config.public_origin])
    return told["code"][0]


def exchange(house: House, app: Any, code: str, /, **changed: str) -> httpx.Response:
    """Exchange a code by hand."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": "v" * 50,
        "client_id": app.client,
    }
    if app.secret:
        form["client_secret"] = app.secret
    return httpx.post(f"{house.origin}/oauth/token", data=form | changed)


def refresh(house: House, app: Any, token: str, **changed: str) -> httpx.Response:
    """Use a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": app.client}
    if app.secret:
        form["client_secret"] = app.secret
    return httpx.post(f"{house.origin}/oauth/token", data=form | changed)


def works(house: House, token: str) -> bool:
    """Whether an access token is good."""
    with Client(house.origin, token=token) as client:
        try:
            return bool(client.ask("wallet.me")["person"]["id"] == ALICE.hex())
        except NotSignedIn:
            return False


def test_authlib_goes_the_whole_way(house: House, app: Any) -> None:
    """Another implementation asks, exchanges, uses and refreshes, authenticating by HTTP Basic."""
    metadata = httpx.get(f"{house.origin}/.well-known/oauth-authorization-server").json()
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    verifier = secrets.token_urlsafe(48)
    with OAuth2Client(
        app.client, app.secret, redirect_uri=BACK, scope="wallet:read", code_challenge_method="S256"
    ) as client:
        url, state = client.create_authorization_url(f"{house.origin}/oauth/authorize", code_verifier=verifier)
        answer = httpx.get(url)
        request = parse_qs(urlsplit(answer.headers["location"]).query)["request"][0]
        oauth = shared(house.door, OAuth)
        asked = house.asked(ALICE, Approve(("wallet:read",)), request=request)
        back = house.on_loop(lambda: oauth.approve(asked)).redirect
        token = client.fetch_token(
            f"{house.origin}/oauth/token", authorization_response=back, state=state, code_verifier=verifier
        )
        assert (token["expires_in"], token["scope"]) == (TOKEN_S, "wallet:read")
        assert client.get(f"{house.origin}/v1/wallet/me").status_code == 200
        assert client.get(f"{house.origin}/v1/pay/activity").status_code == 403
        renewed = client.refresh_token(f"{house.origin}/oauth/token")
        assert renewed["access_token"] != token["access_token"]


def test_a_token_acts_within_what_was_allowed(house: House, phone: Any) -> None:
    """Less than was asked for may be allowed; what needs a person's finger never goes."""
    told = exchange(house, phone, consent(house, phone, "wallet:read")).json()
    assert told["scope"] == "wallet:read"
    with Client(house.origin, token=told["access_token"]) as client:
        assert client.ask("wallet.me")
        for call in (lambda: client.ask("pay.activity"), lambda: client.get("/v1/keys")):
            with pytest.raises(NotAllowed) as refused:
                call()
            assert refused.value.code == "scope_missing"


def test_a_code_counts_once(house: House, phone: Any) -> None:
    """Its second use ends what the first one gave."""
    code = consent(house, phone)
    token = exchange(house, phone, code).json()["access_token"]
    assert works(house, token)
    assert exchange(house, phone, code).json() == {"error": "invalid_grant"}
    assert not works(house, token)


def test_a_refresh_token_counts_once(house: House, phone: Any) -> None:
    """It rotates; the use of an old one ends the grant and every token of it."""
    first = exchange(house, phone, consent(house, phone)).json()
    second = refresh(house, phone, first["refresh_token"]).json()
    narrow = refresh(house, phone, second["refresh_token"], scope="wallet:read").json()
    assert narrow["scope"] == "wallet:read"
    assert works(house, narrow["access_token"])
    assert refresh(house, phone, narrow["refresh_token"], scope="pay:write").json() == {"error": "invalid_scope"}
    assert refresh(house, phone, first["refresh_token"]).json() == {"error": "invalid_grant"}
    assert not works(house, narrow["access_token"])
    assert refresh(house, phone, narrow["refresh_token"]).json() == {"error": "invalid_grant"}


def test_what_is_wrong_with_an_exchange_is_refused(house: House, app: Any, phone: Any) -> None:
    """Verifier, redirect, client, secret, kind of grant: each by the name that OAuth has for it."""
    for changed, error in (
        ({"code_verifier": "w" * 50}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": BACK + "2"}, "invalid_grant"),
        ({"code": "fc_nonsense"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "app_nobody"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
    ):
        assert exchange(house, app, consent(house, app), **changed).json() == {"error": error}, changed
    assert exchange(house, phone, consent(house, app)).json() == {"error": "invalid_grant"}
    twice = f"grant_type=refresh_token&grant_type=refresh_token&client_id={phone.client}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.post(f"{house.origin}/oauth/token", content=twice, headers=form).json() == {"error": "invalid_client"}


def test_everything_ends_in_time(house: House, phone: Any) -> None:
    """Codes after a minute, access after ten, refresh after ninety days without use."""
    code = consent(house, phone)
    house.offset_ns += (CODE_S + 1) * SECOND_NS
    assert exchange(house, phone, code).json() == {"error": "invalid_grant"}
    told = exchange(house, phone, consent(house, phone)).json()
    house.offset_ns += (TOKEN_S + 1) * SECOND_NS
    assert not works(house, told["access_token"])
    told = refresh(house, phone, told["refresh_token"]).json()
    house.offset_ns += (REFRESH_S + 1) * SECOND_NS
    assert refresh(house, phone, told["refresh_token"]).json() == {"error": "invalid_grant"}


def test_a_person_takes_it_back(house: House, phone: Any) -> None:
    """The list shows it; ending it ends its tokens; nobody else can."""
    told = exchange(house, phone, consent(house, phone)).json()
    oauth = shared(house.door, OAuth)
    grants = house.on_loop(lambda: oauth.list(house.asked(ALICE))).items
    assert grants[0].name == "Planner"
    with pytest.raises(Problem):
        house.on_loop(lambda: oauth.end(house.asked(BOB, grant=grants[0].grant)))
    assert works(house, told["access_token"])
    house.on_loop(lambda: oauth.end(house.asked(ALICE, grant=grants[0].grant)))
    assert not works(house, told["access_token"])


def test_a_client_revokes_its_own_tokens(house: House, app: Any, phone: Any) -> None:
    """Revocation ends the grant; another client's word does nothing; an unknown token is no error."""
    told = exchange(house, phone, consent(house, phone)).json()
    url = f"{house.origin}/oauth/revoke"
    other = {"token": told["refresh_token"], "client_id": app.client, "client_secret": app.secret}
    assert httpx.post(url, data=other).status_code == 200
    assert works(house, told["access_token"])
    assert httpx.post(url, data={"token": told["refresh_token"], "client_id": phone.client}).status_code == 200
    assert not works(house, told["access_token"])
    assert httpx.post(url, data={"token": "nonsense", "client_id": phone.client}).status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "wallet:read escrow:write"}, "invalid_scope"),
        ({"scope": "ledger:write"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_goes_back_to_the_client(house: House, app: Any, changed: dict[str, str], error: str) -> None:
    """By its registered address, with the state that it sent."""
    answer = begin(house, app, **changed)
    assert answer.headers["location"].startswith(BACK)
    told = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (told["error"], told["state"]) == ([error], ["s1"])


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": BACK + "&y"},
        {"redirect_uri": "https://app.example/back"},
        {"redirect_uri": ""},
        {"client_id": "app_nobody"},
        {"client_id": ""},
    ],
)
def test_nothing_goes_to_an_unknown_address(house: House, app: Any, changed: dict[str, str]) -> None:
    """Redirect URIs match to the letter; otherwise the person is told, and no redirect follows."""
    answer = begin(house, app, **changed)
    assert (answer.status_code, answer.json()["code"]) == (400, "client_unknown")
    assert "location" not in answer.headers


def test_denied_and_forgotten_requests_give_no_code(house: House, app: Any) -> None:
    """Denial goes back without a code, and the request is gone."""
    request = parse_qs(urlsplit(begin(house, app).headers["location"]).query)["request"][0]
    oauth = shared(house.door, OAuth)
    back = house.on_loop(lambda: oauth.deny(house.asked(ALICE, request=request))).redirect
    assert parse_qs(urlsplit(back).query)["error"] == ["access_denied"]
    with pytest.raises(Problem):
        house.on_loop(lambda: oauth.approve(house.asked(ALICE, Approve(("wallet:read",)), request=request)))


@pytest.mark.parametrize(
    "uri",
    ["http://app.example/", "https://*.example/", "https://a.example/#x", "javascript:alert(1)", "https://u:p@a.example/",
     "https://", "app.example", "https://a.example/ x", "https://[::1"],
)  # fmt: skip
def test_unsafe_redirects_are_not_registered(uri: str) -> None:
    """No plain http beyond this machine, no fragment, no wildcard, no user, no other scheme."""
    with pytest.raises(Problem):
        check_redirect(uri)


def test_only_operators_and_owners_register_apps(house: House) -> None:
    """A person without a role does not, and nobody registers the institution's own scopes."""
    clients = shared(house.door, Clients)
    with pytest.raises(Problem):
        house.on_loop(lambda: clients.make(house.asked(ALICE, NewClient("X", (BACK,), SCOPES))))
    greedy = NewClient("X", (BACK,), ("ledger:write",))
    with pytest.raises(Problem):
        house.on_loop(lambda: clients.make(house.asked(OPERATOR, greedy, roles="operator")))


def test_nothing_in_the_store_is_a_token(house: House, app: Any) -> None:
    """Whoever copies the file can act for nobody."""
    told = exchange(house, app, consent(house, app)).json()
    raw = b"".join(path.read_bytes() for path in house.folder.glob("gateway.db*"))
    for secret in (told["access_token"], told["refresh_token"], app.secret):
        assert secret.encode() not in raw
