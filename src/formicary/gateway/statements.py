"""Statements of one's account, or of a shop that one manages: on the screen, as CSV, on paper, and for accountants.

``GET /v1/statement?asset=EUR&from=2026-11-01&to=2026-11-30&format=json|csv|pdf|camt053``. Every form tells the same
lines, exactly as the kernel has them; ``statement/history.py`` says how. JSON comes in pages, files come whole, and
what is too long for either is refused and never cut off.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from starlette.responses import Response

from formicary.base.errors import BadInput, Refusal
from formicary.base.money import asset_code, asset_decimals
from formicary.gateway.edge_values import ASSET_PATTERN, HEX_PATTERN, PartyTold, read_asset, write_time
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.shared import NANOSECONDS, shared
from formicary.gateway.statement import camt, paper, subjects, table
from formicary.gateway.statement.history import History, read_history
from formicary.gateway.statement.subjects import subject_of
from formicary.gateway.statement.telling import (
    Movement,
    Statement,
    Subject,
    day_start_ns,
    tell_head,
    tell_lines,
    totals,
)

if TYPE_CHECKING:
    from formicary.gateway.door import Door

DAYS_MAX: Final = 366
"""Days of one statement."""
LINES_MAX: Final = {"csv": 20_000, "pdf": 1_000, "camt053": 1_000}
"""Lines of one file, by its form."""
PAGE_MAX: Final = 500
"""Lines of one page of JSON."""
DAY_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
MEDIA: Final = {
    "csv": "text/csv; charset=utf-8; header=present",
    "pdf": "application/pdf",
    "camt053": "application/xml",
}
ENDINGS: Final = {"csv": "csv", "pdf": "pdf", "camt053": "xml"}
CODES: Final = subjects.CODES


class StatementAsked(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"first": "from", "last": "to"}
):
    """Everything that moved on an account in a time: exact, in order, with the balance after each line.

    Days are UTC, and both ends are included. JSON comes in pages; the files are whole.
    """

    asset: Annotated[str, msgspec.Meta(pattern=ASSET_PATTERN, examples=["EUR"])]
    first: Annotated[str, msgspec.Meta(pattern=DAY_PATTERN, examples=["2026-11-01"])] = ""
    """First day; the first of this month unless told."""
    last: Annotated[str, msgspec.Meta(pattern=DAY_PATTERN, examples=["2026-11-30"])] = ""
    """Last day; today unless told."""
    format: Literal["json", "csv", "pdf", "camt053"] = "json"
    shop: Annotated[str, msgspec.Meta(pattern=HEX_PATTERN, min_length=32, max_length=32)] | None = None
    """A shop that you own or manage, instead of yourself."""
    language: Literal["", "en", "fr", "zh"] = ""
    """Of paper; your own unless told."""
    after: Annotated[str, msgspec.Meta(pattern="^[0-9]{0,9}$")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_MAX)] = 100


class Printer:
    """One file is made at a time: paper and XML take the processor, and payments go first."""

    def __init__(self, _door: Door) -> None:
        self.turn = asyncio.Semaphore(1)


async def statement(asked: Asked) -> Statement | Response:
    """Answer a statement in the form that is asked for."""
    door, wish = asked.door, asked.query
    asset = read_asset(wish.asset)
    first, last = span(wish.first, wish.last, dt.datetime.fromtimestamp(door.now_ns() // NANOSECONDS, dt.UTC).date())
    subject = await subject_of(door, asked.caller, wish.shop, asset)
    history = await _history(door, subject, first, last)
    if wish.format == "json":
        start = int(wish.after) if wish.after else 0
        end = start + wish.limit
        items = await tell_lines(door, subject, history.lines[start:end])
        following = str(end) if end < len(history.lines) else ""
        return await _told(asked, subject, history, items, days=(first, last), following=following)
    if len(history.lines) > LINES_MAX[wish.format]:
        told = f"{CODES['statement_too_long']} ({len(history.lines):,} lines; at most {LINES_MAX[wish.format]:,})"
        raise Problem("statement_too_long", told)
    items = await tell_lines(door, subject, history.lines)
    return await _file(asked, await _told(asked, subject, history, items, days=(first, last)))


def span(first: str, last: str, today: dt.date) -> tuple[dt.date, dt.date]:
    """The days of a statement; refuses what is no day, an end before its beginning, and more than DAYS_MAX days."""
    end = _day(last, "to") if last else today
    begin = _day(first, "from") if first else min(today, end).replace(day=1)
    if begin > end:
        raise BadInput("is later than the last day", where="from")
    if (end - begin).days >= DAYS_MAX:
        raise BadInput(f"a statement has at most {DAYS_MAX} days", where="from")
    return begin, end


def _day(text: str, where: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no day: {error}", where=where) from error
    if not 1970 <= day.year <= 2261:
        raise BadInput("a ledger's days are those from 1970 to 2261", where=where)
    return day


async def _history(door: Door, subject: Subject, first: dt.date, last: dt.date) -> History:
    begin, end = day_start_ns(first), day_start_ns(last + dt.timedelta(days=1)) - 1
    try:
        return await door.aside(lambda: read_history(door.ledger, subject.account, from_ns=begin, to_ns=end))
    except Refusal as refusal:
        if refusal.code != "statement_too_long":
            raise
        raise Problem("statement_too_long", CODES["statement_too_long"]) from refusal


async def _told(
    asked: Asked,
    subject: Subject,
    history: History,
    items: tuple[Movement, ...],
    *,
    days: tuple[dt.date, dt.date],
    following: str = "",
) -> Statement:
    """The statement with everything around its lines; the head is signed afterwards, so that it has all of them."""
    door = asked.door
    head = await door.aside(door.ledger.consistency, 0)
    names = await door.people.told(subject.party, [subject.party])
    return Statement(
        institution=PartyTold(door.config.institution.hex(), door.config.name, "institution"),
        ledger=head.identity.ledger_id.hex(),
        head=tell_head(head),
        holder=names[subject.party],
        account=f"{subject.account:032x}",
        asset=asset_code(subject.asset),
        decimals=asset_decimals(subject.asset),
        first=days[0].isoformat(),
        last=days[1].isoformat(),
        made=write_time(door.now_ns() // NANOSECONDS * NANOSECONDS),
        language=await _language(asked),
        items=items,
        next=following,
        **totals(history),
    )


async def _language(asked: Asked) -> str:
    if asked.query.language:
        return str(asked.query.language)
    fields = await asked.door.aside(asked.door.vault.get, asked.caller.party)
    return fields.get("language") or asked.door.config.language


async def _file(asked: Asked, told: Statement) -> Response:
    """Write a file; refused with ``extra_missing`` where a package for it was not installed."""
    door, form = asked.door, asked.query.format
    try:
        async with shared(door, Printer).turn:
            data = await door.aside(_written, door, told, form)
    except BadInput as error:
        if error.code == "extra_missing":
            raise Problem("extra_missing", str(error), status=501) from error
        raise
    name = f"statement-{told.asset.replace('#', '')}-{told.first}-{told.last}.{ENDINGS[form]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=MEDIA[form], headers=headers)


def _written(door: Door, told: Statement, form: str) -> bytes:
    if form == "csv":
        return table.write_csv(told)
    if form == "camt053":
        return camt.write_camt(told)
    return paper.write_pdf(told, origin=door.config.public_origin, sandbox=door.config.sandbox)


def routes(door: Door) -> list[Route]:
    """The statement's route, where there are wallets and payments."""
    needed = {"wallet.accounts", "pay.payment", "shop.shop"}
    if not needed <= set(door.registry.queries):
        return []
    common: dict[str, Any] = {"method": "GET", "scope": "receipt:read"}
    return [
        Route(
            path="/v1/statement",
            handle=statement,
            summary="What moved on your account, or on that of a shop you manage, exactly; also as a file",
            query=StatementAsked,
            answer=Statement,
            also=tuple(media.partition(";")[0] for media in MEDIA.values() if media != "application/json"),
            codes=("statement_not_found", "statement_too_long", "shop_not_found", "shop_not_yours", "extra_missing"),
            **common,
        ),
    ]
