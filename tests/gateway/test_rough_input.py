"""Rough input at every door: broken, deep, huge, slow, misdeclared; a clear 4xx each time, and bounded memory."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from formicary.gateway.protocol import HEAD_BYTES_MAX
from formicary.rails.iso20022 import FILE_BYTES_MAX

from tests.gateway.test_courier import Desk
from tests.gateway.test_server import Served
from tests.gateway.town import Person, Town

MIB = 1 << 20
GROWTH_MIB_MAX = 48
"""Resident memory that a whole flood may add to the process: a few bodies of the largest size, and no more."""
DOORS = (
    "/v1/pay/send",
    "/v1/codes:read",
    "/v1/sign-up/begin",
    "/v1/sign-in/finish",
    "/v1/webhooks",
    "/v1/keys",
    "/v1/escrow/buy",
    "/v1/clearing/payments",
    "/v1/transfers:batch",
    "/v1/operator/sql",
)
BROKEN = {
    "cut short": b'{"payee": "',
    "nothing but brackets": b"[" * 60_000,
    "objects in objects": b'{"a":' * 12_000 + b"1" + b"}" * 12_000,
    "bad UTF-8": b'{"text": "\xff\xfe\xfa"}',
    "UTF-8 of a surrogate": b'{"text": "\xed\xa0\x80"}',
    "overlong UTF-8": b'{"text": "\xc0\xaf"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "a lone surrogate, escaped": b'{"text": "\\ud800"}',
    "a number without end": b'{"amount_minor": ' + b"9" * 60_000 + b"}",
    "a number too large": b'{"amount_minor": 1e400}',
    "not a number": b'{"amount_minor": NaN}',
    "a comment": b'{"a": 1} // all',
    "two values": b"{} {}",
    "a comma too many": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "nulls": bytes(60_000),
    "XML": b"<?xml version='1.0'?><a/>",
    "a list": b"[]",
    "a text": b'"text"',
    "a number": b"7",
    "thousands of fields": b"{" + b",".join(b'"f%d":1' % number for number in range(5_000)) + b"}",
    "a field twice": b'{"text": "a", "text": 7}',
}


def resident_mib() -> float:
    """Memory of this process that is really there."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


@pytest.fixture(scope="module")
def clerk() -> Iterator[Person]:
    """An operator who has just confirmed: whoever gets furthest into every door."""
    town = Town()
    made = town.appoint(town.person("Olga"), "operator")
    made.confirm()
    yield made
    town.close()


def send(clerk: Person, path: str, body: bytes, **headers: str) -> httpx.Response:
    """A body as it is."""
    told = {"Content-Type": "application/json", "Idempotency-Key": clerk.town.key(), **headers}
    return clerk.ask("POST", path, content=body, headers=told)


@pytest.mark.parametrize("path", DOORS)
def test_broken_json_at_every_door(clerk: Person, path: str) -> None:
    """Each kind at each door: 400, 413 or 422, a problem with a code, and words that do not echo the body."""
    for what, body in BROKEN.items():
        found = send(clerk, path, body)
        assert found.status_code in {400, 413, 422}, (what, found.status_code, found.text[:300])
        assert found.headers["content-type"] == "application/problem+json"
        assert len(found.content) < 2_000, (what, "an answer is not longer than the question deserves")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/xml", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=latin-1", 415),
        ("application/jsonp", 415),
        ("application/json\tx", 415),
        ("\xff\xfe", 415),
        ("application/json" + " " * 5_000, 422),
        ("application/json" + ";" * 5_000, 415),
        ("APPLICATION/JSON;charset=UTF-8", 422),
    ],
)
def test_content_types(clerk: Person, content_type: str, status: int) -> None:
    """Only JSON in UTF-8; the same for every spelling of it."""
    told = {"Idempotency-Key": clerk.town.key()}
    headers = [*((name.encode(), value.encode()) for name, value in told.items())]
    headers.append((b"Content-Type", content_type.encode("latin-1")))
    found = clerk.ask("POST", "/v1/pay/send", content=b"{}", headers=headers)
    assert found.status_code == status, found.text


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with space in the middle", "\x7f" * 20, "é" * 20, '"' * 18])
def test_idempotency_keys(clerk: Person, key: str) -> None:
    """Too short, too long, invisible, not ASCII: asked for a proper one."""
    headers = [(b"Content-Type", b"application/json"), (b"Idempotency-Key", key.encode("utf-8"))]
    found = clerk.ask("POST", "/v1/pay/send", content=b"{}", headers=headers)
    assert (found.status_code, found.json()["code"]) == (400, "idempotency_key_needed")


