"""What the wallet's commands and timers do, by what they are about."""

from formicary.products.wallet.handlers.finding import add_contact, claim_alias, release_alias, remove_contact
from formicary.products.wallet.handlers.limiting import raise_own_limit, set_own_limit
from formicary.products.wallet.handlers.operating import (
    appoint,
    approve,
    dismiss,
    freeze_person,
    propose,
    reject,
    set_tier,
    unfreeze_person,
)
from formicary.products.wallet.handlers.people import begin, close, freeze, open_currency, open_wallet, unfreeze
from formicary.products.wallet.handlers.recovery import (
    add_device,
    approve_recovery,
    cancel_recovery,
    expire_recovery,
    finish_recovery,
    remove_device,
    start_recovery,
    trust,
    untrust,
)

__all__ = [
    "add_contact",
    "add_device",
    "appoint",
    "approve",
    "approve_recovery",
    "begin",
    "cancel_recovery",
    "claim_alias",
    "close",
    "dismiss",
    "expire_recovery",
    "finish_recovery",
    "freeze",
    "freeze_person",
    "open_currency",
    "open_wallet",
    "propose",
    "raise_own_limit",
    "reject",
    "release_alias",
    "remove_contact",
    "remove_device",
    "set_own_limit",
    "set_tier",
    "start_recovery",
    "trust",
    "unfreeze",
    "unfreeze_person",
    "untrust",
]
