"""Somebody in front of a real browser, who watches it: errors, broken policies and strangers are noted.

A visitor has a browser context of their own (cookies, storage, language, size), with one page. :attr:`Visitor.faults`
collects whatever should never happen; the fixture that made the visitor fails when it is not empty in the end.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ConsoleMessage, Download, Locator, Page, Request, Response

from formicary.testing.town_process import Browser, fresh_key
from formicary.town.people import PIN

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
PHONE: Final = (360, 740)
DESK: Final = (1280, 800)
LOCALES: Final = {"en": "en-GB", "fr": "fr-FR", "zh": "zh-CN"}
WAIT_MS: Final = 15_000
"""Longest wait for something on a page."""
FORMS: Final = ("_one", "_many", "_other")
_WATCH_POLICY: Final = """
    window.brokenPolicies = [];
    document.addEventListener('securitypolicyviolation', (event) =>
        window.brokenPolicies.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile ?? ''}`));
"""


@cache
def built() -> dict[str, Any]:
    """The build's own list of its files; empty where the pages were not built."""
    file = resources.files("formicary").joinpath("web", "static", ".vite", "manifest.json")
    found: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return found


class Town(Protocol):
    """What a visitor has to know of a town."""

    @property
    def origin(self) -> str:
        """Where it is reached."""

    def enter(self, alias: str) -> Browser:
        """Somebody who lives there, by the API."""


class Visitor:
    """One person at one device. ``language`` is the browser's own; ``size`` in CSS pixels."""

    def __init__(
        self,
        chromium: Chromium,
        town: Town,
        *,
        language: str = "en",
        size: tuple[int, int] = PHONE,
        dark: bool = False,
        scale: int = 1,
    ) -> None:
        self.town = town
        self.language = language
        self.faults: list[str] = []
        self.awaited: set[tuple[int, str]] = {(401, "/v1/session")}
        """Refusals that belong to the story: (status, path). Asking who one is, before one has signed in, is one."""
        self.friends = {town.origin}
        """Where it is right to go: origins."""
        self.context = chromium.new_context(
            locale=LOCALES[language],
            timezone_id="Europe/Brussels",
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["camera", "clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        self.context.set_default_timeout(WAIT_MS)
        self.context.add_init_script(_WATCH_POLICY)
        self.context.on("request", self._requested)
        self.context.on("response", self._answered)
        self.context.on("console", self._said)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self._words: dict[str, dict[str, Any]] = {}
        self.here = "wallet"

    # ── where ───────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, application: str = "wallet", place: str = "/") -> Page:
        """Open a page of an application: by its address, or by the part after the hash when it is open already."""
        path = "/" if application == "wallet" else f"/{application}"
        address = f"{self.town.origin}{path}#{place}"
        if self.page.url.split("#")[0] == f"{self.town.origin}{path}":
            self.page.evaluate("place => { location.hash = place; }", place)
        else:
            self.page.goto(address)
        self.here = application
        self.page.locator("#content, form, .op, .till").first.wait_for()
        return self.page

    def enter(self, person: str | Browser) -> None:
        """Have a session: of somebody of the town by alias and PIN, or the one that an API client has."""
        if isinstance(person, str):
            answer = self.context.request.post(
                f"{self.town.origin}/v1/sign-in/pin",
                data={"alias": person, "pin": PIN},
                headers={"Origin": self.town.origin, "Idempotency-Key": fresh_key()},
            )
            assert answer.ok, answer.text()
            return
        cookies = [{"name": each.name, "value": each.value or ""} for each in person.http.cookies.jar]
        self.context.add_cookies([{**each, "url": self.town.origin} for each in cookies])  # type: ignore[typeddict-item]

    def add_authenticator(self) -> None:
        """Give the device a fingerprint reader that always knows its owner."""
        talk = self.context.new_cdp_session(self.page)
        talk.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        talk.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def sign_up(self, name: str, alias: str) -> None:
        """Open a wallet in euros with a passkey of this device."""
        page = self.open()
        self.add_authenticator()
        self.press("welcome.open")
        self.field("welcome.name").fill(name)
        self.field("welcome.alias").fill(alias)
        page.get_by_label(self.say("money.currency")).select_option("EUR")
        self.press("welcome.finish_passkey")
        page.locator(".hero-amount .amount").wait_for()

    # ── words ───────────────────────────────────────────────────────────────────────────────────────────────────

    def say(self, key: str, **values: object) -> str:
        """Words of the application that is open, in the visitor's language: ``say("send.paid")``."""
        if self.here not in self._words:
            names = (f"src/shared/locales/{self.language}.ts", f"src/{self.here}/locales/{self.language}.ts")
            files = [f"/{built()[name]['file']}" for name in names]
            load = "files => Promise.all(files.map(async (file) => (await import(file)).default))"
            shared, own = self.page.evaluate(load, files)
            self._words[self.here] = _merged(shared, own)
        found: Any = self._words[self.here]
        for part in key.split("."):
            found = found[part]
        for name, value in values.items():
            found = found.replace("{{" + name + "}}", str(value))
        return str(found)

    def pattern(self, key: str) -> re.Pattern[str]:
        """The same, with anything in place of each value."""
        text = self.say(key)
        parts = re.split(r"\{\{\w+\}\}", text)
        return re.compile(".*".join(re.escape(part) for part in parts))

    # ── hands and eyes ──────────────────────────────────────────────────────────────────────────────────────────

    def button(self, key: str, **values: object) -> Locator:
        """The button that says so."""
        words = self.say(key, **values) if values or "{{" not in self.say(key) else self.pattern(key)
        return self.page.get_by_role("button", name=words, exact=isinstance(words, str))

    def press(self, key: str, **values: object) -> None:
        """Press the button that says so."""
        self.button(key, **values).first.click()

    def field(self, key: str) -> Locator:
        """The field under that label."""
        return self.page.get_by_label(self.say(key)).first

    def choose(self, key: str) -> None:
        """Choose among a few."""
        self.page.get_by_role("radio", name=self.say(key), exact=True).check(force=True)

    def sees(self, words: str | re.Pattern[str]) -> None:
        """Wait until the page says so."""
        self.page.get_by_text(words).first.wait_for()

    def saves(self, locator: Locator) -> Download:
        """Press, and have the file that comes."""
        with self.page.expect_download() as coming:
            locator.click()
        return coming.value

    def balance(self) -> str:
        """The large amount on the wallet's first page, as a screen reader says it."""
        return self.page.locator(".hero-amount .amount").get_attribute("aria-label") or ""

    # ── watching ────────────────────────────────────────────────────────────────────────────────────────────────

    def _requested(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in {"data", "blob"} or f"{url.scheme}://{url.netloc}" in self.friends:
            return
        self.faults.append(f"asked a stranger: {request.url}")

    def _answered(self, response: Response) -> None:
        path = urlsplit(response.url).path
        if response.status >= 400 and (response.status, path) not in self.awaited:
            self.faults.append(f"{response.request.method} {path} answered {response.status}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.text.startswith("Failed to load resource"):
            return  # noted with its status where the answer came in
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def check(self) -> None:
        """Fail if anything happened that should never happen."""
        broken = self.page.evaluate("() => window.brokenPolicies ?? []") if not self.page.is_closed() else []
        found = [*self.faults, *(f"policy broken: {each}" for each in broken)]
        assert not found, "\n".join(found)

    def close(self) -> None:
        """Close the device."""
        self.context.close()


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    found = dict(first)
    for name, value in second.items():
        mine = found.get(name)
        found[name] = _merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return found
