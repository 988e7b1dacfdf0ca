"""What the queries of the guard are asked, and what they answer: the shapes that pages and clients read."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from formicary.products.anatomy import Answer, Asset, Bytes16, Minor, Party, Sealed, Time
from formicary.products.guard.commands import CaseKind, Decision, Kind, Reason, Source

Limit = Annotated[int, Meta(ge=1, le=100)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Text = Annotated[str, Meta(max_length=256)]
CaseState = Literal["open", "frozen", "released", "recalled", "returned", "closed"]


class AskHolds(Answer, frozen=True, kw_only=True):
    """List held payments that one makes (``out``) or is to get (``in``), newest first."""

    direction: Literal["in", "out"] = "out"
    after: str = ""
    limit: Limit = 20


class AskHold(Answer, frozen=True, kw_only=True):
    """Show the hold of one payment, to its payer and payee."""

    payment: Bytes16


class ReasonShown(Answer, frozen=True, kw_only=True):
    """A reason, and its plain words; pages have them in other languages by its name."""

    name: Reason
    words: Text


class HoldShown(Answer, frozen=True, kw_only=True):
    """One held payment: why, until when, and that one may recall it or appeal.

    ``until_ns`` is none when operators stopped it: then they decide, and the payer may still recall it.
    """

    case: Bytes16
    payment: Bytes16
    direction: Literal["in", "out"]
    other: Party
    asset: Asset
    amount_minor: Minor
    reasons: tuple[ReasonShown, ...]
    state: CaseState
    held_ns: Time
    until_ns: Time | None
    recallable: bool
    appealed: bool


class Holds(Answer, frozen=True, kw_only=True):
    """A page of held payments."""

    items: tuple[HoldShown, ...]
    next: str = ""


class AskCases(Answer, frozen=True, kw_only=True):
    """List cases in one state, oldest first. For operators."""

    state: CaseState = "open"
    after: str = ""
    limit: Limit = 20


class AskCase(Answer, frozen=True, kw_only=True):
    """Show one case, to operators and to its parties."""

    case: Bytes16


class AppealShown(Answer, frozen=True, kw_only=True):
    """What a party says against a case."""

    party: Party
    text: Sealed
    at_ns: Time


class CaseShown(Answer, frozen=True, kw_only=True):
    """One case. Of a ring, ``members`` are in the order in which the money went; its parties see only themselves."""

    case: Bytes16
    kind: CaseKind
    payment: Bytes16 | None
    payer: Party | None
    payee: Party | None
    asset: Asset
    amount_minor: Minor
    reasons: tuple[ReasonShown, ...]
    state: CaseState
    opened_ns: Time
    until_ns: Time | None
    opened_by: Party | None
    text: Sealed | None
    members: tuple[Party, ...]
    appeals: tuple[AppealShown, ...]
    decision: Decision | None
    decided_by: Party | None
    decided_ns: Time | None
    reason: Sealed | None


class Cases(Answer, frozen=True, kw_only=True):
    """A page of cases."""

    items: tuple[CaseShown, ...]
    next: str = ""


class AskRules(Answer, frozen=True, kw_only=True):
    """Show the rules by which payments are held: the version that speaks now, or an older one."""

    version: Number | None = None


class RuleShown(Answer, frozen=True, kw_only=True):
    """One rule; ``asset`` is none where it is for every currency without a rule of its own."""

    kind: Kind
    source: Source
    asset: Asset | None
    minor: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    count: Number
    window_s: Number
    percent: Number
    words: Text


class AskRuleProposals(Answer, frozen=True, kw_only=True):
    """Rules that somebody proposed: those that wait, or those that were decided; newest first."""

    state: Literal["waiting", "approved", "rejected"] = "waiting"
    after: Text = ""
    limit: Limit = 20


class RuleProposal(Answer, frozen=True, kw_only=True):
    """One proposal: the whole version that it would be."""

    proposal: Bytes16
    state: Literal["waiting", "approved", "rejected"]
    maker: Party
    made_ns: Time
    based_on: Number
    items: tuple[RuleShown, ...]
    checker: Party | None
    decided_ns: Time | None
    version: Number | None
    """The number under which it speaks or spoke."""
    mine: bool
    """Whether the asker made it: then somebody else decides."""


class RuleProposals(Answer, frozen=True, kw_only=True):
    """A page of proposals."""

    items: tuple[RuleProposal, ...]
    next: str = ""


class Rules(Answer, frozen=True, kw_only=True):
    """One version of the rules."""

    version: Number
    set_ns: Time
    items: tuple[RuleShown, ...]
