"""Requests that we make for others: to addresses that a customer chose, and never into our own network.

Whoever may name an address could otherwise have us ask our own machines (server-side request forgery). So the name is
resolved here, every address that it has must be a public one, and the connection goes to that very address, whatever
the name resolves to a moment later. Redirects are not followed. A sandbox may send to this machine, for that is where
its developers' receivers are.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from formicary.gateway.problems import Problem

CONNECT_S: Final = 5.0
ANSWER_S: Final = 15.0
URL_CHARS_MAX: Final = 500
CONNECTIONS_MAX: Final = 50
CODES: Final = {
    "url_refused": "The address must be https, without user or password, and lead to a public machine.",
}
_EMBEDS_IPV4: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class AddressRefused(Exception):
    """The name leads to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IP address is a public one; IPv4 inside IPv6 is judged as itself, or not at all."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in network for network in _EMBEDS_IPV4):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def check_url(url: str, *, sandbox: bool) -> str:
    """Return an address that we may send to by its form; its name is looked at when it is used."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise Problem("url_refused", CODES["url_refused"], status=422, where="url") from None
    allowed = ("https", "http") if sandbox else ("https",)
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= URL_CHARS_MAX
    if not plain or parts.scheme not in allowed or not host or parts.username or parts.password or parts.fragment:
        raise Problem("url_refused", CODES["url_refused"], status=422, where="url")
    if not sandbox and (port not in (None, 443, 8443) or _is_private_literal(host)):
        raise Problem("url_refused", CODES["url_refused"], status=422, where="url")
    return url


def _is_private_literal(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".internal", ".local"))


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name itself, and connects only to an address that was looked at."""

    def __init__(self, *, sandbox: bool) -> None:
        self._sandbox = sandbox
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own parameter
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host; refuse one that has an address which is not public."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        addresses = [str(each[4][0]) for each in found]
        if not addresses or not (self._sandbox or all(is_public(each) for each in addresses)):
            raise AddressRefused(host)
        return await self._plain.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:  # noqa: ANN401
        """Nobody is sent to a socket of ours."""
        raise AddressRefused("a socket")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks."""
        await asyncio.sleep(seconds)


class Outgoing:
    """A pool of guarded connections."""

    def __init__(self, *, sandbox: bool) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=CONNECTIONS_MAX,
            keepalive_expiry=30.0,
            network_backend=GuardedNetwork(sandbox=sandbox),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, str]:
        """Post a body; answer (status, ``Retry-After``, what went wrong in one word); status 0: no answer came.

        The body of the answer is not read.
        """
        timeouts = {"connect": CONNECT_S, "read": ANSWER_S, "write": ANSWER_S, "pool": ANSWER_S}
        try:
            async with (
                asyncio.timeout(CONNECT_S + ANSWER_S),
                self._pool.stream(
                    "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
                ) as answer,
            ):
                waits = [value for name, value in answer.headers if name.lower() == b"retry-after"]
                return answer.status, waits[0].decode("ascii", "replace") if waits else "", ""
        except AddressRefused:
            return 0, "", "address_refused"
        except (TimeoutError, httpcore.TimeoutException):
            return 0, "", "timeout"
        except ssl.SSLError:
            return 0, "", "tls"
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            return 0, "", "connection"

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
