"""Where another institution is paid: an operator names its bank account, the IBAN goes sealed into the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from blake3 import blake3

from formicary.base.errors import Refusal
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route, Told
from formicary.products.anatomy import Access
from formicary.products.bank import rows
from formicary.products.bank.references import is_reference, write_reference
from formicary.rails.iso20022.amounts import check_iban
from formicary.vault import INSTITUTION

if TYPE_CHECKING:
    from formicary.gateway.door import Door

SPACES_TOO: Final = 40


class BankAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bank account of another institution."""

    institution: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    iban: Annotated[str, msgspec.Meta(min_length=5, max_length=64, examples=["DE89370400440532013000"])]
    reference: Annotated[str, msgspec.Meta(max_length=SPACES_TOO, examples=["RF18539007547034"])] = ""
    """What our payments have to say so that it knows them: the ``our_reference`` that it has for us."""


class AccountKnown(msgspec.Struct, frozen=True):
    """What its own payments have to say, so that they are known here."""

    our_reference: str


def routes(door: Door) -> list[Route]:
    """One route, where there is clearing and a bank."""
    if not {("clearing.set_bank", 1), ("bank.booked", 1)} <= set(door.registry.commands):
        return []
    return [
        Route(
            method="POST",
            path="/v1/clearing/bank-account",
            handle=set_bank,
            summary="Say to which bank account another institution is paid; the IBAN is sealed",
            access=Access.OPERATOR,
            confirm=True,
            body=BankAccount,
            answer=AccountKnown,
            idempotent=True,
            codes=("iban_invalid", "institution_unknown", "clearing_role_missing", "bank_reference_malformed"),
        )
    ]


async def set_bank(asked: Asked) -> Told:
    """Check the IBAN, seal it for the institution's own people, and put its digest on the ledger."""
    door, caller, body = asked.door, asked.caller, asked.body
    if "operator" not in caller.roles:
        raise Problem("forbidden")
    reference = "".join(body.reference.split()).upper()
    if reference and not is_reference(reference):
        raise Refusal(door.codes["bank_reference_malformed"], code="bank_reference_malformed")
    iban, institution = check_iban(body.iban, "iban"), bytes.fromhex(body.institution)
    account_ref = blake3(b"peer account\0" + institution + asked.key.encode()).digest(length=16)
    number = door.vault.number(INSTITUTION, f"peer iban {account_ref.hex()} {iban}")
    sealed = await door.seal(INSTITUTION, (), iban, ref=number)
    command = door.message(
        "clearing.set_bank",
        institution=institution,
        account_ref=account_ref,
        iban=sealed,
        iban_digest=door.digest("iban", iban),
        reference=reference,
    )
    _, entry = await door.run(caller, "clearing.set_bank", command, asked.key)
    drawn = await door.look("bank", lambda view: rows.reference_of(view, institution))
    assert drawn is not None, "the command drew it"
    return Told(AccountKnown(write_reference(drawn)), (("Formicary-Entry", str(entry)),))
