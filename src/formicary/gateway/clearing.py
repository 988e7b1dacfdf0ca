"""The door between institutions: what others may tell us, signed by their key; and how our people pay theirs.

Another institution signs each request (RFC 9421, Ed25519, the body by its digest) with the key that our ledger knows it
by; the key's name is ``institution:`` and its id. What it says counts only with its word on it besides
(:mod:`formicary.products.clearing.words`), which both ledgers keep. An offer names its payee as the payer wrote it, and
only this side looks for whom that is: no list of people ever leaves an institution.
"""

from __future__ import annotations

import re
import secrets
import weakref
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from nacl.signing import VerifyKey

from formicary.base.errors import Refusal
from formicary.base.money import parse_asset
from formicary.gateway import settling
from formicary.gateway.clearing_relay import (
    KEY_PREFIX,
    OfferAnswer,
    OfferBody,
    Relay,
    StateAnswer,
    Surroundings,
    WordBody,
)
from formicary.gateway.door import Empty
from formicary.gateway.naming import NAME_CHARS_MAX, read_alias, read_contact, read_name
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Authenticator, Caller, CallerKind, Route
from formicary.gateway.signatures import Nonces, check_signature, read_signature
from formicary.gateway.signing_up import find
from formicary.products.anatomy import MINOR_MAX, Access
from formicary.products.clearing import queries
from formicary.products.clearing.commands import (
    AddInstitution,
    CancelledIn,
    CapturedIn,
    OfferedIn,
    Purpose,
    SendOut,
    SentOut,
)
from formicary.products.clearing.words import Terms
from formicary.vault import INSTITUTION

if TYPE_CHECKING:
    from starlette.requests import Request

    from formicary.gateway.door import Door
    from formicary.machine.events import Event

PEER: Final = "clearing:peer"
"""Scope that only institutions have: no key and no token is ever given it."""
WRITE: Final = "clearing:write"
DOOR, NODE = b"door", b"node"
CODES: Final = {
    "institution_key_unknown": "The request is signed in the name of an institution that is not known here.",
}
ID: Final = re.compile(r"[0-9a-f]{32}")
Hex16 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
Note = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
AmountMinor = Annotated[int, msgspec.Meta(ge=1, le=MINOR_MAX)]
AssetCode = Annotated[str, msgspec.Meta(min_length=1, max_length=12, examples=["EUR"])]
_OURS: weakref.WeakKeyDictionary[Door, Relay] = weakref.WeakKeyDictionary()


class PayOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pay somebody at another institution, named as that institution knows them."""

    institution: Hex16
    payee: Text
    asset: AssetCode
    amount_minor: AmountMinor
    purpose: Purpose = "other"
    note: Note | None = None


class PaidOut(msgspec.Struct, frozen=True):
    """A payment that is offered to the other institution, or held with reasons until the guard lets it go."""

    payment: str
    state: str
    reasons: tuple[str, ...]


class NewInstitution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An institution to be known: its id, its public key, and where its door is."""

    institution: Hex16
    key: Hex32
    address: Annotated[str, msgspec.Meta(max_length=200, pattern="^https?://[!-~]+$")]
    notice_minor: Annotated[int, msgspec.Meta(ge=0, le=MINOR_MAX)] = 0
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * NAME_CHARS_MAX)] | None = None
    """What people here read for it; what is left out stays, and is at first the host of its address."""


# ── the door's own parts ────────────────────────────────────────────────────────────────────────────────────────────


def routes(door: Door) -> list[Route]:
    """What institutions say to one another, and how people pay across; starts the relay with the server."""
    if "clearing" not in door.registry.products:
        return []
    relay = relay_of(door)

    async def start() -> None:
        await _say_who_we_are(door, relay)
        door.spawn(relay.run())

    def heard(events: tuple[Event, ...]) -> None:
        if any(event.product == "clearing" for event in events):
            relay.wake()

    door.on_start(start)
    door.listen(heard)
    return [*_peer_routes(), *_own_routes(), *settling.routes(door)]


