"""Aliases, phone numbers and mail addresses, as keyed digests that only a door can make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.wallet.codes import ALIASES_MAX, CONTACTS_MAX
from formicary.products.wallet.commands import (
    AddContact,
    AliasChanged,
    ClaimAlias,
    ContactChanged,
    ReleaseAlias,
    RemoveContact,
)
from formicary.products.wallet.handlers import standing
from formicary.products.wallet.offers import Purses

if TYPE_CHECKING:
    from formicary.machine.context import Context

SECOND_NS = 1_000_000_000


def claim_alias(context: Context, command: ClaimAlias) -> None:
    """Give the signer one more alias."""
    standing.active(context)
    take_alias(context, command.alias)


def take_alias(context: Context, alias: bytes) -> None:
    """Note an alias of the signer; one that the signer gave up comes back at any time, another's after its rest."""
    sql = "SELECT person, released_ns FROM wallet_aliases WHERE alias = ? ORDER BY alias"
    found = context.rows.one(sql, alias)
    if found is not None:
        person, released_ns = found
        context.refuse_if(released_ns == 0, "alias_taken")
        rests_until_ns = released_ns + Purses().parameter(context, "alias_rest_s") * SECOND_NS
        context.refuse_if(person != context.signer and context.time_ns < rests_until_ns, "alias_resting")
    sql = "SELECT count(*) FROM wallet_aliases WHERE person = ? AND released_ns = 0 ORDER BY 1"
    context.refuse_if(standing.count(context, sql, context.signer) >= ALIASES_MAX, "aliases_too_many")
    context.rows.run("DELETE FROM wallet_aliases WHERE alias = ?", alias)
    sql = "INSERT INTO wallet_aliases (alias, person, claimed_ns, released_ns) VALUES (?, ?, ?, 0)"
    context.rows.run(sql, alias, context.signer, context.time_ns)
    context.emit(AliasChanged(alias, claimed=True), subject=context.signer)


def release_alias(context: Context, command: ReleaseAlias) -> None:
    """Let an alias rest."""
    standing.present(context, context.signer)
    sql = "UPDATE wallet_aliases SET released_ns = ? WHERE alias = ? AND person = ? AND released_ns = 0"
    changed = context.rows.run(sql, context.time_ns, command.alias, context.signer)
    context.refuse_if(changed == 0, "alias_not_found")
    context.emit(AliasChanged(command.alias, claimed=False), subject=context.signer)


def add_contact(context: Context, command: AddContact) -> None:
    """Note a contact point of the signer, or change whether it may be found."""
    standing.active(context)
    sql = "SELECT person FROM wallet_contacts WHERE contact = ? ORDER BY contact"
    found = context.rows.one(sql, command.contact)
    context.refuse_if(found is not None and found[0] != context.signer, "contact_taken")
    sql = "SELECT count(*) FROM wallet_contacts WHERE person = ? ORDER BY 1"
    full = standing.count(context, sql, context.signer) >= CONTACTS_MAX
    context.refuse_if(found is None and full, "contacts_too_many")
    context.rows.run("DELETE FROM wallet_contacts WHERE contact = ?", command.contact)
    sql = "INSERT INTO wallet_contacts (contact, person, kind, findable) VALUES (?, ?, ?, ?)"
    context.rows.run(sql, command.contact, context.signer, command.kind, int(command.findable))
    context.emit(ContactChanged(command.kind, command.findable, removed=False), subject=context.signer)


def remove_contact(context: Context, command: RemoveContact) -> None:
    """Forget a contact point."""
    standing.present(context, context.signer)
    sql = "SELECT kind, findable FROM wallet_contacts WHERE contact = ? AND person = ? ORDER BY contact"
    found = context.rows.one(sql, command.contact, context.signer)
    if found is None:
        context.refuse("contact_not_found")
    context.rows.run("DELETE FROM wallet_contacts WHERE contact = ?", command.contact)
    context.emit(ContactChanged(found[0], bool(found[1]), removed=True), subject=context.signer)