def strange_texts() -> list[str]:
    """Codes that no scheme wrote: altered, endless, nested, of odd letters, and noise under a fixed seed."""
    chance = random.Random(7)
    known = "00020101021126580014A000000677010111011300669999999990208123456785802TH53037645406100.006304ABCD"
    texts = [
        "0" * 4096,
        "9" * 4096,
        "000201" + "2699" * 1000,
        "0002016304",
        "63040000",
        "0002\x0001",
        "\u202e" * 100,
        "💶" * 500,
        "٠٠٠٢٠١" * 3,  # Arabic-Indic digits, which int() would take
        "https://pay.example/" + "a/" * 1500,
        "javascript:alert(1)",
        "/pay/" + "0" * 32,
        "/pay/" + "0" * 5_00,
        "/#/pay/x/../../y",
        "@" + "a" * 4_000,
        "BCD\n002\n1\nSCT\n" + "\n" * 1000,
        "SPC\r\n0200\r\n1\r\n" + "x\r\n" * 300,
        "bitcoin:" + "1" * 4000,
        " " * 4096,
        "1" * 18,
        "²" * 18,
    ]
    for _ in range(200):
        letters = list(known)
        for _ in range(chance.randint(1, 6)):
            letters[chance.randrange(len(letters))] = chance.choice("0123456789ABZ/@.\n é")
        texts.append("".join(letters))
    texts += [
        "".join(chr(chance.choice((chance.randint(32, 126), chance.randint(160, 0x2FFF)))) for _ in range(60))
    ] * 50
    return texts


def test_codes_that_nobody_wrote(clerk: Person) -> None:
    """Whatever a camera reads: told what it is and that it can't be paid, or refused with a 4xx and a code."""
    for text in strange_texts():
        found = clerk.post("/v1/codes:read", text=text)
        assert found.status_code in {200, 404, 409, 422}, (text[:60], found.status_code, found.text[:300])
        if found.status_code == 200:
            told = found.json()
            assert told["payable"] is False or told["kind"] in {"person", "shop_till", "shop_order"}, (text[:60], told)
        else:
            assert found.json()["code"]


def test_memory_stays_bounded_under_huge_and_broken_bodies(clerk: Person) -> None:
    """Hundreds of large, deep and endless bodies to every door leave the process as large as it was."""
    heavy = [body for body in BROKEN.values() if len(body) > 10_000] + [b'{"text": "' + b"x" * MIB + b'"}']
    for path in DOORS:  # once, so that what is made lazily is there
        send(clerk, path, heavy[0])
    before = resident_mib()
    for _ in range(8):
        for path in DOORS:
            for body in heavy:
                assert 400 <= send(clerk, path, body).status_code < 500
            assert clerk.town.run(endless(clerk, path)) == 413
    grown = resident_mib() - before
    assert grown < GROWTH_MIB_MAX, f"{grown:.0f} MiB more"


