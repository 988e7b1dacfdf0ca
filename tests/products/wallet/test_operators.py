"""Roles, proposals that take two people, parameters, and what is written down of it."""

from __future__ import annotations

import pytest

from formicary.base.errors import Refusal
from formicary.products.anatomy import Answer
from formicary.products.wallet.answers import ListAudit, ListPeople, ListProposals, Nothing, OfAsset, OfPerson
from formicary.products.wallet.codes import NODE, PARAMETERS
from formicary.products.wallet.commands import (
    Appoint,
    Approve,
    Change,
    Close,
    Dismiss,
    Freeze,
    FreezePerson,
    Propose,
    Reject,
    SetLimit,
    SetParameter,
    SetTier,
)
from formicary.products.wallet.offers import Purses
from formicary.testing.trial import Trial

from tests.products.wallet.town import ALICE, APRIL, BOB, CAROL, DAVE, EUR, EVE, NOBODY, OPERA, town


def propose(trial: Trial, change: Change, who: bytes = OPERA) -> bytes:
    """Propose, and answer the proposal's name."""
    name: bytes = trial.ok(who, "wallet.propose", Propose(change)).proposal
    return name


def code_of(trial: Trial, name: str, who: bytes, asked: Answer) -> str:
    """The code with which a question is refused."""
    with pytest.raises(Refusal) as caught:
        trial.ask(name, who, asked)
    return caught.value.code


def test_two_people_change_what_matters() -> None:
    """A limit, a parameter and a role change when another person approves, and not before."""
    trial = town()
    changes = (SetLimit(1, EUR, 1, 2, 3, 4), SetParameter("guard_hold_s", 7200), Appoint(BOB, "arbiter"))
    names = [propose(trial, change) for change in changes]
    view = trial.view("wallet")
    assert Purses().parameter(view, "guard_hold_s") == 86_400
    assert not Purses().has_role(view, BOB, "arbiter")
    for name in names:
        trial.ok(APRIL, "wallet.approve", Approve(name))
    view = trial.view("wallet")
    assert Purses().parameter(view, "guard_hold_s") == 7200
    assert Purses().has_role(view, BOB, "arbiter")
    row = trial.ask("wallet.tiers", b"", OfAsset(asset=EUR)).items[1]
    assert (row.payment_minor, row.day_minor, row.year_minor, row.balance_minor) == (1, 2, 3, 4)
    trial.ok(APRIL, "wallet.approve", Approve(propose(trial, Dismiss(BOB, "arbiter"))))
    assert not Purses().has_role(trial.view("wallet"), BOB, "arbiter")
    trial.replay()


@pytest.mark.parametrize(
    ("who", "change", "code"),
    [
        (NODE, SetParameter("nonsense", 0), "signer_not_a_person"),
        (APRIL, SetParameter("nonsense", 0), "role_missing"),
        (OPERA, SetLimit(0, 1, 9, 2, 3, 4), "currency_unknown"),
        (OPERA, SetLimit(0, EUR, 9, 2, 3, 4), "limits_out_of_order"),
        (OPERA, SetLimit(0, EUR, 0, 2, 3, 4), "limits_out_of_order"),
        (OPERA, SetParameter("nonsense", 0), "parameter_unknown"),
        (OPERA, SetParameter("payer_code_s", 9), "parameter_out_of_range"),
        (OPERA, Appoint(NOBODY, "arbiter"), "person_unknown"),
        (OPERA, Appoint(APRIL, "approver"), "role_given_already"),
        (OPERA, Dismiss(APRIL, "arbiter"), "role_not_given"),
    ],
)
def test_what_can_not_be_proposed(who: bytes, change: Change, code: str) -> None:
    """What could never take effect is refused at once."""
    assert town().refused(who, "wallet.propose", Propose(change)) == code


def test_who_decides() -> None:
    """An approver who is somebody else, once; and what can't take effect any more is refused and still waits."""
    trial = town()
    trial.ok(NODE, "wallet.appoint", Appoint(OPERA, "approver"))
    name = propose(trial, Appoint(BOB, "auditor"))
    assert trial.refused(BOB, "wallet.approve", Approve(bytes(16))) == "role_missing"
    assert trial.refused(NODE, "wallet.approve", Approve(name)) == "role_missing", "the machine is nobody's other half"
    assert trial.refused(APRIL, "wallet.approve", Approve(bytes(16))) == "proposal_not_found"
    assert trial.refused(OPERA, "wallet.approve", Approve(name)) == "proposal_yours"
    trial.ok(BOB, "wallet.close", Close(None))
    assert trial.refused(APRIL, "wallet.approve", Approve(name)) == "person_closed"
    trial.ok(APRIL, "wallet.reject", Reject(name))
    assert trial.refused(APRIL, "wallet.approve", Approve(name)) == "proposal_decided"
    assert not trial.happened("wallet.proposal_decided")[-1].approved


def test_only_the_machine_appoints_alone() -> None:
    """An operator who appointed an accomplice would be two people."""
    trial = town()
    assert trial.refused(OPERA, "wallet.appoint", Appoint(BOB, "approver")) == "role_missing"
    assert trial.refused(OPERA, "wallet.dismiss", Dismiss(APRIL, "approver")) == "role_missing"
    assert trial.refused(NODE, "wallet.appoint", Appoint(APRIL, "approver")) == "role_given_already"
    trial.ok(NODE, "wallet.dismiss", Dismiss(APRIL, "approver"))
    assert trial.refused(NODE, "wallet.dismiss", Dismiss(APRIL, "approver")) == "role_not_given"


