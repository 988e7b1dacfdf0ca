"""Why the guard refuses, in the order in which each command checks; the words of its reasons; its limits."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    "held_payment_not_found": "There is no such held payment.",
    "held_payment_not_yours": "Only the payer recalls a held payment.",
    "held_payment_ended": "The payment was paid or given back before.",
    "case_not_found": "There is no such case.",
    "case_not_yours": "Only the parties of a case appeal.",
    "case_ended": "The case was decided before.",
    "appeal_made_before": "Each party of a case appeals once.",
    "report_payment_not_found": "There is no such payment, or one was neither its payer nor its payee.",
    "report_payment_held": "The payment is held: recall it, or appeal.",
    "reported_before": "One has reported this payment before.",
    "too_many_reports": "At most 20 reports of one person are open at a time.",
    "case_holds_no_money": "No money is held in this case: only close and freeze_payee decide it.",
    "case_holds_money": "Money is held in this case: release it or return it.",
    "rule_twice": "Two rules have the same kind, source and currency.",
    "rule_incomplete": "A rule lacks a number that its kind needs, or has one out of range.",
    "cases_for_operators": "Cases are listed for operators.",
    "rules_not_found": "There is no such version of the rules.",
    "windows_differ": "All velocity rules look back equally far.",
    "rules_by_two": "The rules change by a proposal that somebody else approves.",
    "rules_moved": "Other rules speak by now than those that this was based on: propose it again.",
    "rules_same": "These are the rules that speak already.",
    "rule_proposals_too_many": "Twenty proposals of rules wait already.",
    "rule_proposal_not_found": "There is no such proposal of rules.",
    "rule_proposal_decided": "The proposal was decided before.",
    "rule_proposal_yours": "Somebody else must decide a proposal than the one who made it.",
    "rule_proposals_for_operators": "Proposals of rules are for operators, approvers and auditors.",
}

REASONS: Final = {
    "new_payee": "You have not paid this person before, and it is a large sum.",
    "advance_fee": "You are asked to pay first so that other money may come. Who really owes money asks no fee for it.",
    "velocity": "Much more has gone out within the hour than usual.",
    "drain": "This takes most of what is on the account, to somebody you have not paid before.",
    "payee_marked": "We are looking into payments to this person.",
    "mule_ring": "Money goes round between these accounts and comes back to where it began.",
    "reported": "A party of the payment reported it as a scam.",
}
"""Each reason in plain words; pages translate by the name."""

NODE: Final = b"node"
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
WEEK_NS: Final = 7 * DAY_NS
"""How long an edge adds up before it begins anew."""
RULES_MAX: Final = 64
"""Rules in one version."""
PROPOSALS_MAX: Final = 20
"""Proposals of rules that wait at a time."""
REASONS_MAX: Final = 16
"""Reasons of one case."""
RING_MEMBERS_MAX: Final = 8
"""Accounts in a ring that is looked for."""
RING_FAN_MAX: Final = 8
"""Newest incoming edges that are followed from one account when a ring is looked for."""
RING_LOOKS_MAX: Final = 24
"""Accounts whose incoming edges one payment looks at when it looks for a ring: the bound of that work."""
GIFTS_MAX: Final = 8
"""Newest payers of a person who are looked at for a lure, when that person pays somebody new."""
TRUSTED_TOLD_MAX: Final = 16
"""Trusted contacts that are told of one held payment."""
REPORTS_OPEN_MAX: Final = 20
"""Open reports of one person."""

assert len(REASONS) <= REASONS_MAX
assert RING_LOOKS_MAX >= RING_MEMBERS_MAX, "a ring without side branches is found whole"
