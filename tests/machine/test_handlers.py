"""Handlers: each whole or not at all, each command answered once, and nothing left of a refusal but its reply."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from formicary.base.entry import Entry, EntryKind
from formicary.base.errors import Refusal
from formicary.kernel.codes import TransferCode
from formicary.kernel.kernel import Kernel
from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import TransferFlag
from formicary.machine.applied import Applied
from formicary.machine.commands import Command, encode, pack_commands
from formicary.machine.context import Context
from formicary.machine.machine import Machine
from formicary.machine.timers import TIMERS_PER_ENTRY
from formicary.products.anatomy import CommandType, Message, Product

from tests.machine.products import TRIAL, Do, Plan, Short, marks
from tests.machine.scripts import ALICE, BOB, SECOND, LogScript


class Trial:
    """A log and the machine at its end, with the product of the tests."""

    def __init__(self, *products: Product) -> None:
        self.script = LogScript()
        self.machine = Machine(None, products or (TRIAL,))
        self.step(self.script.entries[0])

    def step(self, entry: Entry) -> Applied:
        """Apply an entry, and check what always holds."""
        applied = self.machine.step(entry)
        self.machine.check()
        return applied

    def do(self, number: int, how: str = "ok", **more: Any) -> Applied:
        """Send one ``do`` command."""
        return self.step(self.script.say(ALICE, "trial.do", Do(number, how), **more))

    def tick(self, *, after_ns: int = SECOND) -> Applied:
        """Let time pass."""
        return self.step(self.script.add(EntryKind.TICK, time_ns=self.script.now_ns + after_ns))

    def marks(self) -> list[tuple[int, str]]:
        """What handlers have marked."""
        return marks(self.machine.view("trial"))

    def trace(self) -> list[object]:
        """All state but replies: what a refusal may not change."""
        kernel, rows = self.machine.kernel, self.machine.rows.connection
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        kept = {"machine_replies", "machine_effects"}
        names = [str(name) for (name,) in rows.execute(tables) if name not in kept]
        dump: list[object] = [rows.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in names]  # noqa: S608
        counters = "SELECT name, value FROM machine_counters WHERE name NOT IN ('replies', 'applied_index') ORDER BY 1"
        dump[names.index("machine_counters")] = rows.execute(counters).fetchall()
        transfers = kernel.stored_transfers(0, kernel.transfers_count)
        return [*dump, kernel.stored_accounts(0, kernel.accounts_count).tobytes(), transfers.tobytes()]


def test_a_handler_does_everything_through_its_context() -> None:
    """Rows, accounts, transfers, events and timers are there afterwards, and the reply says ok."""
    trial = Trial()
    applied = trial.do(3)
    (answer,) = applied.answers
    assert answer.reply.code == "ok"
    assert (answer.is_leaf, answer.replayed) == (True, False)
    assert answer.reply.entry == applied.index == 2
    assert trial.marks() == [(3, "ok")]
    assert applied.transfers == (0, 1)
    assert applied.accounts == (0, 2)
    assert [event.kind for event in applied.events] == ["rang"]
    assert trial.machine.tree is not None
    assert trial.machine.tree.size == 2
    assert trial.machine.next_due() == applied.time_ns + 10**15


def test_ids_are_derived_and_differ() -> None:
    """Two ids of one label differ; another ledger's history gives others; the same history gives the same."""
    first, again = Trial().do(1), Trial().do(1)
    assert first.answers[0].data == again.answers[0].data
    other = Trial()
    other.tick()
    words = [applied.answers[0].reply.body.split() for applied in (first, other.do(1))]
    assert len({word for pair in words for word in pair[1:]}) == 4


def test_a_refusal_leaves_nothing_but_its_reply() -> None:
    """Rows, accounts, transfers, timers, events and every counter are as if the command had never been sent."""
    trial = Trial()
    trial.do(1)
    before = trial.trace()
    applied = trial.do(2, "refuse")
    assert [answer.reply.code for answer in applied.answers] == ["as_asked"]
    assert applied.answers[0].is_leaf
    assert applied.events == ()
    assert applied.transfers == (1, 1)
    assert trial.trace() == before


def test_a_refusal_in_the_middle_spares_its_neighbours() -> None:
    """Commands of one entry are whole or nothing one by one."""
    trial = Trial()
    say = trial.script.command
    hows = ["ok", "refuse", "ok", "refuse", "refuse", "ok"]
    commands = [say(ALICE, "trial.do", Do(number, how)) for number, how in enumerate(hows)]
    applied = trial.step(trial.script.commands(*commands))
    assert [answer.reply.code == "ok" for answer in applied.answers] == [how == "ok" for how in hows]
    assert trial.marks() == [(0, "ok"), (2, "ok"), (5, "ok")]
    assert [event.number for event in applied.events] == [1, 2, 3]
    assert applied.transfers == (0, 3)


