"""Checking signed requests: HTTP Message Signatures (RFC 9421) by Ed25519 over a digest of the body (RFC 9530).

``http-message-signatures`` takes 520 µs for one request here, seven times the Ed25519 check itself (73 µs), so this
reads the structured fields with the parser that it uses (``http_sf``) and does the rest by hand; it remains the oracle
in the tests. Which keys there are is for :mod:`formicary.gateway.keys` and for other institutions' doors.

Invariants: what is not covered by the signature is not believed: method, host, path and query always, the body by its
digest, the ``Idempotency-Key`` when there is one. Each signature is good once: its nonce is remembered for as long as
its time allows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import http_sf
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from formicary.client.signing import ALGORITHM, COVERED, authority, signature_base, signature_params
from formicary.gateway.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

WINDOW_S: Final = 120
"""How old a signature may be, whatever its own ``expires`` allows."""
AHEAD_S: Final = 2
"""How far the signer's clock may be ahead of ours: less than a restart takes, see :class:`Nonces`."""
NONCES_MAX: Final = 1_000_000
"""Signatures remembered at once; beyond that, requests wait for older ones to expire."""
SIGNATURE_HEADER_CHARS_MAX: Final = 4096
COMPONENTS_MAX: Final = 24
NONCE_CHARS_MIN, NONCE_CHARS_MAX = 8, 128
_HASHES: Final[Mapping[str, Callable[[bytes], Any]]] = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_DIGEST: Final = re.compile(r"([a-z0-9-]+)=:([A-Za-z0-9+/=]+):")
_PARAMETERS: Final = {"created": int, "expires": int, "keyid": str, "alg": str, "nonce": str, "tag": str}

CODES: Final = {
    "signature_malformed": "The headers Signature and Signature-Input can't be read, or name two keys of ours.",
    "signature_incomplete": "The signature must cover @method, @authority, @path and @query, the Content-Digest of a "
    "body, the Idempotency-Key where there is one, and carry created, nonce and keyid.",
    "signature_wrong": "The signature does not fit the request as it arrived.",
    "signature_expired": "The signature is too old, has expired, or lies in the future; check the clock and sign anew.",
    "signature_used": "This signature was used before; sign each attempt anew.",
    "digest_wrong": "The body is not the one that its Content-Digest says.",
}
"""Refusals of signed requests; each is a 401."""


