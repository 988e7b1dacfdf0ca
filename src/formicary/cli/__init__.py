"""The command line: one verb for each thing that a person does to a ledger.

Exit status: 0 when all went well, 1 when something was refused or found wrong, 2 when the command line makes no sense,
3 when the environment failed. An error is one line on stderr, ``error[code]: message``; a traceback means a bug.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Final

import typer

from formicary.base.errors import FormicaryError

GROUPS: Final = {
    "ledger": ("formicary.cli.ledger", "Make a ledger, post to it, read it, check it, move it."),
    "receipt": ("formicary.cli.receipt", "Make receipts of transfers and check them, offline."),
    "bench": ("formicary.cli.bench", "Measure how fast it is on this machine."),
    "sql": ("formicary.cli.sql", "Ask a ledger in SQL, read only, over one moment of it."),
    "operator": ("formicary.cli.operator", "Give and take roles in the institution, from the machine itself."),
    "doctor": ("formicary.cli.doctor", "Look at this machine and a ledger's folder, and say what to mend."),
}
"""Each group of verbs: the module that holds its ``app``, and its help. Only the one that is asked for is loaded."""
VERBS: Final = {
    "up": ("formicary.cli.up", "Start a wallet for a town: pages, API and ledger in one process."),
}
"""Verbs that stand alone: the module whose function of the same name runs it, and its help."""
NEEDS_WORDS: Final = frozenset({"ledger", "receipt", "bench", "sql", "operator"})
"""Groups that show their help when nothing follows them."""

UsageError: Final[type[typer.BadParameter]] = typer.BadParameter.__mro__[1]
"""What typer raises for a command line that makes no sense; it gives no public name to it."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    command = typer.main.get_command(_application(_first_word(words)))
    try:
        status = command(args=words, prog_name="formicary", standalone_mode=False)
    except FormicaryError as error:
        from formicary.cli.output import show_error

        return show_error(error)
    except UsageError as error:
        print(f"error[usage]: {error.format_message()}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more as it ends
        return 0
    except OSError as error:
        print(f"error[system]: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        return 3
    return status if isinstance(status, int) else 0


def _application(wanted: str) -> typer.Typer:
    """Put the application together, with the verbs of the wanted group only."""
    app = typer.Typer(
        name="formicary",
        help="Formicary: an open finance platform on one conserved ledger.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, (module, summary) in GROUPS.items():
        group = importlib.import_module(module).app if name == wanted else typer.Typer()
        app.add_typer(group, name=name, help=summary, no_args_is_help=name in NEEDS_WORDS)
    for name, (module, summary) in VERBS.items():
        run = getattr(importlib.import_module(module), name) if name == wanted else _unloaded
        app.command(name=name, help=run.__doc__ if name == wanted else summary, short_help=summary)(run)
    return app


def _unloaded() -> None:
    """Stand for a verb that was not asked for."""


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"formicary {version('formicary')}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Formicary: an open finance platform on one conserved ledger."""


def _first_word(words: list[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")
