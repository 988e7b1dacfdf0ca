"""The rules as data: versions, what can't be one, and each kind at its threshold. And rings."""

from __future__ import annotations

import pytest

from formicary.products.guard.answers import AskCase, AskCases, AskRules
from formicary.products.guard.codes import RING_LOOKS_MAX
from formicary.products.guard.commands import Appeal, Decide, ProposeRules, Rule, SetRules
from formicary.products.guard.rules import defaults, find, store, table_of
from formicary.products.pay.commands import Send
from formicary.testing.trial import Trial, person

from tests.products.guard.test_holds import operated, send
from tests.products.pay.plain import ALICE, BOB, CZK, DAVE, EUR, NODE, SHOP, town

HOUR_S = 3600


def set_rules(trial: Trial, *rules: Rule) -> int:
    """Let only these speak."""
    version: int = trial.ok(NODE, "guard.set_rules", SetRules(rules)).version
    return version


def test_rules_are_public_and_have_versions() -> None:
    """The first is there from the beginning; an older one can be read; a new one speaks at once."""
    trial = operated(ALICE, BOB)
    first = trial.ask("guard.rules", ALICE, AskRules())
    assert (first.version, len(first.items)) == (1, len(defaults()))
    assert set_rules(trial, Rule("new_payee", "person", EUR, 500, 0, HOUR_S, 0)) == 2
    assert send(trial, ALICE, BOB, 499).state == "paid"
    assert send(trial, ALICE, BOB, 1).reasons == ("new_payee",)
    assert trial.ask("guard.rules", ALICE, AskRules(version=1)) == first
    (rule,) = trial.ask("guard.rules", ALICE, AskRules()).items
    assert (rule.kind, rule.asset, rule.minor) == ("new_payee", EUR, 500)
    trial.replay()


@pytest.mark.parametrize(("rules", "code"), [
    ((Rule("drain", "person", 0, 0, 0, HOUR_S, 80), Rule("drain", "person", 0, 5, 0, 0, 0)), "rule_twice"),
    ((Rule("drain", "person", 0, 0, 0, HOUR_S, 0),), "rule_incomplete"),
    ((Rule("drain", "person", 0, 0, 0, 0, 80),), "rule_incomplete"),
    ((Rule("velocity", "any", 0, 0, 0, HOUR_S, 0),), "rule_incomplete"),
    ((Rule("mule_ring", "any", 0, 9, 9, HOUR_S, 80),), "rule_incomplete"),
    ((Rule("mule_ring", "any", 0, 9, 2, HOUR_S, 80),), "rule_incomplete"),
    ((Rule("velocity", "any", 0, 9, 0, 60, 0), Rule("velocity", "any", EUR, 9, 0, 61, 0)), "windows_differ"),
])  # fmt: skip
def test_rules_that_can_not_be(rules: tuple[Rule, ...], code: str) -> None:
    """Two of one kind, one without what its kind needs, windows that can't be kept together."""
    trial = operated()
    assert trial.refused(ALICE, "guard.set_rules", SetRules(rules)) == "role_missing"
    assert trial.refused(DAVE, "guard.set_rules", SetRules(rules)) == "rules_by_two"
    assert trial.refused(DAVE, "guard.propose_rules", ProposeRules(1, rules)) == code
    assert trial.refused(NODE, "guard.set_rules", SetRules(rules)) == code


def test_the_nearest_rule_speaks() -> None:
    """A currency's own before the general one, a source's own before any."""
    rules = (
        Rule("velocity", "any", 0, 1, 0, HOUR_S, 0),
        Rule("velocity", "person", 0, 2, 0, HOUR_S, 0),
        Rule("velocity", "any", EUR, 3, 0, HOUR_S, 0),
    )
    table = table_of(store(rules))
    for source, asset, minor in (("person", EUR, 3), ("person", CZK, 2), ("shop", CZK, 1), ("shop", EUR, 3)):
        found = find(table, "velocity", source=source, asset=asset)
        assert found is not None
        assert found.minor == minor
    assert find(table, "drain", source="person", asset=EUR) is None


