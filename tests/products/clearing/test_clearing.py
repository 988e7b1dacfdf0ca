"""Hold, accept, capture; what is said twice, late, never or falsely; and nobody is refused for where they are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.products.anatomy import Access
from formicary.products.clearing import CODES, product, queries
from formicary.products.clearing.answers import AskInstitutions, AskPositions, AskTransfers
from formicary.products.clearing.commands import (
    AcceptedOut,
    AddInstitution,
    CancelledIn,
    CancelOut,
    CapturedIn,
    OfferedIn,
    RefusedOut,
    SendOut,
    ToldOut,
)
from formicary.products.clearing.words import Terms
from formicary.testing.trial import Trial

from tests.products.clearing.pair import (
    DOOR,
    NODE,
    START_MINOR,
    TEXT,
    Institution,
    LetGo,
    Watch,
    answer,
    offer,
    pair,
    tell,
)
from tests.products.escrow.town import (
    ALICE,
    BOB,
    CAROL,
    EUR,
    JUDGE,
    STRANGER,
    TOWN,
    USD,
    Book,
    NoShops,
    Purses,
    SetState,
    balance,
    lines,
    spent,
)

PAYEE_CODES = {"ok", "person_unknown", "person_frozen", "person_closed", "currency_not_open", "balance_limit"}


def done(*institutions: Institution) -> None:
    """Every history replays to the same digest."""
    for each in institutions:
        each.town.replay()
        each.town.close()


def test_a_payment_has_both_legs() -> None:
    """Held at A, held at B, captured at A, captured at B; the positions mirror each other."""
    a, b = pair("a", "b")
    payment = a.send(ALICE, b, 1_500)
    assert (balance(a.town, ALICE), a.row(payment).state) == (START_MINOR - 1_500, "offered")
    assert offer(a, b, payment) == "ok"
    assert (balance(b.town, BOB), b.position(a)) == (START_MINOR, (0, 0, 1_500))
    assert answer(a, b, payment, "ok") == "ok"
    assert (a.row(payment).state, balance(b.town, BOB)) == ("captured", START_MINOR)
    assert tell(a, b, payment) == "ok"
    assert balance(b.town, BOB) == START_MINOR + 1_500
    assert (a.position(b), b.position(a)) == ((1_500, 0, 0), (-1_500, 0, 0))
    assert lines(a.town) == [("clearing_out", ALICE, b.id, 1_500, "paid")]
    assert lines(b.town) == [("clearing_in", a.id, BOB, 1_500, "paid")]
    assert queries.to_do(a.town.view("clearing")) != []
    a.town.ok(DOOR, "clearing.told_out", ToldOut(payment))
    assert queries.to_do(a.town.view("clearing")) == []
    assert a.town.machine.next_due() is None
    done(a, b)


def test_what_is_said_again_is_done_once() -> None:
    """Each message three times over, and late ones after the end: the money moves once."""
    a, b = pair("a", "b")
    payment = a.send(ALICE, b, 1_500)
    for _ in range(3):
        assert offer(a, b, payment) == "ok"
    for _ in range(3):
        assert answer(a, b, payment, "ok") == "ok"
    for _ in range(3):
        assert tell(a, b, payment) == "ok"
    assert offer(a, b, payment) == "ok"
    assert answer(a, b, payment, "person_frozen") == "clearing_captured"
    assert (balance(a.town, ALICE), balance(b.town, BOB)) == (START_MINOR - 1_500, START_MINOR + 1_500)
    done(a, b)


def test_a_payment_that_nobody_accepts_comes_back() -> None:
    """After ten minutes, limits and all; an offer that arrives after that is refused, for B has heard."""
    a, b = pair("a", "b")
    payment = a.send(ALICE, b, 1_500)
    assert spent(a.town, ALICE) == 1_500
    a.town.wait(minutes=11)
    assert (balance(a.town, ALICE), spent(a.town, ALICE), a.row(payment).state) == (START_MINOR, 0, "cancelled")
    assert tell(a, b, payment) == "ok"
    assert offer(a, b, payment) == "clearing_cancelled"
    assert answer(a, b, payment, "ok") == "clearing_cancelled"
    assert lines(a.town) == [("clearing_out", ALICE, b.id, 1_500, "failed")]
    assert b.position(a) == (0, 0, 0)
    done(a, b)


def test_called_off_after_b_held() -> None:
    """B lets go on A's word; the payee never had it, and A can't capture any more."""
    a, b = pair("a", "b")
    payment = a.send(ALICE, b, 1_500)
    offer(a, b, payment)
    a.town.ok(ALICE, "clearing.cancel_out", CancelOut(payment))
    assert answer(a, b, payment, "ok") == "clearing_cancelled"
    for _ in range(2):
        assert tell(a, b, payment) == "ok"
    assert (a.position(b), b.position(a)) == ((0, 0, 0), (0, 0, 0))
    assert (balance(a.town, ALICE), balance(b.town, BOB)) == (START_MINOR, START_MINOR)
    done(a, b)


def test_a_payee_who_cannot_be_paid() -> None:
    """The payer has the money back at once, with the payee's purse's own code."""
    a, b = pair("a", "b")
    b.town.ok(JUDGE, "town.set_state", SetState(BOB, "frozen"))
    payment = a.send(ALICE, b, 1_500)
    code = offer(a, b, payment)
    assert code == "person_frozen"
    for _ in range(2):
        assert answer(a, b, payment, code) == "ok"
    assert (balance(a.town, ALICE), a.row(payment).code) == (START_MINOR, "person_frozen")
    assert a.town.ask("clearing.transfers", ALICE, AskTransfers()).items[0].code == "person_frozen"
    done(a, b)


def test_one_payment_is_found_by_its_name() -> None:
    """Its payer and its payee each find it alone; nobody else finds it."""
    a, b = pair("a", "b")
    first, second = (a.send(ALICE, b, amount_minor) for amount_minor in (100, 200))
    assert [offer(a, b, payment) for payment in (first, second)] == ["ok", "ok"]
    sent = a.town.ask("clearing.transfers", ALICE, AskTransfers(payment=first)).items
    assert [each.amount_minor for each in sent] == [100]
    assert a.town.ask("clearing.transfers", BOB, AskTransfers(payment=first)).items == ()
    came = b.town.ask("clearing.transfers", BOB, AskTransfers(direction="in")).items
    assert [each.amount_minor for each in came] == [200, 100]
    for each in came:
        asked = AskTransfers(direction="in", payment=each.payment)
        assert b.town.ask("clearing.transfers", BOB, asked).items == (each,)
        assert b.town.ask("clearing.transfers", ALICE, asked).items == ()


def test_a_forged_word_moves_nothing() -> None:
    """Another key, another word, another payment, another institution's words: all refused."""
    a, b, c = pair("a", "b", "c")
    payment = a.send(ALICE, b, 1_500)
    terms = a.row(payment).terms(a.id)
    for word in (c.sign("offered", terms), a.sign("captured", terms), bytes(64)):
        body = OfferedIn(a.id, payment, BOB, EUR, 1_500, None, word)
        assert b.town.refused(DOOR, "clearing.offered_in", body) == "clearing_signature_wrong"
    assert offer(a, c, payment) == "clearing_signature_wrong", "words for B are worth nothing at C"
    assert offer(a, b, payment) == "ok"
    for word in (c.sign("accepted", terms), b.sign("captured", terms), bytes(64)):
        assert a.town.refused(DOOR, "clearing.accepted_out", AcceptedOut(payment, word)) == "clearing_signature_wrong"
    for word in (a.sign("cancelled", terms), c.sign("captured", terms)):
        body = CapturedIn(a.id, payment, word)
        assert b.town.refused(DOOR, "clearing.captured_in", body) == "clearing_signature_wrong"
    raised = CancelledIn(a.id, payment, EUR, 1_501, a.sign("cancelled", terms))
    assert b.town.refused(DOOR, "clearing.cancelled_in", raised) == "clearing_signature_wrong"
    assert (balance(a.town, ALICE), balance(b.town, BOB)) == (START_MINOR - 1_500, START_MINOR)
    done(a, b, c)


