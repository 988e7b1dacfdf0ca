"""Keys that sign requests: what another implementation signs is accepted, and nothing else is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from nacl.signing import SigningKey

from formicary.client import Client, NotAllowed, NotSignedIn, Signer
from formicary.client.signing import content_digest
from formicary.gateway.signatures import AHEAD_S, NONCES_MAX, WINDOW_S, Nonces, Signature

from tests.gateway.house import ALICE, OPERATOR, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("keys"))
    made.settle()
    yield made
    made.close()


class Known(HTTPSignatureKeyResolver):
    """Knows one key, for the other implementation."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.key = key

    def resolve_public_key(self, _key_id: str) -> Any:
        """The public half."""
        return self.key.public_key()

    def resolve_private_key(self, _key_id: str) -> Any:
        """The private half."""
        return self.key


def code_of(response: httpx.Response) -> str:
    """The code of a problem."""
    return str(response.json()["code"])


def test_a_signed_request_is_the_owners(house: House) -> None:
    """Our own client asks and does things as the key's owner."""
    with house.client(ALICE, "wallet:read") as client:
        assert client.ask("wallet.me")["person"]["id"] == ALICE.hex()


def test_another_implementation_signs_what_we_accept(house: House) -> None:
    """http-message-signatures is the oracle of what a signature looks like."""
    made = house.key(ALICE, "wallet:read")
    known = Known(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(made.private_key)))
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=known)
    request = httpx.Request("GET", f"{house.origin}/v1/wallet/limits?asset=EUR")
    now = dt.datetime.now(dt.UTC)
    signer.sign(
        request,
        key_id=made.key,
        covered_component_ids=("@method", "@authority", "@path", "@query"),
        created=now,
        expires=now + dt.timedelta(seconds=30),
        nonce="a-nonce-of-our-own",
        label="anything",
        include_alg=True,
    )
    with httpx.Client() as client:
        assert client.send(request).status_code == 200
        assert code_of(client.send(request)) == "signature_used"


def test_another_implementation_accepts_what_we_sign() -> None:
    """The oracle checks our signer's headers, with a body and an idempotency key."""
    signer = Signer("fk_test_a", bytes(range(32)))
    body = b'{"a":1}'
    url = "https://Bank.example:443/v1/pay/send?x=%20y"
    headers = signer.headers("post", url, body, idempotency_key="k" * 16)
    request = httpx.Request("POST", url, content=body, headers={**headers, "Idempotency-Key": "k" * 16})
    known = Known(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=known)
    verified = verifier.verify(request)
    assert '"content-digest"' in str(verified[0].covered_components)
    assert headers["Content-Digest"] == content_digest(body)


@pytest.mark.parametrize("what", ["method", "path", "query", "body", "key", "digest"])
def test_whatever_is_changed_is_refused(house: House, what: str) -> None:
    """A signature holds for one request, to the letter."""
    made = house.key(OPERATOR, "ledger:read", roles="operator")
    signer = Signer(made.key, made.private_key)
    url, body = f"{house.origin}/v1/operator/sql?a=1", b'{"sql":"SELECT 1"}'
    headers = {**signer.headers("POST", url, body, idempotency_key="k" * 16), "Content-Type": "application/json"}
    headers["Idempotency-Key"] = "k" * 16
    method = "POST"
    if what == "method":
        method = "PUT"
        url = url.replace("operator/sql", "keys")
    elif what == "path":
        url = url.replace("operator/sql", "transfers:batch")
    elif what == "query":
        url += "2"
    elif what == "body":
        body = body.replace(b"1", b"2")
    elif what == "key":
        headers["Idempotency-Key"] = "j" * 16
    else:
        headers["Content-Digest"] = content_digest(b"other")
    answer = httpx.request(method, url, content=body, headers=headers)
    if what == "method":
        assert answer.status_code == 405
    else:
        assert answer.status_code == 401
        assert code_of(answer) == ("digest_wrong" if what in {"body", "digest"} else "signature_wrong")


@pytest.mark.parametrize(
    ("written", "signed"),
    [
        ("sig1=()", "sig1=:AAAA:"),
        ('sig1=("@method");keyid="fk_test_x";created="1"', "sig1=:" + "A" * 86 + "==:"),
        ('sig1=("@method";req);keyid="fk_test_x";created=1', "sig1=:" + "A" * 86 + "==:"),
        ('a=();keyid="fk_test_x", b=();keyid="fk_test_x"', "a=:" + "A" * 86 + "==:"),
        ("sig1=(", "sig1=:AAAA:"),
        ("x" * 5000, "sig1=:AAAA:"),
        ("\N{SNOWMAN}", "sig1"),
    ],
)
def test_malformed_signatures_are_a_clear_401(house: House, written: str, signed: str) -> None:
    """Whatever stands in the headers, the answer is a problem and never an error of ours."""
    headers = {"Signature-Input": written.encode(), "Signature": signed.encode()}
    answer = httpx.get(f"{house.origin}/v1/wallet/me", headers=headers)
    assert answer.status_code == 401


