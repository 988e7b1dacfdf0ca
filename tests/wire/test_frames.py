"""Frames by themselves: what is written can be read, and what is wrong is refused with its code."""

from __future__ import annotations

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base import errors
from formicary.base.errors import BadInput, Closed, Fault, FormicaryError, Refusal
from formicary.kernel.records import BATCH_MAX
from formicary.node import wire
from formicary.node.wire import FramingLost, Header, Kind, Limits

from tests.tidy.source import ROOT

LIMITS = Limits()
PAGE = (ROOT / "docs" / "reference" / "protocol.md").read_text(encoding="utf-8")


@given(kind=st.integers(0, 0xFFFF), request=st.integers(0, 2**64 - 1), length=st.integers(0, wire.BODY_MAX))
def test_a_header_is_read_as_it_was_written(kind: int, request: int, length: int) -> None:
    """Every kind, request id and allowed length survives the way through a header."""
    packed = wire.pack_header(kind, request, length)
    assert len(packed) == wire.HEADER_BYTES
    assert wire.parse_header(packed, body_max=wire.BODY_MAX) == Header(kind, request, length)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"magic": b"HTTP"}, "bad_magic"),
        ({"length": wire.BODY_MAX + 1}, "frame_too_long"),
        ({"flags": 1}, "reserved_not_zero"),
        ({"reserved": 1}, "reserved_not_zero"),
    ],
)
def test_a_header_that_cannot_be_followed_ends_the_connection(change: dict[str, int | bytes], code: str) -> None:
    """A wrong magic, too long a body or a field of the future: nobody knows where the next frame begins."""
    fields = {"magic": wire.MAGIC, "length": 0, "request": 1, "kind": 2, "flags": 0, "reserved": 0} | change
    with pytest.raises(FramingLost) as refused:
        wire.parse_header(wire.HEADER.pack(*fields.values()), body_max=wire.BODY_MAX)
    assert refused.value.code == code


@given(st.binary(min_size=wire.HEADER_BYTES, max_size=wire.HEADER_BYTES))
def test_random_bytes_are_hardly_ever_a_header(data: bytes) -> None:
    """Whatever 24 bytes arrive, reading them either gives a header within the limits or refuses."""
    try:
        header = wire.parse_header(data, body_max=wire.BODY_MAX)
    except FramingLost:
        return
    assert data[:4] == wire.MAGIC
    assert header.length <= wire.BODY_MAX


@pytest.mark.parametrize(
    ("kind", "length", "code"),
    [
        (0, 0, "unknown_kind"),
        (99, 0, "unknown_kind"),
        (Kind.POST_TRANSFERS | wire.ANSWER, 128, "unknown_kind"),
        (Kind.POST_TRANSFERS, 0, "bad_length"),
        (Kind.POST_TRANSFERS, 127, "bad_length"),
        (Kind.OPEN_ACCOUNTS, 129, "bad_length"),
        (Kind.LOOKUP_ACCOUNTS, 15, "bad_length"),
        (Kind.LOOKUP_TRANSFERS, 16 * (BATCH_MAX + 1), "batch_too_long"),
        (Kind.RECEIPT, 17, "bad_length"),
        (Kind.INFO, 1, "bad_length"),
    ],
)
def test_a_request_whose_length_does_not_fit_its_kind_is_refused(kind: int, length: int, code: str) -> None:
    """The frame can be skipped, so only the request is refused."""
    with pytest.raises(BadInput) as refused:
        wire.check_request(Header(kind, 7, length), LIMITS)
    assert refused.value.code == code
    assert not isinstance(refused.value, FramingLost)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.HELLO])
def test_every_kind_has_a_length_that_is_taken(kind: Kind) -> None:
    """No kind is listed that could not be asked."""
    length = wire.FIXED_BODY.get(kind, wire.RECORD_OF.get(kind, 0))
    assert wire.check_request(Header(kind, 1, length), LIMITS) is kind


