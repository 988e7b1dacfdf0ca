"""``formicary ledger serve``: open a ledger to the other processes of this machine."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from formicary.cli.options import AsJson, LedgerArgument, open_writer, products_of

if TYPE_CHECKING:
    from formicary.node.server import Server
    from formicary.node.surface import Surface
    from formicary.node.wire import Limits


def serve(
    ledger: LedgerArgument,
    *,
    listen: Annotated[
        str | None,
        typer.Option(
            help="unix:/path (default: serve.sock, or follow.sock, in LEDGER) or tcp:127.0.0.1:PORT (0 chooses one)."
        ),
    ] = None,
    window: Annotated[int, typer.Option(help="Requests a client may have in flight.", min=1, max=64)] = 8,
    connections: Annotated[int, typer.Option(help="Clients served at once.", min=1, max=1000)] = 64,
    follow: Annotated[
        bool, typer.Option("--follow", help="Only answer reads, from a copy that follows the log of a running writer.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open LEDGER to other processes on a socket, until SIGTERM or Ctrl-C; what is in flight is answered first.

    A Unix socket belongs to its owner alone (0600). A TCP client shows the token in LEDGER/keys/serve.token, which is
    made when it is not there.
    """
    from formicary.node.wire import Limits

    _compile()
    with _follow(ledger) if follow else open_writer(ledger) as opened:
        address = listen or _default_address(ledger, follow=follow)
        server = _listen(opened, ledger, address, Limits(window=window, connections=connections))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.request_stop())
        _say_where(server, ledger, as_json=as_json)
        server.run()
    if server.fault is not None:
        raise server.fault


def _compile() -> None:
    """Post once in memory, so that no client waits for the compiler on a machine where nothing was posted before."""
    import numpy as np

    from formicary.kernel.records import ACCOUNT, TRANSFER
    from formicary.node.ledger import open_ledger

    with open_ledger() as throwaway:
        throwaway.open_accounts(np.zeros(1, ACCOUNT))
        throwaway.post(np.zeros(1, TRANSFER))


def _follow(ledger: Path) -> Surface:
    from formicary.node.follower import follow

    return follow(ledger, products=products_of(ledger))


def _default_address(ledger: Path, *, follow: bool) -> str:
    """A follower stands beside the writer's server, so it needs a socket of its own."""
    return f"unix:{ledger / ('follow.sock' if follow else 'serve.sock')}"


def _listen(opened: Surface, ledger: Path, address: str, limits: Limits) -> Server:
    from formicary.node.address import TcpAddress, make_token, parse_address, token_file
    from formicary.node.server import Server

    needs_token = isinstance(parse_address(address), TcpAddress)
    token = make_token(token_file(ledger)) if needs_token else None
    return Server(opened, address, token=token, limits=limits)


def _say_where(server: Server, ledger: Path, *, as_json: bool) -> None:
    """Tell whoever started us that clients may connect now."""
    if as_json:
        print(json.dumps({"address": str(server.address), "ledger_id": server.ledger_id.hex()}), flush=True)
    else:
        print(f"serving {ledger} on {server.address}; Ctrl-C stops it", flush=True)
