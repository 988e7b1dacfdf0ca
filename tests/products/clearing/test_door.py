"""The door between institutions, over HTTP in one process: signed requests, refusals as answers, a patient relay."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

from formicary.client.signing import Signer
from formicary.gateway import clearing as door_module
from formicary.gateway import clearing_relay
from formicary.gateway.app import Gateway
from formicary.gateway.config import Config
from formicary.gateway.routes import Caller, CallerKind
from formicary.gateway.server import open_door
from formicary.node.ledger import open_ledger
from formicary.products.anatomy import Access
from formicary.products.clearing import queries
from formicary.products.clearing.commands import AddInstitution
from formicary.products.clearing.words import Terms
from formicary.products.wallet.offers import Purses

from tests.products.clearing.node import EUR, START_MINOR, party, products, settle


def people_module() -> Any:
    """Signs in whoever a header names: how people sign in is not what is tested here."""

    async def authenticate(request: Any, _body: bytes) -> Caller | None:
        name = request.headers.get("authorization", "")
        return Caller(CallerKind.SESSION, bytes.fromhex(name), frozenset({"operator"}), None, 2**62) if name else None

    return SimpleNamespace(authenticators=lambda _door: [authenticate])


class Side:
    """One institution with its gateway, in memory."""

    def __init__(self, name: str) -> None:
        self.name, self.url = name, f"http://{name}.example"
        self.ledger = open_ledger(products=products())
        self.door = open_door(Config(origin=self.url), self.ledger, in_memory=True)
        self.app = Gateway(self.door, [people_module(), door_module])
        self.relay = door_module.relay_of(self.door)
        self.id = self.door.config.institution
        self.person = party(name, 0)

    async def meet(self, other: Side) -> None:
        """Know another institution, and reach it in this process."""
        known = AddInstitution(other.id, False, other.relay.public_key, other.url, 0)
        await self.door.run_as(b"node", "clearing.add_institution", known, secrets.token_bytes(16))
        await self.relay._client.aclose()
        self.relay._client = httpx.AsyncClient(transport=httpx.ASGITransport(other.app))

    def client(self) -> httpx.AsyncClient:
        """A client of this gateway."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.url)

    async def pay(self, other: Side, payee: str, amount_minor: int, key: str = "") -> httpx.Response:
        """Our first person pays, as their page does."""
        body = {"institution": other.id.hex(), "payee": payee, "asset": "EUR", "amount_minor": amount_minor}
        headers = {"Authorization": self.person.hex(), "Idempotency-Key": key or secrets.token_hex(16)}
        async with self.client() as client:
            return await client.post("/v1/clearing/payments", json=body | {"note": "for you"}, headers=headers)

    def state(self, payment: str) -> tuple[str, str, int]:
        """How a payment of ours stands: state, code, whether something is left to say."""
        row = self.ledger.ask("clearing", lambda view: queries.out(view, bytes.fromhex(payment)))
        return row.state, row.code, row.to_do

    def balance(self) -> int:
        """What our first person can spend."""

        def question(view: Any) -> int:
            account = view.account(Purses().purse(view, self.person, EUR))
            return int(account.credits_posted - account.debits_posted - account.debits_held)

        found: int = self.ledger.ask("wallet", question)
        return found


def together(test: Callable[[Side, Side], Awaitable[None]]) -> None:
    """Run a test with two institutions that know each other, both started."""

    async def run() -> None:
        sides = [Side("ada"), Side("bob")]
        for side in sides:
            await settle(side.door, side.name)
        for side, other in (sides, sides[::-1]):
            await side.meet(other)
            await side.door.start()
        try:
            async with asyncio.timeout(60):
                await test(*sides)
        finally:
            for side in sides:
                await side.door.stop()
                side.door.close()
                side.ledger.close()

    asyncio.run(run())


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something; the test's own time limit ends it."""
    while not is_so():  # noqa: ASYNC110 - the ledger tells no test
        await asyncio.sleep(0.02)


