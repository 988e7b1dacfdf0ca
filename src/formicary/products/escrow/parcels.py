"""What a carrier signs. A carrier's own program needs this file's two rules and nothing else of ours.

The bytes are ``formicary parcel v1`` and a newline, the order's 16 bytes, the status (``DELIVERED`` or ``LOST``), a
newline, and the recipient's code, which is empty for a lost parcel; the signature is Ed25519 (RFC 8032). On the order
the code is only its SHA-256: make it of 16 random bytes, for fewer can be guessed by whoever reads the log.
"""

from __future__ import annotations

import hashlib
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

DOMAIN: Final = b"formicary parcel v1\n"


def parcel_bytes(order: bytes, status: str, code: bytes) -> bytes:
    """The bytes that the carrier's key signs."""
    return DOMAIN + order + status.encode("ascii") + b"\n" + code


def code_digest(code: bytes) -> bytes:
    """How the recipient's code stands on the order: 32 bytes."""
    return hashlib.sha256(code).digest()


def carrier_signed(key: bytes, signature: bytes, *, order: bytes, status: str, code: bytes) -> bool:
    """Whether the carrier's key signed exactly this."""
    try:
        VerifyKey(key).verify(parcel_bytes(order, status, code), signature)
    except BadSignatureError:
        return False
    return True
