"""The rules change by two people: one proposes a whole version, another lets it speak, and neither alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from formicary.products.guard.answers import AskRuleProposals, AskRules, RuleProposals
from formicary.products.guard.codes import PROPOSALS_MAX
from formicary.products.guard.commands import (
    ApproveRules,
    ProposeRules,
    RejectRules,
    Rule,
    RulesChanged,
    RulesDecided,
    RulesProposed,
)
from formicary.testing.trial import Trial

from tests.products.guard.test_holds import operated, send
from tests.products.pay.plain import ALICE, BOB, CAROL, DAVE, EUR, Appoint

HOUR_S = 3600
STRICT = Rule("new_payee", "person", EUR, 500, 0, HOUR_S, 0)


@pytest.fixture
def trial() -> Iterator[Trial]:
    """Dave is an operator and an approver, Carol an approver; Alice and Bob are nobody."""
    made = operated(ALICE, BOB, CAROL)
    made.ok(DAVE, "wallet.appoint", Appoint("approver"))
    made.ok(CAROL, "wallet.appoint", Appoint("approver"))
    yield made
    made.replay()
    made.close()


def propose(trial: Trial, *rules: Rule, over: int = 1) -> bytes:
    """Dave proposes these alone."""
    name: bytes = trial.ok(DAVE, "guard.propose_rules", ProposeRules(over, rules)).proposal
    return name


def listed(trial: Trial, state: str = "waiting", who: bytes = CAROL, **asked: object) -> RuleProposals:
    """What somebody with a role sees."""
    found: RuleProposals = trial.ask("guard.rule_proposals", who, AskRuleProposals(state=state, **asked))  # type: ignore[arg-type]
    return found


def test_rules_speak_when_somebody_else_approves(trial: Trial) -> None:
    """Until then nothing changes; then they are the next version, from the next payment on."""
    name = propose(trial, STRICT)
    (shown,) = listed(trial).items
    assert (shown.proposal, shown.maker, shown.based_on, shown.mine) == (name, DAVE, 1, False)
    assert [(rule.kind, rule.minor) for rule in shown.items] == [("new_payee", 500)]
    assert listed(trial, who=DAVE).items[0].mine
    assert send(trial, ALICE, BOB, 499).state == "paid"
    assert trial.ask("guard.rules", ALICE, AskRules()).version == 1
    assert trial.ok(CAROL, "guard.approve_rules", ApproveRules(name)).version == 2
    assert send(trial, ALICE, BOB, 1).reasons == ("new_payee",)
    assert listed(trial).items == ()
    (done,) = listed(trial, "approved").items
    assert (done.checker, done.version, done.decided_ns) == (CAROL, 2, trial.now_ns - 10**9)
    assert trial.happened("guard.rules_proposed") == [RulesProposed(name)]
    assert trial.happened("guard.rules_decided") == [RulesDecided(name, True)]
    assert trial.happened("guard.rules_changed") == [RulesChanged(2)]


def test_rejected_rules_come_to_nothing(trial: Trial) -> None:
    """And stay on record."""
    name = propose(trial, STRICT)
    trial.ok(CAROL, "guard.reject_rules", RejectRules(name))
    assert trial.ask("guard.rules", ALICE, AskRules()).version == 1
    (done,) = listed(trial, "rejected").items
    assert (done.checker, done.version) == (CAROL, None)
    assert trial.refused(CAROL, "guard.approve_rules", ApproveRules(name)) == "rule_proposal_decided"


def test_nobody_decides_alone(trial: Trial) -> None:
    """Not the maker, who has both roles; not whoever has none; and an approver proposes nothing."""
    name = propose(trial, STRICT)
    for verb, command in (("approve_rules", ApproveRules(name)), ("reject_rules", RejectRules(name))):
        assert trial.refused(DAVE, f"guard.{verb}", command) == "rule_proposal_yours"
        assert trial.refused(ALICE, f"guard.{verb}", command) == "role_missing"
    assert trial.refused(CAROL, "guard.propose_rules", ProposeRules(1, (STRICT,))) == "role_missing"
    assert trial.refused(CAROL, "guard.approve_rules", ApproveRules(bytes(16))) == "rule_proposal_not_found"


def test_a_proposal_over_other_rules_is_refused(trial: Trial) -> None:
    """Two of them were made over version 1: when one speaks, the other would undo it unseen."""
    first = propose(trial, STRICT)
    second = propose(trial, Rule("drain", "person", 0, 100, 0, HOUR_S, 80))
    trial.ok(CAROL, "guard.approve_rules", ApproveRules(first))
    assert trial.refused(CAROL, "guard.approve_rules", ApproveRules(second)) == "rules_moved"
    trial.ok(CAROL, "guard.reject_rules", RejectRules(second))
    assert trial.refused(DAVE, "guard.propose_rules", ProposeRules(1, (STRICT,))) == "rules_moved"
    assert trial.refused(DAVE, "guard.propose_rules", ProposeRules(2, (STRICT,))) == "rules_same"


def test_proposals_wait_in_a_bounded_list(trial: Trial) -> None:
    """Twenty at most; page by page, newest first; for people with a role alone."""
    names = [propose(trial, Rule("drain", "person", 0, at, 0, HOUR_S, 80)) for at in range(1, PROPOSALS_MAX + 1)]
    assert trial.refused(DAVE, "guard.propose_rules", ProposeRules(1, (STRICT,))) == "rule_proposals_too_many"
    page = listed(trial, limit=12)
    rest = listed(trial, limit=12, after=page.next)
    assert [item.proposal for item in (*page.items, *rest.items)] == names[::-1]
    assert rest.next == ""
    with pytest.raises(Exception, match="operators, approvers and auditors"):
        listed(trial, who=ALICE)
