"""Writes the reference of the gateway from the gateway itself: routes, scopes, its own refusals, settings."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any, Final

from tools.reference_api import plain
from tools.reference_products import WHO, products

GATEWAY: Final = Path(__file__).resolve().parents[1] / "src" / "formicary" / "gateway"
ABOUT_HTTP: Final = """\
Everything that the pages do, a program can do too. Each command and query of a [product](products.md) has a route of
its own name, `POST /v1/pay/send` or `GET /v1/pay/activity`; this page has the rest, and the rules that hold for all. A
running gateway describes itself at `GET /openapi.json` (OpenAPI 3.1).

## Rules of every request

- **JSON** in UTF-8, both ways. Money is an integer of minor units and never passes through a float.
- **`Idempotency-Key`** stands with every command: 16 to 64 visible ASCII characters. The same key of the same caller is
  the same command however often it is sent; with another body it is refused (`command_id_reused`).
- **`Formicary-Entry`** in the answer of a command is the index of the log's entry that holds it.
- **Lists** answer `items` and `next`. Give `next` as `after` for the next page; an empty `next` is the end.
- **`ETag`** stands with answers to GET; `If-None-Match` gets 304 when nothing has changed.
- **A refusal** is a problem (RFC 9457, `application/problem+json`) with `status`, `code`, `detail` in plain words,
  `where` for a field that could not be read, and `request`, an id to ask about. Decide by `code`; words may get better.
- **429 and 503** carry `Retry-After`. Ask again with the same key.

## Who asks

| how | for whom |
| --- | --- |
| session cookie (`__Host-formicary` behind TLS) | a person in a browser; for changes with an `Origin` of ours |
| `Signature`, `Signature-Input` (RFC 9421, Ed25519) | a machine with a key; each signature is good once, for a minute |
| `Authorization: Bearer` | a third party that a person allowed to act (OAuth 2.1 with PKCE) |

"""
ABOUT_SETTINGS: Final = """\
One TOML file, then variables of the environment, then flags; the last one wins. A setting that does not exist is
refused by name. Before going live `name`, `origin` and `sandbox` have to be chosen; the rest may stay as it is.

```toml
name = "Bank of the Nest"
origin = "https://pay.example"
sandbox = false
currencies = "EUR"
```

`formicary up --config formicary.toml` reads it; `formicary doctor DIR` looks for `formicary.toml` in the folder itself.

"""
MORE_SETTINGS: Final = """
`origin` decides more than an address: the host in it is the relying party of all passkeys, which work for no other;
behind `https://` the session's cookie gets its `__Host-` prefix; and only pages from there may change anything with a
cookie.

## Of the command line

| variable | who reads it | meaning |
| --- | --- | --- |
| `FORMICARY_KEY` | `formicary sql URL` | name of the operator's key that asks |
| `FORMICARY_PRIVATE_KEY` | `formicary sql URL` | its private half, 64 hexadecimal digits |
"""
PAGES: Final = """
## Pages

| address | what |
| --- | --- |
| `/` | the wallet |
| `/pay/{order}` | the wallet, at an order to be paid |
| `/authorize` | the wallet, asking for consent to a third party |
| `/till` | a shop's till |
| `/operator` | the operator's console |
| `/explorer` | the explorer of the ledger |
"""


def door_of_nothing() -> tuple[Any, tuple[Any, ...]]:
    """Open a door on an empty ledger in memory, and give it with its routes, without the built pages."""
    app = importlib.import_module("formicary.gateway.app")
    config = importlib.import_module("formicary.gateway.config")
    server = importlib.import_module("formicary.gateway.server")
    stack = importlib.import_module("formicary.stack")
    ledger = importlib.import_module("formicary.node.ledger").open_ledger(products=stack.standard_products())
    try:
        door = server.open_door(config.Config(), ledger, in_memory=True)
        modules = [module for module in app.load_modules() if not module.__name__.endswith(".pages")]
        routes = app.Gateway(door, modules).table.routes
        door.close()
    finally:
        ledger.close()
    return door, tuple(routes)


def http_page(note: str) -> str:
    """Write docs/reference/http.md."""
    door, routes = door_of_nothing()
    table = importlib.import_module("formicary.gateway.table")
    names = {product.name for product in products()}
    of_products = {(each.method, each.path) for each in table.routes(door) if each.path.split("/")[2] in names}
    rows = [
        f"| `{each.method} {each.path}` | {plain(each.summary).rstrip('.')} | {who(each)} | {scope(each)} |"
        for each in routes
        if (each.method, each.path) not in of_products
    ]
    lines = ["| route | what it does | who | scope |", "| --- | --- | --- | --- |", *rows, ""]
    return f"# HTTP\n\n{note}\n{ABOUT_HTTP}## Routes\n\n" + "\n".join(lines) + PAGES + scopes(door) + codes(door)


def who(route: Any) -> str:  # noqa: ANN401 - a route of the gateway
    """Write who may use a route."""
    return WHO[str(route.access)] + (", fresh" if route.confirm else "")


def scope(route: Any) -> str:  # noqa: ANN401 - the same
    """Write what a key needs for it."""
    return f"`{route.scope}`" if route.scope else "–"


def scopes(door: Any) -> str:  # noqa: ANN401 - a door
    """Write every scope that a key or a token can be given."""
    known = importlib.import_module("formicary.gateway.scopes").known_scopes(door)
    rows = [f"| `{name}` | {plain(text)} |" for name, text in known.items()]
    return "\n".join(["\n## Scopes\n", "| scope | allows to |", "| --- | --- |", *rows, ""])


def codes(door: Any) -> str:  # noqa: ANN401 - a door
    """Write the refusals of the doors and of the machine; those of products stand on their pages."""
    problems = importlib.import_module("formicary.gateway.problems")
    of_products = {code for product in door.registry.products.values() for code in product.codes}
    given = statuses()
    for code in door.codes:
        if code in problems.STATUSES or code not in given:
            given.setdefault(code, set()).add(problems.status_of(code))
    rows = [
        f"| `{code}` | {', '.join(map(str, sorted(given[code])))} | {plain(text)} |"
        for code, text in sorted(door.codes.items())
        if code not in of_products
    ]
    about = "A product refuses with codes of its own, which stand on its page.\n"
    head = ["\n## Refusals of the doors\n", about, "| code | status | when |", "| --- | ---: | --- |"]
    return "\n".join([*head, *rows, ""])


def statuses() -> dict[str, set[int]]:
    """Give the statuses that the gateway's source says beside a code, where it raises a ``Problem``."""
    found: dict[str, set[int]] = {}
    for path in sorted(GATEWAY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem" and node.args:
                code, status = node.args[0], next((each.value for each in node.keywords if each.arg == "status"), None)
                if isinstance(code, ast.Constant) and isinstance(status, ast.Constant):
                    found.setdefault(str(code.value), set()).add(int(str(status.value)))
    return found


def settings_page(note: str) -> str:
    """Write docs/reference/gateway-settings.md."""
    settings = importlib.import_module("formicary.gateway.config").SETTINGS
    rows = [
        f"| `{each.name}` | `{each.variable}` | {each.default or 'empty'} | {plain(each.words)} |" for each in settings
    ]
    lines = ["| setting | variable | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    return f"# Settings of the gateway\n\n{note}\n{ABOUT_SETTINGS}" + "\n".join(lines) + MORE_SETTINGS