def test_only_the_door_speaks_for_others() -> None:
    """A person who sends an institution's messages is refused, whatever they sign."""
    a, b = pair("a", "b")
    payment = a.send(ALICE, b, 1)
    word = bytes(64)
    for name, body in (
        ("accepted_out", AcceptedOut(payment, word)),
        ("refused_out", RefusedOut(payment, "x")),
        ("told_out", ToldOut(payment)),
        ("offered_in", OfferedIn(b.id, payment, BOB, EUR, 1, None, word)),
        ("captured_in", CapturedIn(b.id, payment, word)),
        ("cancelled_in", CancelledIn(b.id, payment, EUR, 1, word)),
    ):
        assert a.town.refused(ALICE, f"clearing.{name}", body) == "clearing_door_only"
    added = AddInstitution(person_id := bytes(15) + b"x", False, bytes(32), "http://x", 0)
    assert a.town.refused(ALICE, "clearing.add_institution", added) == "clearing_node_only"
    assert person_id not in [row.institution for row in queries.institutions(a.town.view("clearing"))]
    done(a, b)


def test_the_ladder_of_sending() -> None:
    """Each rung refuses before the ones below it, and the payer has all their money."""
    a, b = pair("a", "b")
    plain = SendOut(b.id, TEXT, BOB, EUR, 1_000_001, "friend", None)
    for changes, code in (
        ({"institution": bytes(16), "asset": USD}, "institution_unknown"),
        ({"institution": a.id, "asset": USD}, "institution_unknown"),
        ({"asset": USD}, "currency_not_open"),
        ({}, "limit_payment"),
        ({"amount_minor": START_MINOR + 1}, "exceeds_credits"),
    ):
        assert a.town.refused(ALICE, "clearing.send_out", msgspec.structs.replace(plain, **changes)) == code
    assert a.town.refused(STRANGER, "clearing.send_out", plain) == "person_unknown"
    payment = a.send(ALICE, b, 5)
    assert a.town.refused(BOB, "clearing.cancel_out", CancelOut(payment)) == "clearing_not_yours"
    assert a.town.refused(BOB, "clearing.cancel_out", CancelOut(bytes(16))) == "clearing_not_found"
    a.town.ok(ALICE, "clearing.cancel_out", CancelOut(payment))
    assert a.town.refused(ALICE, "clearing.cancel_out", CancelOut(payment)) == "clearing_cancelled"
    paid = a.send(ALICE, b, 5)
    offer(a, b, paid)
    answer(a, b, paid, "ok")
    assert a.town.refused(ALICE, "clearing.cancel_out", CancelOut(paid)) == "clearing_captured"
    assert (balance(a.town, ALICE), spent(a.town, ALICE)) == (START_MINOR - 5, 5)
    done(a, b)


