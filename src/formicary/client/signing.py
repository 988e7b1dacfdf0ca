"""Signing an HTTP request with an Ed25519 key (RFC 9421), and its body's digest (RFC 9530).

The signature covers the method, the host, the path, the query, the body's digest and the ``Idempotency-Key``. It is
good for one use within a short time: ``created``, ``expires`` and a random ``nonce`` are signed too. The door checks
with the same :func:`signature_base`; ``http-message-signatures`` checks both in the tests.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from formicary.base.errors import BadInput

LABEL: Final = "sig1"
ALGORITHM: Final = "ed25519"
LIFE_S: Final = 60
"""How long a signature is good, from ``created`` to ``expires``."""
SEED_BYTES: Final = 32
COVERED: Final = ("@method", "@authority", "@path", "@query")
"""What every signature covers; one with a body covers ``content-digest`` too, one with a key ``idempotency-key``."""
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def content_digest(body: bytes) -> str:
    """Write the ``Content-Digest`` of a body: SHA-256 (RFC 9530 §2)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def authority(scheme: str, host: str) -> str:
    """Write ``@authority`` (RFC 9421 §2.2.3): the host in lower case, without the scheme's own port."""
    return host.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ":"))


def quoted(text: str) -> str:
    """Write a structured field's string (RFC 9651 §4.1.6); refuse what is not visible ASCII."""
    if not (text.isascii() and text.isprintable()):
        raise BadInput("only visible ASCII can be signed", where="signature")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def signature_params(components: Sequence[str], params: Mapping[str, str | int]) -> str:
    """Write ``@signature-params``: the components in order, then the parameters in order (RFC 9421 §2.3)."""
    listed = " ".join(quoted(component) for component in components)
    written = "".join(
        f";{name}={value}" if isinstance(value, int) else f";{name}={quoted(value)}" for name, value in params.items()
    )
    return f"({listed}){written}"


def signature_base(values: Sequence[tuple[str, str]], params: str) -> bytes:
    """Write what is signed (RFC 9421 §2.5): one line for each component and its value, then the parameters."""
    lines = [f'"{name}": {value}' for name, value in values]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode("ascii")


class Signer:
    """Signs requests as one key."""

    def __init__(self, key: str, private_key: str | bytes, *, clock: Callable[[], float] = time.time) -> None:
        """Sign as the key named ``key``; the private key is a seed of 32 bytes, or its hexadecimal digits.

        ``clock`` answers seconds since 1970.
        """
        try:
            seed = bytes.fromhex(private_key) if isinstance(private_key, str) else private_key
        except ValueError:
            raise BadInput("not hexadecimal digits", where="private_key") from None
        if len(seed) != SEED_BYTES:
            raise BadInput(f"a private key has {SEED_BYTES} bytes", where="private_key")
        self.key = key
        self._signing = SigningKey(seed)
        self._clock = clock

    @property
    def public_key(self) -> bytes:
        """The public half, 32 bytes."""
        return bytes(self._signing.verify_key)

    def headers(self, method: str, url: str, body: bytes = b"", *, idempotency_key: str = "") -> dict[str, str]:
        """Make the headers that sign one attempt: ``Signature-Input``, ``Signature`` and, with a body, its digest."""
        parts = urlsplit(url)
        values = [
            ("@method", method.upper()),
            ("@authority", authority(parts.scheme, parts.netloc.rpartition("@")[2])),
            ("@path", parts.path or "/"),
            ("@query", f"?{parts.query}"),
        ]
        made = {}
        if body:
            made["Content-Digest"] = content_digest(body)
            values.append(("content-digest", made["Content-Digest"]))
        if idempotency_key:
            values.append(("idempotency-key", idempotency_key))
        created = int(self._clock())
        params = signature_params(
            [name for name, _ in values],
            {
                "created": created,
                "expires": created + LIFE_S,
                "keyid": self.key,
                "alg": ALGORITHM,
                "nonce": secrets.token_urlsafe(16),
            },
        )
        signed = self._signing.sign(signature_base(values, params)).signature
        made["Signature-Input"] = f"{LABEL}={params}"
        made["Signature"] = f"{LABEL}=:{base64.b64encode(signed).decode()}:"
        return made
