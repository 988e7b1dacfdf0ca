"""Linking a bank account: the IBAN goes into the vault, the ledger gets a digest and a number to call it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from blake3 import blake3

from formicary.gateway import backing
from formicary.gateway.routes import Asked, Route, Told
from formicary.rails.iso20022.amounts import check_iban
from formicary.vault import INSTITUTION

if TYPE_CHECKING:
    from formicary.gateway.courier import Sender
    from formicary.gateway.door import Door


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bank account that withdrawals are to go to."""

    iban: Annotated[str, msgspec.Meta(min_length=5, max_length=64, examples=["FR7630006000011234567890189"])]


class AccountLinked(msgspec.Struct, frozen=True):
    """What the account is called from now on."""

    account_ref: str


def routes(door: Door) -> list[Route]:
    """The routes of a bank, where there is one."""
    if ("bank.link_account", 1) not in door.registry.commands:
        return []
    return [
        Route(
            method="POST",
            path="/v1/bank/accounts",
            handle=link,
            summary="Link a bank account to withdraw to; the IBAN is sealed, the ledger never sees it",
            confirm=True,
            body=NewAccount,
            answer=AccountLinked,
            idempotent=True,
            codes=("iban_invalid", "bank_accounts_full"),
        ),
        backing.route(),
    ]


async def link(asked: Asked) -> Told:
    """Check the IBAN, seal it for its owner and the institution, and put its digest on the ledger."""
    door, caller = asked.door, asked.caller
    iban = check_iban(asked.body.iban, "iban")
    account_ref = blake3(b"bank account\0" + caller.party + asked.key.encode()).digest(length=16)
    sealed = await door.seal(caller.party, (INSTITUTION,), iban, ref=door.vault.number(caller.party, f"iban {iban}"))
    body = door.message(
        "bank.link_account", account_ref=account_ref, iban=sealed, iban_digest=door.digest("iban", iban)
    )
    _, entry = await door.run(caller, "bank.link_account", body, asked.key)
    return Told(AccountLinked(account_ref.hex()), (("Formicary-Entry", str(entry)),))


def iban_of(door: Door, account_ref: bytes) -> tuple[str, str] | None:
    """(IBAN, name) of a linked account or of a sender, for the courier; None when its person was erased."""
    found: Any = door.ledger.ask("bank", lambda view: _link(view, account_ref))
    if found is None:
        sender = door.vault.get(account_ref)
        return (sender["iban"], sender["name"]) if "iban" in sender else None
    party, ref = found
    iban = door.vault.unseal(INSTITUTION, ref)
    return None if iban is None else (iban, door.vault.get(party).get("name", ""))


def keep_sender(door: Door, sender: Sender) -> None:
    """Keep who sent money that nobody understood, so that an operator can ask or send it back."""
    told = {"name": sender.name, "iban": sender.iban, "text": sender.text, "kind": "sender"}
    door.vault.put(sender.account_ref, {field: text for field, text in told.items() if text})


def _link(view: Any, account_ref: bytes) -> tuple[bytes, bytes] | None:  # noqa: ANN401 - a View
    from formicary.products.bank import rows  # noqa: PLC0415 - without a bank nobody asks

    found = rows.link(view, account_ref)
    return None if found is None else (found.party, found.iban)