def test_a_role_rests_while_its_person_is_frozen() -> None:
    """A stolen operator's phone is no operator."""
    trial = town()
    trial.ok(OPERA, "wallet.freeze", Freeze())
    assert trial.refused(OPERA, "wallet.set_tier", SetTier(ALICE, 1)) == "role_missing"
    assert code_of(trial, "wallet.audit", OPERA, ListAudit()) == "role_missing"


def test_a_hundred_proposals_wait_at_most() -> None:
    """One more is refused until one is decided."""
    trial = town()
    for number in range(100):
        trial.ok(OPERA, "wallet.propose", Propose(SetParameter("guard_hold_s", 100 + number)))
    assert trial.refused(OPERA, "wallet.propose", Propose(SetParameter("guard_hold_s", 99))) == "proposals_too_many"


def test_everything_is_written_down() -> None:
    """The audit has each act of an operator, newest first, in pages; who typed at the machine is nobody there."""
    trial = town()
    trial.ok(OPERA, "wallet.set_tier", SetTier(ALICE, 1))
    assert trial.refused(OPERA, "wallet.set_tier", SetTier(ALICE, 1)) == "tier_same"
    trial.ok(OPERA, "wallet.freeze_person", FreezePerson(BOB, "fraud"))
    name = propose(trial, SetParameter("guard_hold_s", 100))
    trial.ok(APRIL, "wallet.reject", Reject(name))
    seen, after = [], ""
    while True:
        page = trial.ask("wallet.audit", OPERA, ListAudit(after=after, limit=4))
        seen += [(item.actor, item.action, item.subject, item.detail) for item in page.items]
        after = page.next
        if not after:
            break
    assert seen == [
        (APRIL, "reject", name.hex(), ""),
        (OPERA, "propose", name.hex(), "set_parameter guard_hold_s 100"),
        (OPERA, "freeze_person", BOB.hex(), "fraud"),
        (OPERA, "set_tier", ALICE.hex(), "T1"),
        (None, "node", "", f"appoint {APRIL.hex()} approver"),
        (None, "node", "", f"appoint {OPERA.hex()} operator"),
    ]
    assert code_of(trial, "wallet.audit", OPERA, ListAudit(after="x")) == "cursor_unreadable"


def test_proposals_are_listed_newest_first() -> None:
    """In pages, by state, with the fields of their kind."""
    trial = town()
    names = [propose(trial, SetParameter("guard_hold_s", 100 + number)) for number in range(3)]
    names.append(propose(trial, Appoint(BOB, "arbiter")))
    trial.ok(APRIL, "wallet.approve", Approve(names[0]))
    first = trial.ask("wallet.proposals", APRIL, ListProposals(limit=3))
    rest = trial.ask("wallet.proposals", APRIL, ListProposals(limit=3, after=first.next))
    assert [item.proposal for item in (*first.items, *rest.items)] == names[::-1]
    assert (first.items[0].kind, first.items[0].person, first.items[0].role) == ("appoint", BOB, "arbiter")
    assert (rest.items[0].kind, rest.items[0].value, rest.items[0].checker) == ("set_parameter", 100, APRIL)
    assert rest.next == ""
    assert len(trial.ask("wallet.proposals", OPERA, ListProposals(state="waiting")).items) == 3
    for cursor in ("x", "1", "1.xy", f"{10**18 * 99}.{'0' * 32}"):
        assert code_of(trial, "wallet.proposals", OPERA, ListProposals(after=cursor)) == "cursor_unreadable"


def test_people_are_found_by_the_beginning_of_their_ids() -> None:
    """By prefix and state, in pages; one person with all that operators may know."""
    trial = town(money=500)
    trial.ok(OPERA, "wallet.freeze_person", FreezePerson(DAVE, "court"))
    trial.ok(EVE, "wallet.freeze", Freeze())
    seen, after = [], ""
    while True:
        page = trial.ask("wallet.people", OPERA, ListPeople(after=after, limit=3))
        seen += [item.person for item in page.items]
        after = page.next
        if not after:
            break
    assert seen == sorted((ALICE, BOB, CAROL, DAVE, EVE, OPERA, APRIL))
    frozen = trial.ask("wallet.people", OPERA, ListPeople(state="frozen")).items
    assert {(item.person, item.frozen_by, item.reason) for item in frozen} == {
        (DAVE, "operator", "court"),
        (EVE, "person", ""),
    }
    prefix = CAROL.hex()[:-2]
    assert [item.person for item in trial.ask("wallet.people", OPERA, ListPeople(prefix=prefix)).items] == [CAROL]
    found = trial.ask("wallet.person", APRIL, OfPerson(person=APRIL))
    assert found.roles == ("approver",)
    assert found.accounts[0].balance_minor == 500
    assert code_of(trial, "wallet.person", OPERA, OfPerson(person=NOBODY)) == "person_unknown"
    assert code_of(trial, "wallet.people", OPERA, ListPeople(prefix="G")) == "digest_unreadable"
    assert code_of(trial, "wallet.people", OPERA, ListPeople(after="00")) == "cursor_unreadable"
    assert [item.person for item in trial.ask("wallet.roles", OPERA, Nothing()).items] == [APRIL, OPERA]


def test_parameters_are_public() -> None:
    """Each with its range."""
    items = town().ask("wallet.parameters", b"", Nothing()).items
    assert {item.name: (item.value, item.least, item.greatest) for item in items} == PARAMETERS


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("people", ListPeople()),
        ("person", OfPerson(person=ALICE)),
        ("roles", Nothing()),
        ("proposals", ListProposals()),
        ("audit", ListAudit()),
    ],
)
def test_operators_questions_are_for_operators(name: str, asked: Answer) -> None:
    """Somebody without a role learns nothing."""
    assert code_of(town(), f"wallet.{name}", ALICE, asked) == "role_missing"
