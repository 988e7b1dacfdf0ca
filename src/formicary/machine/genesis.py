"""The first entry of every log: who this ledger is, and the name that proves itself.

The ledger id is a hash of everything public in the genesis, so that whoever knows the id can check the first signing
key, and from there every receipt. The blinding key is not public: it would let a customer test guesses at other
people's leaves. The id therefore covers a hash of it, and a receipt carries the :class:`Identity`, which has that hash
in its place. SHA-256 throughout, for a browser has it built in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec

from formicary.base.errors import BadInput
from formicary.machine.keys import LEDGER_ID_BYTES, PUBLIC_KEY_BYTES, LedgerId, PublicKey
from formicary.machine.siphash import KEY_BYTES

GENESIS_VERSION: Final = 1
BLINDING_KEY_BYTES: Final = KEY_BYTES
NOTE_BYTES_MAX: Final = 64
"""A note is a name to show to people; it rides on every receipt."""
_IDENTITY_DOMAIN: Final = b"formicary genesis v1\n"
_BLINDING_DOMAIN: Final = b"formicary blinding v1\n"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the world may know of a genesis: all that its id is made of."""

    version: int
    created_ns: int
    public_key: PublicKey
    blinding_hash: bytes
    note: str

    @property
    def ledger_id(self) -> LedgerId:
        """First 16 bytes of SHA-256 over domain, version (2, little), time (8, little), key, blinding hash, note."""
        numbers = self.version.to_bytes(2, "little") + self.created_ns.to_bytes(8, "little")
        fields = numbers + self.public_key + self.blinding_hash + self.note.encode()
        return LedgerId(hashlib.sha256(_IDENTITY_DOMAIN + fields).digest()[:LEDGER_ID_BYTES])


class Genesis(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="genesis.1"):
    """The body of entry 1, in msgpack."""

    version: int
    created_ns: int
    blinding_key: bytes
    """16 bytes by chance; whoever has the log has it, whoever has receipts does not."""
    public_key: bytes
    """The first signing key."""
    note: str

    @property
    def identity(self) -> Identity:
        """The public part."""
        blinding_hash = hashlib.sha256(_BLINDING_DOMAIN + self.blinding_key).digest()
        return Identity(self.version, self.created_ns, PublicKey(self.public_key), blinding_hash, self.note)

    @property
    def ledger_id(self) -> LedgerId:
        """Who this ledger is."""
        return self.identity.ledger_id


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Genesis)


def new_genesis(*, created_ns: int, blinding_key: bytes, public_key: PublicKey, note: str = "") -> Genesis:
    """Make the genesis of a new ledger; the caller brings time and chance."""
    genesis = Genesis(GENESIS_VERSION, created_ns, blinding_key, public_key, note)
    _check(genesis)
    return genesis


def write_genesis(genesis: Genesis) -> bytes:
    """Encode a genesis: its one byte form."""
    return _encoder.encode(genesis)


def read_genesis(body: bytes | memoryview) -> Genesis:
    """Decode the body of entry 1, or refuse it with what is wrong."""
    try:
        genesis = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a genesis: {error}", where="genesis") from error
    _check(genesis)
    if _encoder.encode(genesis) != bytes(body):
        raise BadInput("not in its one byte form", where="genesis")
    return genesis


def _check(genesis: Genesis) -> None:
    if genesis.version != GENESIS_VERSION:
        raise BadInput(f"version {genesis.version} is not known here", where="genesis.version")
    if not 0 <= genesis.created_ns < 1 << 63:
        raise BadInput("not a time", where="genesis.created_ns")
    if len(genesis.blinding_key) != BLINDING_KEY_BYTES:
        raise BadInput(f"not {BLINDING_KEY_BYTES} bytes", where="genesis.blinding_key")
    if len(genesis.public_key) != PUBLIC_KEY_BYTES:
        raise BadInput(f"not {PUBLIC_KEY_BYTES} bytes", where="genesis.public_key")
    if len(genesis.note.encode()) > NOTE_BYTES_MAX or not genesis.note.isprintable():
        raise BadInput(f"not a line of at most {NOTE_BYTES_MAX} bytes", where="genesis.note")
