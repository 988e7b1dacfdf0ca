"""A product made for the tests: commands that do what no decent product would, to see what the machine makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from formicary.base.errors import Refusal
from formicary.kernel.objects import Account, Transfer
from formicary.products.anatomy import CommandType, EventType, Message, Product, TimerType

if TYPE_CHECKING:
    from formicary.machine.context import Context, View

Small = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Short = Annotated[str, msgspec.Meta(max_length=100)]


class Do(Message, frozen=True):
    """Write a row, move money, tell the outside, set a timer; then end as ``how`` says."""

    number: Small
    how: Short


class Plan(Message, frozen=True):
    """Schedule ``count`` timers ``after`` ns from now that end as ``how`` says; cancel the first ``cancel``."""

    count: Small
    after: Small
    cancel: Small
    how: Short


class Rang(Message, frozen=True):
    """What a timer or command did."""

    number: Small
    how: Short


class Told(Message, frozen=True):
    """An answer."""

    text: Short


def do(context: Context, command: Do) -> Told:
    """Do a bit of everything, then succeed, refuse or break."""
    _touch(context, command.number, command.how)
    context.schedule(context.time_ns + 10**15, "ring", Rang(command.number, "ok"))
    _end(command.how)
    return Told(f"{context.entry_index} {context.new_id('a')} {context.new_id('a')}")


def plan(context: Context, command: Plan) -> None:
    """Schedule timers, and cancel some of them."""
    timers = [
        context.schedule(context.time_ns + command.after, "ring", Rang(number, command.how))
        for number in range(command.count)
    ]
    for timer in timers[: command.cancel]:
        assert context.cancel(timer)
        assert not context.cancel(timer)


def ring(context: Context, timer: Rang) -> None:
    """Note that a timer ran."""
    if timer.how == "again":
        context.schedule(context.time_ns, "ring", Rang(timer.number, "again"))
    _touch(context, timer.number, timer.how)
    _end(timer.how)


def chain(context: Context, command: Do) -> None:
    """Post three linked transfers, the middle one of ``number``."""
    _account(context, 11)
    _account(context, 12)
    parts = [(f"{place}", amount) for place, amount in enumerate((1, command.number, 1))]
    context.chain(
        [
            Transfer(id=context.new_id(label), debit=11, credit=12, amount=amount, asset=1, code=1)
            for label, amount in parts
        ]
    )


def many(context: Context, command: Do) -> None:
    """Post a chain of ``number`` transfers between accounts 11 and 12."""
    ids = [context.new_id("m") for _ in range(command.number)]
    context.chain([Transfer(id=one, debit=11, credit=12, amount=1, asset=978, code=1) for one in ids])


def _touch(context: Context, number: int, how: str) -> None:
    count = context.rows.one("SELECT count(*) FROM trial_marks")
    assert count is not None
    context.rows.run("INSERT INTO trial_marks (seq, number, how) VALUES (?, ?, ?)", count[0], number, how)
    _account(context, 11)
    _account(context, 12)
    amount = number + 1
    context.transfer(Transfer(id=context.new_id("t"), debit=11, credit=12, amount=amount, asset=1, code=1))
    context.emit(Rang(number, how))


def _account(context: Context, number: int) -> None:
    if context.view().account(number) is None:
        context.open_account(Account(id=number, asset=1, code=1))


def _end(how: str) -> None:
    if how == "refuse":
        raise Refusal("as asked", code="as_asked")
    if how == "undeclared":
        raise Refusal("nobody knows this", code="never_declared")
    if how == "bug":
        raise ZeroDivisionError


def marks(view: View) -> list[tuple[int, str]]:
    """What was marked, in order."""
    return [(number, how) for number, how in view.rows.all("SELECT number, how FROM trial_marks ORDER BY seq")]


TRIAL = Product(
    name="trial",
    schema="""CREATE TABLE trial_marks (
                  seq INTEGER NOT NULL PRIMARY KEY, number INTEGER NOT NULL, how TEXT NOT NULL) STRICT;""",
    commands=(
        CommandType(name="do", body=Do, handler=do, reply=Told),
        CommandType(name="plan", body=Plan, handler=plan),
        CommandType(name="chain", body=Do, handler=chain),
        CommandType(name="many", body=Do, handler=many),
    ),
    timers=(TimerType(name="ring", payload=Rang, handler=ring),),
    events=(EventType(kind="rang", payload=Rang),),
    codes={"as_asked": "The caller asked to be refused."},
)