def test_the_kernels_refusal_is_the_commands_refusal() -> None:
    """A chain that fails refuses with the code of the transfer that failed, and posts nothing of it."""
    trial = Trial()
    trial.do(1)
    before = trial.trace()
    applied = trial.step(trial.script.say(ALICE, "trial.chain", Do(0, "")))
    assert applied.answers[0].reply.code == "amount_must_not_be_zero"
    assert trial.trace() == before
    applied = trial.step(trial.script.say(ALICE, "trial.chain", Do(5, "")))
    assert applied.answers[0].reply.code == "ok"
    stored = trial.machine.kernel.stored_transfers(*applied.transfers)
    assert stored["amount"].tolist() == [1, 5, 1]
    assert (stored["flags"] & TransferFlag.LINKED).tolist() == [1, 1, 0]


def test_a_retry_gets_the_very_same_reply() -> None:
    """The same bytes again, in the same entry or a later one, do nothing and answer what was answered."""
    trial = Trial()
    command = trial.script.command(ALICE, "trial.do", Do(1, "ok"))
    refused = trial.script.command(ALICE, "trial.do", Do(1, "refuse"))
    first = trial.step(trial.script.commands(command, command, refused)).answers
    before = trial.trace()
    second = trial.step(trial.script.commands(refused, command)).answers
    assert [answer.replayed for answer in first] == [False, True, False]
    assert [answer.replayed for answer in second] == [True, True]
    assert [answer.data for answer in second] == [first[2].data, first[0].data]
    assert not any(answer.is_leaf for answer in second)
    assert trial.trace() == before
    assert trial.marks() == [(1, "ok")]
    assert trial.machine.tree is not None
    assert trial.machine.tree.replies == 2


@pytest.mark.parametrize(
    ("signer", "name", "body"),
    [(ALICE, "trial.do", Do(2, "ok")), (BOB, "trial.do", Do(1, "ok")), (ALICE, "trial.chain", Do(1, "ok"))],
)
def test_another_command_under_a_used_id_is_refused(signer: bytes, name: str, body: Message) -> None:
    """Another body, signer or name is not a retry; and the first reply stays what it was."""
    trial = Trial()
    used = bytes(15) + b"\7"
    first = trial.script.command(ALICE, "trial.do", Do(1, "ok"), command_id=used)
    other = trial.script.command(signer, name, body, command_id=used)
    done, reused, again = trial.step(trial.script.commands(first, other, first)).answers
    assert reused.reply.code == "command_id_reused"
    assert (reused.is_leaf, reused.replayed) == (False, False)
    assert again.data == done.data


def test_what_is_no_command_is_refused_with_a_code() -> None:
    """Unreadable bytes, unknown names and versions, and bodies of another form never raise."""
    trial = Trial()

    def raw(name: str, version: int, body: bytes) -> bytes:
        number[0] += 1
        return encode(Command(number[0].to_bytes(16, "big"), ALICE, name, version, body))

    number = [1000]
    good = encode(Do(1, "ok"))
    applied = trial.step(
        trial.script.commands(
            b"",
            b"\xc1",
            raw("trial.never", 1, good),
            raw("trial.do", 2, good),
            raw("trial.do", -1, good),
            raw("trial.do", 1, b""),
            raw("trial.do", 1, good + b"\x00"),
            raw("trial.do", 1, encode([1, "ok", 3])),
            raw("trial.do", 1, encode([1_000_001, "ok"])),
            raw("trial.do", 1, encode([1, b"\xff\xfe"])),
            raw("trial.do", 1, b"\x92\x01\xa2\xff\xfe"),
            raw("trial.do", 1, b"\x92\xcc\x01\xa2ok"),
            raw("trial.do", 1, good),
        )
    )
    codes = [answer.reply.code for answer in applied.answers]
    unknown, malformed = ["command_unknown"] * 3, ["command_body_malformed"] * 7
    assert codes == ["command_malformed"] * 2 + unknown + malformed + ["ok"]
    assert [answer.is_leaf for answer in applied.answers] == [False] * 2 + [True] * 11
    assert all(code == "ok" or code in trial.machine.registry.codes for code in codes)


