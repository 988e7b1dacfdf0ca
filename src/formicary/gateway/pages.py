"""The web pages: wallet, till, operator, explorer; files that the build put into ``formicary/web/static``.

Everything is read into memory once, with a gzipped copy where that is smaller: pages are few and small. Files whose
name has a hash of their content never change and may be kept for a year; the pages themselves are asked for again each
time, so that a new version is there at the next visit.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Final

from blake3 import blake3
from starlette.responses import Response

from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Handle, Route
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door

PAGES: Final = {
    "/": ("index.html", "The wallet"),
    "/pay/{order}": ("index.html", "The wallet, at an order to be paid"),
    "/authorize": ("index.html", "The wallet, asking for consent to a third party"),
    "/till": ("till/index.html", "The till of a shop"),
    "/operator": ("operator/index.html", "The operator's console"),
    "/explorer": ("explorer/index.html", "The explorer of the ledger"),
}
"""Path of each page, its file, and what it is."""
KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}
"""Content type by ending; a file of another kind is not served."""
KEPT: Final = "public, max-age=31536000, immutable"
ASKED_AGAIN: Final = "no-cache"
GZIP_FROM: Final = 1024
NOT_BUILT: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Formicary</title>
<p>The pages are not built here. Run <code>make setup</code>, or <code>npm ci &amp;&amp; npm run build</code> in
<code>pages/</code>, and start again. The API works without them: <a href="/openapi.json">/openapi.json</a>.</p>
</html>"""


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent."""

    kind: str
    plain: bytes
    gzipped: bytes | None
    etag: str
    cache_control: str


def routes(_door: Door) -> list[Route]:
    """Every page and every file of the pages."""
    files = load_files()
    found = [_route(path, files.get(name), summary) for path, (name, summary) in PAGES.items()]
    html = {name for name, _ in PAGES.values()}
    found += [
        _route(f"/{name}", file, "A file of the pages")
        for name, file in files.items()
        if name not in html and not name.startswith("assets/")
    ]
    return [
        *found,
        Route(
            method="GET",
            path="/assets/{file}",
            handle=asset,
            summary="A file of the pages, under a name that changes with its content",
            access=Access.ANYONE,
            media="text/javascript",
        ),
    ]


@cache
def load_files() -> dict[str, File]:
    """Every built file by its path; empty where the pages were not built."""
    root = resources.files("formicary").joinpath("web", "static")
    return dict(_walk(root, "")) if root.is_dir() else {}


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, File]]:
    found: list[tuple[str, File]] = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        name = prefix + entry.name
        if entry.name.startswith("."):
            continue  # what the build wrote for itself
        if entry.is_dir():
            found += _walk(entry, f"{name}/")
        elif (kind := KINDS.get(f".{name.rpartition('.')[2]}")) is not None:
            found.append((name, _file(name, kind, entry.read_bytes())))
    return found


def _file(name: str, kind: str, plain: bytes) -> File:
    packed = gzip.compress(plain, 9, mtime=0) if len(plain) >= GZIP_FROM else plain
    return File(
        kind=kind,
        plain=plain,
        gzipped=packed if len(packed) < len(plain) else None,
        etag=f'"{blake3(plain).hexdigest(length=12)}"',
        cache_control=KEPT if name.startswith("assets/") else ASKED_AGAIN,
    )


def _route(path: str, file: File | None, summary: str) -> Route:
    return Route(
        method="GET",
        path=path,
        handle=_sender(file),
        summary=summary,
        access=Access.ANYONE,
        media=file.kind.partition(";")[0] if file is not None else "text/html",
    )


def _sender(file: File | None) -> Handle:
    async def handle(asked: Asked) -> Response:
        return Response(NOT_BUILT, 503, media_type="text/html") if file is None else _send(asked, file)

    return handle


async def asset(asked: Asked) -> Response:
    """Send one file of the folder ``assets``."""
    file = load_files().get(f"assets/{asked.path['file']}")
    if file is None:
        raise Problem("route_not_found")
    return _send(asked, file)


def _send(asked: Asked, file: File) -> Response:
    headers = {"Cache-Control": file.cache_control, "ETag": file.etag, "Vary": "Accept-Encoding"}
    told = asked.request.headers
    if file.etag in {tag.strip().removeprefix("W/") for tag in told.get("if-none-match", "").split(",")}:
        return Response(None, 304, headers, media_type=file.kind)  # the kind decides the policy that comes with it
    body = file.plain
    if file.gzipped is not None and "gzip" in told.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = file.gzipped, "gzip"
    return Response(body, 200, headers, media_type=file.kind)
