"""``formicary up``: a living wallet on this machine, from nothing."""

from __future__ import annotations

import errno
import json
import os
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from formicary.base.errors import BadInput

if TYPE_CHECKING:
    from formicary.town.running import Town

DEFAULTS: Final = {"port": 8321, "data": Path("town")}
"""Settings of this verb where neither file, environment nor command line says otherwise."""


def up(
    *,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to serve on; 8321, 0 chooses a free one.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 127.0.0.1, and 0.0.0.0 lets phones of this network in.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the ledger, the vault and the doors' own file; ./town.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="No town: an empty ledger, for real people.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one JSON object.")] = False,
) -> None:
    """Start a wallet: pages, API, ledger and a sandbox bank, in one process and one folder; Ctrl-C stops it.

    The first start makes a small town with people, shops and orders under way. /health answers when it is ready.
    Example: formicary up --port 9000 --data demo
    """
    from formicary.gateway.config import load_config
    from formicary.gateway.server import serve
    from formicary.town.running import running

    flags: dict[str, object] = {"port": _free_port() if port == 0 else port, "host": host, "data": data}
    read = partial(load_config, config, environment=dict(os.environ), defaults=DEFAULTS)
    settings = read(flags=flags)
    if settings.host == "0.0.0.0" and not settings.origin:  # noqa: S104 - the caller's wish
        settings = read(flags={**flags, "origin": f"http://{_own_address()}:{settings.port}"})
    _check_port(settings.host, settings.port)
    console = Console(stderr=True)
    with (
        console.status("starting …") as status,
        running(settings, empty=empty, progress=lambda what: status.update(f"{what} …")) as town,
    ):
        status.update("serving …")

        def ready() -> None:
            status.stop()
            _tell(town, empty=empty, as_json=as_json)

        serve(town.door, ready=ready)


def _check_port(host: str, port: int) -> None:
    """Refuse a port that another program listens on, before anything is opened or made."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: what has ended is no hindrance
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
                raise
            raise BadInput(
                f"{_WHY[error.errno]}; choose another with --port, or 0 for any", where=f"{host}:{port}"
            ) from error


_WHY: Final = {
    errno.EADDRINUSE: "another program listens on this port",
    errno.EACCES: "this user may not listen on this port",
    errno.EADDRNOTAVAIL: "this machine does not have this address",
}


def _tell(town: Town, *, empty: bool, as_json: bool) -> None:
    """Say where everything is."""
    origin = town.door.config.public_origin
    addresses = {
        "wallet": origin,
        "till": f"{origin}/till",
        "operator": f"{origin}/operator",
        "explorer": f"{origin}/explorer",
        "api": f"{origin}/openapi.json",
        "health": f"{origin}/health",
    }
    people = {} if empty else _links(town)
    if as_json:
        told = {**addresses, "enter": people, "shops": {alias: shop.hex() for alias, shop in town.shops.items()}}
        print(json.dumps(told), flush=True)
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"\n[bold]{town.door.config.name}[/] is up.\n")
    for name, address in addresses.items():
        console.print(f"  {name:<9} {address}")
    if people:
        from formicary.town.people import PIN

        console.print("\nOne tap signs you in (sandbox):")
        for name, address in people.items():
            console.print(f"  {name:<24} {address}")
        console.print(f"\nOr sign in as @alice with the PIN {PIN}, or sign up with a passkey of your own.")
        console.print("Your first payment: open the link of the coffee, and tap Pay. Fatou's till lists it at once.")
    if "//localhost" in origin:
        console.print("\nFor a phone of this network: formicary up --host 0.0.0.0 (camera and passkeys need https).")
    else:
        console.print("\nOn the phone (camera and passkeys need https):\n")
        console.print(_picture(people.get("Alice, wallet", origin)))
    console.print("Ctrl-C stops it; everything is on disk.")


def _links(town: Town) -> dict[str, str]:
    return {
        "Alice, wallet": town.link("alice"),
        "Alice, buys a coffee": town.link("alice", f"pay/{town.coffee.hex()}"),
        "Fatou, bakery's till": town.link("fatou", "till"),
        "Olivia, operator": town.link("olivia", "operator"),
        "Otto, second operator": town.link("otto", "operator"),
    }


def _picture(text: str) -> str:
    """A QR code in half blocks, two rows of modules in a line."""
    import numpy as np
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    dark = np.array(code.to_image(scale=1, add_quiet_zones=True)) == 0
    if len(dark) % 2:
        dark = np.vstack([dark, np.zeros((1, dark.shape[1]), bool)])
    rows = zip(dark[::2].tolist(), dark[1::2].tolist(), strict=True)
    shapes = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
    return "\n".join("  " + "".join(shapes[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in rows)


def _own_address() -> str:
    """Where a phone of the same network finds this machine. Nothing is sent to learn it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of the documentation's own (RFC 5737)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
