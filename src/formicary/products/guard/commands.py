"""What people may ask of the guard, what it answers, and what it tells the outside. Never changed, only added to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from formicary.products.anatomy import Bytes16, Count, Message, Minor, MinorOrNone, Party, Sealed, Time

Kind = Literal["new_payee", "advance_fee", "velocity", "drain", "mule_ring"]
"""The kinds of rules. README says what each looks at."""
Source = Literal["person", "shop", "bank", "any"]
"""What is paid: another person, a shop, one's own bank account; ``any`` for a rule that looks at all of them."""
CaseKind = Literal["hold", "report", "ring"]
Decision = Literal["release", "return", "close", "freeze_payee"]
Outcome = Literal["released", "recalled", "returned", "closed"]
Percent = Annotated[int, Meta(ge=0, le=100)]
Seconds = Annotated[int, Meta(ge=0, le=366 * 86_400)]
AssetOrAll = Annotated[int, Meta(ge=0, le=2**32 - 1)]
RuleCount = Annotated[int, Meta(ge=0, le=1_000_000)]
Reason = Annotated[str, Meta(max_length=32)]
"""Why a payment is held, or a case was opened: a name in ``codes.REASONS``, which has its plain words."""


class Rule(Message, frozen=True):
    """One rule: what it looks at, and from where on it speaks up."""

    kind: Kind
    source: Source
    asset: AssetOrAll
    """ISO 4217's number; 0 stands for every currency that has no rule of this kind and source of its own."""
    minor: MinorOrNone
    """Money from which on the rule speaks."""
    count: RuleCount
    """Payments from which on it speaks (velocity), or the longest ring (mule_ring); 0 for rules that count nothing."""
    window_s: Seconds
    """How far back it looks."""
    percent: Percent
    """Part of a balance (drain), or part that is passed on (mule_ring)."""


class Recall(Message, frozen=True):
    """Take back a payment of one's own that is held. Certain: nothing but having been paid or returned refuses it."""

    payment: Bytes16


class Appeal(Message, frozen=True):
    """Tell the people who look at a case why it is wrong; once for each party of it."""

    case: Bytes16
    text: Sealed


class Report(Message, frozen=True):
    """Say that a payment one made or got was a scam, after it was paid."""

    payment: Bytes16
    text: Sealed | None


class Reported(Message, frozen=True):
    """The case that was opened."""

    case: Bytes16


class Decide(Message, frozen=True):
    """Decide a case, as an operator.

    ``release`` pays what is held, ``return`` gives it back; ``freeze_payee`` marks the payee (of a ring: its members),
    so that a held payment stays held and every further one to them is held too; ``close`` ends a case that holds
    nothing and lifts its marks.
    """

    case: Bytes16
    decision: Decision
    reason: Sealed | None


class SetRules(Message, frozen=True):
    """Replace all rules from the machine itself; the new version is public and speaks from the next payment on."""

    rules: Annotated[tuple[Rule, ...], Meta(min_length=1, max_length=64)]


class RulesSet(Message, frozen=True):
    """The number of the new version."""

    version: Count


class ProposeRules(Message, frozen=True):
    """Propose, as an operator, to replace all rules; somebody else approves or rejects it."""

    based_on: Count
    """The version that speaks while this is proposed; when another does at the approval, it is refused."""
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1, max_length=64)]


class RulesProposal(Message, frozen=True):
    """The name of the proposal."""

    proposal: Bytes16


class ApproveRules(Message, frozen=True):
    """Approve rules that somebody else proposed, as an approver; they speak from the next payment on."""

    proposal: Bytes16


class RejectRules(Message, frozen=True):
    """Reject rules that somebody else proposed, as an approver."""

    proposal: Bytes16


# timers


class EndHold(Message, frozen=True):
    """Of a timer: the time of a hold is over, and nobody recalled or stopped it."""

    case: Bytes16


# events


class PaymentHeld(Message, frozen=True):
    """Event: a payment is held, and why; told to its payer and its payee."""

    case: Bytes16
    payment: Bytes16
    amount_minor: Minor
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=16)]
    until_ns: Time


class TrustedTold(Message, frozen=True):
    """Event: somebody who trusts one is about to pay under suspicion, and may need a call; told to trusted contacts."""

    person: Party
    case: Bytes16
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=16)]
    until_ns: Time


class HoldEnded(Message, frozen=True):
    """Event: a held payment was paid or given back; told to both."""

    case: Bytes16
    payment: Bytes16
    outcome: Outcome


class CaseOpened(Message, frozen=True):
    """Event: there is a new case for the operators; its subject is empty."""

    case: Bytes16
    kind: CaseKind


class CaseDecided(Message, frozen=True):
    """Event: an operator decided a case; told to its parties."""

    case: Bytes16
    decision: Decision


class CaseAppealed(Message, frozen=True):
    """Event: a party of a case says that it is wrong; its subject is empty, for the operators."""

    case: Bytes16
    party: Party


class RulesChanged(Message, frozen=True):
    """Event: there is a new version of the rules."""

    version: Count


class RulesProposed(Message, frozen=True):
    """Event: new rules wait for somebody else's approval."""

    proposal: Bytes16


class RulesDecided(Message, frozen=True):
    """Event: proposed rules were approved or rejected."""

    proposal: Bytes16
    approved: bool
