"""Passkeys: registration and authentication by WebAuthn Level 3, for our own host and origin.

The authenticator has to verify its user (by finger, face or its own PIN): a passkey alone is two factors. A signature
counter that goes back means a copied authenticator, and is refused; authenticators that do not count send zero.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from formicary.gateway.problems import Problem

if TYPE_CHECKING:
    from formicary.gateway.config import Config
    from formicary.gateway.devices import Device

PUBLIC_KEY_BYTES_MAX: Final = 1024
"""Bytes of a public key, so that it fits the ledger's list of devices; P-256 has 77, RSA-4096 about 540."""
CREDENTIAL_BYTES_MAX: Final = 1023
"""Bytes of a credential id: WebAuthn Level 3, section 4."""


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was just made and proved."""

    credential: bytes
    public_key: bytes
    sign_count: int


class Passkeys:
    """Makes options and verifies what browsers answer."""

    def __init__(self, config: Config) -> None:
        self._rp_id = config.rp_id
        self._rp_name = config.name
        self._origin = config.public_origin

    def registration(self, person: bytes, name: str, known: list[Device]) -> tuple[msgspec.Raw, bytes]:
        """Options for ``navigator.credentials.create`` as JSON, and the challenge."""
        options = webauthn.generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._rp_name,
            user_id=person,
            user_name=name,
            user_display_name=name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(each.credential) for each in known if each.credential],
        )
        return msgspec.Raw(webauthn.options_to_json(options).encode()), options.challenge

    def authentication(self, known: list[Device]) -> tuple[msgspec.Raw, bytes]:
        """Options for ``navigator.credentials.get`` as JSON, and the challenge; no devices: any passkey of ours."""
        options = webauthn.generate_authentication_options(
            rp_id=self._rp_id,
            allow_credentials=[PublicKeyCredentialDescriptor(each.credential) for each in known if each.credential],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return msgspec.Raw(webauthn.options_to_json(options).encode()), options.challenge

    def verify_new(self, credential: Any, challenge: bytes) -> NewPasskey:  # noqa: ANN401 - JSON of the browser
        """Check what ``create`` answered; refuses with ``passkey_refused``."""
        try:
            verified = webauthn.verify_registration_response(
                credential=_plain(credential),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except _REFUSED as error:
            raise Problem("passkey_refused", f"The passkey could not be verified: {error}", status=422) from error
        if len(verified.credential_public_key) > PUBLIC_KEY_BYTES_MAX:
            raise Problem("passkey_refused", "The passkey's public key is too long.", status=422)
        if not 0 < len(verified.credential_id) <= CREDENTIAL_BYTES_MAX:
            raise Problem("passkey_refused", "The passkey's id has no possible length.", status=422)
        return NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count)

    def verify(self, credential: Any, challenge: bytes, device: Device) -> int:  # noqa: ANN401 - JSON of the browser
        """Check what ``get`` answered with a passkey; return its new counter, or refuse with ``passkey_refused``."""
        assert device.public_key is not None, "a passkey has a public key"
        try:
            verified = webauthn.verify_authentication_response(
                credential=_plain(credential),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=device.public_key,
                credential_current_sign_count=device.sign_count,
                require_user_verification=True,
            )
        except _REFUSED as error:
            raise Problem("passkey_refused") from error
        return int(verified.new_sign_count)


def credential_id(credential: Any) -> bytes:  # noqa: ANN401 - JSON of the browser
    """The id of the passkey that a browser used; refuses what has none."""
    raw = credential.get("rawId") or credential.get("id") if isinstance(credential, dict) else None
    if not isinstance(raw, str) or len(raw) > 2 * CREDENTIAL_BYTES_MAX:
        raise Problem("passkey_refused")
    try:
        return base64url_to_bytes(raw)
    except ValueError as error:
        raise Problem("passkey_refused") from error


_REFUSED: Final = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)
"""What the library raises for bytes that no authenticator wrote, besides its own exceptions."""


def _plain(credential: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of the browser
    """Only plain JSON objects are looked at further."""
    if not isinstance(credential, dict):
        raise Problem("passkey_refused")
    plain: dict[str, Any] = json.loads(json.dumps(credential))
    return plain
