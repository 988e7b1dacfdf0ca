"""What people do: link a bank account, take a top-up reference, withdraw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.products.bank import rows
from formicary.products.bank.codes import LINKS_MAX, WITHDRAWALS_MAX
from formicary.products.bank.commands import (
    LinkAccount,
    ReferenceTaken,
    TakeReference,
    UnlinkAccount,
    Withdraw,
    Withdrawing,
)
from formicary.products.bank.offers import check_link, draw_number, insert_link, start
from formicary.products.bank.references import write_reference

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.bank.needs import Book, Purses

PARTY_BYTES: Final = 16


def link_account(context: Context, command: LinkAccount) -> None:
    """Remember who linked which bank account; a shop's key links for the shop."""
    context.refuse_if(len(context.signer) != PARTY_BYTES, "bank_not_a_person")
    context.refuse_if(rows.link(context.view(), command.account_ref) is not None, "bank_account_linked")
    linked = rows.links(context.view(), context.signer)
    same = any(link.iban_digest == command.iban_digest for link in linked)
    context.refuse_if(same, "bank_account_linked")
    context.refuse_if(len(linked) >= LINKS_MAX, "bank_accounts_too_many")
    insert_link(
        context, party=context.signer, account_ref=command.account_ref, iban=command.iban,
        iban_digest=command.iban_digest, reference="",
    )  # fmt: skip


def unlink_account(context: Context, command: UnlinkAccount) -> None:
    """Let nothing more go to a bank account."""
    found = rows.link(context.view(), command.account_ref)
    if found is None or found.state != "linked":
        context.refuse("bank_account_not_found")
    context.refuse_if(found.party != context.signer, "bank_account_not_yours")
    context.rows.run("UPDATE bank_links SET state = 'unlinked' WHERE account_ref = ?", command.account_ref)


def take_reference(purses: Purses, context: Context, _command: TakeReference) -> ReferenceTaken:
    """Draw a number that nobody has yet; the first one is free but for one case in billions."""
    context.refuse_if(not purses.is_person(context, context.signer), "bank_not_a_person")
    return ReferenceTaken(write_reference(draw_number(context, context.signer)))


def withdraw(purses: Purses, book: Book, context: Context, command: Withdraw) -> Withdrawing:
    """Take the money at once, within the person's limits, and let the courier ask the bank."""
    check_link(context, command.account_ref, context.signer)
    too_many = rows.count_under_way(context.view(), context.signer) >= WITHDRAWALS_MAX
    context.refuse_if(too_many, "withdrawals_too_many")
    account = purses.check_payer(context, context.signer, command.asset, command.amount_minor)
    name = start(
        context,
        book,
        party=context.signer,
        account=account,
        asset=command.asset,
        amount_minor=command.amount_minor,
        account_ref=command.account_ref,
        counted=True,
    )
    return Withdrawing(name)