def _peer_routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/v1/clearing/offer",
            handle=take_offer,
            summary="Another institution offers a payment to somebody here",
            scope=PEER,
            body=OfferBody,
            answer=OfferAnswer,
            codes=("clearing_signature_wrong", "clearing_differs"),
        ),
        Route(
            method="POST",
            path="/v1/clearing/capture",
            handle=take_capture,
            summary="Another institution has decided a payment: the payee has the money",
            scope=PEER,
            body=WordBody,
            answer=StateAnswer,
            codes=("clearing_not_found", "clearing_signature_wrong", "clearing_cancelled"),
        ),
        Route(
            method="POST",
            path="/v1/clearing/cancel",
            handle=take_cancel,
            summary="Another institution calls a payment off",
            scope=PEER,
            body=WordBody,
            answer=StateAnswer,
            codes=("clearing_signature_wrong", "clearing_captured"),
        ),
        Route(
            method="GET",
            path="/v1/clearing/status/{transfer}",
            handle=tell_status,
            summary="How a payment to the asking institution stands",
            scope=PEER,
            answer=StateAnswer,
            codes=("clearing_not_found",),
        ),
    ]


def _own_routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/v1/clearing/payments",
            handle=pay_out,
            summary="Pay somebody at another institution",
            scope=WRITE,
            body=PayOut,
            answer=PaidOut,
            idempotent=True,
            codes=("institution_unknown", "exceeds_credits"),
        ),
        Route(
            method="POST",
            path="/v1/clearing/add-institution",
            handle=add_institution,
            summary="Make another institution known, or change its key or address",
            access=Access.OPERATOR,
            confirm=True,
            body=NewInstitution,
            answer=Empty,
            idempotent=True,
            codes=("institution_is_own",),
        ),
    ]