@pytest.mark.parametrize("body", [b"", b"\x90", b"garbage", encode([b"x"] * 1025), encode({"a": 1})])
def test_a_body_that_is_no_list_of_commands_is_dropped_by_rule(body: bytes) -> None:
    """No commands, no replies, no exception."""
    trial = Trial()
    applied = trial.step(trial.script.add(EntryKind.COMMANDS, body))
    assert applied.dropped == "malformed_body"
    assert applied.answers == ()


@pytest.mark.parametrize(("how", "error"), [("bug", ZeroDivisionError), ("undeclared", AssertionError)])
def test_a_bug_in_a_handler_stops_the_machine_and_changes_nothing(how: str, error: type[Exception]) -> None:
    """The exception gets out; nothing of its entry is left, not even of the commands before it."""
    trial = Trial()
    trial.do(1)
    before, index = trial.trace(), trial.machine.index
    fine, broken = (trial.script.command(ALICE, "trial.do", Do(2, what)) for what in ("ok", how))
    with pytest.raises(error):
        trial.machine.apply(trial.script.commands(fine, broken))
    assert trial.trace() == before
    assert trial.machine.index == index
    del trial.script.entries[-1]
    assert trial.do(3).answers[0].reply.code == "ok"


def test_a_full_kernel_refuses_a_handler_like_anybody() -> None:
    """No room for another account is the kernel's code, and a refusal."""
    trial = Trial()
    trial.machine.kernel = Kernel(None, accounts_max=1)
    assert trial.do(1).answers[0].reply.code == "ledger_full"
    assert trial.machine.kernel.accounts_count == 0


# ── timers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(trial: Trial, *, count: int, after: int, cancel: int = 0, how: str = "ok") -> Applied:
    """Schedule timers, a nanosecond after the entry before, so that none of those is due yet."""
    body = Plan(count, after, cancel, how)
    return trial.step(trial.script.say(ALICE, "trial.plan", body, time_ns=trial.script.now_ns + 1))


def test_timers_run_in_order_of_time_then_number() -> None:
    """Not in the order in which they were scheduled; and with any kind of entry."""
    trial = Trial()
    late, early = plan(trial, count=2, after=500_000), plan(trial, count=3, after=10, cancel=1)
    assert trial.machine.next_due() == early.time_ns + 10 < late.time_ns + 500_000
    applied = trial.step(trial.script.accounts(1, 2))
    assert trial.marks() == [(1, "ok"), (2, "ok"), (0, "ok"), (1, "ok")]
    assert early.time_ns < applied.time_ns
    assert applied.codes is not None
    assert applied.codes.tolist() == [0, 0]
    assert applied.accounts[1] - applied.accounts[0] == 4
    assert trial.machine.next_due() is None


def test_a_timer_that_refuses_is_undone_told_and_gone() -> None:
    """There is nobody to reply to, so the refusal is an event; the timers beside it run."""
    trial = Trial()
    plan(trial, count=1, after=5, how="refuse")
    plan(trial, count=1, after=5, how="ok")
    applied = trial.tick()
    assert [event.kind for event in applied.events] == ["timer_refused", "rang"]
    assert applied.events[0].payload == encode(["ring", "as_asked"])
    assert trial.marks() == [(0, "ok")]
    assert trial.tick().events == ()


def test_a_timer_that_breaks_stops_the_machine() -> None:
    """A bug in a timer is a bug."""
    trial = Trial()
    plan(trial, count=1, after=5, how="bug")
    before = trial.trace()
    with pytest.raises(ZeroDivisionError):
        trial.tick()
    assert trial.trace() == before


def test_a_timer_that_schedules_itself_runs_once_an_entry() -> None:
    """It can't hold an entry up for ever."""
    trial = Trial()
    plan(trial, count=1, after=5, how="again")
    for expected in (1, 2, 3):
        trial.tick(after_ns=1 if expected > 1 else SECOND)
        assert len(trial.marks()) == expected


def test_an_entry_runs_a_limited_number_of_timers() -> None:
    """The rest stays due and runs with the entries after it."""
    trial = Trial()
    plan(trial, count=TIMERS_PER_ENTRY + 5, after=5)
    trial.tick()
    assert len(trial.marks()) == TIMERS_PER_ENTRY
    assert (trial.machine.next_due() or 0) < trial.script.now_ns
    trial.tick()
    assert [number for number, _ in trial.marks()] == list(range(TIMERS_PER_ENTRY + 5))
    assert trial.machine.next_due() is None


# ── the context ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Look(Message, frozen=True):
    """Ask about an account by a word."""

    word: Short


def product_of(handler: Any, name: str = "look") -> Product:
    """A product of one command."""
    commands = (CommandType(name="at", body=Look, handler=handler),)
    return Product(name=name, commands=commands, codes={"no_luck": "No luck."})