def test_a_payment_crosses() -> None:
    """Sent by a page, carried by the relays; both have said all, and the payee reads the note."""

    async def test(a: Side, b: Side) -> None:
        answer = await a.pay(b, "@bob0", 700, key="k" * 20)
        assert answer.status_code == 200, answer.text
        payment = answer.json()["payment"]
        await until(lambda: a.state(payment) == ("captured", "", 0))
        assert (a.balance(), b.balance()) == (START_MINOR - 700, START_MINOR + 700)
        row = b.ledger.ask("clearing", lambda view: queries.incoming(view, a.id, bytes.fromhex(payment)))
        assert await b.door.unseal(b.person, row.note) == "for you"
        again = await a.pay(b, "@bob0", 700, key="k" * 20)
        assert again.json()["payment"] == payment, "the same key is the same payment"
        await asyncio.sleep(0.2)
        assert a.balance() == START_MINOR - 700

    together(test)


@pytest.mark.parametrize("payee", ["@nobody", "not an alias!", "+49301234567", "00" * 16])
def test_a_payee_who_is_not_there(payee: str) -> None:
    """Only the other side knows that; the payer has the money back with the reason."""

    async def test(a: Side, b: Side) -> None:
        payment = (await a.pay(b, payee, 700)).json()["payment"]
        await until(lambda: a.state(payment) == ("refused", "person_unknown", 0))
        assert a.balance() == START_MINOR

    together(test)


def test_an_institution_that_is_down_is_told_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests fail, then work: the relay has no last try."""
    monkeypatch.setattr(clearing_relay, "SLOWEST_S", 0.2)

    async def test(a: Side, b: Side) -> None:
        down = True

        async def answer(request: httpx.Request) -> httpx.Response:
            if down:
                raise httpx.ConnectError("down")
            return await httpx.ASGITransport(b.app).handle_async_request(request)

        a.relay._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        payment = (await a.pay(b, b.person.hex(), 30)).json()["payment"]
        await asyncio.sleep(0.5)
        assert a.state(payment) == ("offered", "", 1)
        down = False
        await until(lambda: a.state(payment) == ("captured", "", 0))

    together(test)


def test_who_was_not_told_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decides and its word never arrives: B asks, and pays its payee on A's signed answer."""
    monkeypatch.setattr(clearing_relay, "ASK_AFTER_S", 0.1)

    async def test(a: Side, b: Side) -> None:
        async def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/v1/clearing/capture":
                raise httpx.ReadTimeout("lost")
            return await httpx.ASGITransport(b.app).handle_async_request(request)

        a.relay._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        payment = (await a.pay(b, "@bob0", 30)).json()["payment"]
        await until(lambda: b.balance() == START_MINOR + 30)
        assert a.state(payment) == ("captured", "", 1)

    together(test)


def test_a_payer_who_was_erased_pays_nobody() -> None:
    """Nobody can say any more who was to be paid; the money is the payer's again."""

    async def test(a: Side, b: Side) -> None:
        a.relay._client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(503)))
        payment = (await a.pay(b, "@bob0", 30)).json()["payment"]
        a.door.vault.erase(a.person)
        await until(lambda: a.state(payment)[0] == "refused")
        assert a.balance() == START_MINOR

    together(test)


def offer_of(a: Side, b: Side) -> tuple[str, bytes]:
    """An offer that A never made on its ledger, but could sign."""
    terms = Terms(payer_institution=a.id, payee_institution=b.id, transfer=b"x" * 16, asset=EUR, amount_minor=5)
    body = {
        "transfer": terms.transfer.hex(),
        "payee": "@bob0",
        "asset": "EUR",
        "amount_minor": 5,
        "note": None,
        "signature": a.relay.sign("offered", terms).hex(),
    }
    return f"{b.url}/v1/clearing/offer", json.dumps(body).encode()