async def endless(clerk: Person, path: str) -> int:
    """Post a body that never ends and states no length; answer the status."""
    cookie = "; ".join(f"{name}={value}" for name, value in clerk.client.cookies.items())
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode()), (b"origin", clerk.origin.encode())]
    headers += [(b"content-type", b"application/json"), (b"idempotency-key", b"k" * 20)]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "server": ("localhost", 80),
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

    async def tell(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async with asyncio.timeout(30):
        await clerk.town.app(scope, receive, tell)
    return statuses[0]


# ── the server's own edge ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A real server on a port."""
    made = Served()
    yield made
    made.close()


FLOODS = {
    "one header without end": b"x-filler: " + b"x" * (4 * HEAD_BYTES_MAX) + b"\r\n",
    "thousands of headers": b"".join(b"x-%d: 1\r\n" % number for number in range(20_000)),
    "a cookie as large as a book": b"cookie: formicary=" + b"a" * (4 * HEAD_BYTES_MAX) + b"\r\n",
    "a name with a space": b"x filler: 1\r\n",
    "two lengths": b"content-length: 5\r\ncontent-length: 6\r\n",
    "a length and chunks": b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
    "a negative length": b"content-length: -1\r\n",
    "a length that is no number": b"content-length: many\r\n",
    "a null": b"x-null: a\x00b\r\n",
}


@pytest.mark.parametrize("what", FLOODS)
def test_floods_of_headers(served: Served, what: str) -> None:
    """Heads that are too long or break HTTP: a 4xx or a closed connection, never a 5xx and never silence."""
    answer = b""
    with served.connect() as connection:
        try:
            connection.sendall(b"POST /v1/sign-in/begin HTTP/1.1\r\nhost: localhost\r\n" + FLOODS[what] + b"\r\n{}")
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                answer += part
        except OSError as error:  # the server has hung up while we were still talking
            if error.errno not in {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}:
                raise
            return
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:200]


def test_memory_stays_bounded_under_slow_clients(served: Served) -> None:
    """Hundreds of connections that say half a sentence are let go, and leave nothing behind; others are served."""
    before = resident_mib()
    for _ in range(3):
        connections = [served.connect() for _ in range(100)]
        for connection in connections:
            connection.sendall(b"POST /v1/sign-in/begin HTTP/1.1\r\nhost: localhost\r\ncontent-length: 60000\r\n\r\n{")
        assert httpx.get(f"http://127.0.0.1:{served.port}/openapi.json").status_code == 200
        for connection in connections:
            assert connection.recv(65_536).startswith(b"HTTP/1.1 408 ")
            connection.close()
    grown = resident_mib() - before
    assert grown < GROWTH_MIB_MAX, f"{grown:.0f} MiB more"


# ── the bank's folder ───────────────────────────────────────────────────────────────────────────────────────────────

BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><b>&d;</b>"""
XXE = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'
FILES = {
    "bomb.xml": BOMB,
    "outside.xml": XXE,
    "empty.xml": b"",
    "noise.xml": bytes(range(256)) * 50,
    "text.xml": b"Dear bank, where is my money?",
    "deep.xml": b"<a>" * 200_000,
    "wide.xml": b"<Document>" + b"<x/>" * 300_000 + b"</Document>",
    "attributes.xml": b"<a " + b" ".join(b'x%d="1"' % number for number in range(100_000)) + b"/>",
    "unknown.xml": b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.999.001.01"/>',
    "half.xml": b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>',
    "x" * 240 + ".xml": b"<a/>",
    "é" * 110 + ".xml": b"<a/>",
}


def test_bad_files_from_the_bank_are_set_apart(tmp_path: Path) -> None:
    """Bombs, entities, noise, depth, odd names: each in quarantine with its reason, and the next payment arrives."""
    desk = Desk(tmp_path)
    incoming = desk.courier.incoming
    for name, data in FILES.items():
        (incoming / name).write_bytes(data)
    (incoming / os.fsdecode(b"\xff\xfe.xml")).write_bytes(b"<a/>")
    before = resident_mib()
    for number in range(3):
        with (incoming / f"huge-{number}.xml").open("wb") as file:
            file.truncate(64 * FILE_BYTES_MAX)  # sparse: a gigabyte that takes no room
    carried = desk.courier.step()
    assert carried.quarantined == len(FILES) + 4
    assert carried.files == 0
    reasons = dict(desk.courier.quarantined())
    assert len(reasons) == len(FILES) + 4
    assert all(reasons.values())
    assert "root:" not in "".join(reasons.values()), "no file of this machine is quoted"
    assert not list(incoming.glob("*.xml"))
    desk.bring("12.00")
    desk.turn(3)
    assert desk.balance() == 1200
    grown = resident_mib() - before
    assert grown < 2 * GROWTH_MIB_MAX, f"{grown:.0f} MiB more"
    desk.close()
