"""``formicary ledger``: every verb on a ledger, gathered from the files beside this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import typer

from formicary.cli.examples import epilog
from formicary.cli.ledger_care import backup, replay, restore, verify
from formicary.cli.ledger_files import export_file, import_file
from formicary.cli.ledger_names import names
from formicary.cli.ledger_read import accounts, balance, history, info, trial_balance
from formicary.cli.ledger_write import checkpoint, init, post
from formicary.cli.serve import serve

app: Final = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
VERBS: Final[dict[str, Callable[..., None]]] = {
    "init": init,
    "import": import_file,
    "post": post,
    "accounts": accounts,
    "balance": balance,
    "history": history,
    "trial-balance": trial_balance,
    "names": names,
    "export": export_file,
    "verify": verify,
    "replay": replay,
    "checkpoint": checkpoint,
    "backup": backup,
    "restore": restore,
    "info": info,
    "serve": serve,
}

SHORT: Final = {"serve": "Open a ledger to other processes on a socket."}
"""What the list of verbs says where a verb's own first line is longer than it has room for."""

for name, verb in VERBS.items():
    app.command(name, epilog=epilog(name), short_help=SHORT.get(name))(verb)