def test_what_is_not_signed_as_it_should_is_refused() -> None:
    """No signature, another body, another key, an unknown institution, the same request twice: 401 each."""

    async def test(a: Side, b: Side) -> None:
        url, body = offer_of(a, b)
        key = f"institution:{a.id.hex()}"
        seed = bytes(a.relay._key)
        kind = {"Content-Type": "application/json"}
        async with b.client() as client:

            async def code(headers: dict[str, str], sent: bytes = body) -> tuple[int, str]:
                answer = await client.post(url, content=sent, headers=headers | kind)
                told = answer.json()
                return answer.status_code, told.get("code") or told.get("answer")

            assert await code({}) == (401, "not_signed_in")
            right = Signer(key, seed).headers("POST", url, body)
            assert await code(right, body.replace(b'"amount_minor": 5', b'"amount_minor": 6')) == (401, "digest_wrong")
            assert await code(Signer(key, bytes(32)).headers("POST", url, body)) == (401, "signature_wrong")
            for name in ("institution:" + "00" * 16, f"institution:{b.id.hex()}", "institution:x"):
                stranger = Signer(name, seed).headers("POST", url, body)
                assert await code(stranger) == (401, "institution_key_unknown")
            assert await code(right) == (200, "accepted")
            assert await code(right) == (401, "signature_used")
            broken = body.replace(b'"EUR"', b'"no such thing"')
            assert (await code(Signer(key, seed).headers("POST", url, broken), broken))[0] == 422

    together(test)


def test_another_library_signs_the_same() -> None:
    """http-message-signatures, which knows nothing of ours, makes a request that is accepted."""

    async def test(a: Side, b: Side) -> None:
        url, body = offer_of(a, b)
        private = Ed25519PrivateKey.from_private_bytes(bytes(a.relay._key))
        key = f"institution:{a.id.hex()}"
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={key: private}),
        )
        async with b.client() as client:
            request = client.build_request("POST", url, content=body, headers={"Content-Type": "application/json"})
            covered = ("@method", "@authority", "@path", "@query")
            signer.sign(request, key_id=key, nonce="n" * 16, covered_component_ids=covered, body=body)
            answer = await client.send(request)
            assert (answer.status_code, answer.json()["answer"]) == (200, "accepted")

    together(test)


def test_an_institution_may_nothing_else_and_people_not_this() -> None:
    """Its scope opens the four routes and no other; nobody else has it."""

    async def test(a: Side, b: Side) -> None:
        peer = {route.path for route in b.door.routes if route.scope == door_module.PEER}
        assert peer == {f"/v1/clearing/{verb}" for verb in ("offer", "capture", "cancel", "status/{transfer}")}
        assert all(route.access is not Access.ANYONE for route in b.door.routes if "/clearing/" in route.path)
        signer = Signer(f"institution:{a.id.hex()}", bytes(a.relay._key))
        async with b.client() as client:
            url = f"{b.url}/v1/clearing/payments"
            sent = b"{}"
            headers = signer.headers("POST", url, sent, idempotency_key="k" * 20) | {"Idempotency-Key": "k" * 20}
            answer = await client.post(url, content=sent, headers=headers | {"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
            other = f"{b.url}/v1/clearing/status/{'00' * 16}"
            answer = await client.get(other, headers=signer.headers("GET", other))
            assert (answer.status_code, answer.json()["code"]) == (404, "clearing_not_found")
            url, body = offer_of(a, b)
            session = {"Authorization": b.person.hex(), "Content-Type": "application/json"}
            for answer in (
                await client.post(url, content=body, headers=session),
                await client.get(other, headers=session),
            ):
                assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    together(test)


def test_an_operator_adds_an_institution() -> None:
    """By its id, key and address; then it can be paid."""

    async def test(a: Side, b: Side) -> None:
        body = {"institution": "0c" * 16, "key": b.relay.public_key.hex(), "address": "http://c.example"}
        headers = {"Authorization": a.person.hex(), "Idempotency-Key": "k" * 20}
        async with a.client() as client:
            answer = await client.post("/v1/clearing/add-institution", json=body, headers=headers)
            assert answer.status_code in {200, 204}, answer.text
            assert await a.door.name_of(b"", b"\x0c" * 16) == "c.example", "by its address, until it has a name"
            again = body | {"name": "The  C Bank", "address": "http://new.c.example"}
            for each in (again, body):
                headers["Idempotency-Key"] = secrets.token_hex(16)
                answer = await client.post("/v1/clearing/add-institution", json=each, headers=headers)
                assert answer.status_code in {200, 204}, answer.text
                assert await a.door.name_of(b"", b"\x0c" * 16) == "The C Bank", "a name stays when it is not said again"
        known = a.ledger.ask("clearing", lambda view: queries.institution(view, b"\x0c" * 16))
        assert known.address == "http://c.example"

    together(test)