def test_a_welcome_is_read_as_it_was_written() -> None:
    """The limits and the ledger's id arrive."""
    limits = Limits(window=3, idle_s=77)
    welcome = wire.parse_welcome(wire.pack_welcome(limits, bytes(range(16))))
    assert welcome == (wire.VERSION, BATCH_MAX, 3, wire.BODY_MAX, bytes(range(16)), 77)


def test_a_hello_of_another_version_is_refused() -> None:
    """A client of the future is told which version is spoken here."""
    body = bytearray(wire.pack_hello(b"t" * 32))
    assert wire.parse_hello(body) == b"t" * 32
    struct.pack_into("<H", body, 0, wire.VERSION + 1)
    with pytest.raises(FramingLost, match="version 1") as refused:
        wire.parse_hello(body)
    assert refused.value.code == "version_unsupported"


@pytest.mark.parametrize(
    "error",
    [
        Refusal("no", code="no_such_thing"),
        BadInput("no", where="x"),
        Fault("broken"),
        Closed("gone"),
        errors.Locked("taken"),
        errors.Fenced("old"),
        errors.StorageFull("full"),
        errors.StorageReadOnly("fixed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_keeps_its_code_message_and_severity(error: FormicaryError) -> None:
    """What the server met, the client raises: the same class of fault, or a refusal with the same code."""
    read = wire.parse_error(wire.pack_error(error))
    assert (read.code, str(read)) == (error.code, str(error))
    assert isinstance(read, Refusal) == isinstance(error, Refusal)
    if isinstance(error, Fault):
        assert type(read) is type(error)


@given(st.text(max_size=60), st.text(max_size=5000), st.booleans())
def test_any_error_fits_its_frame(code: str, message: str, is_fault: bool) -> None:
    """A code or message of any length or script makes a frame that can be read, of bounded size."""
    error = (Fault if is_fault else Refusal)(message, code=code)
    body = wire.pack_error(error)
    assert len(body) <= wire.ERROR.size + 16_000
    assert isinstance(wire.parse_error(body), Fault) == is_fault


def golden(name: str) -> bytes:
    """Return the bytes that the protocol's page shows under a name."""
    found = re.search(rf"<!-- golden: {name} -->\n+```text\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None, f"protocol.md shows no {name}"
    lines = (line.partition("#")[0] for line in found[1].splitlines())
    return bytes.fromhex("".join(lines))


def test_the_bytes_on_the_page_are_the_bytes_on_the_wire() -> None:
    """Whoever writes a client from the page alone writes what this code writes, in this version and the next."""
    hello = wire.pack_hello()
    assert golden("hello") == wire.pack_header(Kind.HELLO, 1, len(hello)) + hello
    welcome = wire.pack_welcome(LIMITS, bytes.fromhex("0123456789abcdeffedcba9876543210"))
    assert golden("welcome") == wire.pack_header(Kind.HELLO | wire.ANSWER, 1, len(welcome)) + welcome
    error = wire.pack_error(BadInput("there is no request of kind 99", code="unknown_kind"))
    assert golden("error") == wire.pack_header(wire.ERROR_KIND, 3, len(error)) + error


def test_every_kind_stands_on_the_page_with_its_number() -> None:
    """The page's table of requests is complete."""
    for kind in Kind:
        assert re.search(rf"^\| {kind.value} \| `{kind.name}` \|", PAGE, re.MULTILINE), kind.name


def test_the_example_of_posting_is_what_is_posted() -> None:
    """The page's example of a transfer and of the codes that answer it."""
    frame = golden("post")
    header = wire.parse_header(frame, body_max=wire.BODY_MAX)
    assert header == Header(Kind.POST_TRANSFERS, 2, 128)
    assert golden("post answer") == wire.pack_header(Kind.POST_TRANSFERS | wire.ANSWER, 2, 2) + bytes(2)