def test_a_signature_must_cover_enough(house: House) -> None:
    """One that leaves the path open could be used for any path."""
    made = house.key(ALICE, "wallet:read")
    known = Known(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(made.private_key)))
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=known)
    request = httpx.Request("GET", f"{house.origin}/v1/wallet/me")
    now = dt.datetime.now(dt.UTC)
    signer.sign(request, key_id=made.key, covered_component_ids=("@method", "@authority"), created=now, nonce="n" * 16)
    with httpx.Client() as client:
        assert code_of(client.send(request)) == "signature_incomplete"


def test_scopes_and_sessions_bound_a_key(house: House) -> None:
    """A key does what its scopes say, and makes no other key."""
    with house.client(ALICE, "wallet:read") as client:
        with pytest.raises(NotAllowed) as refused:
            client.do("wallet.freeze")
        assert refused.value.code == "scope_missing"
        with pytest.raises(NotAllowed):
            client.post("/v1/keys", {"scopes": ["wallet:read"]})
    with pytest.raises(Exception, match="no such scope"):
        house.key(ALICE, "ledger:write")


def test_a_revoked_key_ends_at_once(house: House) -> None:
    """The next request with it is refused; so is one with a live key in a sandbox."""
    from formicary.gateway.keys import Keys
    from formicary.gateway.shared import shared

    keys = shared(house.door, Keys)
    made = house.key(ALICE, "wallet:read")
    with Client(house.origin, key=made.key, private_key=made.private_key) as client:
        client.ask("wallet.me")
        listed = house.on_loop(lambda: keys.list(house.asked(ALICE)))
        assert made.key in [each.key for each in listed.items]
        house.on_loop(lambda: keys.revoke(house.asked(ALICE, key=made.key)))
        with pytest.raises(NotSignedIn) as refused:
            client.ask("wallet.me")
        assert refused.value.code == "key_unknown"


def test_the_public_half_may_be_brought_along(house: House) -> None:
    """Then no private key is made or shown."""
    from formicary.gateway.keys import Keys, NewKey
    from formicary.gateway.shared import shared

    signing = SigningKey.generate()
    body = NewKey(("wallet:read",), label="till", public_key=bytes(signing.verify_key).hex())
    made: Any = house.on_loop(lambda: shared(house.door, Keys).make(house.asked(ALICE, body)))
    assert (made.private_key, made.label) == ("", "till")
    with Client(house.origin, key=made.key, private_key=bytes(signing)) as client:
        assert client.ask("wallet.me")["person"]["id"] == ALICE.hex()


def test_nonces_count_once_within_their_window() -> None:
    """Used, too old, from the future, from before the start: each refused; memory forgets what no window needs."""
    nonces = Nonces(1_000)

    def use(created: int, nonce: str, now: int) -> str:
        signature = Signature("s", (), {"created": created, "nonce": nonce, "keyid": "k"}, b"")
        try:
            nonces.use(signature, now)
        except Exception as problem:  # noqa: BLE001 - its code is looked at
            return str(getattr(problem, "code", "?"))
        return "ok"

    assert use(1_000, "n" * 16, 1_000) == "ok"
    assert use(1_000, "n" * 16, 1_001) == "signature_used"
    assert use(999, "m" * 16, 1_000) == "signature_expired"
    assert use(1_001 + AHEAD_S, "m" * 16, 1_000) == "signature_expired"
    assert use(1_000, "x" * 16, 1_000 + WINDOW_S) == "signature_expired"
    assert use(1_200, "short", 1_200) == "signature_incomplete"
    assert use(1_200, "y" * 16, 1_200) == "ok"
    assert nonces._count == 1
    assert NONCES_MAX > 100_000


def test_a_key_acts_for_its_owners_shop(house: House) -> None:
    """It signs as the shop; nobody else makes one for it."""
    from formicary.gateway.keys import Keys, NewKey
    from formicary.gateway.shared import shared

    shop = house.run(ALICE, "shop.register", asset=978, country="DE", category=5411, alias=None).shop.hex()
    wanted = NewKey(("shop:read", "events:read"), shop=shop)
    made: Any = house.on_loop(lambda: shared(house.door, Keys).make(house.asked(ALICE, wanted)))
    assert made.party == shop
    with Client(house.origin, key=made.key, private_key=made.private_key) as client:
        assert client.ask("shop.shop", shop=shop)["shop"]["id"] == shop
    with pytest.raises(Exception, match="Only the owner"):
        house.on_loop(lambda: shared(house.door, Keys).make(house.asked(OPERATOR, wanted)))
