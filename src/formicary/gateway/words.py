"""Every code that a problem may carry, with its words: where the ``type`` of a problem points."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from starlette.responses import Response

from formicary.gateway.routes import Asked, Route
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Codes · Formicary</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;
padding:0 1rem;color-scheme:light dark}}dt{{font-family:ui-monospace,monospace;font-weight:600;margin-top:1rem}}
dd{{margin:0}}:target{{background:#f6d98a;color:#2b1d12}}</style></head><body><main><h1>Why it was refused</h1>
<p>Programs decide by the code; the words may get better.</p><dl>{rows}</dl></main></body></html>"""


def routes(_door: Door) -> list[Route]:
    """One page."""
    return [
        Route(
            method="GET",
            path="/docs/codes",
            handle=tell,
            summary="What every code of a problem means",
            access=Access.ANYONE,
            media="text/html",
        )
    ]


async def tell(asked: Asked) -> Response:
    """Write the list, each code under an anchor of its own."""
    rows = "".join(
        f'<dt id="{html.escape(code)}">{html.escape(code)}</dt><dd>{html.escape(words)}</dd>'
        for code, words in sorted(asked.door.codes.items())
    )
    return Response(PAGE.format(rows=rows), media_type="text/html; charset=utf-8")
