"""Coming back after losing every device, letting an app in and out again, and leaving for good."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from playwright.sync_api import Browser as Chromium

from formicary.testing.town_process import Browser, Refused, TownProcess
from formicary.town.people import PIN

from tests.browser import axe
from tests.browser.conftest import CONFIRM_S, Visitors, settled
from tests.browser.movable import MovableTown
from tests.browser.visitor import DESK, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BACK = "/back?from=formicary"
SCOPES = ("wallet:read", "pay:read", "pay:write")


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def movable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MovableTown]:
    """A wallet whose clock moves when told."""
    with MovableTown(tmp_path_factory.mktemp("movable")) as town:
        yield town


@pytest.fixture
def devices(chromium: Chromium, movable: MovableTown) -> Iterator[Visitors]:
    """Devices of people of that wallet; nothing bad may happen to them."""
    made: list[Visitor] = []

    def device(**wishes: Any) -> Visitor:
        made.append(Visitor(chromium, movable, **wishes))
        return made[-1]

    yield device
    for each in made:
        each.check()
        each.close()


def asks_to_come_back(device: Visitor, alias: str) -> None:
    """On a new device, name the wallet and make a passkey for it."""
    device.open("wallet", "/")
    device.add_authenticator()
    device.press("welcome.have")
    device.page.get_by_role("link", name=device.say("welcome.lost")).click()
    device.field("welcome.alias").fill(alias)
    assert not axe.stumbles(device.page)
    device.press("recover.ask")
    device.sees(device.say("recover.asked"))


def trusts(device: Visitor, *aliases: str) -> None:
    """Put people on the list of those one trusts."""
    for alias in aliases:
        device.open("wallet", "/safety/trusted")
        device.press("common.add")
        device.field("trusted.who").fill(f"@{alias}")
        device.press("party.find")
        device.page.get_by_role("dialog").wait_for(state="hidden")


def vouches(device: Visitor, friend: Browser, name: str) -> None:
    """Agree that somebody is let in again."""
    device.enter(friend)
    device.open("wallet", "/safety/trusted")
    device.sees(device.say("recover.vouch", name=name))
    assert not axe.stumbles(device.page)
    device.press("recover.approve")
    device.button("recover.approve").wait_for(state="hidden")


def signs_in(device: Visitor) -> None:
    """Use the device's passkey on the way in."""
    device.open("wallet", "/")
    device.press("welcome.have")
    device.press("welcome.in_passkey")


def test_a_lost_phone(devices: Visitors, movable: MovableTown) -> None:
    """Two friends vouch, a day passes, and the new device's passkey opens the wallet; the old one opens it no more."""
    friends = [movable.newcomer("Tess Lind", "tess.lind"), movable.newcomer("Uli Ross", "uli.ross")]
    old = devices()
    old.sign_up("Vera Kern", "vera.kern")
    trusts(old, "tess.lind", "uli.ross")

    new = devices(language="fr")
    asks_to_come_back(new, "vera.kern")
    old.open("wallet", "/safety/trusted")
    old.sees(old.pattern("recover.waiting_text"))
    for friend in friends:
        vouches(devices(), friend, "Vera Kern")
    old.sees(old.pattern("recover.running_text"))
    new.press("welcome.sign_in")
    new.awaited.add((401, "/v1/sign-in/finish"))
    signs_in(new)
    new.page.get_by_role("alert").wait_for()

    gone = ("/v1/wallet/trusted", "/v1/wallet/recoveries", "/v1/sign-in/finish")
    old.awaited |= {(401, path) for path in gone}
    movable.wait(hours=25)
    new.press("welcome.in_passkey")
    new.page.locator(".hero-amount .amount").wait_for()
    assert "Vera" in new.page.get_by_role("heading", level=1).inner_text()
    old.press("welcome.have")
    old.press("welcome.in_passkey")
    old.page.get_by_role("alert").wait_for()