def refused(code: str, why: str = "") -> Problem:
    """Make the problem that a signature meets."""
    return Problem(code, f"{CODES[code]}{f' ({why})' if why else ''}", status=401)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a request, read and not yet checked."""

    label: str
    components: tuple[str, ...]
    params: Mapping[str, str | int]
    signature: bytes

    @property
    def key(self) -> str:
        """The name of the key, as it claims."""
        return str(self.params["keyid"])


def read_signature(headers: Mapping[str, str], wanted: Callable[[str], bool]) -> Signature | None:
    """Read the signature by a key that ``wanted`` knows by its name; None where a request has none at all.

    Refuses two of them, component parameters, and anything that is not as RFC 9421 writes it.
    """
    written, signed = headers.get("signature-input"), headers.get("signature")
    if written is None or signed is None:
        if written is not None or signed is not None:
            raise refused("signature_malformed", "one header without the other")
        return None
    if len(written) > SIGNATURE_HEADER_CHARS_MAX or len(signed) > SIGNATURE_HEADER_CHARS_MAX:
        raise refused("signature_malformed", "too long")
    inputs, signatures = _dictionary(written), _dictionary(signed)
    ours = [label for label, (_, params) in inputs.items() if wanted(str(params.get("keyid", "")))]
    if not ours:
        return None
    if len(ours) != 1 or ours[0] not in signatures:
        raise refused("signature_malformed", f"{len(ours)} signatures with a keyid of ours")
    label = ours[0]
    members, params = inputs[label]
    raw = signatures[label][0]
    if not isinstance(raw, bytes) or len(raw) != 64 or not isinstance(members, list) or len(members) > COMPONENTS_MAX:
        raise refused("signature_malformed", "not 64 bytes over a list of components")
    if any(item_params or not isinstance(value, str) for value, item_params in members):
        raise refused("signature_malformed", "components take no parameters here")
    for name, value in params.items():
        if type(value) is not _PARAMETERS.get(name):
            raise refused("signature_malformed", f"parameter {name}")
    return Signature(label, tuple(value for value, _ in members), params, raw)


def _dictionary(text: str) -> Mapping[str, Any]:
    def twice(_key: str, _context: str) -> None:
        raise ValueError

    try:
        parsed: Any = http_sf.parse(text.encode("ascii"), tltype="dictionary", on_duplicate_key=twice)
    except (ValueError, UnicodeEncodeError, http_sf.StructuredFieldError) as error:
        raise refused("signature_malformed") from error
    found: Mapping[str, Any] = parsed
    return found


def check_signature(signature: Signature, request: Request, body: bytes, public_key: VerifyKey) -> None:
    """Check that a signature covers what it must and fits the request; refuse it otherwise."""
    covered = set(signature.components)
    needed = set(COVERED)
    if "@target-uri" in covered or "@request-target" in covered:
        needed -= {"@path", "@query"}
    if body:
        needed.add("content-digest")
        check_digest(request.headers.get("content-digest", ""), body)
    if "idempotency-key" in request.headers:
        needed.add("idempotency-key")
    missing = needed - covered
    if missing or len(covered) != len(signature.components):
        raise refused("signature_incomplete", "missing " + ", ".join(sorted(missing)) if missing else "twice")
    if signature.params.get("alg", ALGORITHM) != ALGORITHM:
        raise refused("signature_wrong", "the algorithm is ed25519")
    params = signature_params(signature.components, signature.params)
    try:
        base = signature_base(list(_values(signature.components, request)), params)
        public_key.verify(base, signature.signature)
    except (BadSignatureError, UnicodeEncodeError) as error:
        raise refused("signature_wrong") from error


def _values(components: tuple[str, ...], request: Request) -> Iterator[tuple[str, str]]:
    """Give each component of a request by its name (RFC 9421 §2.1, §2.2)."""
    scope = request.scope
    path = scope["raw_path"].decode("ascii", "replace") if scope.get("raw_path") else scope["path"]
    query = scope["query_string"].decode("ascii", "replace")
    scheme, host = scope["scheme"], request.headers.get("host", "")
    derived = {
        "@method": scope["method"],
        "@authority": authority(scheme, host),
        "@scheme": scheme,
        "@path": path,
        "@query": f"?{query}",
        "@request-target": f"{path}?{query}" if query else path,
        "@target-uri": f"{scheme}://{authority(scheme, host)}{path}{f'?{query}' if query else ''}",
    }
    for name in components:
        if name in derived:
            yield name, derived[name]
        elif name.startswith("@") or name not in request.headers:
            raise refused("signature_incomplete", f"there is no {name[:40]}")
        else:
            yield name, ", ".join(value.strip() for value in request.headers.getlist(name))


def check_digest(header: str, body: bytes) -> None:
    """Check a body against its ``Content-Digest``; at least one digest must be SHA-256 or SHA-512, and all must fit."""
    known = 0
    for part in header.split(","):
        found = _DIGEST.fullmatch(part.strip())
        if found is None:
            raise refused("digest_wrong", "the header can't be read")
        make = _HASHES.get(found[1])
        if make is None:
            continue
        known += 1
        try:
            claimed = base64.b64decode(found[2], validate=True)
        except binascii.Error as error:
            raise refused("digest_wrong", "not base64") from error
        if not hmac.compare_digest(claimed, make(body).digest()):
            raise refused("digest_wrong")
    if not known:
        raise refused("digest_wrong", "neither sha-256 nor sha-512")


class Nonces:
    """Remembers signatures for as long as they are good, so that none counts twice.

    Memory forgets at a restart, so signatures made before it are refused. One dated ahead of our clock could be used
    again only by whoever catches it within AHEAD_S of a restart, and a command's Idempotency-Key stops even that.
    """

    def __init__(self, now_s: int) -> None:
        self._since_s = now_s
        self._seen: dict[int, set[tuple[str, str]]] = {}
        self._count = 0
        self._forgot_s = now_s

    def use(self, signature: Signature, now_s: int) -> None:
        """Take a signature as used at ``now_s`` (seconds since 1970), or refuse it as too old, too new or used."""
        created, nonce = signature.params.get("created"), signature.params.get("nonce")
        if not isinstance(created, int) or not isinstance(nonce, str):
            raise refused("signature_incomplete", "created and nonce are needed")
        if not NONCE_CHARS_MIN <= len(nonce) <= NONCE_CHARS_MAX:
            raise refused("signature_incomplete", "a nonce has 8 to 128 characters")
        expires = signature.params.get("expires", created + WINDOW_S)
        assert isinstance(expires, int), "read_signature has checked the kinds of parameters"
        if not now_s - WINDOW_S < created <= now_s + AHEAD_S or expires < now_s or created < self._since_s:
            raise refused("signature_expired")
        self._forget(now_s)
        bucket = self._seen.setdefault(created, set())
        if (signature.key, nonce) in bucket:
            raise refused("signature_used")
        if self._count >= NONCES_MAX:
            raise Problem("rate_limited", headers={"Retry-After": str(AHEAD_S)})
        bucket.add((signature.key, nonce))
        self._count += 1

    def _forget(self, now_s: int) -> None:
        if now_s == self._forgot_s:
            return
        self._forgot_s = now_s
        for created in [created for created in self._seen if created <= now_s - WINDOW_S]:
            self._count -= len(self._seen.pop(created))


assert WINDOW_S > AHEAD_S