def answered(handler: Any, *others: Product) -> str:
    """The code with which a handler ends."""
    trial = Trial(product_of(handler), *others)
    trial.step(trial.script.accounts(1, 2))
    return trial.step(trial.script.say(BOB, "look.at", Look("x"))).answers[0].reply.code


def test_a_handler_sees_accounts_and_transfers_as_they_are_now() -> None:
    """Its own transfers included."""

    def look(context: Context, _command: Look) -> None:
        assert context.signer == BOB
        assert context.time_ns > 0
        assert context.entry_index == 3
        sent = Transfer(id=99, debit=1, credit=2, amount=7, asset=978, code=1)
        assert context.try_transfer(sent) is TransferCode.OK
        assert context.try_transfer(sent) is TransferCode.EXISTS
        assert context.balance(2).credits_posted == 7
        stored = context.view().transfer(99)
        assert stored is not None
        assert stored.amount == 7
        assert context.view().transfer(98) is None
        assert context.view().account(3) is None

    assert answered(look) == "ok"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda context: context.balance(77), "account_not_found"),
        (lambda context: context.refuse("no_luck"), "no_luck"),
        (lambda context: context.open_account(Account(id=1, asset=978, code=1)), "exists"),
        (lambda context: context.open_account(Account(id=9, asset=978, code=0)), "code_must_not_be_zero"),
        (lambda context: context.transfer(Transfer(id=9, debit=1, credit=3, amount=1, asset=978, code=1)),
         "credit_account_not_found"),
    ],
)  # fmt: skip
def test_a_context_refuses_with_a_code(act: Any, code: str) -> None:
    """The machine's, the product's or the kernel's."""

    def look(context: Context, _command: Look) -> None:
        act(context)

    assert answered(look) == code


def test_a_handler_may_go_on_after_a_transfer_was_refused() -> None:
    """The refused transfer left nothing behind, and what was done besides it stays."""

    def look(context: Context, _command: Look) -> None:
        with pytest.raises(Refusal):
            context.transfer(Transfer(id=5, debit=1, credit=9, amount=1, asset=978, code=1))
        context.transfer(Transfer(id=5, debit=1, credit=2, amount=1, asset=978, code=1))

    assert answered(look) == "ok"


@pytest.mark.parametrize(
    "act",
    [
        lambda context: context.emit(Look("x")),
        lambda context: context.schedule(5, "never", Look("x")),
        lambda context: context.schedule(0, "ring", Look("x")),
        lambda context: context.try_transfer(Transfer(id=1, flags=TransferFlag.LINKED)),
        lambda context: context.chain([]),
        lambda context: context.open_account(Account(id=-1, asset=1, code=1)),
        lambda _context: Look("an answer that was not announced"),
    ],
)
def test_a_misuse_of_the_context_is_a_bug(act: Any) -> None:
    """Undeclared events, timers and answers, and values that fit no record, stop the node."""
    with pytest.raises(AssertionError):
        answered(lambda context, _command: act(context))


def test_what_one_product_offers_another_runs_on_its_own_rows() -> None:
    """Through ``for_product`` a function of the other product sees that product's tables, in the same command."""

    def look(context: Context, _command: Look) -> None:
        own = context.for_product("trial")
        own.rows.run("INSERT INTO trial_marks (seq, number, how) VALUES (0, 5, 'asked')")
        assert own.signer == context.signer
        assert own.new_id("x") != context.new_id("x")
        with pytest.raises(AssertionError):
            context.rows.all("SELECT seq FROM trial_marks ORDER BY seq")

    assert answered(look, TRIAL) == "ok"


def test_commands_wait_for_due_timers_of_the_same_entry() -> None:
    """Timers come first: a command sees what they did."""
    seen: list[list[tuple[int, str]]] = []

    def look(context: Context, _command: Look) -> None:
        seen.append(marks(context.for_product("trial").view()))

    trial = Trial(TRIAL, product_of(look))
    plan(trial, count=1, after=5)
    trial.step(trial.script.say(BOB, "look.at", Look("x")))
    assert seen == [[(0, "ok")]]


def test_invariants_are_checked_on_demand() -> None:
    """A broken invariant is named by its own assertion."""

    def never(_view: object) -> None:
        raise AssertionError("this is never true")

    machine = Machine(None, [dataclasses.replace(TRIAL, invariants=(never,))])
    machine.step(LogScript().entries[0])
    with pytest.raises(AssertionError, match="never true"):
        machine.check()


def test_packing_no_commands_is_a_bug() -> None:
    """A node that has nothing to say appends a tick."""
    with pytest.raises(AssertionError):
        pack_commands([])