def test_too_many_too_fast() -> None:
    """The fourth payment within the hour is held; an hour later most of them count no more."""
    trial = operated(ALICE, BOB)
    set_rules(trial, Rule("velocity", "any", 0, 0, 3, HOUR_S, 0))
    for payee in (BOB, SHOP, BOB):
        assert send(trial, ALICE, payee, 1).state == "paid"
    assert send(trial, ALICE, SHOP, 1).reasons == ("velocity",)
    trial.wait(hours=1)
    assert send(trial, ALICE, BOB, 1).state == "paid"
    assert send(trial, ALICE, BOB, 1).state == "held"
    trial.wait(hours=2)
    assert send(trial, ALICE, BOB, 1).state == "paid"
    trial.replay()


def test_most_of_what_one_has() -> None:
    """Eight tenths of the balance to somebody new, from the rule's sum on; a known payee may have it all."""
    trial = operated(ALICE, BOB)
    set_rules(trial, Rule("drain", "person", 0, 100, 0, HOUR_S, 80))
    assert send(trial, ALICE, BOB, 7_999_99).state == "paid"
    assert send(trial, ALICE, BOB, 1_600_01).reasons == ("drain",)
    assert send(trial, ALICE, SHOP, 400_00).state == "paid"


MULES = tuple(person(f"mule {number}") for number in range(1, 8))


def chain(trial: Trial, amount_minor: int = 500_00, percent: int = 90) -> None:
    """Money goes round the mules, each keeping a tenth."""
    for payer, payee in zip(MULES, (*MULES[1:], MULES[0]), strict=True):
        trial.ok(payer, "pay.send", Send(payee, EUR, amount_minor, "friend", None))
        amount_minor = amount_minor * percent // 100
        trial.wait(hours=6)


def test_a_ring_of_seven_mules_is_flagged() -> None:
    """One case with all of them, in order; nothing is blocked; each may appeal; the operator may stop them all."""
    trial = operated(*MULES, ALICE)
    chain(trial)
    (shown,) = trial.ask("guard.cases", DAVE, AskCases()).items
    assert (shown.kind, sorted(shown.members)) == ("ring", sorted(MULES))
    assert shown.members == (MULES[0], *MULES[1:])
    assert trial.ask("guard.case", MULES[3], AskCase(case=shown.case)).members == (MULES[3],)
    trial.ok(MULES[3], "guard.appeal", Appeal(shown.case, b"t" * 16))
    assert trial.refused(ALICE, "guard.appeal", Appeal(shown.case, b"t" * 16)) == "case_not_yours"
    assert send(trial, ALICE, MULES[2], 1).state == "paid"
    trial.ok(DAVE, "guard.decide", Decide(shown.case, "freeze_payee", None))
    assert send(trial, ALICE, MULES[5], 1).reasons == ("payee_marked",)
    chain_again = trial.ask("guard.cases", DAVE, AskCases()).items
    assert [case.kind for case in chain_again].count("ring") == 1
    trial.replay()


def test_a_ring_is_flagged_once_a_week() -> None:
    """Going round again does not open a case for each time."""
    trial = operated(*MULES)
    chain(trial)
    chain(trial, 2_000_00, 95)
    assert sum(event.kind == "ring" for event in trial.happened("guard.case_opened")) == 1


@pytest.mark.parametrize("percent", [70, 79])
def test_spending_most_of_it_is_no_ring(percent: int) -> None:
    """Who keeps more than a fifth is no mule."""
    trial = town(*MULES)
    chain(trial, percent=percent)
    assert trial.happened("guard.case_opened") == []


def test_two_friends_are_no_ring() -> None:
    """Money back and forth between two is a debt paid."""
    trial = town(ALICE, BOB)
    for _ in range(3):
        send(trial, ALICE, BOB, 100_00)
        send(trial, BOB, ALICE, 100_00)
    assert trial.happened("guard.case_opened") == [] or all(
        event.kind == "hold" for event in trial.happened("guard.case_opened")
    )


def test_looking_for_a_ring_is_bounded() -> None:
    """In a town where everybody paid everybody, one payment looks at no more accounts than the bound says."""
    people = [person(f"p{number}") for number in range(12)]
    trial = town(*people, check=False)
    for payer in people:
        for payee in people:
            if payer < payee:
                trial.ok(payer, "pay.send", Send(payee, EUR, 60_00, "friend", None))
    looks: list[str] = []
    connection = trial.machine.rows.connection
    connection.exec_trace = lambda _cursor, sql, _values: not ("last_day >= ?" in sql and looks.append(sql))
    trial.ok(people[-1], "pay.send", Send(people[0], EUR, 60_00, "friend", None))
    connection.exec_trace = None
    assert 0 < len(looks) <= RING_LOOKS_MAX + 1
