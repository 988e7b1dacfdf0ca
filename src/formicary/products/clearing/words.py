"""What one institution signs for another: offered, accepted, captured, cancelled. Both ledgers keep the signatures.

The bytes are ``formicary clearing v1`` and a newline, the word, a newline, then 16 bytes each for the payer's
institution, the payee's institution and the payment, then the asset in 4 bytes and the amount in minor units in 8, both
big-endian; the signature is Ed25519 (RFC 8032). Both institutions stand in it, so that a word given to one is worth
nothing to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

DOMAIN: Final = b"formicary clearing v1\n"
Word = Literal["offered", "accepted", "captured", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a word is about."""

    payer_institution: bytes
    payee_institution: bytes
    transfer: bytes
    """The payment's id at the payer's institution."""
    asset: int
    amount_minor: int

    def signed_bytes(self, word: Word) -> bytes:
        """The bytes that are signed."""
        names = self.payer_institution + self.payee_institution + self.transfer
        numbers = self.asset.to_bytes(4, "big") + self.amount_minor.to_bytes(8, "big")
        return DOMAIN + word.encode("ascii") + b"\n" + names + numbers


def is_signed(key: bytes, signature: bytes, word: Word, terms: Terms) -> bool:
    """Whether an institution's key gave this word."""
    try:
        VerifyKey(key).verify(terms.signed_bytes(word), signature)
    except BadSignatureError:
        return False
    return True