def test_an_institution_before_it_says_who_it_is() -> None:
    """It can neither pay nor be paid; once it has said so, it can't become another."""
    town = Trial([TOWN, product(purses=Purses(), receivers=NoShops(), watch=Watch(), book=Book())])
    body = SendOut(bytes(16), TEXT, BOB, EUR, 1, "friend", None)
    assert town.refused(ALICE, "clearing.send_out", body) == "clearing_not_set_up"
    town.ok(NODE, "clearing.add_institution", AddInstitution(ALICE, True, bytes(32), "", 0))
    for who, own, address, code in (
        (BOB, True, "", "own_institution_differs"),
        (ALICE, False, "http://x", "institution_is_own"),
        (BOB, False, "ftp://x", "address_malformed"),
    ):
        body = AddInstitution(who, own, bytes(32), address, 0)
        assert town.refused(NODE, "clearing.add_institution", body) == code
    town.ok(NODE, "clearing.add_institution", AddInstitution(ALICE, True, b"k" * 32, "http://here", 0))
    (line,) = town.ask("clearing.institutions", b"", AskInstitutions()).items
    assert (line.own, line.key, line.address) == (True, b"k" * 32, "http://here")
    town.replay()


def test_what_the_guard_holds_is_not_offered_until_it_lets_go() -> None:
    """Nobody elsewhere hears of a held payment; let go it is offered, recalled it comes back."""
    a, b = pair("a", "b")
    a.watch.doubted.add(BOB)
    sent = a.town.ok(ALICE, "clearing.send_out", SendOut(b.id, TEXT, BOB, EUR, 700, "friend", None))
    assert (sent.state, sent.reasons, a.row(sent.payment).to_do) == ("held", ("new_payee",), 0)
    assert a.town.refused(ALICE, "clearing.cancel_out", CancelOut(sent.payment)) == "clearing_held"
    assert a.town.refused(DOOR, "clearing.refused_out", RefusedOut(sent.payment, "x")) == "clearing_held"
    a.town.wait(days=2)
    assert a.row(sent.payment).state == "held"
    assert queries.to_do(a.town.view("clearing")) == []
    a.town.ok(JUDGE, "gate.let_go", LetGo(sent.payment, True))
    assert (a.row(sent.payment).state, offer(a, b, sent.payment)) == ("offered", "ok")
    assert a.town.refused(JUDGE, "gate.let_go", LetGo(sent.payment, False)) == "not_held"
    recalled = a.send(ALICE, b, 300)
    a.town.ok(JUDGE, "gate.let_go", LetGo(recalled, False))
    assert (balance(a.town, ALICE), spent(a.town, ALICE), a.row(recalled).to_do) == (START_MINOR - 700, 700, 0)
    assert a.town.refused(JUDGE, "gate.let_go", LetGo(recalled, True)) == "not_held"
    assert a.town.refused(JUDGE, "gate.let_go", LetGo(bytes(16), True)) == "not_held"
    done(a, b)