def test_a_thief_is_stopped(devices: Visitors, movable: MovableTown) -> None:
    """Whoever still has a device wins: one press there, and the new one is never let in."""
    friends = [movable.newcomer("Wim Aker", "wim.aker"), movable.newcomer("Xia Bo", "xia.bo")]
    old = devices()
    old.sign_up("Yann Cole", "yann.cole")
    trusts(old, "wim.aker", "xia.bo")
    thief = devices()
    asks_to_come_back(thief, "yann.cole")
    for friend in friends:
        vouches(devices(), friend, "Yann Cole")
    old.open("wallet", "/safety/trusted")
    old.press("recover.stop")
    old.button("recover.stop").wait_for(state="hidden")
    movable.wait(hours=25)
    thief.press("welcome.sign_in")
    thief.awaited.add((401, "/v1/sign-in/finish"))
    signs_in(thief)
    thief.page.get_by_role("alert").wait_for()
    old.open("wallet", "/")
    old.page.locator(".hero-amount .amount").wait_for()


# ── an app that acts for a person ───────────────────────────────────────────────────────────────────────────────────


class App:
    """A third party's app: Authlib's client, and the page that the browser comes back to."""

    def __init__(self, town: TownProcess) -> None:
        page = type("Page", (_AppPage,), {})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), page)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.town = town
        operator = town.enter("olivia")
        operator.confirm()
        told = operator.done("/v1/clients", name="Pocket Planner", redirects=[self.origin + BACK], scopes=list(SCOPES))
        self.verifier = "v" * 60
        self.client = OAuth2Client(
            told["client"],
            token_endpoint_auth_method="none",
            code_challenge_method="S256",
            redirect_uri=self.origin + BACK,
            scope=" ".join(SCOPES),
        )

    def address(self) -> tuple[str, str]:
        """Where the app sends a person, and the state by which it knows the answer."""
        return self.client.create_authorization_url(f"{self.town.origin}/oauth/authorize", code_verifier=self.verifier)

    def take(self, back: str) -> dict[str, Any]:
        """Exchange the code that came back."""
        told: dict[str, Any] = self.client.fetch_token(
            f"{self.town.origin}/oauth/token", authorization_response=back, code_verifier=self.verifier
        )
        return told

    def close(self) -> None:
        """End the app."""
        self.client.close()
        self._server.shutdown()
        self._server.server_close()


class _AppPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><html lang=en><link rel=icon href='data:,'><title>Back</title><h1>Back at the app</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
        """Say nothing."""


@pytest.fixture(scope="module")
def app(town: TownProcess) -> Iterator[App]:
    """An app that is registered."""
    made = App(town)
    yield made
    made.close()


def comes_back(visitor: Visitor) -> dict[str, list[str]]:
    """Wait for the app's page; what the browser brought along."""
    visitor.page.get_by_role("heading", name="Back at the app").wait_for()
    return parse_qs(urlsplit(visitor.page.url).query)


@pytest.mark.parametrize("language", ["en", "fr", "zh"])
def test_an_app_is_allowed_a_part_and_loses_it_again(
    visitors: Visitors, town: TownProcess, app: App, language: str
) -> None:
    """The page says who asks for what in plain words; less than all is given; and one press takes it back."""
    person = settled(town, "Anouk Weil")
    visitor = visitors(language=language)
    visitor.friends.add(app.origin)
    visitor.enter(person)
    address, state = app.address()
    visitor.page.goto(address)
    visitor.here = "wallet"
    visitor.sees(visitor.say("authorize.asks", name="Pocket Planner"))
    visitor.sees(visitor.say("authorize.unchecked", host=urlsplit(app.origin).netloc))
    for scope in SCOPES:
        assert visitor.page.get_by_label(visitor.say(f"scopes.{scope.replace(':', '_')}")).is_checked()
    assert not axe.stumbles(visitor.page)
    visitor.page.wait_for_timeout(1000 * int(CONFIRM_S))
    visitor.page.get_by_label(visitor.say("scopes.pay_write")).uncheck()
    request = parse_qs(urlsplit(visitor.page.url).query)["request"][0]
    visitor.awaited.add((403, f"/v1/oauth/requests/{request}/approve"))
    visitor.press("authorize.allow")
    visitor.field("confirm.pin").fill(PIN)
    visitor.press("confirm.with_pin")
    back = comes_back(visitor)
    assert (back["state"], back["iss"]) == ([state], [town.origin])

    token = app.take(visitor.page.url)
    assert set(token["scope"].split()) == {"wallet:read", "pay:read"}
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert httpx.get(f"{town.origin}/v1/wallet/accounts", headers=bearer).status_code == 200
    told = httpx.post(f"{town.origin}/v1/pay/send", headers={**bearer, "Idempotency-Key": "app-0001"}, json={})
    assert (told.status_code, told.json()["code"]) == (403, "scope_missing")

    visitor.open("wallet", "/safety/data")
    visitor.sees("Pocket Planner")
    visitor.sees(visitor.say("scopes.pay_read"))
    assert not axe.stumbles(visitor.page)
    visitor.press("data.revoke")
    visitor.page.get_by_text("Pocket Planner").wait_for(state="hidden")
    assert httpx.get(f"{town.origin}/v1/wallet/accounts", headers=bearer).status_code == 401


