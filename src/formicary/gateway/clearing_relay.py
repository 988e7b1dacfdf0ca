"""The relay: carries what this institution has to say to others, again and again until it was heard.

What is to be said stands in the ledger's own rows: payments with something to do, and payments that we hold and whose
end we have not heard. They are the outbox; events only wake the relay up, so a crash between two lines loses nothing.
Each payment is driven by itself, with a pause that doubles after each failure, so that one institution that is down
holds up no other. There is no last try.

Invariant: nothing is decided here. Every step is a command that the ledger may refuse, and each may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx
import msgspec
from nacl.signing import SigningKey

from formicary.base.errors import Fault, Refusal
from formicary.base.money import asset_code
from formicary.client.signing import Signer
from formicary.products.anatomy import Message
from formicary.products.clearing import queries
from formicary.products.clearing.commands import AcceptedOut, CancelledIn, CapturedIn, RefusedOut, ToldOut

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.products.clearing.queries import InRow, InstitutionRow, OutRow
    from formicary.products.clearing.words import Terms, Word

T = TypeVar("T")
FIRST_S: Final = 0.1
"""Pause after the first failure."""
SLOWEST_S: Final = 30.0
"""Longest pause between two tries; there is always another."""
SWEEP_S: Final = 2.0
"""How often the rows are looked through, whatever events say."""
ASK_AFTER_S: Final = 1.0
"""How long we wait to be told the end of what we hold before we ask."""
REQUEST_S: Final = 10.0
"""Seconds that another institution has to answer."""
AT_ONCE_MAX: Final = 32
"""Requests under way at a time."""
DRIVEN_MAX: Final = 5_000
"""Payments driven at a time; the rest wait in their rows."""
ANSWER_BYTES_MAX: Final = 64 << 10
KEY_PREFIX: Final = "institution:"
"""What the name of an institution's key begins with; its id in hexadecimal follows."""
_CODE: Final = re.compile(r"(?=.{1,64}$)[a-z_]+[0-9]{0,2}")
"""What a refusal's code looks like; anything else that a peer sends as one goes nowhere."""
log = logging.getLogger("formicary.clearing")

assert FIRST_S < SLOWEST_S


class OfferBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An offer: who is to be paid is written as the payer wrote it, and found by the institution that is asked."""

    transfer: str
    payee: str
    asset: str
    amount_minor: int
    note: str | None
    signature: str


class OfferAnswer(msgspec.Struct, frozen=True):
    """Accepted, with a signed word; or refused, with the reason that the payee's purse gives."""

    transfer: str
    answer: str
    code: str = ""
    signature: str = ""


class WordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That a payment is captured, or called off."""

    transfer: str
    asset: str
    amount_minor: int
    signature: str


class StateAnswer(msgspec.Struct, frozen=True):
    """How a payment stands at the payer's institution; what is decided is signed."""

    transfer: str
    state: str
    signature: str = ""


class NotHeard(Exception):
    """The other institution did not answer, or not as agreed."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the clearing door needs of the ledger and the vault, as callables."""

    run: Callable[[str, Message], Awaitable[Any]]
    """Put a command on the log as the door; raises its refusal."""
    look: Callable[[Callable[[View], Any]], Awaitable[Any]]
    """Ask clearing's rows."""
    read: Callable[[bytes, bytes], Awaitable[str | None]]
    """The text that a person sealed: (owner, number)."""