def authenticators(door: Door) -> list[Authenticator]:
    """Institutions, by the key that the ledger knows."""
    if "clearing" not in door.registry.products:
        return []
    nonces = Nonces(door.now_ns() // 1_000_000_000)

    async def authenticate(request: Request, body: bytes) -> Caller | None:
        if KEY_PREFIX not in request.headers.get("signature-input", ""):
            return None
        signature = read_signature(request.headers, lambda name: name.startswith(KEY_PREFIX))
        if signature is None:
            return None
        name = signature.key.removeprefix(KEY_PREFIX)
        known = await _known(door, bytes.fromhex(name)) if ID.fullmatch(name) else None
        if known is None or known.own:
            raise Problem("institution_key_unknown", CODES["institution_key_unknown"], status=401)
        check_signature(signature, request, body, VerifyKey(known.key))
        nonces.use(signature, door.now_ns() // 1_000_000_000)
        return Caller(CallerKind.KEY, known.institution, frozenset(), frozenset({PEER}), 0, signature.key)

    return [authenticate]


def relay_of(door: Door) -> Relay:
    """The door's relay, made when it is first asked for."""
    relay = _OURS.get(door)
    if relay is None:
        surroundings = Surroundings(
            run=lambda name, body: _run(door, name, body),
            look=lambda question: door.look("clearing", question),
            read=door.unseal,
        )
        seed = door.vault.secret(INSTITUTION, "clearing")
        relay = _OURS[door] = Relay(surroundings, own=door.config.institution, seed=seed)
    return relay


async def _run(door: Door, name: str, body: Any) -> Any:  # noqa: ANN401 - any command of clearing
    """Put a command on the log as the door. The product knows what was said before; the key need not."""
    reply, _ = await door.run_as(DOOR, name, body, secrets.token_bytes(16))
    return reply


async def _known(door: Door, institution: bytes) -> queries.InstitutionRow | None:
    found: queries.InstitutionRow | None = await door.look(
        "clearing", lambda view: queries.institution(view, institution)
    )
    return found


async def _say_who_we_are(door: Door, relay: Relay) -> None:
    """Put our own id, key and address on the log, unless they stand there."""
    own: queries.InstitutionRow | None = await door.look("clearing", queries.own)
    wanted = (relay.own, relay.public_key, door.config.public_origin)
    if own is None or (own.institution, own.key, own.address) != wanted:
        body = AddInstitution(
            institution=relay.own, own=True, key=relay.public_key, address=door.config.public_origin, notice_minor=0
        )
        await door.run_as(NODE, "clearing.add_institution", body, secrets.token_bytes(16))
    await _name(door, relay.own, door.config.name)


async def _name(door: Door, institution: bytes, name: str) -> None:
    """Call an institution so; its name is nobody's secret, and stands beside payments to it and from it."""
    await door.aside(door.vault.put, institution, {"name": name, "kind": "institution"})
    door.people.forget(institution)


# ── what others tell us ─────────────────────────────────────────────────────────────────────────────────────────────


async def take_offer(asked: Asked) -> OfferAnswer:
    """Hold the money for whom the offer names; whatever keeps the payee from being paid is an answer, not an error."""
    door, relay, body, other = asked.door, relay_of(asked.door), asked.body, _peer(asked)
    terms = _terms(asked, body)
    row = await door.look("clearing", lambda view: queries.incoming(view, other, terms.transfer))
    if row is None:
        payee = await _payee(door, body.payee)
        if payee is None:
            return OfferAnswer(body.transfer, "refused", "person_unknown")
        note = None if not body.note else await door.seal(payee, (), body.note[:1000])
        try:
            await _run(door, "clearing.offered_in", _offered(body, terms, payee, note))
        except Refusal as refusal:
            if note is not None:
                await door.aside(door.vault.drop, note)
            if refusal.code.startswith(("clearing_", "institution_")):
                raise
            return OfferAnswer(body.transfer, "refused", refusal.code)
    elif row.state == "cancelled":
        return OfferAnswer(body.transfer, "refused", "clearing_cancelled")
    elif (row.asset, row.amount_minor) != (terms.asset, terms.amount_minor):
        raise Refusal(door.codes["clearing_differs"], code="clearing_differs")
    return OfferAnswer(body.transfer, "accepted", "", relay.sign("accepted", terms).hex())


async def take_capture(asked: Asked) -> StateAnswer:
    """The payee has the money."""
    body = asked.body
    terms = _terms(asked, body)
    await _run(
        asked.door,
        "clearing.captured_in",
        CapturedIn(terms.payer_institution, terms.transfer, _signature(body.signature)),
    )
    return StateAnswer(body.transfer, "captured")


async def take_cancel(asked: Asked) -> StateAnswer:
    """Nobody has the money; an offer that is still on its way will be refused."""
    body = asked.body
    terms = _terms(asked, body)
    word = _signature(body.signature)
    told = CancelledIn(terms.payer_institution, terms.transfer, terms.asset, terms.amount_minor, word)
    await _run(asked.door, "clearing.cancelled_in", told)
    return StateAnswer(body.transfer, "cancelled")


async def tell_status(asked: Asked) -> StateAnswer:
    """Tell the payee's institution how a payment stands, with our word when it is decided."""
    text, relay, other = asked.path["transfer"], relay_of(asked.door), _peer(asked)
    transfer = bytes.fromhex(text) if ID.fullmatch(text) else b""
    row: queries.OutRow | None = await asked.door.look("clearing", lambda view: queries.out(view, transfer))
    if row is None or row.institution != other or row.state == "held":
        raise Refusal(asked.door.codes["clearing_not_found"], code="clearing_not_found")
    if row.state == "offered":
        return StateAnswer(text, "offered")
    word: Any = "captured" if row.state == "captured" else "cancelled"
    return StateAnswer(text, word, relay.sign(word, row.terms(relay.own)).hex())


def _peer(asked: Asked) -> bytes:
    """The institution that asks; a person's session has no scopes to lack, and is refused here."""
    if PEER not in (asked.caller.scopes or ()):
        raise Problem("forbidden", "This is for other institutions.")
    return asked.caller.party


def _terms(asked: Asked, body: OfferBody | WordBody) -> Terms:
    """What a message is about; refused when it can't be read."""
    if not ID.fullmatch(body.transfer) or not 1 <= body.amount_minor <= MINOR_MAX:
        raise Problem("bad_input", "A payment has an id of 32 hexadecimal digits and an amount.", where="transfer")
    return Terms(
        payer_institution=_peer(asked),
        payee_institution=relay_of(asked.door).own,
        transfer=bytes.fromhex(body.transfer),
        asset=parse_asset(body.asset),
        amount_minor=body.amount_minor,
    )


def _offered(body: OfferBody, terms: Terms, payee: bytes, note: bytes | None) -> OfferedIn:
    return OfferedIn(
        institution=terms.payer_institution,
        transfer=terms.transfer,
        payee=payee,
        asset=terms.asset,
        amount_minor=terms.amount_minor,
        note=note,
        signature=_signature(body.signature),
    )


def _signature(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-f]{128}", text):
        raise Problem("bad_input", "A signature has 128 hexadecimal digits.", where="signature")
    return bytes.fromhex(text)


async def _payee(door: Door, text: str) -> bytes | None:
    """Whom a text names here: an id, an alias, or a number or address that its owner lets be found."""
    wanted = text.strip()
    if ID.fullmatch(wanted):
        return bytes.fromhex(wanted)
    try:
        is_alias = wanted.startswith("@") or not ("@" in wanted or wanted.startswith("+"))
        kind, known = ("alias", read_alias(wanted)) if is_alias else read_contact(wanted)
    except Refusal:
        return None
    return await find(door, kind, known) or None


# ── what our own people do ──────────────────────────────────────────────────────────────────────────────────────────


async def pay_out(asked: Asked) -> PaidOut:
    """Seal the payee's name for the payer alone, and put the payment on the log; the relay does the rest."""
    door, body, payer = asked.door, asked.body, asked.caller.party
    institution = bytes.fromhex(body.institution)
    texts = {"payee": body.payee.strip(), "note": body.note or ""}
    refs = {
        what: door.vault.number(payer, f"{asked.key}\0{what}\0{text}") for what, text in texts.items() if text.strip()
    }
    for what, ref in refs.items():
        await door.seal(payer, (), texts[what], ref=ref)
    if "payee" not in refs:
        raise Problem("bad_input", "A payee is named.", where="payee")
    command = SendOut(
        institution=institution,
        payee=refs["payee"],
        payee_ref=door.digest("elsewhere", f"{body.institution}\0{texts['payee'].lower()}")[:16],
        asset=parse_asset(body.asset),
        amount_minor=body.amount_minor,
        purpose=body.purpose,
        note=refs.get("note"),
    )
    try:
        sent, _ = await door.run(asked.caller, "clearing.send_out", command, asked.key)
    except Refusal as refusal:
        if refusal.code != "command_id_reused":
            for ref in refs.values():
                await door.aside(door.vault.drop, ref)
        raise
    assert isinstance(sent, SentOut)
    return PaidOut(sent.payment.hex(), sent.state, tuple(sent.reasons))


async def add_institution(asked: Asked) -> Empty:
    """Put another institution on the log, for an operator."""
    if "operator" not in asked.caller.roles:
        raise Problem("forbidden")
    body = asked.body
    command = AddInstitution(
        institution=bytes.fromhex(body.institution),
        own=False,
        key=bytes.fromhex(body.key),
        address=body.address,
        notice_minor=body.notice_minor,
    )
    name = None if body.name is None else read_name(body.name)
    await asked.door.run_as(NODE, "clearing.add_institution", command, asked.caller.party + asked.key.encode())
    called = await asked.door.name_of(b"", command.institution)
    if name or not called:
        host = body.address.partition("//")[2].partition("/")[0]
        await _name(asked.door, command.institution, name or host[:NAME_CHARS_MAX])
    return Empty()