def test_an_app_is_refused_by_somebody_who_signs_in_first(visitors: Visitors, town: TownProcess, app: App) -> None:
    """Whoever is not signed in is asked to; a refusal goes back without a code, and gives no grant."""
    person = settled(town, "Boris Hahn")
    visitor = visitors()
    visitor.friends.add(app.origin)
    address, state = app.address()
    visitor.page.goto(address)
    visitor.field("welcome.alias").fill(person.alias)
    visitor.field("confirm.pin").fill(PIN)
    visitor.press("welcome.in_pin")
    visitor.press("authorize.deny")
    back = comes_back(visitor)
    assert (back["error"], back["state"]) == (["access_denied"], [state])
    assert "code" not in back
    assert person.get("/v1/grants")["items"] == []


def test_a_request_that_is_gone_says_so(visitors: Visitors, town: TownProcess, app: App) -> None:
    """An answered request, opened again from the history, is explained and offers nothing to press."""
    person = settled(town, "Carla Inns")
    visitor = visitors()
    visitor.friends.add(app.origin)
    visitor.enter(person)
    visitor.page.goto(app.address()[0])
    address = visitor.page.url
    visitor.press("authorize.deny")
    comes_back(visitor)
    request = parse_qs(urlsplit(address).query)["request"][0]
    visitor.awaited.add((409, f"/v1/oauth/requests/{request}"))
    visitor.page.goto(address)
    visitor.sees(visitor.say("codes.authorization_unknown"))
    assert visitor.button("authorize.allow").count() == 0


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_erased_for_good(visitors: Visitors, town: TownProcess) -> None:
    """Whoever leaves is paid out and their name is gone: for the payee, for the operator, and at the way in."""
    person = settled(town, "Delphine Orsay", 40_00)
    friend = settled(town, "Edgar Pohl")
    person.done(
        "/v1/pay/send", payee=friend.id, asset="EUR", amount_minor=10_00, purpose="friend", note="for the concert"
    )
    person.confirm()
    person.done("/v1/bank/accounts", iban="BE71096123456769")
    assert friend.get("/v1/pay/activity")["items"][0]["other"]["name"] == "Delphine Orsay"

    visitor = visitors()
    visitor.enter(person)
    visitor.open("wallet", "/safety/data")
    visitor.page.wait_for_timeout(1000 * int(CONFIRM_S))
    visitor.press("data.erase")
    dialog = visitor.page.get_by_role("dialog")
    assert visitor.button("data.erase_now").is_disabled()
    assert not axe.stumbles(visitor.page)
    dialog.get_by_label(visitor.say("data.erase_sure")).check()
    visitor.awaited.add((403, "/v1/profile"))
    visitor.press("data.erase_now")
    visitor.field("confirm.pin").fill(PIN)
    visitor.press("confirm.with_pin")
    visitor.button("welcome.open").wait_for()

    other = visitors()
    other.enter(friend)
    other.open("wallet", "/activity")
    other.sees(f"…{person.id[-6:]}")
    assert other.page.get_by_text("Delphine").count() == 0
    assert "Delphine" not in str(friend.get("/v1/pay/activity"))
    with pytest.raises(Refused) as refused:
        friend.get("/v1/parties", find=f"@{person.alias}")
    assert refused.value.code == "person_not_found"
    operator = visitors(size=DESK)
    operator.enter("olivia")
    operator.open("operator", f"/person/{person.id}")
    operator.sees(operator.say("states.closed"))
    assert operator.page.get_by_text("Delphine").count() == 0
