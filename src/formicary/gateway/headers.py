"""Headers that every answer carries, made once."""

from __future__ import annotations

from typing import Final

RawHeaders = list[tuple[bytes, bytes]]
PAGE_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
"""What our pages may load: only from us. The pages' widgets write styles into the page, hence ``unsafe-inline``."""
DATA_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""What anything else may load, should a browser show it as a page: nothing."""


def common_headers(*, is_secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Headers of every answer, whatever it is."""
    common = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=(self)"),
    ]
    if is_secure:
        common.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    return tuple(common)


def policy_of(media: bytes) -> bytes:
    """The content security policy of an answer, by its content type."""
    return (PAGE_POLICY if media.startswith(b"text/html") else DATA_POLICY).encode()