def test_operators_are_told_of_large_positions() -> None:
    """It is told and never refused."""
    a, b = pair("a", "b")
    a.know(b, notice_minor=1_000)
    for amount_minor in (1_000, 1):
        payment = a.send(ALICE, b, amount_minor)
        offer(a, b, payment)
        answer(a, b, payment, "ok")
    (noticed,) = a.town.happened("clearing.position_noticed")
    assert (noticed.we_owe_minor, noticed.they_owe_minor) == (1_001, 0)
    (line,) = a.town.ask("clearing.positions", JUDGE, AskPositions()).items
    assert (line.institution, line.we_owe_minor) == (b.id, 1_001)
    with pytest.raises(Exception, match="Only operators"):
        a.town.ask("clearing.positions", ALICE, AskPositions())
    done(a, b)


# ── nobody is refused for where they are ────────────────────────────────────────────────────────────────────────────


@settings(max_examples=25, deadline=None)
@given(
    payee=st.sampled_from([ALICE, BOB, CAROL, STRANGER]),
    state=st.sampled_from(["open", "frozen", "closed"]),
    amount_minor=st.integers(1, 2_100_000),
    asset=st.sampled_from([EUR, USD]),
)
def test_no_answer_depends_on_the_institution(payee: bytes, state: Any, amount_minor: int, asset: int) -> None:
    """The same payee is paid or refused, with the same code, whichever institution the payer is with.

    And whichever institution the payee is with, the payer is answered the same; an open purse with room is always paid.
    """
    home, *others = pair("home", "north", "south", "west")
    home.town.ok(JUDGE, "town.set_state", SetState(payee, state))
    codes = set()
    for number, other in enumerate(others):
        terms = {"transfer": number.to_bytes(16, "big"), "asset": asset, "amount_minor": amount_minor}
        word = other.sign("offered", Terms(payer_institution=other.id, payee_institution=home.id, **terms))
        body = OfferedIn(institution=other.id, payee=payee, note=None, signature=word, **terms)
        codes.add(home.town.say(DOOR, "clearing.offered_in", body).code)
    assert len(codes) == 1
    assert codes <= PAYEE_CODES
    can_be_paid = payee != STRANGER and state == "open" and asset == EUR and amount_minor <= 2_000_000
    assert (codes == {"ok"}) == can_be_paid
    home.town.ok(JUDGE, "town.set_state", SetState(payee, "open"))
    minor = min(amount_minor, 1_000_000)
    sent = {
        home.town.say(ALICE, "clearing.send_out", SendOut(other.id, TEXT, payee, asset, minor, "goods", None)).code
        for other in others
        if minor > START_MINOR or minor * len(others) <= START_MINOR
    }
    assert len(sent) <= 1
    for each in (home, *others):
        each.town.close()


def test_nothing_makes_a_known_institution_unknown() -> None:
    """No command removes, pauses or limits one, and no code is about one but that it is known or not."""
    made = product(purses=Purses(), receivers=NoShops(), watch=Watch(), book=Book())
    about = {"institution_unknown", "institution_is_own", "own_institution_differs"}
    assert {code for code in CODES if "institution" in code} == about
    by_operators = {each.name for each in made.commands if each.access is Access.OPERATOR}
    assert by_operators == {"propose_settlement", "approve_settlement", "reject_settlement"}, "they pay what is owed"
    assert [each.name for each in made.commands if "institution" in each.name] == ["add_institution"]
    a, b = pair("a", "b")
    for key in (bytes(b.key.verify_key), bytes(32)):
        a.town.ok(NODE, "clearing.add_institution", AddInstitution(b.id, False, key, "http://elsewhere", 1))
        assert a.row(a.send(ALICE, b, 10)).state == "offered"
    done(a, b)


@pytest.mark.parametrize("code", ["Ann Smith, 17 rue Haute", "+4917012345", "x" * 65, "person_unknown\n"])
def test_what_another_institution_says_is_a_code(code: str) -> None:
    """Its reason for refusing gets on the log only as a code: there is no room in it for anything about anybody."""
    sender, _receiver = pair("a", "b")
    assert sender.town.say(DOOR, "clearing.refused_out", RefusedOut(bytes(16), code)).code == "command_body_malformed"