class Relay:
    """Drives every payment that is not at its end."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        own: bytes,
        seed: bytes,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.own = own
        self._key = SigningKey(seed)
        self._signer = Signer(KEY_PREFIX + own.hex(), seed)
        self._around = surroundings
        self._client = client or httpx.AsyncClient(timeout=REQUEST_S, follow_redirects=False)
        self._woken = asyncio.Event()
        self._driven: dict[tuple[bytes, bytes], asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE_MAX)

    @property
    def public_key(self) -> bytes:
        """What others check our words by."""
        return bytes(self._key.verify_key)

    def sign(self, word: Word, terms: Terms) -> bytes:
        """Give this institution's word: 64 bytes."""
        return self._key.sign(terms.signed_bytes(word)).signature

    def wake(self) -> None:
        """Something happened: look at the rows now."""
        self._woken.set()

    async def run(self) -> None:
        """Look, drive, wait; until cancelled."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self._sweep()
                except Fault:
                    log.exception("clearing: the ledger can't be read")
                with contextlib.suppress(TimeoutError):  # asyncio.wait_for of Python 3.11 may swallow a cancellation
                    async with asyncio.timeout(SWEEP_S):
                        await self._woken.wait()
        finally:
            tasks = list(self._driven.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._client.aclose()

    async def _sweep(self) -> None:
        """Start driving whatever is not driven yet."""
        after = 0
        while len(self._driven) < DRIVEN_MAX:
            page: list[OutRow] = await self._around.look(_page_of(queries.to_do, after))
            for row in page:
                self._drive((b"", row.transfer), self._step_out)
            if len(page) < queries.PAGE:
                break
            after = page[-1].number
        after = 0
        while len(self._driven) < DRIVEN_MAX:
            held: list[InRow] = await self._around.look(_page_of(queries.undecided, after))
            for paid in held:
                self._drive((paid.institution, paid.transfer), self._step_in, pause_s=ASK_AFTER_S)
            if len(held) < queries.PAGE:
                break
            after = held[-1].number

    def _drive(
        self,
        key: tuple[bytes, bytes],
        step: Callable[[bytes, bytes], Awaitable[bool]],
        *,
        pause_s: float = 0.0,
    ) -> None:
        if key not in self._driven:
            task = asyncio.get_running_loop().create_task(self._until_done(key, step, pause_s))
            self._driven[key] = task
            task.add_done_callback(lambda _done: self._driven.pop(key, None))

    async def _until_done(
        self, key: tuple[bytes, bytes], step: Callable[[bytes, bytes], Awaitable[bool]], pause_s: float
    ) -> None:
        """Take steps until none is left, with a pause after each one that failed."""
        failed = 0
        await asyncio.sleep(pause_s)
        while True:
            try:
                async with self._room:
                    if not await step(*key):
                        return
                failed = 0
            except (NotHeard, Refusal, Fault, httpx.HTTPError) as error:
                failed += 1
                log.info("clearing: %s is tried again: %s", key[1].hex(), type(error).__name__)
                await asyncio.sleep(min(SLOWEST_S, FIRST_S * 2 ** min(failed - 1, 12)))

    # ── what we have to say ─────────────────────────────────────────────────────────────────────────────────────

    async def _step_out(self, _institution: bytes, transfer: bytes) -> bool:
        """Say the next thing about a payment of ours; False when there is nothing left to say."""
        row, other = await self._around.look(lambda view: _out_and_other(view, transfer))
        if not row.to_do:
            return False
        if row.state == "offered":
            await self._offer(row, other)
        else:
            word: Word = "captured" if row.state == "captured" else "cancelled"
            body = WordBody(
                transfer=transfer.hex(),
                asset=asset_code(row.asset),
                amount_minor=row.amount_minor,
                signature=self.sign(word, row.terms(self.own)).hex(),
            )
            path = "capture" if word == "captured" else "cancel"
            await self._say(other, f"/v1/clearing/{path}", body, StateAnswer)
            await self._around.run("clearing.told_out", ToldOut(transfer))
        return True

    async def _offer(self, row: OutRow, other: InstitutionRow) -> None:
        payee = await self._around.read(row.payer, row.payee)
        if payee is None:  # the payer was erased: nobody can say any more who was to be paid
            await self._around.run("clearing.refused_out", RefusedOut(row.transfer, "person_unknown"))
            return
        note = None if row.note is None else await self._around.read(row.payer, row.note)
        body = OfferBody(
            transfer=row.transfer.hex(),
            payee=payee,
            asset=asset_code(row.asset),
            amount_minor=row.amount_minor,
            note=note,
            signature=self.sign("offered", row.terms(self.own)).hex(),
        )
        told = await self._say(other, "/v1/clearing/offer", body, OfferAnswer)
        if told.answer == "accepted":
            await self._around.run("clearing.accepted_out", AcceptedOut(row.transfer, _word(told.signature)))
        elif told.answer == "refused" and _CODE.fullmatch(told.code):
            await self._around.run("clearing.refused_out", RefusedOut(row.transfer, told.code))
        else:
            raise NotHeard

    # ── what we have to hear ────────────────────────────────────────────────────────────────────────────────────

    async def _step_in(self, institution: bytes, transfer: bytes) -> bool:
        """Ask how a payment that we hold has ended; False when we know."""
        row, other = await self._around.look(lambda view: _in_and_other(view, institution, transfer))
        if row.state != "held":
            return False
        told = await self._say(other, f"/v1/clearing/status/{transfer.hex()}", None, StateAnswer)
        if told.state == "captured":
            await self._around.run("clearing.captured_in", CapturedIn(institution, transfer, _word(told.signature)))
        elif told.state == "cancelled":
            body = CancelledIn(institution, transfer, row.asset, row.amount_minor, _word(told.signature))
            await self._around.run("clearing.cancelled_in", body)
        else:
            raise NotHeard
        return True

    async def _say(self, other: InstitutionRow, path: str, body: msgspec.Struct | None, answer: type[T]) -> T:
        """Send one signed request; anything but an answer as agreed is not heard."""
        url = other.address.rstrip("/") + path
        data = b"" if body is None else msgspec.json.encode(body)
        method = "GET" if body is None else "POST"
        headers = self._signer.headers(method, url, data)
        if data:
            headers["Content-Type"] = "application/json"
        reply = await self._client.request(method, url, content=data or None, headers=headers)
        if reply.status_code != httpx.codes.OK or len(reply.content) > ANSWER_BYTES_MAX:
            raise NotHeard
        try:
            return msgspec.json.decode(reply.content, type=answer)
        except msgspec.MsgspecError as error:
            raise NotHeard from error


def _page_of(question: Callable[..., list[Any]], after: int) -> Callable[[View], list[Any]]:
    return lambda view: question(view, after=after)


def _out_and_other(view: View, transfer: bytes) -> tuple[OutRow, InstitutionRow]:
    row = queries.out(view, transfer)
    assert row is not None, "payments are never deleted"
    other = queries.institution(view, row.institution)
    assert other is not None, "institutions are never deleted"
    return row, other


def _in_and_other(view: View, institution: bytes, transfer: bytes) -> tuple[InRow, InstitutionRow]:
    row = queries.incoming(view, institution, transfer)
    assert row is not None, "payments are never deleted"
    other = queries.institution(view, institution)
    assert other is not None, "institutions are never deleted"
    return row, other


def _word(text: str) -> bytes:
    """A signature from hexadecimal digits."""
    try:
        word = bytes.fromhex(text)
    except ValueError as error:
        raise NotHeard from error
    if len(word) != 64:
        raise NotHeard
    return word
