"""A wallet behind TLS, as docs/how-to/run-for-real-behind-tls.md has it: its samples for nginx and Caddy, really run.

Each sample is taken out of the page and changed only in names and numbers: port, certificate, where the wallet is.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from formicary.client import Client
from formicary.kernel.records import BATCH_MAX, TRANSFER
from formicary.testing.town_process import Browser, TownProcess, free_port
from formicary.town.people import PIN

pytestmark = [pytest.mark.slow]

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-for-real-behind-tls.md"
OURS = "/opt/formicary/.venv/bin/formicary"
WAIT_S = 20.0
STOP_S = 5.0
BURST = 60
"""Requests at once from one address of nobody: enough for a few people to sign in."""
LIMITS = {"FORMICARY_RATE_NOBODY_BURST": str(BURST), "FORMICARY_RATE_NOBODY_PER_S": "1"}


def sample(beginning: str) -> str:
    """The example of the page that begins so."""
    for block in re.findall(r"^```\w+\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        if block.startswith(beginning):
            return str(block)
    raise AssertionError(f"{PAGE.name} has no sample that begins with {beginning!r}")


def changed(text: str, changes: dict[str, str]) -> str:
    """The sample with other names; each of them must be in it."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def certify(folder: Path) -> tuple[Path, Path]:
    """A certificate for ``localhost`` that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate, private = folder / "fullchain.pem", folder / "privkey.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return certificate, private


def nginx(folder: Path, port: int, upstream: int, certificate: Path, private: Path) -> list[str]:
    """Write nginx's settings around the sample; the command that runs it."""
    server = changed(
        sample("server {"),
        {
            "listen 443 ssl": f"listen {port} ssl",
            "server_name pay.example": "server_name localhost",
            "/etc/letsencrypt/live/pay.example/fullchain.pem": str(certificate),
            "/etc/letsencrypt/live/pay.example/privkey.pem": str(private),
            "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        },
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    conf = folder / "nginx.conf"
    conf.write_text(
        f"{user}daemon off;\npid {folder / 'pid'};\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{server}}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(conf)]


def caddy(folder: Path, port: int, upstream: int, certificate: Path, private: Path) -> list[str]:
    """Write Caddy's settings around the sample; the command that runs it."""
    site = changed(
        sample("pay.example {"),
        {
            "pay.example {": f"https://localhost:{port} {{\n    tls {certificate} {private}",
            "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        },
    )
    conf = folder / "Caddyfile"
    conf.write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{site}")
    return ["caddy", "run", "--config", str(conf), "--adapter", "caddyfile"]


PROXIES: dict[str, Callable[..., list[str]]] = {"nginx": nginx, "caddy": caddy}


class Served:
    """A town behind a proxy that speaks TLS."""

    def __init__(self, folder: Path, program: str) -> None:
        port = free_port()
        self.origin = f"https://localhost:{port}"
        self.town = TownProcess(folder / "town", settings={**LIMITS, "FORMICARY_ORIGIN": self.origin})
        certificate, private = certify(folder)
        self.trust = ssl.create_default_context(cafile=str(certificate))
        command = PROXIES[program](folder, port, self.town.port, certificate, private)
        self.town.start()
        own = {"XDG_DATA_HOME": str(folder / "xdg"), "XDG_CONFIG_HOME": str(folder / "xdg"), "HOME": str(folder)}
        self.log = folder / "proxy.log"
        with self.log.open("wb") as log:
            self.proxy = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **own}, start_new_session=True
            )
        self.people: dict[str, Browser] = {}
        self._await()

    def _await(self) -> None:
        until = time.monotonic() + WAIT_S
        while self.proxy.poll() is None and time.monotonic() < until:
            try:
                with self.http() as http:
                    http.get("/health")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        self.close()
        raise AssertionError(f"the proxy did not start: {self.log.read_text(errors='replace')}")

    def http(self, address: str | None = None) -> httpx.Client:
        """A plain client, at some address of this machine."""
        transport = httpx.HTTPTransport(verify=self.trust, local_address=address)
        return httpx.Client(base_url=self.origin, transport=transport, headers={"Origin": self.origin}, timeout=WAIT_S)

    def enter(self, alias: str) -> Browser:
        """Somebody of the town, who has just shown the PIN."""
        if alias not in self.people:
            browser = Browser(self.origin, alias)
            browser.http.close()
            browser.http = self.http()
            self.people[alias] = browser.sign_in()
        return self.people[alias]

    def close(self) -> None:
        """End browsers, proxy and town."""
        for browser in self.people.values():
            browser.close()
        if self.proxy.poll() is None:
            os.killpg(self.proxy.pid, signal.SIGTERM)
            try:
                self.proxy.wait(STOP_S)
            except subprocess.TimeoutExpired:  # Caddy waits for its clients for ever, unless told otherwise
                os.killpg(self.proxy.pid, signal.SIGKILL)
                self.proxy.wait(STOP_S)
        self.town.stop()


@pytest.fixture(scope="module", params=sorted(PROXIES))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A town behind each proxy that is installed here."""
    program = str(request.param)
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing: apt-get install {program}")
    made = Served(tmp_path_factory.mktemp(program), program)
    yield made
    made.close()


def test_the_cookie_is_bound_to_the_host(served: Served) -> None:
    """Over TLS the session's cookie is ``__Host-``, which a browser takes only so; and it signs in."""
    with served.http() as http:
        answer = http.post(
            "/v1/sign-in/pin", json={"alias": "ben", "pin": PIN}, headers={"Idempotency-Key": "tls-0001"}
        )
        assert answer.status_code == 200, answer.text
        name, _, rest = answer.headers["set-cookie"].partition("=")
        words = {word.strip().lower() for word in rest.split(";")[1:]}
        assert name == "__Host-formicary"
        assert {"secure", "httponly", "path=/"} <= words
        assert not any(word.startswith("domain") for word in words)
        assert http.get("/v1/session").json()["person"]["name"] == "Ben Okafor"
        assert "strict-transport-security" in http.get("/").headers


def test_live_events_are_not_held_back(served: Served) -> None:
    """What happens is told while the stream is open: nothing between gathers it first."""
    alice, ben = served.enter("alice"), served.enter("ben")
    told: list[float] = []
    opened = threading.Event()

    def listen() -> None:
        with ben.http.stream("GET", "/v1/events", headers={"Accept-Encoding": "gzip, zstd"}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            opened.set()
            for line in stream.iter_lines():
                if line == "event: pay.payment_made":
                    told.append(time.monotonic())
                    return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert opened.wait(WAIT_S)
    time.sleep(0.5)
    began = time.monotonic()
    alice.done("/v1/pay/send", payee=ben.id, asset="EUR", amount_minor=321, purpose="friend", note=None)
    listener.join(WAIT_S / 2)
    assert told, "the event came through"
    assert told[0] - began < 3


def test_addresses_are_those_of_people(served: Served) -> None:
    """Each address has its own limit, although the proxy asks for all of them; and nobody can claim another one."""
    with served.http("127.0.0.2") as greedy, served.http("127.0.0.3") as other:
        codes = [greedy.get("/v1/head").status_code for _ in range(BURST + 10)]
        assert codes[0] == 200
        assert codes[-1] == 429
        assert other.get("/v1/head").status_code == 200
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            lie = {name: "for=192.0.2.7" if name == "Forwarded" else "192.0.2.7"}
            assert greedy.get("/v1/head", headers=lie).status_code == 429, name


def test_bodies_keep_their_bounds(served: Served) -> None:
    """The wallet's own bound answers for what is too large for a command, the proxy's for what is too large for all."""
    alice = served.enter("alice")
    answer = alice.http.post("/v1/pay/send", content=b" " * 100_000, headers=_json("tls-0002"))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    try:
        status = alice.http.post("/v1/transfers:batch", content=b" " * (7 << 20), headers=_json("tls-0003")).status_code
    except httpx.WriteError:
        status = 413  # the answer came, and the connection went, before all was sent
    assert status == 413


def _json(key: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": key}


def test_machines_post_in_bulk(served: Served) -> None:
    """A signed request arrives as it was signed: host with port, path with its colon, a body of megabytes whole."""
    olivia = served.enter("olivia")
    olivia.confirm()
    made = olivia.done("/v1/keys", scopes=["ledger:write", "ledger:read"])
    transport = httpx.HTTPTransport(verify=served.trust)
    accounts = [{"id": f"{number:032x}", "asset": "EUR", "code": 3, "flags": []} for number in (7001, 7002)]
    records = np.zeros(BATCH_MAX, TRANSFER)
    records["id_lo"] = np.arange(10**6, 10**6 + BATCH_MAX)
    records["debit_lo"], records["credit_lo"] = 7001, 7002
    records["amount"], records["asset"], records["code"] = 1, 978, 4
    with Client(served.origin, key=made["key"], private_key=made["private_key"], transport=transport) as client:
        assert client.post("/v1/accounts:batch", accounts)["codes"] == ["OK", "OK"]
        codes = np.frombuffer(client.post_records("/v1/transfers:batch", records.tobytes()), "<u2")
        assert (len(codes), int(codes.sum())) == (BATCH_MAX, 0)
        move = {"debit": f"{7001:032x}", "credit": f"{7002:032x}", "amount_minor": 1, "asset": "EUR", "code": 4}
        moves = [{"id": f"{10**7 + number:032x}", **move} for number in range(BATCH_MAX)]
        assert len(json.dumps(moves)) > 1 << 20, "more than nginx takes by itself"
        assert set(client.post("/v1/transfers:batch", moves)["codes"]) == {"OK"}
        assert client.get(f"/v1/accounts/{7002:032x}")["credits_posted"] == str(2 * BATCH_MAX)


def test_the_service_is_one(tmp_path: Path) -> None:
    """Systemd understands every line of the page's unit."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing")
    program = Path(sys.executable).with_name("formicary")
    unit = tmp_path / "formicary.service"
    unit.write_text(changed(sample("# /etc/systemd/system/formicary.service"), {OURS: str(program)}))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
